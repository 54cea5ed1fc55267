import type { PopCluster } from "../../../api/pop-cluster.ts";
import type { PopRollout } from "../../../api/pop-rollout.ts";
import { POP_ROLLOUT, TUNNEL_SITE } from "../../../api/resources.ts";
import type { TunnelSite } from "../../../api/tunnel-site.ts";
import type { Draft } from "../../../control/ports.ts";
import { popDraft } from "../../../simulation/world.ts";
import { type CastPop, NAMESPACE, type Tempo } from "../cast.ts";

/** A PoP of the fleet, small as it is, with the make of its machines. */
export interface FleetPop extends CastPop {
  readonly nodes: number;
  /** Versions are built for each make of machines: the image of one make may be missing. */
  readonly image: string;
}

type Row = readonly [name: string, city: string, zone: string];

/** From the date line westwards: in this order Sunday comes to them. */
const MAP: Readonly<Record<string, readonly Row[]>> = {
  oceania: [
    ["akl1", "Auckland", "Pacific/Auckland"],
    ["wlg1", "Wellington", "Pacific/Auckland"],
    ["syd1", "Sydney", "Australia/Sydney"],
    ["mel1", "Melbourne", "Australia/Melbourne"],
  ],
  "ap-northeast": [
    ["tyo1", "Tokyo", "Asia/Tokyo"],
    ["osa1", "Osaka", "Asia/Tokyo"],
    ["fuk1", "Fukuoka", "Asia/Tokyo"],
    ["sel1", "Seoul", "Asia/Seoul"],
  ],
  "ap-southeast": [
    ["sin1", "Singapore", "Asia/Singapore"],
    ["hkg1", "Hong Kong", "Asia/Hong_Kong"],
    ["tpe1", "Taipei", "Asia/Taipei"],
    ["mnl1", "Manila", "Asia/Manila"],
  ],
  "ap-south": [
    ["bom1", "Mumbai", "Asia/Kolkata"],
    ["del1", "Delhi", "Asia/Kolkata"],
    ["maa1", "Chennai", "Asia/Kolkata"],
    ["cmb1", "Colombo", "Asia/Colombo"],
  ],
  "eu-central": [
    ["fra1", "Frankfurt", "Europe/Berlin"],
    ["ber1", "Berlin", "Europe/Berlin"],
    ["zrh1", "Zurich", "Europe/Zurich"],
    ["vie1", "Vienna", "Europe/Vienna"],
  ],
  "eu-north": [
    ["sto1", "Stockholm", "Europe/Stockholm"],
    ["osl1", "Oslo", "Europe/Oslo"],
    ["cph1", "Copenhagen", "Europe/Copenhagen"],
    ["waw1", "Warsaw", "Europe/Warsaw"],
  ],
  "eu-west": [
    ["lon1", "London", "Europe/London"],
    ["man1", "Manchester", "Europe/London"],
    ["dub1", "Dublin", "Europe/Dublin"],
    ["lis1", "Lisbon", "Europe/Lisbon"],
  ],
  "sa-east": [
    ["gru1", "São Paulo", "America/Sao_Paulo"],
    ["gig1", "Rio de Janeiro", "America/Sao_Paulo"],
    ["eze1", "Buenos Aires", "America/Argentina/Buenos_Aires"],
    ["mvd1", "Montevideo", "America/Montevideo"],
  ],
  "us-east": [
    ["nyc1", "New York", "America/New_York"],
    ["iad1", "Ashburn", "America/New_York"],
    ["bos1", "Boston", "America/New_York"],
    ["yyz1", "Toronto", "America/Toronto"],
  ],
  "us-west": [
    ["lax1", "Los Angeles", "America/Los_Angeles"],
    ["sfo1", "San Francisco", "America/Los_Angeles"],
    ["sea1", "Seattle", "America/Los_Angeles"],
    ["yvr1", "Vancouver", "America/Vancouver"],
  ],
};

const OTHER_MAKE = "ap-northeast";
const image = (region: string): string => `registry.example/${region === OTHER_MAKE ? "pop-x2" : "pop"}`;

/** PoPs in which users are held; of two nodes, so that these have somewhere to go. */
export const WATCHED: readonly string[] = ["akl1", "fra1", "nyc1"];

/** Forty PoPs in ten regions, small ones: what is shown is the order in which they go. */
export const FLEET_POPS: readonly FleetPop[] = Object.entries(MAP).flatMap(([region, rows]) =>
  rows.map(([name, city, zone]) => ({ name, city, zone, region, nodes: WATCHED.includes(name) ? 2 : 1, image: image(region) })),
);
export const REGIONS: readonly string[] = Object.keys(MAP);
export const NODE_COUNT = FLEET_POPS.reduce((sum, { nodes }) => sum + nodes, 0);

/** What the Fleet allows at once. */
export const LIMITS = { maxConcurrentPoPs: 3, maxConcurrentPerRegion: 2, maxConcurrentRollbacks: 2, capacityFloorPercent: 90 } as const;
export const TRAIN = { everyWeeks: 2, anchor: "2026-11-22", length: "336h" } as const;

/** Sites of one account with tunnels to two PoPs, which are never out together; the last has one. */
export const ACCOUNT = "demo-account";
export const DUAL_SITES: readonly (readonly [string, string])[] = [
  ["syd1", "mel1"],
  ["tyo1", "osa1"],
  ["fra1", "ber1"],
  ["vie1", "waw1"],
  ["nyc1", "iad1"],
  ["lax1", "sfo1"],
];

/** Friday noon before a departure; what comes is written down here and not computed: a calendar on the wall. */
export const FLEET_CURTAIN = Date.parse("2026-11-20T12:30:00Z");
export const DAYS = {
  /** Sunday begins in Auckland on Saturday noon UTC, and its last window ends in the west of America on Sunday 13:00; bakes follow. */
  firstSunday: { from: "2026-11-21T12:00:00Z", to: "2026-11-22T18:00:00Z" },
  fixAsked: "2026-11-24T12:00:00Z",
  secondSunday: { from: "2026-11-28T12:00:00Z", to: "2026-11-29T18:00:00Z" },
  approved: "2026-11-30T09:00:00Z",
  content: "2026-12-02T10:00:00Z",
  thirdSunday: { from: "2026-12-05T12:00:00Z", to: "2026-12-06T18:00:00Z" },
} as const;

export const BASE = "2026.11.1";
export const CONTENT = "sig.418";

/** The versions that are released, and the images that were forgotten. */
export interface Releases {
  readonly bad: string;
  readonly fix: string;
  readonly missing: readonly string[];
}
export const RELEASES: Releases = { bad: "2026.11.2", fix: "2026.11.2.1", missing: [`${image(OTHER_MAKE)}:2026.11.2`] };

export const nameOf = (version: string): string => `r-${version.replaceAll(".", "-")}`;

/** Calendar durations are the demo's; nothing of them changes what happens. */
const tempo = (soak: string, bake: string, checkInterval: string, stretchMilliseconds: number): Tempo => ({
  soak,
  bake,
  checkInterval,
  stretchMilliseconds,
  beforeLastStartMilliseconds: 0,
});
export const FLEET_TEMPOS = {
  usual: tempo("4s", "10m", "2s", 1_000),
  fast: tempo("1s", "10m", "1s", 150),
  embedded: tempo("5s", "10m", "5s", 0),
};

export function fleetPopDraft(pop: FleetPop, version: string, { soak, bake, checkInterval }: Tempo, prometheus: string): Draft<PopCluster> {
  const healthz = (name: string, path: string) => ({
    name,
    http: { port: 8080, path },
    successes: 2,
    failures: 2,
    interval: checkInterval,
    timeout: "2s",
  });
  const draft = popDraft(pop.name, {
    version,
    timeZone: pop.zone,
    strategy: { bake, watch: "24h", perNode: { expected: "5m", deadline: "8m", soak, retries: 0 } },
    health: { prometheus: { url: prometheus }, node: [healthz("healthz", "/healthz")], pop: [] },
    spec: {
      region: pop.region,
      displayName: pop.city,
      content: { load: { http: { port: 8080, path: "/content" } }, health: [healthz("content", "/healthz?content")] },
    },
  });
  const [container] = (draft.spec as unknown as { template: { spec: { containers: { image: string }[] } } }).template.spec.containers;
  container!.image = `${pop.image}:\${version}`;
  return draft;
}

export const siteDraft = (name: string, primaryPoP: string, secondaryPoP?: string): Draft<TunnelSite> => ({
  apiVersion: TUNNEL_SITE.apiVersion,
  kind: "TunnelSite",
  metadata: { name, namespace: ACCOUNT },
  spec: { type: "IPsec", primaryPoP, ...(secondaryPoP === undefined ? {} : { secondaryPoP }) },
});

/** A release in three waves, of which a person opens the last. */
export function releaseDraft(version: string, { bake }: Tempo, supersedes?: string): Draft<PopRollout> {
  return rolloutDraft(nameOf(version), {
    version,
    ...(supersedes === undefined ? {} : { supersedes: { name: supersedes } }),
    waves: [
      { name: "canary", pops: { count: 2 }, bake },
      { name: "early", pops: { percent: 25 }, bake },
      { name: "rest", pops: { percent: 100 }, bake, approval: "Required" },
    ],
    onFailure: "RollBackAll",
  });
}

export const contentDraft = ({ bake }: Tempo): Draft<PopRollout> =>
  rolloutDraft(nameOf(CONTENT), {
    content: { version: CONTENT },
    waves: [
      { name: "canary", pops: { count: 2 }, bake },
      { name: "rest", pops: { percent: 100 }, bake },
    ],
  });

export const REQUESTER = "release-engineer@example.com";
export const APPROVER = "second-engineer@example.com";

const rolloutDraft = (name: string, spec: object): Draft<PopRollout> =>
  ({
    apiVersion: POP_ROLLOUT.apiVersion,
    kind: "PoPRollout",
    metadata: { name, namespace: NAMESPACE },
    spec: { requestedBy: REQUESTER, ...spec },
  }) as unknown as Draft<PopRollout>;
