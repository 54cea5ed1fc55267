import type { Instant } from "../decision.ts";
import { dayOfLocalTime, parseLocalDate, WEEK } from "../time/civil.ts";
import { startOfLocalDay } from "../time/local-start.ts";
import { localTimeAt } from "../time/offsets.ts";
import { isCanonicalZone } from "../time/zone.ts";
import { frozenSpans } from "./freeze.ts";
import type { WindowQuestion } from "./gate.ts";
import { fits, type UsableOccurrence } from "./last-start.ts";
import { freezeProblems, windowProblems, windowZone } from "./parse.ts";
import { usableOccurrences } from "./search.ts";

/** A question about the occurrences whose local start date, in the zone of the thing, lies in [from, to) (rule F1). */
export interface DatedQuestion extends WindowQuestion {
  readonly from: string;
  readonly to: string;
}

/** When a piece can start by such an occurrence: now, where it runs and its last start has not passed. */
export interface DatedStart {
  readonly start: Instant;
  readonly occurrence: UsableOccurrence;
}

/**
 * The first start that lies in an occurrence of these dates, keeps the notice, is in no freeze and leaves room for the piece (rules F1,
 * W3, W4, W6). Undefined when there is none left, or when window, zone or freezes cannot be read (rule W10).
 */
export function datedStart({ spec, zone, now, from, to, ...question }: DatedQuestion): DatedStart | undefined {
  const [firstDay, endDay] = [parseLocalDate(from), parseLocalDate(to)];
  if (spec === undefined || zone === undefined || firstDay === undefined || endDay === undefined || !isCanonicalZone(zone))
    return undefined;
  const freezes = [...(spec.freezes ?? []), ...(question.freezes ?? [])];
  if (windowProblems(spec).length > 0 || freezeProblems(freezes, "freezes").length > 0) return undefined;
  const begin = Math.max(now, startOfLocalDay(zone, firstDay));
  const end = startOfLocalDay(zone, endDay);
  const { noticeMilliseconds: notice = 0, announcedAt } = question;
  const noticed = announcedAt === undefined || notice === 0 ? -Infinity : announcedAt + notice;
  const spans = frozenSpans(freezes, zone, begin - 4 * WEEK);
  const search = { spec, zone: windowZone(spec, zone)!, spans, piece: question.pieceMilliseconds };
  for (const occurrence of usableOccurrences(search, begin)) {
    const { start, lastStart } = occurrence;
    if (start >= end) return undefined;
    const early = dayOfLocalTime(localTimeAt(zone, start)) < firstDay || start < noticed;
    if (!early && fits(occurrence) && now <= lastStart) return { start: Math.max(start, now), occurrence };
  }
  return undefined;
}
