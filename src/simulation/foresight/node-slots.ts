import type { Instant } from "../../core/decision.ts";

/** One node that is out, or soaks and keeps its place. */
interface Slot {
  readonly backAt: Instant;
  readonly freeAt: Instant;
}

/** The nodes of one run as places: so many in hand, so many to come, so many done. */
export class NodeSlots {
  left = 0;
  done = 0;
  #slots: readonly Slot[] = [];

  get inHand(): number {
    return this.#slots.length;
  }

  /** A run begins: all of these are to come. */
  restart(left: number): void {
    this.#slots = [];
    this.left = left;
    this.done = 0;
  }

  /** One that is out, or soaks, when the look begins. */
  resume(backAt: Instant, freeAt: Instant): void {
    this.#slots = [...this.#slots, { backAt, freeAt }];
  }

  take(now: Instant, out: number, soak: number): void {
    this.left -= 1;
    this.resume(now + out, now + out + soak);
  }

  /** Those whose places are free by now are done; when each was. */
  free(now: Instant): readonly Instant[] {
    const over = this.#slots.filter(({ freeAt }) => freeAt <= now);
    if (over.length > 0) this.#slots = this.#slots.filter(({ freeAt }) => freeAt > now);
    this.done += over.length;
    return over.map(({ freeAt }) => freeAt);
  }

  get nextFree(): Instant | undefined {
    return this.#slots.length === 0 ? undefined : Math.min(...this.#slots.map(({ freeAt }) => freeAt));
  }

  /** Nodes that do not serve at this instant. */
  outAt(now: Instant): number {
    return this.#slots.filter(({ backAt }) => backAt > now).length;
  }
}
