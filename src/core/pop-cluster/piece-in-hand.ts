import type { PopNodeStatus, PopRun } from "../../api/pop-cluster.ts";
import { mayStart } from "../rollout/budget.ts";
import type { Hold, Instant } from "../decision.ts";
import { brakesOn, forPieceInHand, ruled } from "./brakes.ts";
import { brokenAlready, limitOf, namesOut, type NodeView, outCount, type PopView } from "./view.ts";

/** A node in hand: claimed by a run, with the ledger's word for it. */
export interface InHand {
  readonly node: NodeView;
  readonly entry: PopNodeStatus & { readonly token: string };
  readonly run: PopRun;
}

/** The brake that gives a draining node back, by the table; also looked at right before the label leaves. */
export function brakeOnHand(view: PopView, { node, run }: InHand, now: Instant): Hold | undefined {
  const rollback = run.kind === "Rollback";
  const broken = brokenAlready(node);
  const on = forPieceInHand(brakesOn(view, now));
  const { ruling, holds } = ruled(view, rollback ? (broken ? "RollBackOut" : "RollBackServing") : "Draining", on);
  if (ruling !== "Go") return holds[0];
  if (broken) return undefined;
  const limit = limitOf(view, run);
  if (mayStart(outCount(view, node.member.uid), limit)) return undefined;
  return { rule: "P1", reason: "BudgetExhausted", message: `others fill the budget of ${limit}: ${namesOut(view, node.member.uid)}` };
}
