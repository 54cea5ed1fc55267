import type { PopCluster } from "../../api/pop-cluster.ts";
import { POP_CLUSTER } from "../../api/resources.ts";
import type { Cache, Cluster } from "../../control/ports.ts";
import type { Clock } from "../../runtime/clock.ts";
import { isBusy, nextEvents, nextStarts } from "./busy.ts";
import { NAMESPACE } from "./cast.ts";

/** When the calendar of a stage may run, and where it has to stop: what an act knows of what its fleet waits for. */
export interface Rhythm {
  /** On a pace of its own the calendar runs at 1× again so long before a start, that it is not overshot. */
  readonly aheadMilliseconds: number;
  /** Work is in hand, or about to be: the calendar runs at 1×. */
  isBusy(): boolean;
  /** Instants to come at which something that is waited for ends. */
  events(): readonly number[];
  /** Those of them at which something may start. */
  starts(): readonly number[];
  /** The calendar has been moved: whoever waited for that hour may need a moment to see it. */
  moved(): void;
  whenSynced(signal?: AbortSignal): Promise<void>;
  stop(): void;
}

/** PoPs whose versions a person sets: each of them says in its own status what it waits for. */
export class PopRhythm implements Rhythm {
  readonly aheadMilliseconds = 1_500;
  readonly #clock: Clock;
  readonly #pops: Cache<PopCluster>;

  constructor(cluster: Cluster, clock: Clock) {
    this.#clock = clock;
    this.#pops = cluster.cache<PopCluster>(POP_CLUSTER, { namespace: NAMESPACE });
  }

  isBusy(): boolean {
    const now = this.#clock.now();
    return this.#pops.list().some((pop) => isBusy(pop, now));
  }

  events(): readonly number[] {
    return nextEvents(this.#pops.list(), this.#clock.now());
  }

  starts(): readonly number[] {
    return nextStarts(this.#pops.list(), this.#clock.now());
  }

  /** A PoP whose hour has come is busy from that hour on (`isBusy`). */
  moved(): void {}

  whenSynced(signal?: AbortSignal): Promise<void> {
    return this.#pops.whenSynced(signal);
  }

  stop(): void {
    this.#pops.stop();
  }
}
