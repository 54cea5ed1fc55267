import type { Clock } from "./clock.ts";

/** What stands in the lease, as far as the election looks at it. Times in it are for people and are never judged. */
export interface LeaseRecord {
  /** Who holds it; empty when it was released. */
  readonly holder: string;
  /** How long the holder asked others to wait without a sign of life. */
  readonly durationMilliseconds: number;
  /** How often the holder changed. */
  readonly transitions: number;
  /** The version of the stored record, opaque; absent in a record that was never stored. */
  readonly version?: string;
}

/** Where the lease is kept. Each call ends within `timeoutMilliseconds`, one way or the other. */
export interface LeaseStore {
  get(timeoutMilliseconds: number): Promise<LeaseRecord | undefined>;
  /** Stores the first record; undefined when there is one already. */
  create(record: LeaseRecord, timeoutMilliseconds: number): Promise<LeaseRecord | undefined>;
  /** Replaces the record of that version; undefined when it has changed since. `acquired`: the holder is a new one. */
  update(record: LeaseRecord, acquired: boolean, timeoutMilliseconds: number): Promise<LeaseRecord | undefined>;
}

export interface ElectionSettings {
  readonly clock: Clock;
  readonly random: () => number;
  readonly store: LeaseStore;
  /** Unlike every other candidate's, also after a restart (a pod's name and a random part). */
  readonly identity: string;
  /** How long others wait without a change of the record before they take over (default 15 s). */
  readonly leaseMilliseconds?: number;
  /** How long a leader acts after its last successful renewal was *sent* (default 10 s); less than the lease. */
  readonly renewDeadlineMilliseconds?: number;
  /** Pause between two tries (default 2 s, by chance up to 1.2 times that). */
  readonly retryMilliseconds?: number;
  /** Called when this candidate became the leader; the signal fires when the term ends, for whatever reason. */
  readonly onElected: (term: AbortSignal) => void;
  /** Called when a term ended without `stop`: why. */
  readonly onLost: (why: string) => void;
  /** Called when the known leader changes. */
  readonly onLeader?: (holder: string) => void;
  readonly onError?: (what: string, error: unknown) => void;
}

const JITTER = 1.2;
/** How much longer than promised a candidate waits: clocks of two machines do not run equally fast. */
const EXPIRY_MARGIN = 1.05;

interface Term {
  readonly abort: AbortController;
  /** Elapsed instant after which nothing may be done in this term. */
  deadline: number;
  cancelTimer: () => void;
}

/**
 * Election by a lease record. A leader trusts only its own monotonic clock, counted from the moment at which its last renewal
 * was sent; a candidate trusts only its own, counted from the moment at which it saw the record change. So the first has stopped
 * acting before the second can begin, whatever their calendars say. The election keeps others quiet; it fences nothing:
 * every write is conditional anyway (architecture, "Facts that shape it").
 */
export class Election {
  readonly #settings: ElectionSettings;
  readonly #lease: number;
  readonly #renewDeadline: number;
  #stopped = false;
  /** The version that we know may not be the stored one. */
  #mustLook = false;
  #seen: { readonly record: LeaseRecord; readonly at: number } | undefined;
  #term: Term | undefined;
  #loop: Promise<void> | undefined;
  #wakeEarly: (() => void) | undefined;

  constructor(settings: ElectionSettings) {
    this.#settings = settings;
    this.#lease = settings.leaseMilliseconds ?? 15_000;
    this.#renewDeadline = settings.renewDeadlineMilliseconds ?? 10_000;
    const retry = (settings.retryMilliseconds ?? 2_000) * JITTER;
    if (this.#renewDeadline >= this.#lease || retry >= this.#renewDeadline) {
      throw new Error(
        `leader election: lease ${this.#lease} ms, renew deadline ${this.#renewDeadline} ms and retry ${retry / JITTER} ms do not fit; ` +
          "write a lease longer than the renew deadline, and a renew deadline longer than 1.2 times the retry",
      );
    }
  }

  /** Begins to campaign, until `stop`. A lost term is followed by the next campaign. */
  start(): void {
    this.#loop ??= this.#campaign();
  }

  /**
   * Whether this candidate may act now. Answered by the monotonic clock, not by a timer: a process that was stopped for a minute
   * answers false in its first instruction, before any timer had a chance to run.
   */
  isLeader(): boolean {
    const term = this.#term;
    if (!term) return false;
    if (this.#settings.clock.elapsed() < term.deadline) return true;
    this.#lose(`no renewal of the lease succeeded within ${this.#renewDeadline} ms`);
    return false;
  }

  /** The holder last seen in the record; undefined before the first look, empty when nobody holds it. */
  get holder(): string | undefined {
    return this.#seen?.record.holder;
  }

  /** Looks at the record at once, instead of after the pause: for whoever watches the lease. */
  nudge(): void {
    this.#wakeEarly?.();
  }

  /**
   * Ends the campaign, once the work of the term has ended. The term ends first, then the lease is handed back, so that the next
   * leader need not wait for its expiry.
   */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#endTerm();
    this.nudge();
    await this.#loop;
    const { identity, store } = this.#settings;
    try {
      const record = this.#mustLook ? await store.get(this.#callTimeout()) : this.#seen?.record;
      if (record?.holder !== identity) return;
      await store.update({ ...record, holder: "", durationMilliseconds: 1_000 }, false, this.#callTimeout());
    } catch (error) {
      this.#settings.onError?.("the lease could not be handed back; others wait until it expires", error);
    }
  }

  async #campaign(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#round();
      } catch (error) {
        // Whether a write was done is unknown: look before the next one.
        this.#mustLook = true;
        this.#settings.onError?.(this.#term ? "renewing the lease" : "looking at the lease", error);
      }
      this.isLeader();
      if (!this.#stopped) await this.#pause();
    }
  }

  /** One renewal, or one look and what follows from it. */
  async #round(): Promise<void> {
    if (this.isLeader() && !this.#mustLook) return this.#renew(this.#seen!.record);
    const record = await this.#look();
    if (this.#stopped) return;
    if (!record || record.holder === "" || (record.holder !== this.#settings.identity && this.#expired())) return this.#acquire(record);
    if (record.holder === this.#settings.identity) await this.#renew(record);
  }

  /** Reads the record. A leader that finds it gone, released or in other hands stops at once: the other acts already. */
  async #look(): Promise<LeaseRecord | undefined> {
    const record = await this.#settings.store.get(this.#callTimeout());
    this.#mustLook = false;
    if (record) this.#observe(record);
    if (this.#term && record?.holder !== this.#settings.identity) {
      this.#lose(record?.holder ? `the lease is held by ${record.holder}` : "the lease was deleted or released by somebody else");
    }
    return record;
  }

  async #acquire(known: LeaseRecord | undefined): Promise<void> {
    const { identity, store } = this.#settings;
    const sent = this.#settings.clock.elapsed();
    const wanted = { holder: identity, durationMilliseconds: this.#lease, transitions: known ? known.transitions + 1 : 0 };
    const stored = known?.version
      ? await store.update({ ...wanted, version: known.version }, true, this.#callTimeout())
      : await store.create(wanted, this.#callTimeout());
    if (stored) this.#confirm(stored, sent);
  }

  async #renew(record: LeaseRecord): Promise<void> {
    const sent = this.#settings.clock.elapsed();
    const stored = await this.#settings.store.update({ ...record, durationMilliseconds: this.#lease }, false, this.#callTimeout());
    if (stored) return this.#confirm(stored, sent);
    // Somebody wrote it. Whoever it was may be acting: find out now, not after the pause.
    this.#mustLook = true;
    await this.#look();
  }

  /** A write of ours was stored; the term runs from the instant at which it was sent, the earliest at which it can have been done. */
  #confirm(stored: LeaseRecord, sent: number): void {
    this.#observe(stored);
    const deadline = sent + this.#renewDeadline;
    if (this.#stopped || deadline <= this.#settings.clock.elapsed()) return;
    if (this.isLeader()) return this.#extend(this.#term!, deadline);
    const term: Term = { abort: new AbortController(), deadline, cancelTimer: () => {} };
    this.#term = term;
    this.#extend(term, deadline);
    this.#settings.onElected(term.abort.signal);
  }

  #extend(term: Term, deadline: number): void {
    term.cancelTimer();
    term.deadline = deadline;
    // A timer may come a little early; then it is set once more.
    const remaining = Math.max(1, deadline - this.#settings.clock.elapsed());
    term.cancelTimer = this.#settings.clock.after(remaining, () => {
      if (this.isLeader() && this.#term === term) this.#extend(term, term.deadline);
    });
  }

  #lose(why: string): void {
    this.#endTerm();
    this.#settings.onLost(why);
  }

  #endTerm(): void {
    const term = this.#term;
    this.#term = undefined;
    term?.cancelTimer();
    term?.abort.abort(new Error("this process is no longer the leader"));
  }

  /** Notes the record; the wait for its expiry begins anew whenever it differs from the one before. */
  #observe(record: LeaseRecord): void {
    const before = this.#seen;
    if (before?.record.version === record.version) return;
    this.#seen = { record, at: this.#settings.clock.elapsed() };
    if (before?.record.holder !== record.holder) this.#settings.onLeader?.(record.holder);
  }

  #expired(): boolean {
    const { record, at } = this.#seen!;
    const promised = Math.max(record.durationMilliseconds, this.#lease);
    return this.#settings.clock.elapsed() - at > promised * EXPIRY_MARGIN;
  }

  /** Three tries fit into a renew deadline, so one swallowed request does not end a term. */
  #callTimeout(): number {
    return Math.max(100, Math.floor(this.#renewDeadline / 3));
  }

  #pause(): Promise<void> {
    const { clock, random, retryMilliseconds = 2_000 } = this.#settings;
    return new Promise((resolve) => {
      const cancel = clock.after(retryMilliseconds * (1 + (JITTER - 1) * random()), resolve);
      this.#wakeEarly = () => {
        cancel();
        resolve();
      };
    });
  }
}
