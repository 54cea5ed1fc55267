import type { Freeze, OccurrenceStatus } from "../../api/common.ts";
import type { MaintenanceWindowSpec } from "../../api/maintenance-window.ts";
import type { Instant } from "../decision.ts";
import { cap } from "../text.ts";
import { dayOfLocalTime, formatLocalDate, WEEK } from "../time/civil.ts";
import { formatDuration } from "../time/duration.ts";
import { formatZoned } from "../time/format.ts";
import { formatInstant } from "../time/instant.ts";
import { localTimeAt } from "../time/offsets.ts";
import { clockNotes, swallowedNote } from "./clock-note.ts";
import { activeFreeze, frozenSpans, type FrozenSpan } from "./freeze.ts";
import { fits, usableOccurrence, type UsableOccurrence } from "./last-start.ts";
import { isSwallowed, nominalOccurrences, type Occurrence } from "./occurrences.ts";
import { earliestStart, isTooLate, type StartDates, startDays, isTooEarly } from "./start-dates.ts";

const NOTE_LIMIT = 256;
/** Occurrences looked at for one forecast: enough to pass a freeze of years, and an end to the search in one of centuries. */
const MAXIMUM_LOOKED_AT = 2_000;

export interface ForecastQuestion {
  /** Without problems (`windowProblems`). */
  readonly spec: MaintenanceWindowSpec;
  /** The zone in which the window is read (`windowZone`). */
  readonly zone: string;
  /** The zone that dates the freezes; the window's when left out. */
  readonly freezeZone?: string;
  /** From here on; the occurrence that runs then comes first. */
  readonly from: Instant;
  /** Only occurrences that start at or after this instant: announcement + notice (rule W3). */
  readonly notBefore?: Instant;
  /** How many (5 in status). */
  readonly count: number;
  /** Freezes beside those of the window. */
  readonly freezes?: readonly Freeze[];
  /** The budget of a piece, for `lastStart`; left out there is none. */
  readonly pieceMilliseconds?: number;
  /** Only occurrences that start on these local dates, in the zone that dates the freezes (rule F1). Without problems. */
  readonly startDates?: StartDates | undefined;
}

/** What was passed over on the way to the next occurrence, told in its note. */
class Skipped {
  private readonly swallowed: Occurrence[] = [];
  private readonly frozen = new Map<FrozenSpan, number>();

  addSwallowed(occurrence: Occurrence): void {
    this.swallowed.push(occurrence);
  }

  addFrozen(freeze: FrozenSpan): void {
    this.frozen.set(freeze, (this.frozen.get(freeze) ?? 0) + 1);
  }

  /** The sentences, and forgets. */
  take(): readonly string[] {
    const notes = this.swallowed.map(swallowedNote);
    for (const [{ freeze }, count] of this.frozen) {
      notes.push(
        `freeze ${freeze.name} until ${freeze.to} takes out ${count === 1 ? "the occurrence" : `the ${count} occurrences`} before`,
      );
    }
    this.swallowed.length = 0;
    this.frozen.clear();
    return notes;
  }
}

function cutNote(usable: UsableOccurrence, zone: string): string | undefined {
  if (usable.cutBy === undefined) return undefined;
  const date = formatLocalDate(dayOfLocalTime(localTimeAt(zone, usable.end)));
  return `freeze ${usable.cutBy.freeze.name} begins on ${date}: it ends there, after ${formatDuration(usable.end - usable.start)}`;
}

function shown(usable: UsableOccurrence, question: ForecastQuestion, before: readonly string[]): OccurrenceStatus {
  const { zone, from, pieceMilliseconds: piece } = question;
  const notes = [
    ...(usable.start <= from && from < usable.end && question.notBefore === undefined ? ["open now"] : []),
    ...clockNotes(usable.occurrence, zone),
    ...[cutNote(usable, zone)].filter((note) => note !== undefined),
    ...(piece !== undefined && !fits(usable) ? [`a piece of ${formatDuration(piece)} does not fit`] : []),
    ...before,
  ];
  return {
    start: formatInstant(usable.start),
    ...(piece !== undefined && fits(usable) ? { lastStart: formatInstant(usable.lastStart) } : {}),
    end: formatInstant(usable.end),
    localStart: formatZoned(usable.start, zone),
    ...(notes.length === 0 ? {} : { note: cap(notes.join("; "), NOTE_LIMIT) }),
  };
}

/**
 * The coming occurrences as status and command line show them (rules W8, W9): those that start in a freeze and those that a gap has
 * swallowed are left out and told in the note of the next one, as is what a change of the clocks or a freeze does to it.
 */
export function forecast(question: ForecastQuestion): OccurrenceStatus[] {
  const { spec, zone, from, notBefore = -Infinity, count } = question;
  const days = question.startDates && startDays(question.startDates, question.freezeZone ?? zone);
  const begin = Math.max(from, notBefore, earliestStart(days));
  const spans = frozenSpans([...(spec.freezes ?? []), ...(question.freezes ?? [])], question.freezeZone ?? zone, begin - 4 * WEEK);
  const found: OccurrenceStatus[] = [];
  const skipped = new Skipped();
  let lookedAt = 0;
  for (const occurrence of nominalOccurrences(spec, zone, begin)) {
    if (found.length >= count || (lookedAt += 1) > MAXIMUM_LOOKED_AT) break;
    if (isTooLate(days, occurrence.start)) break;
    if (occurrence.start < notBefore || isTooEarly(days, occurrence.start)) continue;
    const freeze = activeFreeze(spans, occurrence.start);
    if (isSwallowed(occurrence)) skipped.addSwallowed(occurrence);
    else if (freeze !== undefined) skipped.addFrozen(freeze);
    else {
      const usable = usableOccurrence(occurrence, spans, question.pieceMilliseconds ?? 0)!;
      // A freeze may have ended the one that would still run.
      if (usable.end > from) found.push(shown(usable, question, skipped.take()));
    }
  }
  return found;
}
