import { type AccountPolicy, ACCOUNT_POLICY } from "../../../api/account-policy.ts";
import type { MaintenanceWindow } from "../../../api/maintenance-window.ts";
import { MAINTENANCE_WINDOW } from "../../../api/resources.ts";
import { SOCKET_ROLLOUT, type SocketRollout } from "../../../api/socket-rollout.ts";
import type { Draft } from "../../../control/ports.ts";
import type { PlannedSite } from "../../../simulation/devices/device-fleet.ts";
import { NAMESPACE, type Tempo } from "../cast.ts";

/** From the date line westwards: in this order Sunday comes to them. */
export const ZONES: readonly (readonly [city: string, zone: string])[] = [
  ["Auckland", "Pacific/Auckland"],
  ["Sydney", "Australia/Sydney"],
  ["Brisbane", "Australia/Brisbane"],
  ["Adelaide", "Australia/Adelaide"],
  ["Tokyo", "Asia/Tokyo"],
  ["Singapore", "Asia/Singapore"],
  ["Bangkok", "Asia/Bangkok"],
  ["Kathmandu", "Asia/Kathmandu"],
  ["Mumbai", "Asia/Kolkata"],
  ["Karachi", "Asia/Karachi"],
  ["Dubai", "Asia/Dubai"],
  ["Tehran", "Asia/Tehran"],
  ["Nairobi", "Africa/Nairobi"],
  ["Istanbul", "Europe/Istanbul"],
  ["Helsinki", "Europe/Helsinki"],
  ["Johannesburg", "Africa/Johannesburg"],
  ["Berlin", "Europe/Berlin"],
  ["Madrid", "Europe/Madrid"],
  ["Lagos", "Africa/Lagos"],
  ["London", "Europe/London"],
  ["Lisbon", "Europe/Lisbon"],
  ["São Paulo", "America/Sao_Paulo"],
  ["Halifax", "America/Halifax"],
  ["New York", "America/New_York"],
  ["Lima", "America/Lima"],
  ["Chicago", "America/Chicago"],
  ["Denver", "America/Denver"],
  ["Phoenix", "America/Phoenix"],
  ["Los Angeles", "America/Los_Angeles"],
  ["Honolulu", "Pacific/Honolulu"],
];

export const SITE_COUNT = 200;
/** London has so many more than its share that some of them have their turn on the night of the clock change, whatever the lot says. */
const MORE_IN_LONDON = 18;
export const ACCOUNTS: readonly string[] = ["bakery", "clinic", "insurance", "school"];

export const BASE = "17.2";
export const TARGET = "18.3.3";
export const ROLLOUT = "socket-18-3-3";

/** A site of the play; of three in a zone two have one Socket and one a pair. */
export interface CastSite extends PlannedSite {
  readonly city: string;
  /** `<namespace>/<name>`. */
  readonly key: string;
}

const slug = (city: string): string =>
  city
    .normalize("NFD")
    .replaceAll(/[^a-z]+/gi, "")
    .toLowerCase();

/** The zone of each site in turn: first London's more, then round and round. */
const placeOf = (index: number): (typeof ZONES)[number] =>
  index < MORE_IN_LONDON ? ZONES.find(([city]) => city === "London")! : ZONES[(index - MORE_IN_LONDON) % ZONES.length]!;

export const SITES: readonly CastSite[] = castSites();

function castSites(): CastSite[] {
  const counts = new Map<string, number>();
  return Array.from({ length: SITE_COUNT }, (_, index): CastSite => {
    const [city, timeZone] = placeOf(index);
    const nth = (counts.get(city) ?? 0) + 1;
    counts.set(city, nth);
    const [name, account] = [`${slug(city)}-${nth}`, ACCOUNTS[index % ACCOUNTS.length]!];
    const number = String(index + 1).padStart(4, "0");
    const serials = nth % 3 === 0 ? [`S-${number}-A`, `S-${number}-B`] : [`S-${number}`];
    return {
      namespace: account,
      name,
      key: `${account}/${name}`,
      account,
      city,
      timeZone,
      model: "X1600",
      sockets: serials.map((serial, at) => ({ serial, role: at === 0 ? "Primary" : "Secondary", behaviour: "ok" })),
    };
  });
}

/** What is written down here and not computed: a calendar on the wall. Each night begins an hour before Sunday's first window. */
export const CURTAIN = Date.parse("2026-03-16T08:00:00Z");
export const DAYS = {
  announced: "2026-03-16T09:00:00Z",
  nights: [
    { date: "22 March", from: "2026-03-21T11:00:00Z", to: "2026-03-22T14:00:00Z" },
    { date: "29 March", from: "2026-03-28T11:00:00Z", to: "2026-03-29T14:00:00Z" },
    { date: "5 April", from: "2026-04-04T11:00:00Z", to: "2026-04-05T14:00:00Z" },
  ],
  /** When the ramp opens to a quarter and to everybody: a week after the step before, and the minutes until it is seen. */
  steps: ["2026-03-23T09:05:00Z", "2026-03-30T09:05:00Z"],
  /** Noon in New York. */
  byHand: "2026-03-24T16:00:00Z",
  mishaps: "2026-04-03T10:00:00Z",
} as const;

/** The night on which London's clocks go from 01:00 to 02:00, at 01:00 UTC. */
export const CLOCK_CHANGE = { date: "2026-03-29", opens: "2026-03-29T01:00:00Z", closes: "2026-03-29T02:00:00Z" } as const;

/** Nothing of the act's pace is a matter of tempo: it plays in memory alone. */
export const TEMPO: Tempo = { soak: "1s", bake: "1m", checkInterval: "1s", stretchMilliseconds: 0, beforeLastStartMilliseconds: 0 };

const WINDOW = "sockets";

/** Sunday 01:00 to 03:00, wherever the site is, and 48 hours of notice. */
export const windowDraft = (account: string): Draft<MaintenanceWindow> =>
  ({
    apiVersion: MAINTENANCE_WINDOW.apiVersion,
    kind: "MaintenanceWindow",
    metadata: { namespace: account, name: WINDOW },
    spec: { schedule: { weekly: [{ day: "Sunday", start: "01:00", end: "03:00" }] }, timeZone: "Local", notice: "48h" },
  }) as unknown as Draft<MaintenanceWindow>;

export const policyDraft = (account: string): Draft<AccountPolicy> =>
  ({
    apiVersion: ACCOUNT_POLICY.apiVersion,
    kind: "AccountPolicy",
    metadata: { namespace: account, name: "account" },
    spec: {
      sockets: { windowRef: { name: WINDOW } },
      notices: { channels: [{ name: "operations", url: `https://hooks.${account}.example/rollward` }] },
    },
  }) as unknown as Draft<AccountPolicy>;

export const rolloutDraft = (announcedAt: number): Draft<SocketRollout> =>
  ({
    apiVersion: SOCKET_ROLLOUT.apiVersion,
    kind: "SocketRollout",
    metadata: { namespace: NAMESPACE, name: ROLLOUT },
    spec: {
      version: TARGET,
      announcedAt: new Date(announcedAt).toISOString(),
      ramp: [5, 25, 100].map((percent) => ({ percent, for: "168h" })),
      artifact: { url: `https://artifacts.example.com/socket-${TARGET}.swu`, sha256: "9f86d081".repeat(8), size: 1_000 },
    },
  }) as unknown as Draft<SocketRollout>;
