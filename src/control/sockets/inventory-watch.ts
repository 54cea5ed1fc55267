import type { Clock } from "../../runtime/clock.ts";
import { type Inventory, InventoryUnavailable } from "../inventory.ts";

export interface InventoryWatchSettings {
  readonly clock: Clock;
  readonly inventory: Inventory;
  /** It has just fallen silent, to whoever asked for this one: what he meant to write is not written, and he has to say so. */
  readonly onFell?: (key: string) => void;
  /** It answers again: these waited for it, each once. */
  readonly onBack: (keys: readonly string[]) => void;
}

/**
 * The inventory as the controllers ask it (rule G9). While it is away nobody asks but one question from time to time, whoever looks goes
 * without, and is woken when it answers again: 100,000 sites do not each try it every few seconds.
 */
export class InventoryWatch {
  readonly #settings: InventoryWatchSettings;
  readonly #waiting = new Set<string>();
  #since: number;
  #away = false;
  #stopped = false;
  #cancel: (() => void) | undefined;

  constructor(settings: InventoryWatchSettings) {
    this.#settings = settings;
    this.#since = settings.clock.now();
  }

  /** Since when it has answered without a gap, from the beginning of the term on; a calendar instant. */
  get since(): number {
    return this.#since;
  }

  /** The answer, or undefined while it is away; then `key` is woken when it is back. Rejects with everything but InventoryUnavailable. */
  async ask<T>(key: string | undefined, question: (inventory: Inventory) => Promise<T>): Promise<{ readonly answer: T } | undefined> {
    if (!this.#away) {
      try {
        return { answer: await question(this.#settings.inventory) };
      } catch (error) {
        if (!(error instanceof InventoryUnavailable)) throw error;
        this.#fell(error.retryAfterMilliseconds);
        if (key !== undefined) this.#settings.onFell?.(key);
      }
    }
    if (key !== undefined) this.#waiting.add(key);
    return undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#away = true;
    this.#waiting.clear();
  }

  #fell(retryAfter: number): void {
    if (this.#away) return;
    this.#away = true;
    this.#cancel = this.#settings.clock.after(retryAfter, () => void this.#probe());
  }

  async #probe(): Promise<void> {
    const { clock, inventory, onBack } = this.#settings;
    try {
      // By a write: SQLite answers questions while somebody else holds its lock, and nothing could be claimed or inserted then.
      await inventory.writable();
    } catch (error) {
      // The question was under way when the term ended: asked once more it would keep the process for ever.
      if (this.#stopped) return;
      const retryAfter = error instanceof InventoryUnavailable ? error.retryAfterMilliseconds : RETRY;
      this.#cancel = clock.after(retryAfter, () => void this.#probe());
      return;
    }
    if (this.#stopped) return;
    this.#away = false;
    this.#since = clock.now();
    const keys = [...this.#waiting];
    this.#waiting.clear();
    onBack(keys);
  }
}

const RETRY = 5_000;
