import type { Announcement, Instant } from "../decision.ts";
import { milliseconds } from "./milliseconds.ts";
import type { Outcome } from "./outcome.ts";
import { type NodeView, type PopView } from "./view.ts";

/** At most so many are remembered as told; a PoP with more dead nodes has its own alarm (P9). */
const TOLD_AT_MOST = 16;

/**
 * A node on the version that stays NotReady for longer than `perNode.deadline` is no evidence against the version, and no reason to be
 * silent: it is told once (P6). It counts from when its check turned Unknown, which stands in status.
 */
export function deadNodes(view: PopView, now: Instant): Outcome | undefined {
  const { run } = view;
  if (!run || run.kind === "Rollback" || run.state === "Preflight") return undefined;
  const { deadline } = view.seen.pop.spec.strategy.perNode;
  const dead = view.nodes.flatMap((node): [NodeView, Instant][] => {
    const due = deadSince(view, node);
    return due === undefined ? [] : [[node, due + milliseconds(deadline)]];
  });
  const noticed = run.noticed ?? [];
  const marks = new Set(dead.map(([node]) => markOf(node)));
  const kept = noticed.filter((name) => !name.startsWith(MARK) || marks.has(name));
  const late = dead.filter(([node, due]) => now >= due && !kept.includes(markOf(node))).map(([node]) => node);
  const told = late.slice(0, Math.max(0, TOLD_AT_MOST - kept.filter((name) => name.startsWith(MARK)).length));
  const wakes = dead.map(([, due]) => due).filter((due) => due > now);
  if (told.length === 0 && kept.length === noticed.length) return { wakes };
  const events = told.map(({ member }): Announcement => ({
    type: "Warning",
    reason: "HealthUnknown",
    action: "Hold",
    message: `node ${member.name} has not been Ready for ${deadline} in the API server's eyes; that says nothing against ${run.version}, which is judged by the others; repair the node or delete it`,
  }));
  return { ledger: { ...view.seen.pop.status, run: { ...run, noticed: [...kept, ...told.map(markOf)] } }, events, wakes };
}

const MARK = "dead/";
const markOf = ({ member }: NodeView): string => `${MARK}${member.uid}`.slice(0, 64);

function deadSince(view: PopView, { member, entry }: NodeView): Instant | undefined {
  if (member.ready === "True" || (entry?.step !== "Soaking" && entry?.step !== "Done")) return undefined;
  const check = view.seen.pop.status.checks?.find((one) => one.name === "pod" && one.node === member.name && one.verdict === "Unknown");
  return check && Date.parse(check.since);
}
