import type { PopClusterStatus, PopNodeStatus, PopRun } from "../../api/pop-cluster.ts";
import type { Announcement, Instant } from "../decision.ts";
import { listText } from "../health/wording.ts";
import { nodeOrder } from "./node-order.ts";
import { iso } from "./outcome.ts";
import { pendingEntry } from "./pending-entry.ts";
import { NO_REVISION } from "./revision.ts";
import { forwardLimit, hasServed, type NodeView, type PopView, recordOf, supersededPod } from "./view.ts";

/** What a run brings home that begins as a rollback ends, and what is said of it. */
interface HomeComing {
  readonly ledger: PopClusterStatus;
  readonly event: Announcement;
}

/**
 * A version was superseded in mid-roll and the newer one taken back: nodes still run the superseded one, and the rollback moved none of
 * them (P7). They are nodes on another revision than the PoP's, so a run brings them to it in a window (P16); it begins at once, because
 * until then they are watched (P12). `ledger`: as the rollback leaves it. Undefined: nobody was left.
 */
export function homeRun(view: PopView, rollback: PopRun, ledger: PopClusterStatus, now: Instant): HomeComing | undefined {
  const superseded = leftBehind(view, rollback, ledger);
  if (!superseded) return undefined;
  const { spec, uid } = view.seen.pop;
  const id = (ledger.runs ?? rollback.id) + 1;
  const away = view.nodes.filter(
    (node) => hasServed(node) && node.entry?.step !== "Failed" && node.member.label !== view.label(rollback.revision),
  );
  const order = nodeOrder(view, away, [uid, id, rollback.revision]).map((node) => node.member.uid);
  const run: PopRun = {
    id,
    kind: "Roll",
    revision: rollback.revision,
    version: rollback.version,
    back: rollback.revision,
    superseded,
    startedAt: iso(now),
    state: "Rolling",
    frozen: {
      members: view.nodes.filter(hasServed).map(({ member }) => ({ name: member.name, uid: member.uid })),
      order,
      health: spec.health,
      maxUnavailable: forwardLimit(view.seen),
    },
    timers: {},
  };
  const moving = new Set(order);
  const nodes = (ledger.nodes ?? []).map((entry): PopNodeStatus => (moving.has(entry.uid) ? waiting(entry, now) : entry));
  const names = listText(away.map((node) => node.member.name));
  return {
    ledger: { ...ledger, run, runs: id, nodes },
    event: {
      type: "Normal",
      reason: "RunStarted",
      action: "Roll",
      message: `${names} still run ${superseded.version}, which was superseded in mid-roll; they are watched, and go to ${run.version} when the window allows`,
    },
  };
}

/** Its tries in this run are counted anew. */
const waiting = (entry: PopNodeStatus, now: Instant): PopNodeStatus => ({ ...pendingEntry(entry, now, undefined), attempt: 0 });

/** The newest revision that a superseded or stopped run left on nodes, and that has no verdict. */
function leftBehind(view: PopView, rollback: PopRun, ledger: PopClusterStatus): PopRun["superseded"] {
  const failed = new Set((ledger.revisions?.failed ?? []).map((entry) => entry.revision));
  const ended = (ledger.history ?? [])
    .toReversed()
    .find(
      ({ outcome, revision }) =>
        (outcome === "Superseded" || outcome === "Stopped") &&
        revision !== rollback.revision &&
        revision !== NO_REVISION &&
        !failed.has(revision) &&
        view.nodes.some((node) => hasServed(node) && node.member.label === view.label(revision)),
    );
  return ended && { revision: ended.revision, version: recordOf(view, ended.revision)?.version ?? ended.version };
}

/** A node that waits to be brought home, on the revision that was superseded: it is judged until it is taken up. */
export const isLeftBehind = (view: PopView, node: NodeView): boolean =>
  node.entry?.step === "Pending" && supersededPod(view, node) !== undefined;

/**
 * Whom a breach speaks against: while nodes wait to be brought home the superseded revision that they run, not the one that they go to. Taken
 * back, it goes where the run would have brought them.
 */
export function accusedRun(view: PopView, run: PopRun): PopRun {
  if (!run.superseded || !view.nodes.some((node) => isLeftBehind(view, node))) return run;
  const { superseded, ...others } = run;
  return { ...others, revision: superseded.revision, version: superseded.version, back: run.revision };
}
