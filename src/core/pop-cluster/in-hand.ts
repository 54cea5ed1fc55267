import type { PopNodeStatus } from "../../api/pop-cluster.ts";
import type { Hold, Instant } from "../decision.ts";
import type { PopAction } from "./action.ts";
import { sequenceOf } from "./claim.ts";
import { drainedPod, drainOver, instanceOf } from "./drain.ts";
import { giveBack } from "./give-back.ts";
import { milliseconds } from "./milliseconds.ts";
import { iso, merge, type Outcome } from "./outcome.ts";
import { released } from "./token.ts";
import { brakeOnHand, type InHand } from "./piece-in-hand.ts";
import { sessionIds } from "./scrape.ts";
import { update } from "./update.ts";
import { brokenAlready, type PopView, seenNode, withEntry } from "./view.ts";

/** All nodes in hand, each taken one step further (R5 to R11, R6b). */
export function stepsInHand(view: PopView, now: Instant): Outcome | undefined {
  const { run } = view;
  if (!run) return undefined;
  const gone = goneNodes(view, now);
  if (gone) return gone;
  const outcomes = view.nodes.flatMap((node) => {
    const { entry } = node;
    if (!entry?.token || (entry.step !== "Claimed" && entry.step !== "Updating")) return [];
    const inHand: InHand = { node, entry: { ...entry, token: entry.token }, run };
    return [entry.step === "Claimed" ? drainStep(view, inHand, now) : update(view, inHand, now)];
  });
  return outcomes.length === 0 ? undefined : merge(outcomes);
}

/** A member whose UID is gone leaves the run: Skipped(Gone); it fills the budget until another serves in its stead (G4, P16). */
function goneNodes(view: PopView, now: Instant): Outcome | undefined {
  const { status } = view.seen.pop;
  const present = new Set(view.nodes.map((node) => node.member.uid));
  const gone = (status.nodes ?? []).filter((entry) => !present.has(entry.uid) && entry.step !== "Skipped");
  if (gone.length === 0) return undefined;
  const nodes = (status.nodes ?? []).map((entry) =>
    gone.includes(entry)
      ? { name: entry.name, uid: entry.uid, step: "Skipped" as const, since: iso(now), attempt: entry.attempt, skipped: "Gone" as const, message: "the node is gone; its place counts as out until another node serves" }
      : entry,
  );
  return { ledger: { ...status, nodes } };
}

/** Claimed: R5, R6, and R7 when the drain is over. */
function drainStep(view: PopView, inHand: InHand, now: Instant): Outcome {
  const { node, entry, run } = inHand;
  const { member } = node;
  const because = reasonToStop(view, inHand, now);
  if (because || member.claim === released(entry.token)) return giveBack(view, inHand, because, now);
  if (member.claim !== entry.token) {
    const token = entry.token;
    return { actions: [{ kind: "ClaimNode", node: seenNode(member), token }], wakes: [now + 1_000] };
  }
  const { over, until } = drainOver(view, node, entry, now);
  if (!over) return { actions: startDrain(view, inHand), wakes: [until, now + 1_000] };
  const blocked = eviction(view, inHand, now);
  if (blocked) return blocked;
  const next: PopNodeStatus = { ...entry, step: "Updating", since: iso(now) };
  return {
    ledger: { ...view.seen.pop.status, nodes: withEntry(view.seen.pop.status.nodes ?? [], next) },
    events: [{ type: "Normal", reason: run.kind === "Rollback" ? "NodeRollback" : "NodeUpdate", action: "UpdateNode", message: `node ${member.name} is drained${entry.sessions === undefined ? "" : ` of ${entry.sessions} sessions`} and goes to ${run.version} (run ${run.id}, attempt ${entry.attempt})` }],
  };
}

/** Why a claimed node is given back before its change is made (rules G13, W5, P1); undefined: go on. */
function reasonToStop(view: PopView, { node, entry, run }: InHand, now: Instant): string | undefined {
  const { pop } = view.seen;
  if (pop.deleting) return "the PoPCluster is being deleted";
  if (run.state !== "Rolling" && run.state !== "RollingBack") return "its run has ended";
  if (node.member.label === view.label(run.revision)) return "it is on the revision already";
  const refused = view.seen.drains.get(node.member.uid);
  if (refused?.verb === "start" && refused.token === entry.token && refused.status === 409) return `its data plane refuses the drain: ${refused.message}`;
  if (run.ending) return run.ending === "Stopped" ? "a person stopped the run" : "a newer revision took the run's place";
  return brakeOnHand(view, { node, entry, run }, now)?.message;
}

/** The drain call is a level with the token: repeated every lease / 3 until the container instance has answered, and after. */
function startDrain(view: PopView, { node, entry }: InHand): PopAction[] {
  const { drain } = view.seen.pop.spec.strategy;
  const instance = instanceOf(drainedPod(node));
  if (!drain.start || !instance) return [];
  const answer = view.seen.drains.get(node.member.uid);
  const lease = milliseconds(drain.lease);
  const same = answer?.verb === "start" && answer.token === entry.token && answer.podUID === instance.podUID;
  const wait = same && answer.status >= 200 && answer.status < 300 ? lease / 3 : 1_000;
  if (same && answer.ageMilliseconds < wait) return [];
  const pod = drainedPod(node)!;
  const ids = view.seen.drainedSessions.get(node.member.uid)?.token === entry.token ? undefined : sessionIds(view, pod);
  return [
    {
      kind: "StartDrain",
      node: seenNode(node.member),
      token: entry.token,
      sequence: sequenceOf(entry),
      instance,
      endpoint: drain.start.http,
      leaseSeconds: lease / 1000,
      ...(ids ? { sessions: ids } : {}),
    },
  ];
}

const EVICTION_ANSWER_FRESH = 5_000;

/** Re-check of the PDB right before the label leaves: a dry-run eviction; 429 = DrainBlocked (P3). Other pods go first where asked for. */
function eviction(view: PopView, { node, entry }: InHand, now: Instant): Outcome | undefined {
  const pod = drainedPod(node);
  if (!pod || brokenAlready(node)) return undefined;
  const { strategy } = view.seen.pop.spec;
  if (strategy.drain.evictPods) {
    const others = view.seen.otherPods.get(node.member.name) ?? [];
    const bare = others.find((other) => other.controller === undefined);
    if (bare) {
      return { holds: [{ rule: "P3a", reason: "UnmanagedPod", message: `pod ${bare.namespace}/${bare.name} on node ${node.member.name} has no controller and would be lost; move or delete it` }], wakes: [now + 5_000] };
    }
    const movable = others.filter((other) => other.controller !== "DaemonSet");
    if (movable.length > 0) return { actions: movable.map((other) => ({ kind: "EvictPod", node: seenNode(node.member), pod: other })), wakes: [now + 2_000] };
  }
  const answer = view.seen.evictions.get(node.member.uid);
  if (!answer || answer.ageMilliseconds > EVICTION_ANSWER_FRESH) {
    return { actions: [{ kind: "CheckEviction", node: seenNode(node.member), pod }], wakes: [now + EVICTION_ANSWER_FRESH] };
  }
  if (answer.allowed) return undefined;
  const deadline = Date.parse(entry.since) + milliseconds(strategy.perNode.deadline);
  const hold: Hold = { rule: "P3", reason: "DrainBlocked", message: `node ${node.member.name}: ${answer.message}`, until: deadline };
  return { holds: [hold], wakes: [now + EVICTION_ANSWER_FRESH] };
}
