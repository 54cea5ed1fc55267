import type { PopClusterSpec, PopClusterStatus } from "../../src/api/pop-cluster.ts";
import { popClusterSpec } from "../../src/api/pop-cluster.ts";
import { REVISION_LABEL } from "../../src/api/names.ts";
import type { DataPlanePod, Member, PopClusterObservation } from "../../src/core/pop-cluster/observation.ts";
import { revisionOf } from "../../src/core/pop-cluster/revision.ts";
import { popDraft } from "../../src/simulation/world.ts";

/** Sunday 2026-11-22, 01:30 in Berlin: the window of the PoP is open. */
export const OPEN = Date.parse("2026-11-22T00:30:00Z");
/** The Tuesday after it. */
export const TUESDAY = Date.parse("2026-11-24T12:00:00Z");

const draftSpec = (popDraft("fra1") as unknown as { spec: object }).spec;
/** The spec of a simulated PoP with what a test changes, as the API server would complete it. */
export const popSpec = (changes: object = {}): PopClusterSpec => popClusterSpec.parse({ ...draftSpec, ...changes });
export const revisionIn = (version: string): string => revisionOf(popSpec().template, version);

export const member = (name: string, changes: Partial<Member> = {}): Member => {
  const base: Member = {
    name,
    uid: `uid-${name}`,
    taints: undefined,
    annotated: true,
    unschedulable: false,
    ready: "True",
    deleting: false,
    address: "10.0.0.1",
    labels: {},
    label: `fra1-${revisionIn("1.0.0")}`,
  };
  const merged = { ...base, ...changes };
  return { ...merged, labels: { ...merged.labels, ...(merged.label ? { [REVISION_LABEL]: merged.label } : {}) } };
};

export const podOn = (node: string, version = "1.0.0", changes: Partial<DataPlanePod> = {}): DataPlanePod => ({
  name: `pop-${node}`,
  namespace: "rollward-data-plane",
  uid: `pod-${node}-${version}`,
  node,
  daemonSetUID: `set-${version}`,
  revision: revisionIn(version),
  ready: true,
  phase: "Running",
  deleting: false,
  address: "10.0.0.1",
  hostPorts: [8080, 7000],
  containers: [{ name: "pop", ready: true, restarts: 0, imageID: `pop@sha256:${version}`, containerID: `containerd://${node}-${version}` }],
  ...changes,
});

const recordOf = (version: string, number: number) => ({
  name: `fra1-${revisionIn(version)}`,
  revision: revisionIn(version),
  version,
  template: popSpec().template,
  number,
});
const setOf = (version: string) => ({
  name: `fra1-${revisionIn(version)}`,
  namespace: "rollward-data-plane",
  uid: `set-${version}`,
  revision: revisionIn(version),
  intact: true,
  deleting: false,
  resourceVersion: "1",
});

export interface ObservationChanges extends Partial<Omit<PopClusterObservation, "pop">> {
  readonly spec?: object;
  readonly status?: PopClusterStatus;
  readonly pop?: Partial<PopClusterObservation["pop"]>;
  /** Versions whose record and DaemonSet are there. */
  readonly versions?: readonly string[];
}

/** A PoP of three nodes on 1.0.0, at rest in an open window, with a Fleet; and what a test changes of it. */
export function observation(changes: ObservationChanges = {}): PopClusterObservation {
  const { spec, status, pop, versions = ["1.0.0", "2.0.0"], members = ["n1", "n2", "n3"].map((name) => member(name)), ...rest } = changes;
  const current = revisionIn("1.0.0");
  return {
    pop: {
      name: "fra1",
      namespace: "fleet",
      uid: "uid-fra1",
      generation: 1,
      deleting: false,
      finalizers: ["rollward.dev/claims"],
      spec: popSpec(spec),
      status: status ?? {
        clusterUID: "cluster",
        observedGeneration: 1,
        revisions: { wanted: current, current, promoted: current, failed: [] },
        nodes: members.map(({ name, uid }) => ({
          name,
          uid,
          revision: current,
          step: "Done" as const,
          since: "2026-11-21T00:00:00.000Z",
          attempt: 0,
        })),
      },
      ...pop,
    },
    window: {
      found: true,
      spec: { schedule: { everyWeeks: 1, weekly: [{ day: "Sunday", start: "01:00", duration: "4h" }] }, timeZone: "Local" } as never,
      problems: [],
    },
    fleet: { found: true, paused: false, freezes: [], disruptions: [] },
    site: { state: "Reachable", uid: "cluster", ageMilliseconds: 0, watchedMilliseconds: 3_600_000 },
    members,
    deselected: new Set(),
    pods: members.map(({ name }) => podOn(name)),
    foreignPods: [],
    daemonSets: versions.map(setOf),
    records: versions.map(recordOf),
    samples: new Map(),
    dryRuns: new Map(),
    drains: new Map(),
    drainedSessions: new Map(),
    evictions: new Map(),
    otherPods: new Map(),
    refusedMoves: new Map(),
    pulls: new Map(),
    pullPods: [],
    contents: new Map(),
    neighbours: [],
    live: true,
    ...rest,
  };
}
