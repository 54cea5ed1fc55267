import type { Clock } from "../../runtime/clock.ts";
import type { ChangedKey } from "../inventory.ts";
import type { InventoryWatch } from "./inventory-watch.ts";

export interface InventoryFeedSettings {
  readonly clock: Clock;
  readonly watch: InventoryWatch;
  readonly subscribe: (listener: () => void) => () => void;
  /** The sites that name a serial. */
  readonly sitesOf: (serial: string) => Iterable<string>;
  /** The site has to be looked at. */
  readonly wake: (key: string) => void;
}

const BATCH = 500;
/** Settled together: one statement for many looks. */
const SETTLE_AFTER = 100;
/** A change that was taken and not told stays in the inventory; nobody waits for it longer than this. */
const LOOK_ANYWAY = 60_000;
/** Taken for longer than this, its sites fail: what comes behind it in the inventory is not kept waiting for them. */
const STUCK_AFTER = 60_000;

/** `since`: elapsed instant at which it was taken first; `left`: the sites that have still to be looked at. */
interface Taken {
  readonly token: string;
  readonly since: number;
  readonly left: Set<string>;
}

/**
 * What changed in the inventory, taken to the sites that it concerns. A change is settled there only after a look at each of its sites
 * that began after it was taken: a crash in between tells it again (rule I8).
 */
export class InventoryFeed {
  readonly #settings: InventoryFeedSettings;
  /** Taken and not settled, by serial. */
  readonly #taken = new Map<string, Taken>();
  readonly #bySite = new Map<string, Set<string>>();
  /** Looked at, and the inventory is not told yet: serial → token. */
  readonly #settled = new Map<string, string>();
  #flushing = false;
  #pumping = false;
  #again = false;
  #stopped = false;
  readonly #cancels = new Set<() => void>();

  constructor(settings: InventoryFeedSettings) {
    this.#settings = settings;
  }

  start(): void {
    this.#cancels.add(this.#settings.subscribe(() => void this.pump()));
    this.#lookAnyway();
    void this.pump();
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels) cancel();
  }

  /** A look at a site begins: what it will have seen. */
  begins(key: string): readonly ChangedKey[] {
    return [...(this.#bySite.get(key) ?? [])].map((serial) => ({ serial, token: this.#taken.get(serial)!.token }));
  }

  /** The look has succeeded. */
  ended(key: string, seen: readonly ChangedKey[]): void {
    for (const { serial, token } of seen) {
      const taken = this.#taken.get(serial);
      if (taken?.token !== token) continue;
      taken.left.delete(key);
      this.#forget(key, serial);
      if (taken.left.size > 0) continue;
      this.#taken.delete(serial);
      this.#settle({ serial, token });
    }
  }

  /** Takes what has changed, batch by batch. Called again while it is at work, it looks once more. */
  async pump(): Promise<void> {
    this.#again = true;
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        // The oldest come first, so what stays because its sites fail would hide what comes behind it for as long as they do.
        const limit = BATCH + this.#stuck();
        const changed = await this.#settings.watch.ask(undefined, (inventory) => inventory.changed(limit));
        const fresh = (changed?.answer ?? []).filter((one) => !this.#isInHand(one));
        for (const one of fresh) this.#take(one);
        // A full batch of what is in hand already hides what comes behind it: the next settling looks again.
        if (fresh.length >= BATCH) this.#again = true;
      }
    } finally {
      this.#pumping = false;
    }
  }

  #isInHand({ serial, token }: ChangedKey): boolean {
    return this.#taken.get(serial)?.token === token || this.#settled.get(serial) === token;
  }

  #stuck(): number {
    const before = this.#settings.clock.elapsed() - STUCK_AFTER;
    let stuck = 0;
    for (const { since } of this.#taken.values()) if (since <= before) stuck += 1;
    return stuck;
  }

  #take({ serial, token }: ChangedKey): void {
    const sites = new Set(this.#settings.sitesOf(serial));
    const earlier = this.#taken.get(serial);
    for (const key of earlier?.left ?? []) this.#forget(key, serial);
    if (sites.size === 0) {
      // Nobody's device, or a site's that is still to come and looks by itself then.
      this.#taken.delete(serial);
      this.#settle({ serial, token });
      return;
    }
    // A mark that gets another token keeps its place in the inventory, so it stays as long in the way.
    this.#taken.set(serial, { token, since: earlier?.since ?? this.#settings.clock.elapsed(), left: sites });
    for (const key of sites) {
      const serials = this.#bySite.get(key) ?? new Set<string>();
      this.#bySite.set(key, serials.add(serial));
      this.#settings.wake(key);
    }
  }

  #forget(key: string, serial: string): void {
    const serials = this.#bySite.get(key);
    if (serials?.delete(serial) === true && serials.size === 0) this.#bySite.delete(key);
  }

  #settle({ serial, token }: ChangedKey): void {
    this.#settled.set(serial, token);
    if (this.#flushing) return;
    this.#flushing = true;
    this.#after(SETTLE_AFTER, () => void this.#flush());
  }

  async #flush(): Promise<void> {
    this.#flushing = false;
    const keys = [...this.#settled].map(([serial, token]) => ({ serial, token }));
    this.#settled.clear();
    const done = await this.#settings.watch.ask(undefined, (inventory) => inventory.settle(keys));
    // Not settled, they come once more: a look too many, and none too few.
    if (done !== undefined) await this.pump();
  }

  #lookAnyway(): void {
    this.#after(LOOK_ANYWAY, () => {
      void this.pump();
      this.#lookAnyway();
    });
  }

  #after(milliseconds: number, run: () => void): void {
    const cancel = this.#settings.clock.after(milliseconds, () => {
      this.#cancels.delete(cancel);
      if (!this.#stopped) run();
    });
    this.#cancels.add(cancel);
  }
}
