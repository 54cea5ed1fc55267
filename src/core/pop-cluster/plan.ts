import type { PopClusterStatus } from "../../api/pop-cluster.ts";
import { canonicalJson } from "../canonical-json.ts";
import type { Hold, Instant } from "../decision.ts";
import { stableHash } from "../rollout/order.ts";
import { describeInstant } from "../time/format.ts";
import { type PlannedStart, replan, seenChange } from "../window/replan.ts";
import { startDatesOf } from "./assigned.ts";
import { windowOf } from "./brakes.ts";
import { milliseconds } from "./milliseconds.ts";
import { iso, type Outcome } from "./outcome.ts";
import { destinationOf } from "./destination.ts";
import type { PopView } from "./view.ts";

type StoredPlan = NonNullable<PopClusterStatus["plan"]>;

/**
 * Keeps the planned start of a roll that has not begun (W7): what moves it (an edit of window, zone, notice or freezes) counts once
 * it has rested for an hour; until then the later of both plans holds. Where nothing was planned, a correction counts at once.
 */
export function plan(view: PopView, now: Instant): Outcome | undefined {
  const { status } = view.seen.pop;
  const destination = destinationOf(view);
  const stored = status.plan;
  if (!destination || destination.back === undefined) return stored && !view.run ? { ledger: withoutPlan(status) } : undefined;
  if (view.run && view.run.state !== "Passed") return undefined;
  const rule = ruleOf(view);
  if (stored?.revision !== destination.revision || stored.start === undefined) {
    const start = firstStart(view)(now);
    if (stored?.revision === destination.revision && start === undefined) return undefined;
    return {
      ledger: {
        ...status,
        plan: {
          revision: destination.revision,
          rule,
          announcedAt: status.announcedAt ?? iso(now),
          ...(start === undefined ? {} : { start: iso(start) }),
        },
      },
    };
  }
  const planned = plannedOf(stored);
  const change = seenChange(planned, changeOf(stored), rule, now);
  const moved = replan({ planned, change, now, notice: noticeOf(view), firstStart: firstStart(view), started: false });
  const resting = change !== undefined && moved.planned === planned;
  const next: StoredPlan = {
    ...storedOf(destination.revision, moved.planned),
    ...(resting ? { change: { rule: change.rule, since: iso(change.since) } } : {}),
  };
  const wakes = moved.wakeAt === undefined ? [] : [moved.wakeAt];
  if (canonicalJson(next) === canonicalJson(stored)) return { wakes };
  return {
    ledger: { ...status, plan: next },
    wakes,
    ...(moved.notify
      ? { events: [{ type: "Normal" as const, reason: "Replanned", action: "Plan", message: movedMessage(view, moved.start) }] }
      : {}),
  };
}

/** While a change rests: the later of both plans, as a hold on what has not begun. */
export function planHold(view: PopView, now: Instant): Hold | undefined {
  const stored = view.seen.pop.status.plan;
  if (!stored?.change) return undefined;
  const planned = plannedOf(stored);
  const { start, wakeAt } = replan({
    planned,
    change: changeOf(stored),
    now,
    notice: noticeOf(view),
    firstStart: firstStart(view),
    started: false,
  });
  if (start !== undefined && start <= now) return undefined;
  const until = start === undefined ? wakeAt : Math.max(start, now + 1);
  return {
    rule: "W7",
    reason: "OutsideWindow",
    message: `window, zone, notice or freezes were changed at ${stored.change.since}; until the change has rested for an hour the later of the old and the new plan holds`,
    ...(until === undefined ? {} : { until }),
  };
}

/** Digest of all that a start is computed from. */
function ruleOf(view: PopView): string {
  const { window, fleet, pop } = view.seen;
  const dates = startDatesOf(view);
  return stableHash(
    [
      canonicalJson({
        window: window.found ? window.spec : null,
        zone: pop.spec.timeZone,
        freezes: fleet.found ? fleet.freezes : [],
        ...(dates ? { dates } : {}),
      }),
    ],
    16,
  );
}

const firstStart =
  (view: PopView) =>
  (notBefore: Instant): Instant | undefined => {
    const gate = windowOf(view, notBefore);
    return gate.open ? notBefore : gate.hold.until;
  };

const noticeOf = (view: PopView): number => {
  const { window } = view.seen;
  return window.found && window.spec.notice !== undefined ? milliseconds(window.spec.notice) : 0;
};

const plannedOf = (stored: StoredPlan): PlannedStart => ({
  start: stored.start === undefined ? undefined : Date.parse(stored.start),
  announcedAt: Date.parse(stored.announcedAt),
  rule: stored.rule,
});
const changeOf = (stored: StoredPlan) => stored.change && { rule: stored.change.rule, since: Date.parse(stored.change.since) };
const storedOf = (revision: string, planned: PlannedStart): StoredPlan => ({
  revision,
  rule: planned.rule,
  announcedAt: iso(planned.announcedAt),
  ...(planned.start === undefined ? {} : { start: iso(planned.start) }),
});

/** The ledger without a plan: nothing is to come. */
export const withoutPlan = ({ plan: _, ...ledger }: PopClusterStatus): PopClusterStatus => ledger;

function movedMessage(view: PopView, start: Instant | undefined): string {
  if (start === undefined) return "after the change of window, zone, notice or freezes no coming occurrence can be used";
  return `the planned start moves to ${iso(start)}, ${describeInstant(start, view.seen.pop.spec.timeZone)}, after a change of window, zone, notice or freezes`;
}
