import type { ClientCheckIns, ClientKey, ClientReport } from "../../control/client-inventory.ts";
import { InventoryUnavailable } from "../../control/inventory.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Log } from "../log.ts";

export interface ReportQueueSettings {
  readonly checkIns: Pick<ClientCheckIns, "record">;
  readonly clock: Clock;
  readonly log: Log;
}

/** Elapsed milliseconds that a report waits at most. */
const EVERY_MS = 250;
/** So many are written at once, and no later than when there are so many. */
const MOST_AT_ONCE = 500;
/** Full at so many (rule I19): 40 batches that could not be written. */
const MOST_WAITING = 20_000;
const AGAIN_AFTER_MS = 1_000;

/**
 * Reports on their way into the inventory, written together. No answer waits for its own report; but who comes again before it is written
 * waits for it, so that no failure is missed that would have been the last one (rule G8). What cannot be written stays, and is tried again.
 */
export class ReportQueue {
  readonly #settings: ReportQueueSettings;
  readonly #waiting: ClientReport[] = [];
  /** How many reports of a device are not written yet. */
  readonly #unwritten = new Map<string, number>();
  #writing: Promise<void> | undefined;
  #cancel: (() => void) | undefined;
  #failing: InventoryUnavailable | undefined;

  constructor(settings: ReportQueueSettings) {
    this.#settings = settings;
  }

  /** Nothing more is taken: who is answered now would not be counted. */
  get isFull(): boolean {
    return this.#unwritten.size >= MOST_WAITING || this.#waiting.length >= MOST_WAITING;
  }

  get size(): number {
    return this.#waiting.length;
  }

  add(reports: readonly ClientReport[]): void {
    for (const report of reports) {
      this.#waiting.push(report);
      this.#unwritten.set(nameOf(report), (this.#unwritten.get(nameOf(report)) ?? 0) + 1);
    }
    // While the inventory is away, the timer alone tries again.
    if (this.#waiting.length >= MOST_AT_ONCE && this.#failing === undefined) void this.#write();
    else this.#writeAfter(this.#failing === undefined ? EVERY_MS : AGAIN_AFTER_MS);
  }

  /** Resolves when what these devices told before is written. Rejects with InventoryUnavailable when it cannot be. */
  async written(keys: readonly ClientKey[]): Promise<void> {
    while (keys.some((key) => this.#unwritten.has(nameOf(key)))) {
      if (this.#failing !== undefined) throw this.#failing;
      await this.#write();
    }
  }

  /** Writes what there is, once. */
  async close(): Promise<void> {
    await this.#write();
    while (this.#waiting.length > 0 && this.#failing === undefined) await this.#write();
    this.#cancel?.();
    if (this.#waiting.length > 0)
      this.#settings.log("warn", `${this.#waiting.length} check-ins of Clients could not be written before the end`);
  }

  #write(): Promise<void> {
    this.#writing ??= this.#writeBatch().finally(() => {
      this.#writing = undefined;
      if (this.#waiting.length > 0) this.#writeAfter(this.#failing === undefined ? EVERY_MS : AGAIN_AFTER_MS);
    });
    return this.#writing;
  }

  #writeAfter(milliseconds: number): void {
    this.#cancel ??= this.#settings.clock.after(milliseconds, () => void this.#write());
  }

  async #writeBatch(): Promise<void> {
    const { checkIns, log } = this.#settings;
    this.#cancel?.();
    this.#cancel = undefined;
    const batch = this.#waiting.slice(0, MOST_AT_ONCE);
    if (batch.length === 0) return;
    try {
      await checkIns.record(batch);
    } catch (error) {
      if (this.#failing === undefined) log("warn", `check-ins of Clients could not be written and are tried again: ${said(error)}`);
      this.#failing = error instanceof InventoryUnavailable ? error : new InventoryUnavailable(said(error));
      return;
    }
    if (this.#failing !== undefined) log("info", "check-ins of Clients are written again");
    this.#failing = undefined;
    this.#waiting.splice(0, batch.length);
    for (const report of batch) {
      const left = (this.#unwritten.get(nameOf(report)) ?? 1) - 1;
      if (left === 0) this.#unwritten.delete(nameOf(report));
      else this.#unwritten.set(nameOf(report), left);
    }
  }
}

const nameOf = ({ account, device }: ClientKey): string => `${account}/${device}`;
const said = (error: unknown): string => (error instanceof Error ? error.message : String(error));
