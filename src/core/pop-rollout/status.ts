import type { Condition } from "../../api/common.ts";
import type { ConditionReason } from "../../api/conditions.ts";
import type { PopRolloutStatus, RolloutForecast } from "../../api/pop-rollout.ts";
import { canonicalJson } from "../canonical-json.ts";
import { setCondition, type ConditionUpdate } from "../conditions.ts";
import type { Hold, Instant } from "../decision.ts";
import { acknowledgement } from "../rollout/pause.ts";
import { formatInstant } from "../time/instant.ts";
import { onlyOnce, writtenHolds } from "../written-holds.ts";
import { eligibilityOf } from "./eligibility.ts";
import { excludedFrom } from "./excluded.ts";
import { iso } from "./outcome.ts";
import { problemsOf } from "./problems.ts";
import { hasFailed, hasPassed, isOver, membersOf, type RolloutView } from "./view.ts";

const HOLDS_SHOWN = 32;

/** The whole status from the ledger: numbers, holds and conditions are derived here and read back by no decision (rule G1). */
export function statusOf(
  view: RolloutView,
  holds: readonly Hold[],
  now: Instant,
): { readonly status: PopRolloutStatus; readonly wakeAt?: Instant } {
  const { generation } = view.seen.rollout;
  const { pausedAt: _, holds: __, numbers: ___, forecast: ____, excluded: _____, ...kept } = view.ledger;
  const paused = pausedOf(view, now);
  const forecast = forecastOf(view);
  const numbers = numbersOf(view, now);
  const excluded = view.ledger.outcome === undefined ? excludedFrom(view, now) : [];
  const updates = [accepted(view, now), progressing(view, holds, numbers), succeeded(view), paused.condition];
  return {
    status: {
      ...kept,
      observedGeneration: generation,
      ...(paused.pausedAt === undefined ? {} : { pausedAt: paused.pausedAt }),
      ...(forecast === undefined ? {} : { forecast }),
      numbers,
      ...(excluded.length === 0 ? {} : { excluded }),
      holds: writtenHolds(onlyOnce(holds), HOLDS_SHOWN, iso),
      conditions: updates.reduce<Condition[]>(
        (conditions, update) => setCondition(conditions, update, generation, now),
        [...(view.ledger.conditions ?? [])],
      ),
    },
    ...(paused.wakeAt === undefined ? {} : { wakeAt: paused.wakeAt }),
  };
}

type Numbers = NonNullable<PopRolloutStatus["numbers"]>;

/** How many PoPs it reaches, those that no wave has taken yet included while waves are to come. */
function numbersOf(view: RolloutView, now: Instant): Numbers {
  const { assignments } = view;
  const toCome = view.ledger.outcome !== undefined ? [] : view.seen.pops.filter((pop) => !pop.deleting && !view.assigned.has(pop.name));
  const eligible = toCome.filter((pop) => eligibilityOf(view, pop, now).kind === "Eligible").length;
  return {
    pops: assignments.length + eligible,
    passed: assignments.filter(hasPassed).length,
    open: assignments.filter((one) => !isOver(one)).length,
    failed: assignments.filter(hasFailed).length,
    skipped: assignments.filter(({ state }) => state === "Skipped").length,
  };
}

/** A forecast that says the same is not written again (rule G11). */
function forecastOf({ seen: { forecast }, ledger }: RolloutView): RolloutForecast | undefined {
  const before = ledger.forecast;
  if (forecast === undefined || before === undefined) return forecast ?? before;
  return canonicalJson({ ...forecast, at: before.at }) === canonicalJson(before) ? before : forecast;
}

function pausedOf(
  { spec, seen: { rollout } }: RolloutView,
  now: Instant,
): { pausedAt?: string; condition: ConditionUpdate; wakeAt?: Instant } {
  if (!spec.paused) return { condition: { type: "Paused", status: "False", reason: "NotPaused", message: "nobody paused it" } };
  const { since, acknowledged, wakeAt } = acknowledgement({ generation: rollout.generation, ...rollout.status }, now);
  const pausedAt = formatInstant(since);
  const condition: ConditionUpdate = acknowledged
    ? {
        type: "Paused",
        status: "True",
        reason: "PausedByPerson",
        message: `paused since ${pausedAt}; nothing new starts until a person resumes it`,
      }
    : {
        type: "Paused",
        status: "False",
        reason: "PauseRequested",
        message: `the pause is obeyed, and acknowledged 10 seconds after ${pausedAt}`,
      };
  return { pausedAt, condition, ...(wakeAt === undefined ? {} : { wakeAt }) };
}

function accepted(view: RolloutView, now: Instant): ConditionUpdate {
  const problems = problemsOf(view, now);
  const [first] = problems;
  if (first === undefined) return { type: "Accepted", status: "True", reason: "Accepted", message: "the spec can be carried out" };
  const message = `${problems.map((problem) => problem.message).join("; ")}. No wave opens until it is corrected.`;
  return { type: "Accepted", status: "False", reason: first.reason, message };
}

/** The summary: what happens now, or why not yet and until when. */
function progressing(view: RolloutView, holds: readonly Hold[], numbers: Numbers): ConditionUpdate {
  const { ledger, assignments, version } = view;
  const [first] = holds;
  const condition = (status: Condition["status"], reason: ConditionReason<"Progressing">, message: string): ConditionUpdate => ({
    type: "Progressing",
    status,
    reason,
    message,
  });
  const progress = progressText(view, numbers);
  const until = first?.until === undefined || !Number.isFinite(first.until) ? "" : ` (until ${iso(first.until)})`;
  const waits = first === undefined ? progress : `${progress}; ${first.message}${until}`;
  if (assignments.some(({ state }) => state === "RollingBack") && (ledger.halted || ledger.takenBack))
    return condition("True", "RollingBack", waits);
  if (ledger.supersededBy) return condition("False", "Superseded", waits);
  if (ledger.outcome === "RolledBack") return condition("False", "RolledBack", waits);
  if (ledger.stopped) return condition("False", "Stopped", waits);
  if (ledger.takenBack) return condition("True", "RollingBack", waits);
  if (ledger.halted) return condition("False", "Halted", waits);
  if (ledger.standing) return condition("False", "Standing", `${version} is the current version since ${ledger.standingSince}; ${waits}`);
  if (assignments.some(({ state }) => state === "Rolling") && !view.spec.paused) return condition("True", "Rolling", waits);
  if (first?.reason === "Baking") return condition("True", "Baking", waits);
  if (first) return condition("False", first.reason, waits);
  return assignments.some((one) => !isOver(one)) ? condition("True", "Rolling", progress) : condition("False", "Idle", progress);
}

function progressText(view: RolloutView, { pops, passed, failed, skipped }: Numbers): string {
  const wave = view.waves.find(({ state }) => state === "Open");
  const members = wave ? membersOf(view, wave.name) : [];
  const inWave = wave ? `, wave ${wave.name}: ${members.filter(isOver).length} of ${members.length}` : "";
  const others = [failed > 0 ? `${failed} failed` : "", skipped > 0 ? `${skipped} skipped` : ""].filter((text) => text !== "");
  return `${passed} of ${pops} PoPs passed${others.length > 0 ? ` (${others.join(", ")})` : ""}${inWave}`;
}

function succeeded({ ledger: { outcome, endedAt } }: RolloutView): ConditionUpdate {
  if (outcome === undefined) return { type: "Succeeded", status: "Unknown", reason: "InProgress", message: "it is not over yet" };
  const message = `it ended ${outcome} at ${endedAt}`;
  return outcome === "Completed"
    ? { type: "Succeeded", status: "True", reason: "Completed", message }
    : { type: "Succeeded", status: "False", reason: "Failed", message };
}
