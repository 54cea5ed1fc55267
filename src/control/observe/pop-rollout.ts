import type { Approval } from "../../api/approval.ts";
import type { Fleet } from "../../api/fleet.ts";
import type { MaintenanceWindow } from "../../api/maintenance-window.ts";
import type { PopCluster, PopRun } from "../../api/pop-cluster.ts";
import type { PopRollout, RolloutForecast } from "../../api/pop-rollout.ts";
import type {
  ObservedApproval,
  OtherRollout,
  PopRolloutObservation,
  RolloutPop,
  StageEvidence,
} from "../../core/pop-rollout/observation.ts";
import { oncePer } from "../../core/once-per.ts";
import { bakeOf } from "../../core/pop-cluster/bake-and-watch.ts";
import { parseDuration } from "../../core/time/duration.ts";
import { windowProblems } from "../../core/window/parse.ts";

/** The raw objects that one observation of a rollout is made of, wherever they were read. */
export interface RolloutObjects {
  readonly rollout: PopRollout;
  readonly fleet: Fleet | undefined;
  readonly pops: readonly PopCluster[];
  readonly windows: readonly MaintenanceWindow[];
  readonly rollouts: readonly PopRollout[];
  readonly approvals: readonly Approval[];
  readonly live: boolean;
}

/** Puts the objects together; decides nothing. */
export function rolloutObservation(
  { rollout, fleet, pops, windows, rollouts, approvals, live }: RolloutObjects,
  evidence: ReadonlyMap<string, StageEvidence>,
  forecast: RolloutForecast | undefined,
  defaultPrometheus: string | undefined,
): PopRolloutObservation {
  const { metadata, spec, status = {} } = rollout;
  const named = new Set(pops.map((pop) => pop.spec.windowRef.name));
  return {
    rollout: {
      name: metadata.name,
      namespace: metadata.namespace ?? "",
      uid: metadata.uid,
      generation: metadata.generation ?? 0,
      createdAt: metadata.creationTimestamp ?? "",
      deleting: metadata.deletionTimestamp !== undefined,
      spec,
      status,
    },
    fleet: fleet
      ? {
          found: true,
          paused: fleet.spec.paused,
          freezes: fleet.spec.freezes ?? [],
          approvers: fleet.spec.approvers ?? [],
          ...(fleet.spec.train ? { train: fleet.spec.train } : {}),
        }
      : { found: false },
    pops: pops.map((pop) => seenPop(pop, undefined)),
    windows: new Map(
      windows
        .filter((window) => named.has(window.metadata.name))
        .map((window) => [window.metadata.name, { spec: window.spec, problems: windowProblems(window.spec) }]),
    ),
    others: rollouts
      .filter((other) => other.metadata.uid !== metadata.uid && other.metadata.deletionTimestamp === undefined)
      .map(otherRollout),
    approvals: approvals.filter((approval) => isFor(approval, rollout)).map(observedApproval),
    evidence,
    ...(forecast ? { forecast } : {}),
    ...(defaultPrometheus === undefined ? {} : { defaultPrometheus }),
    live,
  };
}

/** Every rollout looks at every PoP, and most of these are the same objects as before. */
const seenPop = oncePer((pop: PopCluster, _: undefined) => rolloutPop(pop));

/** An Approval of an older object of this name is told too: the sentence that it is for another UID is core's to say (rule G6). */
const isFor = ({ spec, metadata }: Approval, { metadata: { name } }: PopRollout): boolean =>
  metadata.deletionTimestamp === undefined && spec.for.kind === "PoPRollout" && spec.for.name === name;

const observedApproval = ({ metadata, spec }: Approval): ObservedApproval => ({
  name: metadata.name,
  createdAt: metadata.creationTimestamp ?? "",
  spec,
});

/** One PoPCluster as a rollout sees it; from spec and ledger alone, never from conditions (rule G1). */
export function rolloutPop({ metadata, spec, status = {} }: PopCluster): RolloutPop {
  const { run, content } = status;
  return {
    name: metadata.name,
    uid: metadata.uid,
    labels: metadata.labels ?? {},
    timeZone: spec.timeZone,
    windowRef: spec.windowRef.name,
    deleting: metadata.deletionTimestamp !== undefined,
    ...(spec.version === undefined ? {} : { pinned: spec.version }),
    ...(spec.content?.version === undefined ? {} : { pinnedContent: spec.content.version }),
    loadsContent: spec.content !== undefined,
    ...(status.version === undefined ? {} : { version: status.version }),
    ...(run
      ? {
          run: {
            kind: run.kind,
            version: run.version,
            state: run.state,
            startedAt: run.startedAt,
            ...(run.takesBack ? { takesBack: run.takesBack.version } : {}),
            ...(run.cause === undefined ? {} : { cause: run.cause }),
            ...(run.ending === undefined ? {} : { ending: run.ending }),
            ...bakeEnd(run, spec),
          },
        }
      : {}),
    history: (status.history ?? []).map(({ version, startedAt, endedAt, outcome, evidence }) => ({
      version,
      startedAt,
      endedAt,
      outcome,
      ...(evidence === undefined ? {} : { evidence }),
    })),
    failed: (status.revisions?.failed ?? []).map(({ version, at, evidence }) => ({ version, at, evidence })),
    ...(content
      ? {
          content: {
            ...(content.current === undefined ? {} : { current: content.current }),
            ...(content.target === undefined ? {} : { target: content.target }),
            ...(content.state === undefined ? {} : { state: content.state }),
            failed: content.failed ?? [],
          },
        }
      : {}),
    ...(status.members ? { members: status.members } : {}),
    expected: spec.strategy.perNode.expected,
    bake: spec.strategy.bake,
    watch: spec.strategy.watch,
  };
}

/** When the bake is over if it goes on as it does: an instant of the ledger, which moves only when the bake stands still. */
function bakeEnd(run: PopRun, spec: PopCluster["spec"]): { readonly bakesUntil?: string } {
  const { since, accumulated = 0 } = run.timers?.bake ?? {};
  if (run.state !== "Baking" || since === undefined) return {};
  return { bakesUntil: new Date(Date.parse(since) - accumulated + (parseDuration(bakeOf(run, spec)) ?? 0)).toISOString() };
}

function otherRollout({ metadata, spec, status = {} }: PopRollout): OtherRollout {
  return {
    name: metadata.name,
    uid: metadata.uid,
    createdAt: metadata.creationTimestamp ?? "",
    version: spec.version ?? spec.content?.version ?? "",
    content: spec.content !== undefined,
    class: spec.class,
    ...(spec.supersedes ? { supersedes: spec.supersedes.name } : {}),
    ...(status.supersededBy ? { supersededBy: status.supersededBy.name } : {}),
    standing: status.standing === true,
    ...(status.standingSince === undefined ? {} : { standingSince: status.standingSince }),
    ended: status.outcome !== undefined,
    ...(status.forecast?.finishAt === undefined ? {} : { finishAt: status.forecast.finishAt }),
    faulty: [status.halted, status.stopped, status.takenBack].some((one) => one !== undefined),
    waves: (status.waves ?? []).map(({ name, state, pops = [] }) => ({ name, state, pops })),
    assignments: status.assignments ?? [],
  };
}
