import type { PopClusterStatus, PopNodeStatus } from "../../api/pop-cluster.ts";
import type { Hold, Instant } from "../decision.ts";
import { listText } from "../health/wording.ts";
import { iso, type Outcome } from "./outcome.ts";
import type { PopView } from "./view.ts";

/**
 * Nodes of the ledger that are members no longer. One whose UID is gone leaves a run as Skipped(Gone) and fills the budget until another
 * serves in its stead (G4, P16); one that somebody deselected leaves it without a trace. Most of them gone at once is more likely a
 * selector, a cluster or a cloud that broke: nobody is skipped (P17).
 */
export function gone(view: PopView, now: Instant): Outcome | undefined {
  if (mostGone(view, now)) return undefined;
  const { status } = view.seen.pop;
  const entries = status.nodes ?? [];
  const present = presentIn(view);
  const frozen = new Set(view.run?.frozen.members.map((member) => member.uid) ?? []);
  const after = entries.flatMap((entry): PopNodeStatus[] => {
    if (present.has(entry.uid)) return [entry];
    if (view.seen.deselected.has(entry.uid) || !frozen.has(entry.uid)) return [];
    return [entry.skipped === "Gone" ? entry : skipped(entry, now)];
  });
  const left = (uid: string) => view.seen.deselected.has(uid) && !present.has(uid);
  const shrinks = view.run?.frozen.members.some((member) => left(member.uid)) ?? false;
  if (!shrinks && after.length === entries.length && after.every((entry, index) => entry === entries[index])) return undefined;
  return { ledger: { ...status, nodes: after, ...withoutMembers(status, left) } };
}

const presentIn = (view: PopView): ReadonlySet<string> => new Set(view.nodes.map((node) => node.member.uid));

const AT_ONCE = 5 * 60_000;

/** Most of the nodes that were there vanished, and no others came under their names: what holds all that would start. */
export function mostGone(view: PopView, now: Instant): Hold | undefined {
  // One after the other within minutes is at once, too.
  const lately = (entry: PopNodeStatus) => entry.skipped !== "Gone" || now < Date.parse(entry.since) + AT_ONCE;
  const entries = (view.seen.pop.status.nodes ?? []).filter((entry) => lately(entry) && !view.seen.deselected.has(entry.uid));
  const present = presentIn(view);
  const names = new Set(view.nodes.map((node) => node.member.name));
  const vanished = entries.filter((entry) => !present.has(entry.uid) && !names.has(entry.name));
  if (vanished.length * 2 <= entries.length) return undefined;
  const which = listText(vanished.map((entry) => entry.name));
  return {
    rule: "P17",
    reason: "NoMembers",
    message: `${vanished.length} of ${entries.length} nodes are gone at once (${which}); nobody is skipped and nothing starts until they are back; spec.requests.retry says that they are gone for good`,
  };
}

/** A smaller selector lifts what the nodes that left it fill of the budget (P16). */
function withoutMembers({ run }: PopClusterStatus, left: (uid: string) => boolean): Pick<PopClusterStatus, "run"> {
  return run ? { run: { ...run, frozen: { ...run.frozen, members: run.frozen.members.filter((member) => !left(member.uid)) } } } : {};
}

const skipped = (entry: PopNodeStatus, now: Instant): PopNodeStatus => ({
  name: entry.name,
  uid: entry.uid,
  step: "Skipped",
  since: iso(now),
  attempt: entry.attempt,
  skipped: "Gone",
  message: "the node is gone; its place counts as out until another node serves",
});
