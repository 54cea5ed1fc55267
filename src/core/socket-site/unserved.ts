import type { Condition } from "../../api/common.ts";
import type { SocketSiteStatus } from "../../api/socket-site.ts";
import { sameJson } from "../canonical-json.ts";
import { type ConditionUpdate, setCondition } from "../conditions.ts";
import type { Decision, Hold, Instant } from "../decision.ts";
import type { SocketSiteAction } from "./action.ts";
import type { SocketSiteObservation } from "./observation.ts";

const MESSAGE =
  "this operator was started without an inventory (--inventory), so nothing is known of its Sockets and none is upgraded; " +
  "start it with --inventory sqlite:PATH or --inventory postgresql://…";

const HOLD: Hold = { rule: "G9", reason: "InventoryUnavailable", message: MESSAGE };
const UPDATE: ConditionUpdate = { type: "UpToDate", status: "Unknown", reason: "InventoryUnavailable", message: MESSAGE };

/**
 * A site of an operator that has no inventory at all: it says why nothing happens, and all else of its ledger stands, for whoever leads
 * next with one (rule G9).
 */
export function unserved({ site }: Pick<SocketSiteObservation, "site">, now: Instant): Decision<SocketSiteStatus, SocketSiteAction> {
  const { status, generation, deleting } = site;
  const conditions: Condition[] = setCondition([...(status.conditions ?? [])], UPDATE, generation, now);
  const next: SocketSiteStatus = {
    ...status,
    observedGeneration: generation,
    holds: [{ rule: HOLD.rule, reason: HOLD.reason, message: HOLD.message }],
    conditions,
  };
  const written = !deleting && !sameJson(next, status);
  return { ...(written ? { status: next } : {}), actions: [], events: [], probes: [], holds: deleting ? [] : [HOLD] };
}
