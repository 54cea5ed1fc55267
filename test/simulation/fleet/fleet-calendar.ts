import type { PopCluster } from "../../../src/api/pop-cluster.ts";
import type { Assignment } from "../../../src/api/pop-rollout.ts";
import { Calendar, milliseconds } from "./calendar.ts";
import type { FleetTruth } from "./fleet-truth.ts";

const HOUR = 3_600_000;

/** The windows of all PoPs as their specs stand now. */
export class FleetCalendar {
  readonly #calendar = new Calendar();
  readonly #truth: FleetTruth;

  constructor(truth: FleetTruth) {
    this.#truth = truth;
  }

  /** Why nothing may start on the PoP at that instant; undefined when it may. */
  refusal(
    pop: PopCluster,
    at: number,
    asked: { readonly emergency: boolean; readonly lifted: readonly string[]; readonly dates: readonly Assignment[] },
  ): string | undefined {
    const window = this.#truth.windows.get(pop.spec.windowRef.name);
    const { timeZone } = pop.spec;
    const clock = `at ${this.#calendar.reads(timeZone, at)} ${timeZone}`;
    if (!window) return `${clock} without a window`;
    const freezes = [...(this.#truth.fleet?.spec.freezes ?? []), ...(window.spec.freezes ?? [])].filter(
      ({ name }) => !asked.lifted.includes(name),
    );
    const frozen = freezes.find((freeze) => this.#calendar.isFrozen(freeze, timeZone, at));
    if (frozen) return `${clock} in freeze ${frozen.name}`;
    if (asked.emergency) return undefined;
    const open = this.#calendar.openAt({ ...window.spec, freezes: [] }, timeZone, at, []);
    if (!open) return `${clock} outside its window`;
    const expected = milliseconds(pop.spec.strategy.perNode.expected);
    if (at + expected > open.end) return `${clock}, too late for ${pop.spec.strategy.perNode.expected} before the window's end`;
    const { dates } = asked;
    const boarded = dates.some(({ from = "", to = "9999" }) => open.date >= from && open.date < to);
    return dates.length === 0 || boarded
      ? undefined
      : `${clock}, which is in none of ${dates.map((one) => `[${one.from}, ${one.to})`).join(", ")}`;
  }

  isOpenSomewhere(at: number): boolean {
    return this.#pairs().some(([spec, zone]) => this.#calendar.occurrences(spec, zone, at, at + 1).length > 0);
  }

  /** The next start or end of any window within a day. */
  nextEdge(after: number): number {
    const edges = this.#pairs().flatMap(([spec, zone]) =>
      this.#calendar.occurrences(spec, zone, after, after + 24 * HOUR).flatMap(({ start, end }) => [start, end]),
    );
    return Math.min(Infinity, ...edges.filter((edge) => edge > after));
  }

  #pairs() {
    const pairs = new Map<string, readonly [Parameters<Calendar["occurrences"]>[0], string]>();
    for (const { spec } of this.#truth.pops.values()) {
      const window = this.#truth.windows.get(spec.windowRef.name);
      if (window) pairs.set(`${spec.windowRef.name} ${spec.timeZone}`, [window.spec, spec.timeZone]);
    }
    return [...pairs.values()];
  }
}
