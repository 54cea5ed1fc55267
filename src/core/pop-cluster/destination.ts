import type { PopClusterStatus } from "../../api/pop-cluster.ts";
import { type NodeView, type PopView, recordOf } from "./view.ts";

/** Where the PoP should go next: another revision, or nodes that stand on another one than the PoP's (P16). */
export interface Destination {
  readonly revision: string;
  readonly version: string;
  /** What the whole PoP runs now; absent for a first version. */
  readonly back: string | undefined;
  readonly members: readonly NodeView[];
}

export function destinationOf(view: PopView): Destination | undefined {
  const { run, wanted } = view;
  const { status } = view.seen.pop;
  if (!wanted || !status.revisions) return undefined;
  const passed = run?.state === "Passed";
  const ended = run !== undefined && run.ending !== undefined && run.kind !== "Rollback" && !view.nodes.some(isInHand);
  const untouched = run?.state === "Preflight";
  if (run && !passed && !ended && !untouched) return undefined;
  const on = passed ? run.revision : run?.kind === "Join" ? (view.nodes.some(hasServed) ? run.revision : undefined) : (run?.back ?? view.current);
  const goes = passed && wanted.revision === run.revision ? undefined : wanted;
  if (goes && (goes.revision !== view.current || (ended && run.revision !== goes.revision))) {
    return { ...goes, back: on, members: on === undefined ? view.nodes : membersNotOn(view, goes.revision) };
  }
  if (run || lastRollbackFailed(status) || view.current === undefined) return undefined;
  const strays = membersNotOn(view, view.current).filter((node) => !node.joining && node.entry?.step !== "Failed");
  const version = recordOf(view, view.current)?.version;
  return strays.length > 0 && version !== undefined ? { revision: view.current, version, back: view.current, members: strays } : undefined;
}

const membersNotOn = (view: PopView, revision: string): NodeView[] =>
  view.nodes.filter((node) => node.member.label !== view.label(revision) && (!node.joining || node.entry !== undefined));
const isInHand = (node: NodeView): boolean => ["Claimed", "Updating", "Soaking"].includes(node.entry?.step ?? "") && node.entry?.token !== undefined;
const hasServed = (node: NodeView): boolean => node.entry?.step === "Done";
/** After a failed rollback nodes stand on both; bringing them home could move a healthy new node to a broken old revision (P7). */
const lastRollbackFailed = (status: PopClusterStatus): boolean => status.history?.at(-1)?.outcome === "RollbackFailed";
