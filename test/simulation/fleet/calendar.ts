import type { Freeze } from "../../../src/api/common.ts";
import type { MaintenanceWindowSpec } from "../../../src/api/maintenance-window.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NAMES = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/** One occurrence of a window; `date` is the local date on which it starts. */
export interface Occurrence {
  readonly date: string;
  readonly start: number;
  readonly end: number;
}

/**
 * When windows are open, reckoned by asking Intl what clocks read, minute for minute: slow, and in nothing related to the operator's own
 * reckoning. Knows weekly slots with a duration, which is what the fleets of these tests have.
 */
export class Calendar {
  readonly #formats = new Map<string, Intl.DateTimeFormat>();
  readonly #starts = new Map<string, number>();

  /** What a clock of that zone reads, `2026-11-22 01:00:00`. */
  reads(zone: string, at: number): string {
    let format = this.#formats.get(zone);
    if (format === undefined) {
      format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
      this.#formats.set(zone, format);
    }
    return format.format(at);
  }

  /** The earliest instant at which the clock of the zone reads `date time` or later (rule W1). */
  startOf(zone: string, date: string, time: string): number {
    const key = `${zone} ${date} ${time}`;
    const known = this.#starts.get(key);
    if (known !== undefined) return known;
    const wanted = `${date} ${time}:00`;
    let at = Date.parse(`${date}T${time}:00Z`) - 15 * HOUR;
    while (this.reads(zone, at + 15 * MINUTE) < wanted) at += 15 * MINUTE;
    while (this.reads(zone, at) < wanted) at += MINUTE;
    this.#starts.set(key, at);
    return at;
  }

  /** Occurrences that touch [from, to), in no order. */
  occurrences({ schedule, timeZone }: MaintenanceWindowSpec, zone: string, from: number, to: number): Occurrence[] {
    const inForce = timeZone === "Local" ? zone : timeZone;
    const found: Occurrence[] = [];
    for (let day = Math.floor(from / DAY) - 2; day <= Math.floor(to / DAY) + 1; day++) {
      const date = new Date(day * DAY).toISOString().slice(0, 10);
      for (const slot of schedule.weekly ?? []) {
        if (slot.day !== NAMES[new Date(day * DAY).getUTCDay()]) continue;
        const start = this.startOf(inForce, date, slot.start);
        const end = start + milliseconds(slot.duration ?? "0s");
        if (start < to && end > from) found.push({ date, start, end });
      }
    }
    return found;
  }

  /** The occurrence that is open at `at`, unless a freeze holds that day. */
  openAt(spec: MaintenanceWindowSpec, zone: string, at: number, freezes: readonly Freeze[]): Occurrence | undefined {
    if ([...freezes, ...(spec.freezes ?? [])].some((freeze) => this.isFrozen(freeze, zone, at))) return undefined;
    return this.occurrences(spec, zone, at, at + 1)[0];
  }

  isFrozen({ from, to, timeZone = "Local" }: Freeze, zone: string, at: number): boolean {
    const date = this.reads(timeZone === "Local" ? zone : timeZone, at).slice(0, 10);
    return date >= from && date <= to;
  }
}

/** `1h30m` in milliseconds. */
export function milliseconds(duration: string): number {
  const units: Readonly<Record<string, number>> = { h: HOUR, m: MINUTE, s: 1_000 };
  return [...duration.matchAll(/(\d+)([hms])/g)].reduce((sum, [, count, unit]) => sum + Number(count) * units[unit!]!, 0);
}
