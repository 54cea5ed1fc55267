import { fleetSpec } from "../../api/fleet.ts";
import type { Fleet } from "../../api/fleet.ts";
import { maintenanceWindowSpec, type MaintenanceWindow } from "../../api/maintenance-window.ts";
import { type PopCluster, popClusterSpec } from "../../api/pop-cluster.ts";
import { type PopRollout, popRolloutSpec } from "../../api/pop-rollout.ts";
import type { ForesightInput } from "./types.ts";

/** Fleets for tests and benchmarks of the forecast. */
const API = "rollward.dev/v1alpha1";

export const fleetObject = (spec: object = {}): Fleet => ({
  apiVersion: API,
  kind: "Fleet",
  metadata: { name: "fleet", namespace: "fleet", uid: "uid-fleet", resourceVersion: "1", generation: 1 },
  spec: fleetSpec.parse({
    train: { everyWeeks: 2, anchor: "2026-11-22", length: "336h" },
    maxConcurrentPoPs: 20,
    maxConcurrentPerRegion: 2,
    maxConcurrentRollbacks: 2,
    freezes: [{ name: "year-end", from: "2026-12-19", to: "2027-01-05", timeZone: "UTC", reason: "change freeze" }],
    ...spec,
  }),
});

export const windowObject = (spec: object = {}, name = "pop-sunday"): MaintenanceWindow => ({
  apiVersion: API,
  kind: "MaintenanceWindow",
  metadata: { name, namespace: "fleet", uid: `uid-window-${name}`, resourceVersion: "1" },
  spec: maintenanceWindowSpec.parse({
    schedule: { weekly: [{ day: "Sunday", start: "01:00", duration: "4h" }] },
    timeZone: "Local",
    notice: "0s",
    ...spec,
  }),
});

export interface PopExample {
  readonly region?: string;
  readonly timeZone?: string;
  readonly nodes?: number;
  readonly version?: string;
  readonly window?: string;
  readonly strategy?: object;
  readonly spec?: object;
  readonly status?: PopCluster["status"];
  readonly labels?: Record<string, string>;
}

export const popObject = (
  name: string,
  { region = "eu-central", timeZone = "Europe/Berlin", nodes = 4, version = "2026.11.1", ...rest }: PopExample = {},
): PopCluster => ({
  apiVersion: API,
  kind: "PoPCluster",
  metadata: { name, namespace: "fleet", uid: `uid-${name}`, resourceVersion: "1", labels: rest.labels ?? {} },
  spec: popClusterSpec.parse({
    region,
    timeZone,
    nodeSelector: { matchLabels: { "rollward.dev/pop": name } },
    windowRef: { name: rest.window ?? "pop-sunday" },
    template: { spec: { containers: [{ name: "pop", image: "registry.example/pop:${version}" }] } },
    strategy: { perNode: { expected: "8m", deadline: "15m", soak: "60s" }, bake: "1h", ...rest.strategy },
    rollback: { maxUnavailable: 2 },
    ...rest.spec,
  }),
  status: { version, members: { total: nodes, out: 0 }, revisions: { current: version }, ...rest.status },
});

/** The release of design samples §2: canary, small, rest with a week to approve. */
export const rolloutObject = (spec: object = {}, name = "r-2026-11-2"): PopRollout => ({
  apiVersion: API,
  kind: "PoPRollout",
  metadata: {
    name,
    namespace: "fleet",
    uid: `uid-${name}`,
    resourceVersion: "1",
    generation: 1,
    creationTimestamp: "2026-11-13T12:00:00Z",
  },
  spec: popRolloutSpec.parse({
    version: "2026.11.2",
    requestedBy: "release-engineer@example.com",
    announcedAt: "2026-11-13T12:00:00Z",
    startNotBefore: "2026-11-22",
    stages: [{ name: "ci", check: { http: { url: "https://ci.example.com/results/${version}" } } }],
    waves: [
      { name: "canary", pick: "EarliestWindow", pops: { count: 2 }, bake: "4h" },
      { name: "small", pick: "EarliestWindow", pops: { percent: 10 }, bake: "24h" },
      { name: "rest", pops: { percent: 100 }, bake: "24h", approval: "Required" },
    ],
    failureBudget: { pops: 1 },
    onFailure: "RollBackAll",
    ...spec,
  }),
});

/** Forty regions around the world, the PoPs spread over them in turn. */
const PLACES = (
  "Pacific/Auckland Australia/Sydney Australia/Brisbane Asia/Tokyo Asia/Seoul Asia/Singapore Asia/Hong_Kong Asia/Shanghai Asia/Bangkok " +
  "Asia/Jakarta Asia/Dhaka Asia/Kolkata Asia/Karachi Asia/Dubai Asia/Riyadh Africa/Nairobi Europe/Istanbul Europe/Moscow Europe/Athens " +
  "Europe/Helsinki Africa/Johannesburg Africa/Cairo Europe/Berlin Europe/Paris Europe/Madrid Europe/Stockholm Africa/Lagos Europe/London " +
  "Europe/Lisbon America/Sao_Paulo America/Santiago America/New_York America/Toronto America/Bogota America/Chicago America/Mexico_City " +
  "America/Denver America/Los_Angeles America/Vancouver Pacific/Honolulu"
).split(" ");

export const worldwide = (count: number, change: (index: number) => PopExample = () => ({})): PopCluster[] =>
  Array.from({ length: count }, (_, index) => {
    const timeZone = PLACES[index % PLACES.length]!;
    const region = timeZone.split("/")[1]!.toLowerCase().replaceAll("_", "-");
    return popObject(`p${String(index).padStart(3, "0")}`, { region, timeZone, nodes: 2 + (index % 7), ...change(index) });
  });

/** Every PoP shares sites with every other. */
export function completePartners(pops: readonly PopCluster[], sites = 2): ForesightInput["partners"] {
  const names = pops.map(({ metadata }) => metadata.name);
  return new Map(names.map((name) => [name, new Map(names.filter((other) => other !== name).map((other) => [other, sites]))]));
}

/** Friday 13 November 2026, noon: the release is announced. */
export const FRIDAY = Date.UTC(2026, 10, 13, 12);

export const example = (input: Partial<ForesightInput> & { readonly pops: readonly PopCluster[] }): ForesightInput => ({
  now: FRIDAY,
  namespace: "fleet",
  fleet: fleetObject(),
  windows: [windowObject()],
  rollouts: [rolloutObject()],
  approvals: [],
  partners: new Map(),
  ...input,
});
