import type { AccountPolicySpec } from "../../api/account-policy.ts";
import type { Notice } from "../../core/socket/notice.ts";
import { backoffDelay } from "../../runtime/backoff.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Notices } from "../notices.ts";
import type { InventoryWatch } from "./inventory-watch.ts";

export type Channels = NonNullable<AccountPolicySpec["notices"]>["channels"];

export interface NoticeSenderSettings {
  readonly clock: Clock;
  readonly random: () => number;
  readonly notices: Notices;
  readonly watch: InventoryWatch;
  /** Asked right before each try. */
  readonly isLeader: () => boolean;
  /** The site has to be looked at again, now or after elapsed milliseconds. */
  readonly wake: (key: string, afterMilliseconds?: number) => void;
  /** The account's receiver did not take it, and why; of each account at most once a minute. */
  readonly onNotTaken?: (notice: Notice, problem: string) => void;
}

interface Try {
  failures: number;
  underWay: boolean;
  /** Elapsed instant before which it is not tried again. */
  notBefore: number;
  /** It was taken then, and the inventory could not be told yet; a calendar instant. */
  acceptedAt?: number;
  /** The last try ended with an error and not with an answer: the next one is waited for, so that whoever looks hears of it. */
  broke?: boolean;
}

const BACKOFF = { minimumMilliseconds: 5_000, maximumMilliseconds: 5 * 60_000 };
/** Tries of one account at a time: one whose hook hangs keeps no other account waiting (rule I15). */
const OF_ONE_ACCOUNT = 4;
/** A first try is waited for so long, because an acceptance at once goes into the status together with the plan (B12). */
const PROMPT = 1_000;
/** Told so often, however many sites of an account wait for the same receiver. */
const TELL_EVERY = 60_000;

/**
 * Sends notices beside the work on sites (rule W3). What is not taken is tried again with a growing pause, for ever: the decision asks
 * for it at every look as long as no acceptance stands in the inventory.
 */
export class NoticeSender {
  readonly #settings: NoticeSenderSettings;
  /** What was tried and is not recorded as taken, by site and notice. */
  readonly #tries = new Map<string, Map<string, Try>>();
  readonly #busy = new Map<string, number>();
  readonly #queued = new Map<string, (() => void)[]>();
  /** Accounts whose last try was not taken in time: nobody waits for them. */
  readonly #slow = new Set<string>();
  /** When an account was told last that its receiver takes nothing; elapsed instants. */
  readonly #told = new Map<string, number>();
  #stopped = false;

  constructor(settings: NoticeSenderSettings) {
    this.#settings = settings;
  }

  /** Why nothing of this account is ever sent to this address; such a channel counts as not configured. */
  refusal(url: string, account: string): string | undefined {
    return this.#settings.notices.refusal?.(url, account);
  }

  /** It is neither on its way nor waiting for its next try. */
  isDue(notice: Notice): boolean {
    const known = this.#known(notice);
    return known === undefined || (!known.underWay && this.#settings.clock.elapsed() >= known.notBefore);
  }

  /** Never tried, and of an account that answers quickly: worth a moment before the plan is written without its acceptance. */
  isWorthWaiting(notice: Notice): boolean {
    return this.#known(notice) === undefined && !this.#slow.has(notice.account);
  }

  /** The site rests now, whatever it was woken for: it is looked at again when the next of its notices may be tried. */
  rested(key: string): void {
    const now = this.#settings.clock.elapsed();
    const pauses = [...(this.#tries.get(key)?.values() ?? [])].flatMap(({ underWay, notBefore }) =>
      underWay || notBefore <= now ? [] : notBefore - now,
    );
    if (pauses.length > 0) this.#settings.wake(key, Math.min(...pauses));
  }

  /** Resolves when it was tried, or after a second: the try goes on by itself then, and the site is woken when it is over. */
  async send(key: string, notice: Notice, channels: Channels): Promise<void> {
    if (this.#stopped || !this.isDue(notice)) return;
    const attempt = this.#known(notice) ?? { failures: 0, underWay: false, notBefore: 0 };
    attempt.underWay = true;
    this.#tries.set(key, (this.#tries.get(key) ?? new Map<string, Try>()).set(notice.id, attempt));
    const prompt = (attempt.failures === 0 && !this.#slow.has(notice.account)) || attempt.broke === true;
    const tried = this.#inTurn(notice.account, () => this.#try(key, notice, channels, attempt));
    // Told by the next try, which is waited for; here it would end the process.
    tried.catch(() => {});
    if (!prompt) return;
    let cancel = () => {};
    const waited = new Promise<"Slow">((resolve) => (cancel = this.#settings.clock.after(PROMPT, () => resolve("Slow"))));
    if ((await Promise.race([tried, waited])) === "Slow") this.#slow.add(notice.account);
    cancel();
  }

  /** The site is gone, and nobody has to be told of it. */
  forget(key: string): void {
    this.#tries.delete(key);
  }

  stop(): void {
    this.#stopped = true;
    this.#queued.clear();
  }

  async #try(key: string, notice: Notice, channels: Channels, attempt: Try): Promise<void> {
    const { clock, notices, watch, isLeader, wake } = this.#settings;
    if (this.#stopped || !isLeader()) return;
    const { id, kind, site } = notice;
    try {
      if (attempt.acceptedAt === undefined && (await notices.send(notice, channels))) attempt.acceptedAt = clock.now();
      const { acceptedAt } = attempt;
      const recorded =
        acceptedAt !== undefined &&
        (await watch.ask(key, (inventory) => inventory.recordNotice({ id, siteUid: site.uid, kind, acceptedAt })));
      attempt.broke = false;
      if (recorded) {
        this.#taken(key, id);
        this.#slow.delete(notice.account);
        this.#told.delete(notice.account);
        return wake(key);
      }
      // Taken, and not recorded: the inventory's return wakes the site, and only the recording is done again.
      if (acceptedAt !== undefined) return;
      this.#slow.add(notice.account);
      this.#tellNotTaken(notice, channels);
      this.#later(key, attempt);
    } catch (error) {
      attempt.broke = true;
      this.#later(key, attempt);
      throw error;
    } finally {
      attempt.underWay = false;
    }
  }

  #tellNotTaken(notice: Notice, channels: Channels): void {
    const { clock, notices, onNotTaken } = this.#settings;
    const problem = notices.problem?.(notice.account, channels);
    const now = clock.elapsed();
    if (problem === undefined || now - (this.#told.get(notice.account) ?? -Infinity) < TELL_EVERY) return;
    this.#told.set(notice.account, now);
    onNotTaken?.(notice, problem);
  }

  #later(key: string, attempt: Try): void {
    const { clock, random, wake } = this.#settings;
    attempt.failures += 1;
    const delay = backoffDelay(BACKOFF, attempt.failures, random);
    attempt.notBefore = clock.elapsed() + delay;
    wake(key, delay);
  }

  #known({ id, site }: Notice): Try | undefined {
    return this.#tries.get(`${site.namespace}/${site.name}`)?.get(id);
  }

  #taken(key: string, id: string): void {
    const ofSite = this.#tries.get(key);
    ofSite?.delete(id);
    if (ofSite?.size === 0) this.#tries.delete(key);
  }

  async #inTurn(account: string, run: () => Promise<void>): Promise<void> {
    const busy = this.#busy.get(account) ?? 0;
    if (busy >= OF_ONE_ACCOUNT) {
      const queue = this.#queued.get(account) ?? [];
      this.#queued.set(account, queue);
      await new Promise<void>((resolve) => queue.push(resolve));
    } else this.#busy.set(account, busy + 1);
    try {
      await run();
    } finally {
      const queue = this.#queued.get(account);
      const next = queue?.shift();
      if (queue?.length === 0) this.#queued.delete(account);
      if (next !== undefined) next();
      else {
        const left = (this.#busy.get(account) ?? 1) - 1;
        if (left > 0) this.#busy.set(account, left);
        else this.#busy.delete(account);
      }
    }
  }
}
