import { z } from "zod";
import { mapList, rules, VERSION_PATTERN } from "./cel.ts";
import { objectName, type ObjectMeta, reference, shortText, writtenInstant, zoneName } from "./common.ts";
import { acceptedColumn, AGE_COLUMN, defineResource } from "./define-resource.ts";
import { modelName, socketSiteStatus, type SocketSiteStatus } from "./socket-site-status.ts";

export type { SocketSiteStatus } from "./socket-site-status.ts";
export { socketSiteStatus } from "./socket-site-status.ts";

/** A serial stands in the path of every call of its Socket, and in messages. */
const writtenSerial = () =>
  z
    .string()
    .min(1)
    .max(64)
    .meta(
      rules({
        rule: "self.size() <= 64 && self.matches('^[0-9A-Za-z]([0-9A-Za-z._-]*[0-9A-Za-z])?$')",
        message: "write the serial as on the device's label: up to 64 letters, digits, dots and hyphens, for example S-1001",
      }),
    );

export const writtenVersion = () =>
  z
    .string()
    .min(1)
    .max(64)
    .meta(
      rules({
        rule: `self.matches('${VERSION_PATTERN}')`,
        message: 'write 2 to 4 numbers without leading zeros, a pre-release after a hyphen, for example "18.3.3" or "18.4.0-rc.1"',
      }),
    );

const socket = z.object({
  serial: writtenSerial().describe("The serial of the device; the provider's registry says whose it is."),
  role: z.enum(["Primary", "Secondary"]).describe("As it was configured. Which one carries the traffic now, the Sockets report."),
  model: modelName().optional().describe("The model that is expected; left out: whatever the Socket reports."),
});

const upgradeNow = z.object({
  serial: writtenSerial().describe("The Socket to upgrade, one of this site."),
  version: writtenVersion().describe("The version; a SocketRollout has to carry it."),
  at: writtenInstant().describe("When it was asked; carried out once for each value."),
  acceptDowntime: z
    .boolean()
    .default(false)
    .describe("Upgrade it although the other Socket of the pair is not connected: the site is down meanwhile."),
});

export const socketSiteSpec = z
  .object({
    displayName: shortText().optional().describe("How people call the site."),
    timeZone: zoneName().describe("The site's own zone: its window is read in it."),
    sockets: z
      .array(socket)
      .min(1)
      .max(2)
      .meta({
        ...mapList("serial"),
        ...rules(
          {
            rule: "self.size() == 1 || self.size() == 2",
            message: "a site has one Socket, or two as a pair: write its serials under sockets",
          },
          {
            rule: "self.exists_one(s, s.role == 'Primary')",
            message: "one Socket of a site is the Primary, the other of a pair the Secondary: write role: Primary on exactly one",
          },
        ),
      })
      .describe("Its Sockets: one, or two as a high-availability pair."),
    pops: z
      .object({ preferred: objectName().optional().describe("The PoP that it should connect to. Where it is connected, it reports.") })
      .optional()
      .describe("What the account wishes of PoPs."),
    windowRef: reference().optional().describe("A MaintenanceWindow beside it; left out: the account's, then the provider's."),
    maximumVersion: writtenVersion().optional().describe("Nothing newer is installed here. What runs already is not taken back."),
    requests: z
      .object({ upgradeNow: upgradeNow.optional().describe("Upgrade one Socket now: no window, no notice, no ramp; every guard stays.") })
      .optional()
      .describe("A person's word; each is carried out once for each value of at."),
  })
  .meta(
    rules({
      rule: "!has(self.requests) || !has(self.requests.upgradeNow) || self.sockets.exists(s, s.serial == self.requests.upgradeNow.serial)",
      message: "upgradeNow names a Socket of another site: write one of the serials under sockets",
      fieldPath: ".requests.upgradeNow.serial",
    }),
  );
export type SocketSiteSpec = z.infer<typeof socketSiteSpec>;

export interface SocketSite {
  readonly apiVersion: string;
  readonly kind: "SocketSite";
  readonly metadata: ObjectMeta;
  readonly spec: SocketSiteSpec;
  readonly status?: SocketSiteStatus;
}

export const SOCKET_SITE = defineResource<SocketSite>({
  kind: "SocketSite",
  plural: "socketsites",
  shortNames: ["site"],
  description: "A customer's site behind one Socket or a pair: its zone and window, what its Sockets run, and when they are upgraded.",
  spec: socketSiteSpec,
  status: socketSiteStatus,
  columns: [
    {
      name: "Version",
      jsonPath: ".status.lowestVersion",
      description: "What it runs, before a Socket was taken in hand; of a pair the older version.",
    },
    {
      name: "HA",
      jsonPath: ".status.ha.status",
      description: "Of a pair: NotReady, Ready, Unknown, Upgrading. Sort with --sort-by=.status.ha.status: NotReady comes first.",
    },
    { name: "Connected", jsonPath: '.status.conditions[?(@.type=="Connected")].status' },
    { name: "Target", jsonPath: ".status.upgrade.version" },
    { name: "Step", jsonPath: ".status.upgrade.step" },
    { name: "Starts", jsonPath: ".status.upgrade.localStart", description: "The planned start on the site's own clock." },
    { name: "Waits For", jsonPath: ".status.holds[0].reason", description: "Why not yet; rollward explain says it in a sentence." },
    { name: "Until", jsonPath: ".status.holds[0].until" },
    { name: "PoP", jsonPath: ".status.pop", priority: 1 },
    { name: "Weeks Behind", type: "integer", jsonPath: ".status.weeksBehind", priority: 1 },
    { name: "Zone", jsonPath: ".spec.timeZone", priority: 1 },
    acceptedColumn(),
    AGE_COLUMN,
  ],
});
