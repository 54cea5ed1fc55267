import type { Condition } from "../api/common.ts";
import type { ConditionReason, ConditionType } from "../api/conditions.ts";
import type { Instant } from "./decision.ts";
import { cleanText } from "./text.ts";
import { formatInstant } from "./time/instant.ts";

/** The longest message that a condition takes; the schema says the same. */
export const MESSAGE_LIMIT = 1024;
const REASON_LIMIT = 64;

/** A condition as a decision states it; the two times are set by `setCondition`. */
export interface ConditionUpdate {
  readonly type: string;
  readonly status: Condition["status"];
  readonly reason: string;
  readonly message: string;
}

/** A condition whose reason is one of its type's. */
export const is = <Type extends ConditionType>(
  type: Type,
  status: Condition["status"],
  reason: ConditionReason<Type> & string,
  message: string,
): ConditionUpdate => ({ type, status, reason, message });

/**
 * `previous` with this one condition set: replaced in its place, or appended. `lastTransitionTime` stays unless the status value
 * changes, so an unchanged state gives an equal list and no write (rule G11). The message is stripped and capped (rule G12).
 * `generation` is the generation that was looked at; undefined leaves `observedGeneration` out.
 */
export function setCondition(
  previous: readonly Condition[] | undefined,
  update: ConditionUpdate,
  generation: number | undefined,
  now: Instant,
): Condition[] {
  const before = previous?.find((condition) => condition.type === update.type);
  const next: Condition = {
    type: update.type,
    status: update.status,
    reason: cleanText(update.reason, REASON_LIMIT),
    message: cleanText(update.message, MESSAGE_LIMIT),
    lastTransitionTime: before?.status === update.status ? before.lastTransitionTime : formatInstant(now),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
  if (before === undefined) return [...(previous ?? []), next];
  return previous!.map((condition) => (condition === before ? next : condition));
}

/** The condition of this type, if it was ever set. */
export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}
