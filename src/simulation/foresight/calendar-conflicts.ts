import type { MaintenanceWindow } from "../../api/maintenance-window.ts";
import type { PopRollout, PopRolloutStatus } from "../../api/pop-rollout.ts";
import { parseLocalDate } from "../../core/time/civil.ts";
import { parseDuration } from "../../core/time/duration.ts";
import { clockNotes } from "../../core/window/clock-note.ts";
import { activeFreeze, frozenSpans } from "../../core/window/freeze.ts";
import { freezeProblems, windowProblems, windowZone } from "../../core/window/parse.ts";
import { occurrences } from "../../core/window/occurrences.ts";
import { earliestStart, isTooLate, startDays, isTooEarly } from "../../core/window/start-dates.ts";
import { isCanonicalZone } from "../../core/time/zone.ts";
import { dateAt, trainDates } from "./dates.ts";
import type { FleetModel } from "./fleet-model.ts";
import type { PopModel } from "./pop-model.ts";
import type { ForesightInput } from "./types.ts";

/** What one occurrence of a PoP's window loses, or how it differs: found once for all PoPs of one window and zone. */
export interface CalendarFinding {
  readonly kind: "Freeze" | "Notice" | "DST";
  readonly pop: string;
  /** The same sentence for every PoP that it concerns. */
  readonly message: string;
}

export interface Calendar {
  readonly findings: readonly CalendarFinding[];
  /** Local dates on which the PoP's window opens in the dates of the train, freezes and notice heeded. */
  readonly usable: ReadonlyMap<string, readonly string[]>;
  /** Dates of the train on which it does not, and what takes them. */
  readonly lost: ReadonlyMap<string, readonly LostDate[]>;
}

/** One date of a train, `to` freeze peak. */
export interface LostDate {
  readonly date: string;
  readonly to: string;
}

/** The windows of these PoPs in the dates of the train (rules F1, W1, W3, W6): what freezes, notice and clocks do to them. */
export function calendarOf(input: ForesightInput, model: FleetModel, rollout: PopRollout, pops: readonly PopModel[]): Calendar {
  const byPlace = new Map<string, ReturnType<typeof placeFindings>>();
  const findings: CalendarFinding[] = [];
  const usable = new Map<string, readonly string[]>();
  const lost = new Map<string, readonly LostDate[]>();
  for (const { pop } of pops) {
    const place = `${pop.spec.windowRef.name}/${pop.spec.timeZone}`;
    const of = byPlace.get(place) ?? placeFindings(input, model, rollout, pop.spec.windowRef.name, pop.spec.timeZone);
    byPlace.set(place, of);
    usable.set(pop.metadata.name, of.usable);
    lost.set(pop.metadata.name, of.lost);
    for (const finding of of.findings) findings.push({ ...finding, pop: pop.metadata.name });
  }
  return { findings, usable, lost };
}

interface PlaceFindings {
  readonly findings: readonly Omit<CalendarFinding, "pop">[];
  readonly usable: readonly string[];
  readonly lost: readonly LostDate[];
}

function placeFindings(
  { windows, now }: ForesightInput,
  { fleet }: FleetModel,
  { spec: { announcedAt }, status = {} }: PopRollout,
  name: string,
  zone: string,
): PlaceFindings {
  const window = windows.find(({ metadata }) => metadata.name === name);
  const { startDate, endDate, seenAt } = status;
  const freezes = [...(window?.spec.freezes ?? []), ...(fleet?.spec.freezes ?? [])];
  const unreadable = window === undefined || windowProblems(window.spec).length > 0 || freezeProblems(freezes, "").length > 0;
  if (unreadable || startDate === undefined || endDate === undefined || !isCanonicalZone(zone))
    return { findings: [], usable: [], lost: [] };
  const days = startDays({ from: startDate, to: endDate, of: "" }, zone);
  const read = windowZone(window.spec, zone)!;
  const spans = frozenSpans(freezes, zone, earliestStart(days));
  const notice = parseDuration(window.spec.notice ?? "") ?? 0;
  const announced = Math.max(Date.parse(announcedAt ?? seenAt ?? "") || now, Date.parse(seenAt ?? "") || now);
  const findings: Omit<CalendarFinding, "pop">[] = [];
  const usable: string[] = [];
  const lost: LostDate[] = [];
  for (const occurrence of occurrences(window.spec, read, earliestStart(days))) {
    const { start } = occurrence;
    if (isTooLate(days, start)) break;
    if (isTooEarly(days, start)) continue;
    const date = dateAt(zone, start);
    const freeze = activeFreeze(spans, start);
    if (occurrence.end <= now) lost.push({ date, to: "the past: its window is over" });
    else if (freeze !== undefined) {
      findings.push({ kind: "Freeze", message: `freeze ${freeze.freeze.name} takes out the windows of ${date}` });
      lost.push({ date, to: `freeze ${freeze.freeze.name}` });
    } else if (notice > 0 && start < announced + notice) {
      findings.push({
        kind: "Notice",
        message: `the notice of ${window.spec.notice} takes out the windows of ${date}, which come too soon after the announcement`,
      });
      lost.push({ date, to: `the notice of ${window.spec.notice}` });
    } else {
      usable.push(date);
      for (const note of clockNotes(occurrence, read)) findings.push({ kind: "DST", message: `${read}, ${date}: ${note}` });
    }
  }
  const seen = [...usable, ...lost.map(({ date }) => date)];
  return { findings, usable: [...new Set(usable)], lost: [...lost, ...withoutOccurrence(window, status, seen)] };
}

/** Weeks of the train in which the window does not open at all. */
function withoutOccurrence(
  { metadata, spec: { schedule } }: MaintenanceWindow,
  status: PopRolloutStatus,
  seen: readonly string[],
): LostDate[] {
  const { everyWeeks, once } = schedule;
  const how = once !== undefined ? `opens on ${once.date} alone` : everyWeeks > 1 ? `occurs every ${everyWeeks} weeks` : undefined;
  if (how === undefined) return [];
  return trainDates(status)
    .dates.filter((date) => !seen.some((one) => isInWeek(date, one)))
    .map((date) => ({ date, to: `MaintenanceWindow ${metadata.name}, which ${how}` }));
}

const isInWeek = (first: string, date: string): boolean => {
  const days = parseLocalDate(date)! - parseLocalDate(first)!;
  return days >= 0 && days < 7;
};
