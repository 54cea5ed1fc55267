import type { PopRollout } from "../../api/pop-rollout.ts";
import { parseDuration } from "../../core/time/duration.ts";
import { clockNotes } from "../../core/window/clock-note.ts";
import { activeFreeze, frozenSpans } from "../../core/window/freeze.ts";
import { freezeProblems, windowProblems, windowZone } from "../../core/window/parse.ts";
import { occurrences } from "../../core/window/occurrences.ts";
import { earliestStart, isTooLate, startDays, isTooEarly } from "../../core/window/start-dates.ts";
import { isCanonicalZone } from "../../core/time/zone.ts";
import { dateAt } from "./dates.ts";
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
}

/** The windows of these PoPs in the dates of the train (rules F1, W1, W3, W6): what freezes, notice and clocks do to them. */
export function calendarOf(input: ForesightInput, model: FleetModel, rollout: PopRollout, pops: readonly PopModel[]): Calendar {
  const byPlace = new Map<string, ReturnType<typeof placeFindings>>();
  const findings: CalendarFinding[] = [];
  const usable = new Map<string, readonly string[]>();
  for (const { pop } of pops) {
    const place = `${pop.spec.windowRef.name}/${pop.spec.timeZone}`;
    const of = byPlace.get(place) ?? placeFindings(input, model, rollout, pop.spec.windowRef.name, pop.spec.timeZone);
    byPlace.set(place, of);
    usable.set(pop.metadata.name, of.usable);
    for (const finding of of.findings) findings.push({ ...finding, pop: pop.metadata.name });
  }
  return { findings, usable };
}

function placeFindings(
  { windows }: ForesightInput,
  { fleet, now }: FleetModel,
  { spec: { announcedAt }, status = {} }: PopRollout,
  name: string,
  zone: string,
): { readonly findings: readonly Omit<CalendarFinding, "pop">[]; readonly usable: readonly string[] } {
  const window = windows.find(({ metadata }) => metadata.name === name);
  const { startDate, endDate, seenAt } = status;
  const freezes = [...(window?.spec.freezes ?? []), ...(fleet?.spec.freezes ?? [])];
  const unreadable = window === undefined || windowProblems(window.spec).length > 0 || freezeProblems(freezes, "").length > 0;
  if (unreadable || startDate === undefined || endDate === undefined || !isCanonicalZone(zone)) return { findings: [], usable: [] };
  const days = startDays({ from: startDate, to: endDate, of: "" }, zone);
  const read = windowZone(window.spec, zone)!;
  const spans = frozenSpans(freezes, zone, earliestStart(days));
  const notice = parseDuration(window.spec.notice ?? "") ?? 0;
  const announced = Math.max(Date.parse(announcedAt ?? seenAt ?? "") || now, Date.parse(seenAt ?? "") || now);
  const findings: Omit<CalendarFinding, "pop">[] = [];
  const usable: string[] = [];
  for (const occurrence of occurrences(window.spec, read, earliestStart(days))) {
    const { start } = occurrence;
    if (isTooLate(days, start)) break;
    if (isTooEarly(days, start)) continue;
    const date = dateAt(zone, start);
    const freeze = activeFreeze(spans, start);
    if (freeze !== undefined) findings.push({ kind: "Freeze", message: `freeze ${freeze.freeze.name} takes out the windows of ${date}` });
    else if (notice > 0 && start < announced + notice)
      findings.push({
        kind: "Notice",
        message: `the notice of ${window.spec.notice} takes out the windows of ${date}, which come too soon after the announcement`,
      });
    else {
      usable.push(date);
      for (const note of clockNotes(occurrence, read)) findings.push({ kind: "DST", message: `${read}, ${date}: ${note}` });
    }
  }
  return { findings, usable: [...new Set(usable)] };
}
