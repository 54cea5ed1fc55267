import type { Freeze } from "../../api/common.ts";
import type { Instant } from "../decision.ts";
import { parseDuration } from "../time/duration.ts";
import { datedStart } from "../window/dated-start.ts";
import type { RolloutPop } from "./observation.ts";
import type { RolloutView } from "./view.ts";

/** When a PoP can begin, and when its window opens next; `opens` is absent where it only still runs, for the last time. */
export interface FirstStart {
  readonly start: Instant;
  readonly opens?: Instant;
}

/**
 * When a PoP can begin: by the first usable start of its window in the dates of the train (rules F1, W3–W6); content and emergencies wait
 * for no window. `lifted` names freezes that do not hold it. Undefined when no window is left, or it cannot be read.
 */
export function firstStart(view: RolloutView, pop: RolloutPop, lifted: readonly string[], now: Instant): FirstStart | undefined {
  if (!view.windowed) return { start: now, opens: now };
  const { startDate, endDate } = view.ledger;
  const window = view.seen.windows.get(pop.windowRef);
  if (startDate === undefined || endDate === undefined || window === undefined || window.problems.length > 0) return undefined;
  const { fleet } = view.seen;
  const inForce = (freezes: readonly Freeze[] = []): Freeze[] => freezes.filter(({ name }) => !lifted.includes(name));
  const question = {
    spec: { ...window.spec, freezes: inForce(window.spec.freezes) },
    zone: pop.timeZone,
    now,
    from: startDate,
    to: endDate,
    pieceMilliseconds: parseDuration(pop.expected) ?? 0,
    freezes: fleet.found ? inForce(fleet.freezes) : [],
    announcedAt: view.announcedAt,
    noticeMilliseconds: parseDuration(window.spec.notice ?? "") ?? 0,
  };
  const first = datedStart(question);
  if (first === undefined) return undefined;
  // One that runs already may be nearly over: who is picked by the earliest window gets a whole one.
  const opens = first.occurrence.start >= now ? first.start : datedStart({ ...question, now: first.occurrence.end })?.start;
  return { start: first.start, ...(opens === undefined ? {} : { opens }) };
}
