import type { PopClusterStatus } from "../../api/pop-cluster.ts";
import { olderVersion } from "./older-version.ts";
import { type NodeView, type PopView, recordOf } from "./view.ts";

/** Where the PoP should go next: another revision, or nodes that stand on another one than the PoP's (P16). */
export interface Destination {
  readonly revision: string;
  readonly version: string;
  /** What the whole PoP runs now; absent for a first version. */
  readonly back: string | undefined;
  readonly members: readonly NodeView[];
  /** Nodes that come late to a version that is still watched: its own run takes them in. */
  readonly late?: boolean;
}

export function destinationOf(view: PopView): Destination | undefined {
  const { run, wanted } = view;
  if (!view.seen.pop.status.revisions) return undefined;
  const passed = run?.state === "Passed";
  const ended = run !== undefined && run.ending !== undefined && run.kind !== "Rollback" && !view.nodes.some(isInHand);
  if (run && !passed && !ended && run.state !== "Preflight") return undefined;
  if (!wanted) return run && !passed ? undefined : strays(view);
  // Stopped by a person the PoP stays mixed until take-back, retry or another revision: the same one does not begin anew by itself (P12).
  if (run?.kind === "Roll" && run.ending === "Stopped" && run.cause === undefined && run.revision === wanted.revision) return undefined;
  const goes = (passed && wanted.revision === run.revision) || olderVersion(view) ? undefined : wanted;
  if (goes && (goes.revision !== view.current || (ended && run.revision !== goes.revision))) {
    // What has failed here starts nothing; nodes on another revision than the PoP's are brought to it all the same (P16).
    const home = hasFailed(view, goes.revision) && (!run || passed) ? strays(view) : undefined;
    if (home) return home;
    const on = runsNow(view);
    return { ...goes, back: on, members: on === undefined ? view.nodes : membersNotOn(view, goes.revision) };
  }
  return run && !passed ? undefined : strays(view);
}

const hasFailed = (view: PopView, revision: string): boolean =>
  view.seen.pop.status.revisions?.failed?.some((entry) => entry.revision === revision) ?? false;

/** What the whole PoP runs: a version that passed, or what stood before a run that did not end well. */
function runsNow(view: PopView): string | undefined {
  const { run, current } = view;
  if (run?.state === "Passed") return run.revision;
  if (run?.kind === "Join") return view.nodes.some(hasServed) ? run.revision : undefined;
  return current ?? run?.back;
}

/** Members that serve or could serve on another revision than the PoP's: back from the dead, uncordoned, relabelled, joined in mid-roll. */
function strays(view: PopView): Destination | undefined {
  const { run } = view;
  const revision = run?.state === "Passed" ? run.revision : view.current;
  if (revision === undefined || lastRollbackFailed(view.seen.pop.status)) return undefined;
  const members = membersNotOn(view, revision).filter(
    ({ joining, entry, member }) =>
      !joining && entry?.step !== "Failed" && member.ready === "True" && !member.unschedulable && !member.deleting,
  );
  const version = recordOf(view, revision)?.version;
  if (members.length === 0 || version === undefined) return undefined;
  const late = run?.kind === "Roll" && run.back !== undefined && run.back !== run.revision;
  return { revision, version, back: late ? run.back : revision, members, ...(late ? { late } : {}) };
}

const membersNotOn = (view: PopView, revision: string): NodeView[] =>
  view.nodes.filter((node) => node.member.label !== view.label(revision) && (!node.joining || node.entry !== undefined));
const isInHand = (node: NodeView): boolean =>
  ["Claimed", "Updating", "Soaking"].includes(node.entry?.step ?? "") && node.entry?.token !== undefined;
const hasServed = (node: NodeView): boolean => node.entry?.step === "Done";
/** After a failed rollback nodes stand on both; bringing them home could move a healthy new node to a broken old revision (P7). */
const lastRollbackFailed = (status: PopClusterStatus): boolean => status.history?.at(-1)?.outcome === "RollbackFailed";
