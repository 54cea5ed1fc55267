import { CLIENT_ROLLOUT, type ClientRollout } from "../../../api/client-rollout.ts";
import type { Cache, Cluster } from "../../../control/ports.ts";
import { HOUR } from "../../../core/time/civil.ts";
import type { Clock } from "../../../runtime/clock.ts";
import { NAMESPACE } from "../cast.ts";
import type { Rhythm } from "../rhythm.ts";

/** Check-ins are gathered by the hour. */
export const SLOT = HOUR;
/** Elapsed milliseconds in each hour, in which the operator counts, looks and writes. */
const SEEING = 30_000;

/** Six weeks hour by hour: in each the Clients come whose hour it is, and the operator looks at what they left. */
export class HourlyRhythm implements Rhythm {
  readonly aheadMilliseconds = 0;
  readonly #clock: Clock;
  readonly #rollouts: Cache<ClientRollout>;
  #movedAt: number;

  constructor(cluster: Cluster, clock: Clock) {
    this.#clock = clock;
    this.#movedAt = clock.elapsed();
    this.#rollouts = cluster.cache<ClientRollout>(CLIENT_ROLLOUT, { namespace: NAMESPACE });
  }

  /** Also while a stage that is to open has not opened yet: whoever jumps over that instant opens it late. */
  isBusy(): boolean {
    const now = this.#clock.now();
    return this.#clock.elapsed() - this.#movedAt < SEEING || this.#foreseen().some((at) => at <= now && now - at < SEEING);
  }

  /** The next hour, and before it what is foreseen. */
  events(): readonly number[] {
    const now = this.#clock.now();
    return [(Math.floor(now / SLOT) + 1) * SLOT, ...this.#foreseen().filter((at) => at > now)];
  }

  #foreseen(): readonly number[] {
    return this.#rollouts.list().flatMap(({ status }) => {
      const { phases = [], standsAt } = status?.forecast ?? {};
      return [...phases.map(({ at }) => Date.parse(at)), ...(standsAt === undefined ? [] : [Date.parse(standsAt)])];
    });
  }

  starts(): readonly number[] {
    return this.events();
  }

  moved(): void {
    this.#movedAt = this.#clock.elapsed();
  }

  whenSynced(signal?: AbortSignal): Promise<void> {
    return this.#rollouts.whenSynced(signal);
  }

  stop(): void {
    this.#rollouts.stop();
  }
}
