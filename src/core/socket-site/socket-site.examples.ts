import { socketSiteSpec } from "../../api/socket-site.ts";
import type { DeviceReport } from "../socket/device.ts";
import { rolloutView } from "../socket/rollout-view.examples.ts";
import type { SiteInventory, SocketSiteObservation } from "./observation.ts";

/** A Socket that is there, enrolled, on 17.2 and polls; what is not given is of no matter to the test. */
export const device = (serial: string, given: Partial<DeviceReport> = {}): DeviceReport => ({
  serial,
  account: "acme",
  model: "X1600",
  version: "17.2",
  versionSeenAt: Date.parse("2026-10-04T00:30:00Z"),
  ha: { state: "Active", keepalive: true },
  pop: "fra1",
  prefetches: false,
  polledMilliseconds: 20_000,
  hintMilliseconds: 300_000,
  attributesMilliseconds: 60_000,
  gaps: 0,
  connectedSince: Date.parse("2026-11-01T00:00:00Z"),
  ...given,
});

/** The inventory with these Sockets, no commands and no verdicts. */
export const inventoryOf = (devices: readonly DeviceReport[], given: Partial<SiteInventory> = {}): SiteInventory => ({
  devices: new Map(devices.map((one) => [one.serial, one])),
  foreign: new Set(),
  commands: new Map(),
  verdicts: [],
  notices: new Map(),
  ...given,
});

/** The pair of Berlin, both on 17.2, S-2001 active; Sunday 01:00–03:00 by the account's window; 18.3.3 announced to everybody. */
export const berlin = (given: Partial<SocketSiteObservation> = {}): SocketSiteObservation => ({
  site: {
    namespace: "acme",
    name: "berlin",
    uid: "site-berlin",
    generation: 1,
    deleting: false,
    spec: socketSiteSpec.parse({
      timeZone: "Europe/Berlin",
      sockets: [
        { serial: "S-2001", role: "Primary", model: "X1600" },
        { serial: "S-2002", role: "Secondary", model: "X1600" },
      ],
    }),
    status: {},
  },
  account: "acme",
  policy: { order: "StandbyFirst", haRemediation: "Automatic" },
  hasNoticeChannel: false,
  window: {
    from: "Account",
    name: "sockets",
    spec: {
      schedule: { weekly: [{ day: "Sunday", start: "01:00", end: "03:00" }], everyWeeks: 1 },
      timeZone: "Local",
      notice: "48h",
    },
  },
  fleet: { paused: false, freezes: [], minimumNotice: 48 * 3_600_000 },
  tzdata: "2026a",
  rollouts: [rolloutView()],
  inventory: inventoryOf([device("S-2001"), device("S-2002", { ha: { state: "Standby", keepalive: true } })]),
  claimedTwice: new Map(),
  pop: { name: "fra1" },
  features: [],
  watchingSince: Date.parse("2026-11-01T00:00:00Z"),
  ...given,
});
