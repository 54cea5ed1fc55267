import { randomUUID } from "node:crypto";
import { Socket } from "node:net";
import pg from "pg";
import { clientConfig } from "./postgres-pool.ts";

export interface ListenerSettings {
  readonly url: string;
  readonly channel: string;
  /** Told once when nothing is heard any more, and once when it is again. */
  readonly log: (level: "info" | "warn", message: string) => void;
  /** After so long a silence the connection has to prove itself (default 30 s). */
  readonly proveAfterMilliseconds?: number;
  /** A proof that takes longer is none (default 7 s). */
  readonly proofWithinMilliseconds?: number;
}

const AGAIN_AFTER_MS = 1_000;
const PROVE_AFTER_MS = 30_000;
const PROOF_WITHIN_MS = 7_000;
/** How a listener's message to itself begins; other listeners pass it over. */
const PROOF = "proof ";

interface Connection {
  readonly client: pg.Client;
  /** Its own, because a connection whose other end is gone can only be torn. */
  readonly socket: Socket;
  /** The message to itself that is awaited. */
  proof?: string;
}

/**
 * One connection that hears of changes, as long as somebody listens. It comes back by itself, and then tells, as it may have missed some.
 * A connection whose server is gone without a word, or behind a pooler that forgot who listens, looks like one on which nothing happens:
 * after a silence it sends a message to itself, and one that does not hear it is given up.
 */
export class PostgresListener {
  readonly #settings: ListenerSettings;
  readonly #listeners = new Set<() => void>();
  #connection: Connection | undefined;
  /** The next try, or the next proof. */
  #timer: NodeJS.Timeout | undefined;
  #isDeaf = false;

  constructor(settings: ListenerSettings) {
    this.#settings = settings;
  }

  /** Returns what ends it. */
  listen(changed: () => void): () => void {
    this.#listeners.add(changed);
    if (this.#connection === undefined && this.#timer === undefined) void this.#connect();
    return () => {
      this.#listeners.delete(changed);
      if (this.#listeners.size === 0) this.close();
    };
  }

  close(): void {
    this.#listeners.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.socket.destroy();
  }

  async #connect(): Promise<void> {
    this.#timer = undefined;
    const socket = new Socket();
    const client = new pg.Client({ ...clientConfig(this.#settings.url), stream: () => socket });
    const connection: Connection = { client, socket };
    this.#connection = connection;
    client.on("notification", ({ payload }) => this.#heard(connection, payload));
    client.on("error", (error) => this.#lost(connection, error.message));
    client.on("end", () => this.#lost(connection, "the connection ended"));
    try {
      await client.connect();
      await client.query(`listen ${this.#settings.channel}`);
      if (this.#connection !== connection) return;
      if (this.#isDeaf) this.#settings.log("info", "changes in the inventory are heard of again");
      this.#isDeaf = false;
      this.#proveLater(connection);
      this.#tell();
    } catch (error) {
      this.#lost(connection, error instanceof Error ? error.message : String(error));
    }
  }

  #heard(connection: Connection, payload: string | undefined): void {
    if (this.#connection !== connection) return;
    if (payload === connection.proof) delete connection.proof;
    this.#proveLater(connection);
    if (!payload?.startsWith(PROOF)) this.#tell();
  }

  #proveLater(connection: Connection): void {
    this.#after(this.#settings.proveAfterMilliseconds ?? PROVE_AFTER_MS, () => this.#prove(connection));
  }

  #prove(connection: Connection): void {
    const { channel, proofWithinMilliseconds = PROOF_WITHIN_MS } = this.#settings;
    const proof = PROOF + randomUUID();
    connection.proof = proof;
    this.#after(proofWithinMilliseconds, () => this.#lost(connection, "a message to itself did not come back"));
    connection.client.query("select pg_notify($1, $2)", [channel, proof]).catch((error: Error) => this.#lost(connection, error.message));
  }

  #lost(connection: Connection, why: string): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    connection.socket.destroy();
    if (!this.#isDeaf) this.#settings.log("warn", `changes in the inventory are not heard of (${why}); it is tried again each second`);
    this.#isDeaf = true;
    this.#after(AGAIN_AFTER_MS, () => void this.#connect());
  }

  #after(milliseconds: number, act: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, milliseconds).unref();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
