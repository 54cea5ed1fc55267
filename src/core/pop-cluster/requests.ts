import type { PopClusterStatus, PopNodeStatus, PopRun } from "../../api/pop-cluster.ts";
import type { Instant } from "../decision.ts";
import { accusedRun } from "./home-run.ts";
import { olderVersion } from "./older-version.ts";
import type { Outcome } from "./outcome.ts";
import { endRun, failRevision } from "./verdict.ts";
import type { PopView } from "./view.ts";

type Verb = "takeBack" | "stop" | "retry";
type Handled = NonNullable<PopClusterStatus["handled"]>;

/** A person's word that is no state (`spec.requests`): carried out once per `at`, recorded in `status.handled`. */
export function requests(view: PopView, now: Instant): Outcome | undefined {
  for (const verb of ["takeBack", "stop", "retry"] as const) {
    const asked = view.seen.pop.spec.requests?.[verb];
    if (!asked || view.seen.pop.status.handled?.[verb] === asked.at) continue;
    return { takeBack, stop, retry }[verb](view, { ...asked, by: "a person", of: `spec.requests.${verb}`, key: verb }, now);
  }
  return undefined;
}

/** One word that is no state, whoever gave it. */
export interface Asked {
  readonly revision?: string | undefined;
  readonly at: string;
  /** Who asked, inside a sentence; and where it was asked. */
  readonly by: string;
  readonly of: string;
  /** Under which key it is recorded as carried out. */
  readonly key: keyof Handled;
}

export const handled = (status: PopClusterStatus, { key, at }: Asked): PopClusterStatus => ({
  ...status,
  handled: { ...status.handled, [key]: at },
});

export function nothingToDo(view: PopView, verb: Verb, asked: Asked, message: string): Outcome {
  return {
    ledger: handled(view.seen.pop.status, asked),
    events: [{ type: "Warning", reason: "RequestIgnored", action: verb, message: `${asked.of} of ${asked.at}: ${message}` }],
  };
}

/** Take back what runs now: a rollback as by a failed check, and the revision has its verdict (RB, G8). */
export function takeBack(view: PopView, asked: Asked, now: Instant): Outcome {
  const run = view.run && accusedRun(view, view.run);
  if (!run || run.kind === "Rollback" || run.state === "Preflight")
    return nothingToDo(view, "takeBack", asked, "no version is being rolled or watched, so there is nothing to take back");
  if (asked.revision !== undefined && asked.revision !== run.revision) {
    return nothingToDo(view, "takeBack", asked, `revision ${asked.revision} is not the one that rolls or is watched (${run.revision})`);
  }
  if (run.back === undefined)
    return nothingToDo(view, "takeBack", asked, `${run.version} is the first version; there is nothing to go back to`);
  const outcome = failRevision(view, run, `taken back by ${asked.by} at ${asked.at}`, "Person", now);
  return outcome.ledger ? { ...outcome, ledger: handled(outcome.ledger, asked) } : outcome;
}

/** Stop: nobody starts this revision any more; the node in hand finishes, the PoP stays mixed and watched (P12). */
export function stop(view: PopView, asked: Asked): Outcome {
  const { run } = view;
  const { status } = view.seen.pop;
  if (!run || run.state !== "Rolling" || run.kind === "Rollback") return nothingToDo(view, "stop", asked, "no roll is under way");
  if (asked.revision !== undefined && asked.revision !== run.revision)
    return nothingToDo(view, "stop", asked, `revision ${asked.revision} is not the one that rolls (${run.revision})`);
  return {
    ledger: handled({ ...status, run: { ...run, ending: "Stopped" } }, asked),
    events: [
      {
        type: "Normal",
        reason: "Stopped",
        action: "Stop",
        message: `the roll to ${run.version} is stopped by ${asked.by}; the PoP stays mixed and watched until take-back, retry or another version`,
      },
    ],
  };
}

/**
 * Retry: a failed revision loses its verdict because a person names it, a stopped run goes on, and members that are gone for good no
 * longer fill the budget (P16).
 */
export function retry(view: PopView, asked: Asked, now: Instant): Outcome {
  const { status } = view.seen.pop;
  const { run } = view;
  if (asked.revision !== undefined && status.content?.failed?.some((entry) => entry.version === asked.revision))
    return retryContent(status, asked);
  const revision = asked.revision ?? view.wanted?.revision;
  // The verdict leaves the record first: one that stands there alone is taken over by the ledger (G8).
  const record = view.seen.records.find((candidate) => candidate.revision === revision && candidate.failed !== undefined);
  if (record) return { actions: [{ kind: "RecordVerdict", record: record.name, at: "", evidence: "" }], wakes: [now + 1_000], alone: true };
  const failed = (status.revisions?.failed ?? []).filter((entry) => entry.revision === revision);
  const goesOn = run?.ending !== undefined && run.revision === revision;
  const present = new Set(view.nodes.map((node) => node.member.uid));
  const left = (status.nodes ?? []).filter((entry) => entry.step === "Failed" || !present.has(entry.uid));
  if (failed.length === 0 && !goesOn && left.length === 0)
    return nothingToDo(view, "retry", asked, `revision ${revision ?? "(none)"} neither failed nor was stopped here`);
  const kept = (status.revisions?.failed ?? []).filter((entry) => entry.revision !== revision);
  const cleared: PopClusterStatus = {
    ...status,
    nodes: (status.nodes ?? []).filter((entry) => present.has(entry.uid)).flatMap(afterRetry),
    revisions: { ...status.revisions, failed: kept },
  };
  return {
    ledger: handled(retriedRun(view, cleared, goesOn), asked),
    events: [{ type: "Normal", reason: "Retry", action: "Retry", message: `${asked.by} asked at ${asked.at} to try ${revision} again` }],
  };
}

/** Content that failed loses its verdict in the same way, named by its version (P15). */
export function retryContent(status: PopClusterStatus, asked: Asked): Outcome {
  const failed = (status.content?.failed ?? []).filter((entry) => entry.version !== asked.revision);
  return {
    ledger: handled({ ...status, content: { ...status.content, failed } }, asked),
    events: [
      {
        type: "Normal",
        reason: "Retry",
        action: "Retry",
        message: `${asked.by} asked at ${asked.at} to load content ${asked.revision} again`,
      },
    ],
  };
}

/** Nodes that failed are tried again, or join again if they never served. */
function afterRetry(entry: PopNodeStatus): PopNodeStatus[] {
  if (entry.step !== "Failed") return [entry];
  return entry.token === undefined ? [] : [{ ...entry, step: "Pending" }];
}

function retriedRun(view: PopView, ledger: PopClusterStatus, goesOn: boolean): PopClusterStatus {
  const { run } = ledger;
  if (!run) return ledger;
  // A first version starts anew as a whole: nothing of it serves that would have to be moved gently.
  if (goesOn && run.kind === "Join") return endRun(ledger);
  const present = new Set(view.nodes.map((node) => node.member.uid));
  const frozen = { ...run.frozen, members: run.frozen.members.filter((member) => present.has(member.uid)) };
  return { ...ledger, run: { ...(goesOn ? withoutEnding(run) : run), frozen } };
}

function withoutEnding({ ending: _, cause: __, ...run }: PopRun): PopRun {
  return run;
}

/** A newer wanted revision while this one still rolls: nobody starts the old one any more (P12). Wanting it again lifts that. */
export function supersede(view: PopView): Outcome | undefined {
  const { run, wanted } = view;
  if (!run || run.kind === "Rollback") return undefined;
  const { status } = view.seen.pop;
  if (!wanted) return withdrawn(view, run);
  // Nodes that are brought to what the PoP runs do not make way for what cannot start: it has failed here, or is older.
  if (bringsHome(run) && (hasFailed(status, wanted.revision) || olderVersion(view))) return undefined;
  if (run.state === "Preflight") return wanted.revision === run.revision ? undefined : { ledger: withoutPreflight(status) };
  if (run.state !== "Rolling") return undefined;
  if (wanted.revision !== run.revision && run.ending === undefined) {
    return {
      ledger: { ...status, run: { ...run, ending: "Superseded" } },
      events: [
        {
          type: "Normal",
          reason: "Superseded",
          action: "Supersede",
          message: `${run.version} is superseded by ${wanted.version} in mid-roll: no further node starts it, the node in hand finishes, its healthy nodes stay and are watched`,
        },
      ],
    };
  }
  if (wanted.revision === run.revision && run.ending === "Superseded") return { ledger: { ...status, run: withoutEnding(run) } };
  return undefined;
}

/**
 * Nobody wants a version any more: its rollout is gone or leaves the PoP out, or a person took the pin away. A version that this run only begins
 * is started on no further node, as if a newer one had come (P12); one that the PoP is on already stays, and is judged to the end.
 */
function withdrawn(view: PopView, run: PopRun): Outcome | undefined {
  const { status } = view.seen.pop;
  if (bringsHome(run)) return undefined;
  if (run.state === "Preflight") return { ledger: withoutPreflight(status) };
  if (run.state !== "Rolling" || run.ending !== undefined) return undefined;
  const because = run.rollout
    ? `PoPRollout ${run.rollout.name}, which assigned it, is gone or leaves this PoP out`
    : "spec.version was taken away and no PoPRollout assigns it";
  return {
    ledger: { ...status, run: { ...run, ending: "Superseded" } },
    events: [
      {
        type: "Normal",
        reason: "Superseded",
        action: "Supersede",
        message: `${run.version} is not wanted any more in mid-roll: ${because}; no further node starts it, the node in hand finishes, its healthy nodes stay and are watched`,
      },
    ],
  };
}

/** A run of nodes that stood on another revision than the PoP's, or that come late to the one that is watched (P16). */
const bringsHome = (run: PopRun): boolean => run.back === run.revision || run.timers.watch !== undefined;

const hasFailed = ({ revisions }: PopClusterStatus, revision: string): boolean =>
  revisions?.failed?.some((entry) => entry.revision === revision) ?? false;

/** A run that is still in preflight has touched nothing: it simply goes, and what is wanted now takes its place. */
export function withoutPreflight(status: PopClusterStatus): PopClusterStatus {
  const nodes = (status.nodes ?? []).map((entry) => (entry.step === "Pending" ? { ...entry, step: "Done" as const } : entry));
  return { ...endRun(status), nodes };
}
