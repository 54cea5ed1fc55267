import type { PopRun } from "../../api/pop-cluster.ts";
import type { Act } from "../rollout/precedence.ts";
import { mayStart } from "../rollout/budget.ts";
import type { Hold, Instant } from "../decision.ts";
import { type BrakesOn, ruled } from "./brakes.ts";
import { drainBaseline, drainedPod } from "./drain.ts";
import type { PopHealthView } from "./health.ts";
import type { Outcome } from "./outcome.ts";
import { unmanagedPodHold } from "./other-pods.ts";
import { claimToken, isActive } from "./token.ts";
import { judgedPod, limitOf, namesOut, type NodeView, outCount, type PopView, seenNode } from "./view.ts";

/** A node that the run would claim next, and what is known of it. */
export interface Candidate {
  readonly view: PopView;
  readonly run: PopRun;
  readonly node: NodeView;
  readonly on: BrakesOn;
  readonly health: PopHealthView;
  readonly now: Instant;
  readonly rollback: boolean;
  /** Out already, and not merely drained by us. */
  readonly broken: boolean;
  /** Its revision label has left: its change is made. */
  readonly left: boolean;
}

type Refusal = (candidate: Candidate) => Outcome | undefined;

/** Why a node is not claimed now, in this order: the first that answers is told. */
const REFUSALS: readonly Refusal[] = [
  brakes, // G13
  nodeGoing, // G4
  claimUnknown, // G5a
  cordon, // P3b
  justGivenBack, // no hot loop of claims
  kubeletSilent, // P2
  budget, // P1
  healthUnknown, // G9
  sessionsUncounted, // P11
  bareEviction, // P3a
  evictionRefused, // P3
];

export function refusalOf(candidate: Candidate): Outcome | undefined {
  for (const refusal of REFUSALS) {
    const refused = refusal(candidate);
    if (refused) return refused;
  }
  return undefined;
}

const held = (hold: Hold): Outcome => ({ holds: [hold] });

function brakes({ view, rollback, broken, left, on }: Candidate): Outcome | undefined {
  const act: Act = rollback ? (broken ? "RollBackOut" : "RollBackServing") : left ? "ChangeMade" : "StartForward";
  const { holds } = ruled(view, act, on);
  return holds.length > 0 ? { holds } : undefined;
}

function nodeGoing({ node }: Candidate): Outcome | undefined {
  if (!node.member.deleting) return undefined;
  return held({ rule: "G4", reason: "BudgetExhausted", message: `node ${node.member.name} is being deleted; it is not touched` });
}

function claimUnknown({ view, run, node }: Candidate): Outcome | undefined {
  const { claim } = node.member;
  const next = claimToken(view.seen.pop.uid, run.id, node.member.uid, (node.entry?.attempt ?? 0) + 1);
  if (!isActive(claim) || claim === node.entry?.token || claim === next) return undefined;
  return held({
    rule: "G5a",
    reason: "OrphanedClaim",
    message: `node ${node.member.name} bears the claim ${claim}, which the ledger does not know; it is not touched until a person removes the annotation`,
  });
}

function cordon({ view, node, rollback, left }: Candidate): Outcome | undefined {
  if (rollback || left || !node.member.unschedulable) return undefined;
  const { name } = node.member;
  if (view.limit > 1)
    return held({ rule: "P3b", reason: "CordonedByPerson", message: `node ${name} is cordoned by a person; it is not started` });
  return held({
    rule: "P3b",
    reason: "BudgetExhausted",
    message: `node ${name} is cordoned by a person and fills maxUnavailable ${view.limit}; the roll goes on when it is uncordoned`,
  });
}

/** Each give-back of a run makes the next claim wait 10 s longer, at most five minutes: a data plane that refuses is not asked in a loop. */
function justGivenBack({ node, rollback, left, now }: Candidate): Outcome | undefined {
  const attempt = node.entry?.attempt ?? 0;
  if (rollback || left || attempt === 0) return undefined;
  const until = Date.parse(node.entry!.since) + Math.min(attempt * AGAIN, AGAIN_AT_MOST);
  if (now >= until) return undefined;
  return {
    holds: [
      {
        rule: "P3b",
        reason: "DrainBlocked",
        message: `node ${node.member.name} was ${node.entry?.message ?? "given back"}; it is tried again after a pause`,
        until,
      },
    ],
    wakes: [until],
  };
}

const AGAIN = 10_000;
const AGAIN_AT_MOST = 300_000;

function kubeletSilent({ node, rollback, broken, left }: Candidate): Outcome | undefined {
  if (rollback || left || !broken || node.member.ready === "True") return undefined;
  return held({
    rule: "P2",
    reason: "BudgetExhausted",
    message: `node ${node.member.name} cannot serve: ${node.out ?? "NotReady"}; it is updated when its kubelet is back`,
  });
}

/** A node that is out already costs nobody anything more, whoever else is out. */
function budget({ view, run, node, broken, left }: Candidate): Outcome | undefined {
  if (broken || left) return undefined;
  const limit = limitOf(view, run);
  const out = outCount(view, node.member.uid);
  if (mayStart(out, limit)) return undefined;
  return held({
    rule: "P1",
    reason: "BudgetExhausted",
    message: `${out} of at most ${limit} nodes are out: ${namesOut(view, node.member.uid)}`,
  });
}

/** Unknown never promotes: neither the PoP's checks nor those of a node that was updated before may be unreadable. */
function healthUnknown({ view, node, rollback, left, health }: Candidate): Outcome | undefined {
  if (rollback || left) return undefined;
  const updated = view.nodes.filter(
    (other) => other.entry?.step === "Done" && other.member.ready === "True" && judgedPod(view, other) !== undefined,
  );
  const judged = [health.pop, ...updated.map((other) => health.nodes.get(other.member.uid))];
  const unknown = judged.find((one) => one?.verdict === "Unknown");
  return (
    unknown && held({ rule: "G9", reason: "HealthUnknown", message: `before node ${node.member.name} is started: ${unknown.finding}` })
  );
}

function sessionsUncounted({ view, node, rollback, broken, left }: Candidate): Outcome | undefined {
  if (rollback || broken || left) return undefined;
  const baseline = drainBaseline(view, node);
  if (!baseline || !("missing" in baseline)) return undefined;
  return held({
    rule: "P11",
    reason: "HealthUnknown",
    message: `node ${node.member.name} is not drained before its sessions are counted: ${baseline.missing}`,
  });
}

function bareEviction({ view, node, broken, left, now }: Candidate): Outcome | undefined {
  const hold = broken || left ? undefined : unmanagedPodHold(view, node);
  // Nobody tells us of other people's pods.
  return hold && { holds: [hold], wakes: [now + ASKED_AGAIN_AFTER] };
}

/** A refusal of a PodDisruptionBudget that was heard before is asked about again before the node is drained for nothing. */
function evictionRefused({ view, node, broken, left, now }: Candidate): Outcome | undefined {
  const answer = view.seen.evictions.get(node.member.uid);
  const pod = drainedPod(node);
  if (broken || left || !pod || !answer || answer.allowed) return undefined;
  const hold: Hold = { rule: "P3", reason: "DrainBlocked", message: `node ${node.member.name}: ${answer.message}` };
  const stale = answer.ageMilliseconds > ASKED_AGAIN_AFTER;
  return {
    holds: [hold],
    actions: stale ? [{ kind: "CheckEviction", node: seenNode(node.member), pod }] : [],
    wakes: [now + ASKED_AGAIN_AFTER],
  };
}

const ASKED_AGAIN_AFTER = 15_000;
