/** Upper bounds in seconds. 9, 10 and 11 stand there because 10 s is the promise (rule P11) and both sides of it have to be told apart. */
export const RECONNECT_BUCKETS = [0.1, 0.5, 1, 2, 5, 9, 10, 11, 15, 30, 60] as const;

interface Series {
  readonly counts: number[];
  sum: number;
  count: number;
}

/** More nodes than this that sessions came from are not told apart any more; a real exporter bounds its labels too. */
const MOST_SERIES = 1_000;

/** The histogram of loss-to-return times by the node that the session came from: `pop_session_reconnect_seconds{from}` (rule P11). */
export class SessionReturns {
  readonly #series = new Map<string, Series>();

  observe(from: string, seconds: number): void {
    const name = this.#series.has(from) || this.#series.size < MOST_SERIES ? from : "other";
    const series = this.#series.get(name) ?? { counts: RECONNECT_BUCKETS.map(() => 0), sum: 0, count: 0 };
    this.#series.set(name, series);
    RECONNECT_BUCKETS.forEach((bound, index) => {
      if (seconds <= bound) series.counts[index]!++;
    });
    series.sum += seconds;
    series.count++;
  }

  /** Lines of the Prometheus text format, without HELP and TYPE. `labels` are put before `from`. */
  lines(name: string, labels: string): string[] {
    return [...this.#series].flatMap(([from, { counts, sum, count }]) => {
      const own = `${labels},from="${from}"`;
      return [
        ...RECONNECT_BUCKETS.map((bound, index) => `${name}_bucket{${own},le="${bound}"} ${counts[index]}`),
        `${name}_bucket{${own},le="+Inf"} ${count}`,
        `${name}_sum{${own}} ${sum}`,
        `${name}_count{${own}} ${count}`,
      ];
    });
  }
}
