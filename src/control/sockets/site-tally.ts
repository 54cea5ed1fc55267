import type { SocketNumbers } from "../../api/socket-rollout.ts";
import type { Contribution } from "../../core/socket-rollout/contribution.ts";

/** What a rollout's decision reads of all its sites together. */
export interface Counted {
  readonly numbers: SocketNumbers;
  readonly waiting: ReadonlyMap<string, number>;
  readonly lateAsking: number;
  readonly lastPlannedEnd?: number;
}

interface Group {
  readonly contribution: Contribution;
  sites: number;
}

/**
 * The sites of one rollout, counted as they change: sites that count alike are one group with a number, so that neither memory nor a
 * look at the numbers grows with 100,000 sites.
 */
export class SiteTally {
  readonly #groups = new Map<string, Group>();
  readonly #groupOf = new Map<string, Group>();
  /** Late joiners that were admitted, and have not taken it yet; a new leader has forgotten them, and they wait for the next week (G4). */
  readonly #admitted = new Set<string>();

  set(key: string, contribution: Contribution | undefined): void {
    const before = this.#groupOf.get(key);
    if (before !== undefined) before.sites -= 1;
    if (contribution?.asks !== true) this.#admitted.delete(key);
    if (contribution === undefined) {
      this.#groupOf.delete(key);
      return;
    }
    const code = JSON.stringify(contribution);
    const group = this.#groups.get(code) ?? { contribution, sites: 0 };
    group.sites += 1;
    this.#groups.set(code, group);
    this.#groupOf.set(key, group);
  }

  /** `percent`: how far the ramp is open. */
  count(percent: number): Counted {
    const numbers = { sites: 0, inRamp: 0, offered: 0, attempted: 0, confirmed: 0, failed: 0, unreachable: 0 };
    const waiting = new Map<string, number>();
    let lateAsking = -this.#admitted.size;
    let lastPlannedEnd: number | undefined;
    for (const [code, { contribution, sites }] of this.#groups) {
      if (sites === 0) {
        this.#groups.delete(code);
        continue;
      }
      numbers.sites += sites;
      if (contribution.bucket < percent) numbers.inRamp += sites;
      for (const what of ["offered", "attempted", "confirmed", "failed", "unreachable"] as const)
        if (contribution[what]) numbers[what] += sites;
      if (contribution.asks) lateAsking += sites;
      const { reason, plannedEnd } = contribution;
      if (reason !== undefined) waiting.set(reason, (waiting.get(reason) ?? 0) + sites);
      if (plannedEnd !== undefined) lastPlannedEnd = Math.max(lastPlannedEnd ?? 0, plannedEnd);
    }
    return { numbers, waiting, lateAsking, ...(lastPlannedEnd === undefined ? {} : { lastPlannedEnd }) };
  }

  /** Sites that are not confirmed yet, and stand in this part of the ramp; all of them by default. */
  open(from = 0, below = 101): string[] {
    return [...this.#groupOf].flatMap(
      ([
        key,
        {
          contribution: { confirmed, bucket },
        },
      ]) => (!confirmed && from <= bucket && bucket < below ? [key] : []),
    );
  }

  /** Admits so many more late joiners, in the order that `rankOf` gives, and answers which. */
  admit(sites: number, rankOf: (key: string) => number): readonly string[] {
    const asking = [...this.#groupOf].flatMap(([key, { contribution }]) => (contribution.asks && !this.#admitted.has(key) ? [key] : []));
    const chosen = asking.toSorted((a, b) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1)).slice(0, sites);
    for (const key of chosen) this.#admitted.add(key);
    return chosen;
  }

  /** Once the rollout stands: the site has to wait until it is among those that were admitted (rule G4). */
  isWaiting(key: string): boolean {
    return !this.#admitted.has(key);
  }
}
