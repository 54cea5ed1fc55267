import type { ClientCheckIns, Directory } from "../../control/client-inventory.ts";

/** Imported directories in memory: each is read when the first Client of its account comes, and again when it was imported anew. */
export class Directories {
  readonly #checkIns: Pick<ClientCheckIns, "directory" | "directories">;
  #generations: ReadonlyMap<string, number> | undefined;
  readonly #read = new Map<string, Directory>();
  readonly #reading = new Map<string, Promise<Directory>>();

  constructor(checkIns: Pick<ClientCheckIns, "directory" | "directories">) {
    this.#checkIns = checkIns;
  }

  /** Undefined: the account imported none. Rejects with InventoryUnavailable. */
  async of(account: string): Promise<Directory | undefined> {
    this.#generations ??= await this.#checkIns.directories();
    const wanted = this.#generations.get(account);
    if (wanted === undefined) return undefined;
    const read = this.#read.get(account);
    if (read !== undefined && read.generation >= wanted) return read;
    const reading = this.#reading.get(account) ?? this.#fetch(account);
    return reading;
  }

  /** Looks whether one was imported anew. Rejects with InventoryUnavailable. */
  async look(): Promise<void> {
    this.#generations = await this.#checkIns.directories();
    for (const account of this.#read.keys()) if (!this.#generations.has(account)) this.#read.delete(account);
  }

  async #fetch(account: string): Promise<Directory> {
    const reading = this.#checkIns.directory(account).finally(() => this.#reading.delete(account));
    this.#reading.set(account, reading);
    const directory = await reading;
    this.#read.set(account, directory);
    return directory;
  }
}
