import type { PopNodeStatus } from "../../api/pop-cluster.ts";
import type { Instant } from "../decision.ts";
import { stableHash } from "../rollout/order.ts";
import { iso } from "./outcome.ts";
import { reconnectCheck } from "./scrape.ts";
import { isInHand, type NodeView, type PopView } from "./view.ts";

/** The containers that count sessions on a node now; undefined where nobody can be asked. */
function countersOn(node: NodeView): string | undefined {
  const pod = node.pods.find((candidate) => !candidate.deleting && candidate.address && candidate.phase === "Running");
  if (!pod || node.member.ready !== "True") return undefined;
  return stableHash([pod.uid, ...pod.containers.map((container) => container.containerID ?? "")]);
}

/** The counters of a node's new pod: the old ones went by our own doing, which is no loss. */
export function newCounters(view: PopView, node: NodeView): Pick<PopNodeStatus, "counters"> {
  const instance = reconnectCheck(view) && countersOn(node);
  return instance === undefined ? {} : { counters: { instance } };
}

/**
 * Who counts sessions at the moment that a baseline is taken, in the write that stores it: a container that is another one later has lost
 * what it had counted (P11).
 */
export function withCounters(view: PopView, entries: readonly PopNodeStatus[], now: Instant): readonly PopNodeStatus[] {
  if (!reconnectCheck(view)) return entries;
  const nodes = new Map(view.nodes.map((node) => [node.member.uid, node]));
  return entries.map((entry) => {
    const node = nodes.get(entry.uid);
    if (!node || isInHand(entry)) return entry;
    const instance = countersOn(node);
    const { counters: before, ...bare } = entry;
    if (instance === before?.instance) return entry;
    const lostAt = before?.instance === undefined ? before?.lostAt : iso(now);
    return { ...bare, counters: { ...(instance === undefined ? {} : { instance }), ...(lostAt === undefined ? {} : { lostAt }) } };
  });
}

/** Sources of counters that can no longer say how many sessions of a drained node came back: for good, or while their node is away. */
export interface MissingCounters {
  /** Restarted, rebooted or gone since the baseline. */
  readonly lost: readonly string[];
  /** On a node that is not Ready: it may come back with them. */
  readonly away: readonly string[];
}

export function missingCounters(view: PopView, drained: NodeView, entry: PopNodeStatus): MissingCounters {
  const at = entry.reconnectBaseline?.at;
  const since = (instant: string | undefined) => at !== undefined && instant !== undefined && Date.parse(instant) > Date.parse(at);
  const lost: string[] = [];
  const away: string[] = [];
  for (const node of view.nodes) {
    const own = node.member.uid === drained.member.uid;
    const known = own ? entry.counters : node.entry?.counters;
    if (!known || (!own && isInHand(node.entry))) continue;
    if (!own && since(known.lostAt)) lost.push(node.member.name);
    else if (known.instance !== undefined && node.member.ready !== "True") away.push(node.member.name);
    else if (known.instance !== undefined && countersOn(node) !== known.instance) lost.push(node.member.name);
  }
  const gone = (view.seen.pop.status.nodes ?? []).filter((other) => other.skipped === "Gone" && since(other.since));
  return { lost: [...lost, ...gone.map((other) => other.name)], away };
}
