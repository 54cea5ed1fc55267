import type { Assignment, PopRolloutStatus } from "../../api/pop-rollout.ts";
import type { Announcement, Instant } from "../decision.ts";
import { listText } from "../health/wording.ts";
import { lastingDay } from "../rollout/train.ts";
import { parseLocalDate } from "../time/civil.ts";
import { iso, type Outcome } from "./outcome.ts";
import { hasFailed, type RolloutView } from "./view.ts";
import { counted } from "../text.ts";

type Verb = "stop" | "retry" | "takeBack";

/** A person's word that is no state (`spec.requests`): carried out once for each `at`, the earlier one first, recorded in `status.handled`. */
export function requests(view: RolloutView, now: Instant): Outcome | undefined {
  const asked = (["stop", "retry", "takeBack"] as const)
    .flatMap((verb) => {
      const at = view.spec.requests?.[verb]?.at;
      return at === undefined || view.ledger.handled?.[verb] === at ? [] : [{ verb, at }];
    })
    .toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
  if (asked.length === 0) return undefined;
  // Nothing goes forward again in between: what is going back would be one more failure of what goes on.
  const back = view.assignments.filter(({ state }) => state === "RollingBack").map(({ pop }) => pop);
  const retry = asked.find(({ verb }) => verb === "retry");
  if (retry && back.length > 0)
    return {
      holds: [
        {
          rule: "F4",
          reason: "Halted",
          message: `spec.requests.retry of ${retry.at} is carried out when ${listText(back)} ${back.length === 1 ? "has" : "have"} gone back`,
        },
      ],
    };
  let ledger = view.ledger;
  const events: Announcement[] = [];
  for (const { verb, at } of asked) {
    const { next, message } = CARRIED_OUT[verb]({ ...view, ledger, assignments: ledger.assignments ?? [] }, at, now);
    ledger = { ...(next ?? ledger), handled: { ...ledger.handled, [verb]: at } };
    events.push({ type: next ? "Normal" : "Warning", reason: next ? REASON[verb] : "RequestIgnored", action: verb, message });
  }
  return { ledger, events };
}

const REASON: Readonly<Record<Verb, string>> = { stop: "Stopped", retry: "Retry", takeBack: "TakenBack" };

/** Without a ledger there was nothing to do, and the message says why. */
type CarriedOut = { readonly next?: PopRolloutStatus; readonly message: string };

const CARRIED_OUT: Readonly<Record<Verb, (view: RolloutView, at: string, now: Instant) => CarriedOut>> = {
  stop({ ledger, version }, at, now) {
    if (ledger.stopped !== undefined || ledger.supersededBy !== undefined)
      return { message: `spec.requests.stop of ${at}: it was stopped already` };
    const because = `a person stopped the rollout at ${at}; requests.retry goes on, requests.takeBack takes ${version} back`;
    return { next: { ...withoutStanding(ledger), stopped: { at: iso(now), because } }, message: because };
  },
  takeBack({ ledger, version }, at, now) {
    if (ledger.takenBack !== undefined) return { message: `spec.requests.takeBack of ${at}: ${version} is being taken back already` };
    const because = `a person asked at ${at} to take ${version} back`;
    return { next: { ...withoutStanding(ledger), takenBack: { at: iso(now), because } }, message: because };
  },
  retry(view, at, now) {
    const { ledger, version } = view;
    if (ledger.supersededBy !== undefined)
      return { message: `spec.requests.retry of ${at}: PoPRollout ${ledger.supersededBy.name} took its place` };
    const again = view.assignments.filter((one) => hasFailed(one) || one.state === "Stopped");
    const ended = [ledger.halted, ledger.stopped, ledger.takenBack].some((one) => one !== undefined);
    if (!ended && again.length === 0)
      return { message: `spec.requests.retry of ${at}: it neither halted nor stopped, and ${version} failed nowhere` };
    const { halted: _, stopped: __, takenBack: ___, outcome: ____, endedAt: _____, ...rest } = ledger;
    const retried = { ...rest, assignments: view.assignments.map((one) => (again.includes(one) ? triedAgain(one, at, now) : goesOn(one))) };
    return {
      next: trainIsOver(ledger, now) ? withoutDates(retried) : retried,
      message: `a person asked at ${at} to go on with ${version}${again.length > 0 ? `; it is tried again on ${counted(again.length, "PoP")}` : ""}`,
    };
  },
};

/** A version that a person withdraws is the current one of nobody any more (rule G4). */
const withoutStanding = ({ standing: _, standingSince: __, ...ledger }: PopRolloutStatus): PopRolloutStatus => ledger;

/** What was ordered while it was halted is over. */
const goesOn = ({ orderedAt: _, because: __, ...one }: Assignment): Assignment => ({ ...one, order: "Go" });

function triedAgain({ reason: _, message: __, retriedBy: ___, ...one }: Assignment, at: string, now: Instant): Assignment {
  return { ...goesOn(one), state: "Assigned", since: iso(now), retryAt: at };
}

/** A rollout that goes on after its train was over takes the next one: the dates are resolved anew. */
function trainIsOver({ endDate }: PopRolloutStatus, now: Instant): boolean {
  const end = endDate === undefined ? undefined : parseLocalDate(endDate);
  return end !== undefined && end <= lastingDay(now);
}

const withoutDates = ({ startDate: _, endDate: __, ...ledger }: PopRolloutStatus): PopRolloutStatus => ledger;
