import { IANAZone } from "luxon";
import type { Instant } from "../decision.ts";
import { DAY, SECOND, type LocalTime } from "./civil.ts";

/** A stretch of time, [from, to), during which the clocks of a zone keep one offset from UTC (milliseconds, east is positive). */
export interface OffsetSpan {
  readonly from: Instant;
  readonly to: Instant;
  readonly offset: number;
}

/**
 * Of everything ever in the tz database, the shortest time between two changes of one zone is 6.96 days (Gaza, Boa Vista; the build
 * test measures it again), so samples three days apart see every change.
 */
const SAMPLE = 3 * DAY;
const CHUNK = 4 * SAMPLE;
/** Seventeen years of one zone; a longer walk begins anew instead of growing without bound. */
const MAXIMUM_CHUNKS = 512;

/** No clock on record was ever further from UTC: Manila −15:56 until 1844, Metlakatla +15:13 until 1867. */
export const LARGEST_OFFSET = 16 * 60 * 60 * SECOND;

const knownZones = new Map<string, Map<number, readonly OffsetSpan[]>>();

/** The offset that luxon reads from the time zone data; some old ones have seconds, none has fractions of one. */
function readOffset(zone: string, at: Instant): number {
  const minutes = IANAZone.create(zone).offset(at);
  if (Number.isNaN(minutes))
    throw new RangeError(`${JSON.stringify(zone)} has no offset at ${at}: not a time zone, or out of the calendar`);
  return Math.round(minutes * 60) * SECOND;
}

/** The first instant, to the second, at which the zone no longer has the offset that it has at `before`. */
function findChange(zone: string, before: Instant, after: Instant, offset: number): Instant {
  let low = before;
  let high = after;
  while (high - low > SECOND) {
    const middle = low + Math.floor((high - low) / 2 / SECOND) * SECOND;
    if (readOffset(zone, middle) === offset) low = middle;
    else high = middle;
  }
  return high;
}

function measureChunk(zone: string, from: Instant): readonly OffsetSpan[] {
  const spans: OffsetSpan[] = [];
  let start = from;
  let offset = readOffset(zone, from);
  for (let sample = from + SAMPLE; sample <= from + CHUNK; sample += SAMPLE) {
    const next = readOffset(zone, sample);
    if (next === offset) continue;
    const change = findChange(zone, sample - SAMPLE, sample, offset);
    spans.push({ from: start, to: change, offset });
    [start, offset] = [change, next];
  }
  // A change in the last second before the chunk's end leaves nothing to add.
  if (start < from + CHUNK) spans.push({ from: start, to: from + CHUNK, offset });
  return spans;
}

/**
 * The span that holds this instant. It may end where only the bookkeeping ends, with the same offset going on; so a caller walks on
 * until it found what it looks for. Throws a RangeError for a name that is no zone: names are checked first (`zoneProblem`).
 */
export function offsetSpanAt(zone: string, at: Instant): OffsetSpan {
  let chunks = knownZones.get(zone);
  if (chunks === undefined) {
    if (!IANAZone.create(zone).isValid) throw new RangeError(`${JSON.stringify(zone)} is no time zone`);
    knownZones.set(zone, (chunks = new Map<number, readonly OffsetSpan[]>()));
  }
  const index = Math.floor(at / CHUNK);
  let spans = chunks.get(index);
  if (spans === undefined) {
    if (chunks.size >= MAXIMUM_CHUNKS) chunks.clear();
    chunks.set(index, (spans = measureChunk(zone, index * CHUNK)));
  }
  return spans.find((span) => at < span.to)!;
}

/** Milliseconds to add to UTC for the local time at this instant. */
export function offsetAt(zone: string, at: Instant): number {
  return offsetSpanAt(zone, at).offset;
}

/** What the wall clock reads at this instant. */
export function localTimeAt(zone: string, at: Instant): LocalTime {
  return at + offsetAt(zone, at);
}
