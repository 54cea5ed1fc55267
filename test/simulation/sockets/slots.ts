import { Calendar, type Occurrence } from "../fleet/calendar.ts";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const WEEK = 7 * DAY;

/** A weekly slot as a customer chose it: from one time of the clock to another on Sundays. */
export interface Slot {
  readonly start: string;
  readonly end: string;
}

export const SUNDAY_NIGHT: Slot = { start: "01:00", end: "03:00" };

/** Local dates, both inclusive. */
export interface FrozenDays {
  readonly from: string;
  readonly to: string;
}

const calendar = new Calendar();

/** What a clock of the zone reads. */
export const reads = (zone: string, at: number): string => calendar.reads(zone, at);

const known = new Map<string, Occurrence | undefined>();

/**
 * The slot of one Sunday, reckoned by asking Intl what clocks read (rules W1, W1a): it begins at the first instant at which the clock
 * reads the start or later, and ends at the earlier of start + nominal length and the first instant at which it reads the end or later.
 * Undefined: a gap swallows it whole.
 */
export function slotOn(zone: string, date: string, { start, end }: Slot): Occurrence | undefined {
  const key = `${zone} ${date} ${start} ${end}`;
  if (known.has(key)) return known.get(key);
  const from = calendar.startOf(zone, date, start);
  const nominal = Date.parse(`${date}T${end}:00Z`) - Date.parse(`${date}T${start}:00Z`);
  const until = Math.min(from + nominal, Math.max(from, calendar.startOf(zone, date, end)));
  const found = until > from ? { date, start: from, end: until } : undefined;
  known.set(key, found);
  return found;
}

/** The Sundays whose slots lie between two instants, in order. */
export function slotsBetween(zone: string, slot: Slot, from: number, to: number): Occurrence[] {
  const found: Occurrence[] = [];
  const first = Math.floor(from / DAY) - 2;
  for (let day = first; day * DAY <= to + 2 * DAY; day += 1) {
    if (new Date(day * DAY).getUTCDay() !== 0) continue;
    const occurrence = slotOn(zone, new Date(day * DAY).toISOString().slice(0, 10), slot);
    if (occurrence !== undefined && occurrence.start >= from && occurrence.start < to) found.push(occurrence);
  }
  return found;
}

/** The Sunday slot that is open at an instant. */
export const slotAt = (zone: string, slot: Slot, at: number): Occurrence | undefined =>
  slotsBetween(zone, slot, at - DAY, at + 1).find(({ start, end }) => start <= at && at < end);

export const isFrozen = (zone: string, freezes: readonly FrozenDays[], at: number): boolean => {
  const date = reads(zone, at).slice(0, 10);
  return freezes.some(({ from, to }) => date >= from && date <= to);
};
