import type { PopClusterStatus, PopNodeStatus, PopRun } from "../../api/pop-cluster.ts";
import type { Instant } from "../decision.ts";
import type { PopAssignment } from "../rollout/assignment.ts";
import { nodeOrder } from "./node-order.ts";
import { iso, type Outcome } from "./outcome.ts";
import { pendingEntry } from "./pending-entry.ts";
import { type Asked, handled, nothingToDo } from "./requests.ts";
import { NO_REVISION } from "./revision.ts";
import { withFailed } from "./verdict.ts";
import { hasServed, type PopView, recordOf } from "./view.ts";

/**
 * A version that was promoted goes back to what the whole PoP ran when its run began (P7), as the history has it. Where nobody knows that
 * any more, or its record is gone, nothing is touched and the reason is told: another revision would be a guess.
 */
export function takeBackPromoted(view: PopView, { version }: PopAssignment, asked: Asked, now: Instant): Outcome {
  const { status, spec, uid } = view.seen.pop;
  const revision = view.current!;
  const cannot = (why: string) =>
    nothingToDo(view, "takeBack", asked, `${version} cannot be taken back: ${why}; it stays, and a newer version mends it`);
  const promoted = (status.history ?? [])
    .toReversed()
    .find((entry) => entry.revision === revision && entry.outcome === "Promoted" && entry.back !== undefined);
  const back = promoted?.back;
  if (promoted === undefined || back === undefined) return cannot("the ledger does not say what the PoP ran before it");
  const target = recordOf(view, back)?.version ?? (back === NO_REVISION && view.seen.adoptee ? "the adopted data plane" : undefined);
  if (target === undefined) return cannot(`the record of revision ${back}, which the PoP ran before it, is gone`);
  const id = (status.runs ?? 0) + 1;
  const evidence = `taken back by ${asked.by} at ${asked.at}`;
  const moving = view.nodes.filter(({ member, entry }) => entry !== undefined && member.label === view.label(revision));
  const run: PopRun = {
    id,
    kind: "Rollback",
    revision: back,
    version: target,
    from: revision,
    takesBack: { version, startedAt: promoted.startedAt },
    startedAt: iso(now),
    state: "RollingBack",
    cause: evidence.slice(0, 1024),
    frozen: {
      members: view.nodes.filter(hasServed).map(({ member }) => ({ name: member.name, uid: member.uid })),
      order: nodeOrder(view, moving, [uid, id, back]).map(({ member }) => member.uid),
      health: spec.health,
      maxUnavailable: spec.rollback.maxUnavailable,
    },
    timers: {},
  };
  const uids = new Set(moving.map(({ member }) => member.uid));
  const nodes = (status.nodes ?? []).map((entry): PopNodeStatus =>
    uids.has(entry.uid) ? { ...pendingEntry(entry, now, undefined), attempt: 0 } : entry,
  );
  const judged: PopClusterStatus = withFailed(status, { revision, version }, evidence, now);
  const { promoted: _, ...revisions } = judged.revisions ?? {};
  return {
    ledger: handled(
      { ...judged, revisions: { ...revisions, ...(back === NO_REVISION ? {} : { promoted: back }) }, run, runs: id, nodes },
      asked,
    ),
    events: [
      {
        type: "Warning",
        reason: "RollbackStarted",
        action: "RollBack",
        message: `${version}, which was promoted, is taken back to ${target}: ${evidence}`,
      },
    ],
  };
}
