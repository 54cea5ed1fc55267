import type { TimeOracle } from "./time-oracle.ts";

const HOUR = 3_600;
const QUARTER = 900;

/**
 * The oracle where no Python or registry is to be had: brute force over Intl alone. Its zone data is the runtime's own, so it checks our
 * reckoning but not our data.
 */
export class IntlOracle implements TimeOracle {
  readonly name = "brute force over Intl";
  private readonly formats = new Map<string, Intl.DateTimeFormat>();

  /** What the clock reads, parsed out of the Swedish format, which is ISO's. */
  private reads(zone: string, second: number): number {
    let format = this.formats.get(zone);
    if (format === undefined) {
      format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
      this.formats.set(zone, format);
    }
    return Date.parse(`${format.format(second * 1_000).replace(" ", "T")}Z`) / 1_000;
  }

  /** The last second of [low, high] by halving, where `holds` is true at `low` and false at `high`. */
  private lastWhere(low: number, high: number, holds: (second: number) => boolean): number {
    let [yes, no] = [low, high];
    while (no - yes > 1) {
      const middle = Math.floor((yes + no) / 2);
      if (holds(middle)) yes = middle;
      else no = middle;
    }
    return yes;
  }

  async transitions(zone: string, from: number, to: number): Promise<[number, number, number][]> {
    const found: [number, number, number][] = [];
    const offset = (second: number) => this.reads(zone, second) - second;
    for (let day = from; day < to; day += 24 * HOUR) {
      const [before, after] = [offset(day), offset(day + 24 * HOUR)];
      if (before === after) continue;
      found.push([this.lastWhere(day, day + 24 * HOUR, (second) => offset(second) === before) + 1, before, after]);
    }
    return found;
  }

  async starts(zone: string, nominal: readonly number[]): Promise<number[]> {
    return nominal.map((wanted) => {
      let quarter = wanted - 16 * HOUR;
      quarter -= quarter % QUARTER;
      for (;;) {
        const found = this.startWithin(zone, quarter, wanted);
        if (found !== undefined) return found;
        quarter += QUARTER;
      }
    });
  }

  /** Changes fall on whole minutes of UTC, so within a minute the clock runs evenly; at most one lies in a quarter of an hour. */
  private startWithin(zone: string, quarter: number, wanted: number): number | undefined {
    const offset = (second: number) => this.reads(zone, second) - second;
    const last = quarter + QUARTER - 1;
    if (last + Math.max(offset(quarter), offset(last)) < wanted) return undefined;
    for (let minute = quarter; minute < quarter + QUARTER; minute += 60) {
      const here = offset(minute);
      if (minute + 59 + here >= wanted) return Math.max(minute, wanted - here);
    }
    return undefined;
  }

  async close(): Promise<void> {}
}
