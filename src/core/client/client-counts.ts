import type { ClientNumbers, ClientSystem } from "../../api/client-rollout.ts";
import { isConfirmed, isFailed, type KeptClient } from "./attempt.ts";
import { userKey } from "./cohort.ts";
import type { ClientAttempt } from "./known-client.ts";

/** The numbers of one rollout, stage and account, of the account's own pilots or of the others (rule C4). */
export interface CounterKey {
  readonly rollout: string;
  readonly stage: string;
  readonly account: string;
  readonly pilot: boolean;
}

export interface Counts {
  readonly reached: number;
  readonly offered: number;
  readonly attempted: number;
  readonly confirmed: number;
  readonly failed: number;
}

/** Whom a device counts for among the users of a version: its user, or itself where nobody knows one. */
export interface Member {
  readonly account: string;
  readonly os: ClientSystem;
  /** Empty: it reports none. */
  readonly version: string;
  /** Key of the user, or name of the device. */
  readonly member: string;
  /** It is a user: a device that is called like one is not he. */
  readonly isUser: boolean;
}

export const NOTHING_COUNTED: Counts = { reached: 0, offered: 0, attempted: 0, confirmed: 0, failed: 0 };

export const memberOf = ({ account, os, version, user, device }: KeptClient): Member => {
  const key = user === undefined ? "" : userKey(user);
  return { account, os, version: version ?? "", member: key === "" ? device : key, isUser: key !== "" };
};

/** By what a device is put in order among people: its user's name, or its own, as `userKey` writes it. */
export const nameKeyOf = ({ user, device }: Pick<KeptClient, "user" | "device">): string => userKey(user ?? "") || userKey(device);

const countsOf = (attempt: ClientAttempt): Counts => ({
  reached: 1,
  offered: attempt.offeredAt === undefined ? 0 : 1,
  attempted: attempt.attemptedAt === undefined ? 0 : 1,
  confirmed: isConfirmed(attempt) ? 1 : 0,
  failed: isFailed(attempt) ? 1 : 0,
});

export const plus = (one: Counts, other: Counts, sign: 1 | -1 = 1): Counts => ({
  reached: one.reached + sign * other.reached,
  offered: one.offered + sign * other.offered,
  attempted: one.attempted + sign * other.attempted,
  confirmed: one.confirmed + sign * other.confirmed,
  failed: one.failed + sign * other.failed,
});

/**
 * By how much the counters change when devices do: what each counted for is taken off, what it counts for now is added. So the counters
 * always equal a recount, and a device that changes nothing costs nothing.
 */
export class CountChanges {
  readonly #counters = new Map<string, { readonly key: CounterKey; counts: Counts }>();
  readonly #members = new Map<string, { readonly key: Member; devices: number }>();

  /** `before` undefined: a device that was not kept; `after` undefined: one that is not kept any more. */
  add(before: KeptClient | undefined, after: KeptClient | undefined): void {
    if (before !== undefined) this.#attempts(before, after, -1);
    if (after !== undefined) this.#attempts(after, before, 1);
    const isSameMember = before?.os === after?.os && before?.version === after?.version && before?.user === after?.user;
    if (before !== undefined && after !== undefined && isSameMember) return;
    const [from, to] = [before && memberOf(before), after && memberOf(after)];
    if (from !== undefined && to !== undefined && keyOf(from) === keyOf(to)) return;
    if (from !== undefined) this.#member(from, -1);
    if (to !== undefined) this.#member(to, 1);
  }

  /** In the order of their keys, so that two writers take the same rows in the same order; those that stay as they are left out. */
  get counters(): readonly (CounterKey & { readonly counts: Counts })[] {
    const changed = inOrder(this.#counters).filter(({ counts }) => Object.values(counts).some((count) => count !== 0));
    return changed.map(({ key, counts }) => ({ ...key, counts }));
  }

  get members(): readonly (Member & { readonly devices: number })[] {
    return inOrder(this.#members).flatMap(({ key, devices }) => (devices === 0 ? [] : [{ ...key, devices }]));
  }

  #attempts(client: KeptClient, other: KeptClient | undefined, sign: 1 | -1): void {
    for (const attempt of client.attempts) {
      if (other?.attempts.includes(attempt) === true) continue;
      const { rollout, stage, pilot } = attempt;
      const key = { rollout, stage, account: client.account, pilot };
      const found = this.#counters.get(keyOf(key));
      const counts = plus(found?.counts ?? NOTHING_COUNTED, countsOf(attempt), sign);
      if (found === undefined) this.#counters.set(keyOf(key), { key, counts });
      else found.counts = counts;
    }
  }

  #member(key: Member, by: number): void {
    const found = this.#members.get(keyOf(key));
    if (found === undefined) this.#members.set(keyOf(key), { key, devices: by });
    else found.devices += by;
  }
}

const keyOf = (key: CounterKey | Member): string => JSON.stringify(Object.values(key));

const inOrder = <Value>(changes: ReadonlyMap<string, Value>): Value[] =>
  [...changes].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, value]) => value);

/**
 * The numbers as they are told: who was reached since the census is eligible too, and who is eligible and was never reached cannot be
 * (rule C4).
 */
export function numbersOf({ reached, offered, attempted, confirmed, failed }: Counts, census: number): ClientNumbers {
  return { eligible: Math.max(census, reached), offered, attempted, confirmed, failed, unreachable: Math.max(0, census - reached) };
}
