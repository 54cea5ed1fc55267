import { sql } from "kysely";
import {
  type AttemptEnd,
  type Caller,
  type ChangedKey,
  type DeviceInventory,
  type Inventory,
  type PollAnswer,
} from "../control/inventory.ts";
import type { CommandRow } from "../core/socket/command.ts";
import type { DeviceReport } from "../core/socket/device.ts";
import type { SiteInventory } from "../core/socket-site/observation.ts";
import { asked } from "./asked.ts";
import { forgetOld } from "./audit.ts";
import { SqlClientInventory } from "./clients/sql-client-inventory.ts";
import { changeCommand, endAttempt, givenCommand, insertCommand, measured, requestCancel, takeFeedback } from "./commands.ts";
import { pageOfDevices, planPolls, poll, reportsOf, takeReport } from "./devices.ts";
import type { Engine } from "./engine.ts";
import { nextChanged, settle } from "./feed.ts";
import { Heartbeats } from "./heartbeats.ts";
import { recordNotice, recordVerdict } from "./records.ts";
import { authenticate, enroll } from "./registry.ts";
import { readSite } from "./sites.ts";

const BEATS_WRITTEN_EVERY_MS = 1_000;
const FORGET_EVERY = 3_600_000;

/** Both ports of Sockets on one SQL store, and beside them those of Clients. Made by `openInventory`; whoever made it closes it. */
export class SqlInventory implements Inventory, DeviceInventory {
  /** What is known of Clients, in the same store. */
  readonly clients: SqlClientInventory;
  readonly #engine: Engine;
  readonly #heartbeats = new Heartbeats();
  readonly #writing: NodeJS.Timeout;
  #forgotAt = Number.NEGATIVE_INFINITY;
  #isAsking = false;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.clients = new SqlClientInventory(engine);
    // Where it fails the beats are kept and the next second tries again; whoever needs the store hears of it from his own call.
    this.#writing = setInterval(() => {
      void this.writeHeartbeats().catch(() => undefined);
      void this.#askAgain();
    }, BEATS_WRITTEN_EVERY_MS);
    this.#writing.unref();
  }

  site(of: Parameters<Inventory["site"]>[0]): Promise<SiteInventory> {
    return this.#ask("site", () => readSite(this.#engine, this.#heartbeats, of));
  }

  insertCommand(row: CommandRow): Promise<boolean> {
    return this.#ask("insertCommand", () => insertCommand(this.#engine, row));
  }

  act(id: string, act: Parameters<Inventory["act"]>[1], now: number): Promise<boolean> {
    return this.#ask("act", async () => {
      await this.#forgetNowAndThen(now);
      return (await changeCommand(this.#engine, { id }, act, { now, by: "operator" })) !== undefined;
    });
  }

  requestCancel(id: string, now: number): Promise<void> {
    return this.#ask("requestCancel", () => requestCancel(this.#engine, id, now));
  }

  endAttempt(end: AttemptEnd): Promise<void> {
    return this.#ask("endAttempt", async () => {
      await this.#forgetNowAndThen(end.at);
      await endAttempt(this.#engine, end);
    });
  }

  recordVerdict(verdict: Parameters<Inventory["recordVerdict"]>[0]): Promise<void> {
    return this.#ask("recordVerdict", () => recordVerdict(this.#engine, verdict));
  }

  recordNotice(notice: Parameters<Inventory["recordNotice"]>[0]): Promise<void> {
    return this.#ask("recordNotice", async () => {
      await this.#forgetNowAndThen(notice.acceptedAt);
      await recordNotice(this.#engine, notice);
    });
  }

  planPolls(plan: Parameters<Inventory["planPolls"]>[0]): Promise<void> {
    return this.#ask("planPolls", () => planPolls(this.#engine, plan));
  }

  measured(rollout: string): ReturnType<Inventory["measured"]> {
    return this.#ask("measured", () => measured(this.#engine, rollout));
  }

  changed(limit: number): Promise<readonly ChangedKey[]> {
    return this.#ask("changed", () => nextChanged(this.#engine.db, limit));
  }

  settle(keys: readonly ChangedKey[]): Promise<void> {
    return this.#ask("settle", () => settle(this.#engine, keys));
  }

  /** A statement that writes, and finds nothing to write: it needs the lock, the disk and the right all the same. */
  writable(): Promise<void> {
    return this.#ask("writable", async () => {
      await this.#engine.db.deleteFrom("changed").where("serial", "=", "").execute();
    });
  }

  onChange(listener: () => void): () => void {
    return this.#engine.listen(listener);
  }

  devices(after: string | undefined, limit: number): Promise<readonly DeviceReport[]> {
    return this.#ask("devices", () => pageOfDevices(this.#engine, this.#heartbeats, after, limit));
  }

  /** Writes the heartbeats that are not written yet, and lets go of the store; may be called twice. */
  async close(): Promise<void> {
    clearInterval(this.#writing);
    await this.writeHeartbeats().catch(() => undefined);
    await this.#engine.close();
  }

  authenticate(hash: string, now: number): Promise<Caller | undefined> {
    return this.#ask("authenticate", () => authenticate(this.#engine, hash, now));
  }

  poll(of: Parameters<DeviceInventory["poll"]>[0], now: number): Promise<PollAnswer | undefined> {
    return this.#ask("poll", () => poll(this.#engine, this.#heartbeats, of, now));
  }

  storeTime(): Promise<number> {
    return this.#ask("storeTime", async () => {
      const [row] = await this.#engine.read(sql<{ real: number }>`select ${this.#engine.real()} as real`.compile(this.#engine.db));
      return row!.real;
    });
  }

  reports(of: Parameters<DeviceInventory["reports"]>[0]): Promise<readonly DeviceReport[]> {
    return this.#ask("reports", () => reportsOf(this.#engine, this.#heartbeats, of));
  }

  report(of: Parameters<DeviceInventory["report"]>[0], now: number): Promise<boolean> {
    return this.#ask("report", () => takeReport(this.#engine, this.#heartbeats, of, now));
  }

  give(of: Parameters<DeviceInventory["give"]>[0], now: number): Promise<CommandRow | undefined> {
    return this.#ask("give", () => changeCommand(this.#engine, of, "give", { now, by: "gateway" }));
  }

  given(of: Parameters<DeviceInventory["given"]>[0]): Promise<CommandRow | undefined> {
    return this.#ask("given", () => givenCommand(this.#engine, of));
  }

  feedback(
    of: Parameters<DeviceInventory["feedback"]>[0],
    act: Parameters<DeviceInventory["feedback"]>[1],
    said: string | undefined,
    now: number,
  ): ReturnType<DeviceInventory["feedback"]> {
    return this.#ask("feedback", () => takeFeedback(this.#engine, of, act, { now, ...(said === undefined ? {} : { said }) }));
  }

  enroll(device: Parameters<DeviceInventory["enroll"]>[0]): ReturnType<DeviceInventory["enroll"]> {
    return this.#ask("enroll", () => enroll(this.#engine, device));
  }

  /** Polls and equal reports since the last second, in one statement. It is done by itself; a backup asks for it before it copies. */
  async writeHeartbeats(): Promise<void> {
    if (this.#heartbeats.size > 0) await this.#engine.unsynced((db) => this.#heartbeats.write(db));
  }

  /** Of a replica that stands by nobody asks anything: it would say for ever that the store is away. */
  async #askAgain(): Promise<void> {
    if (!this.#engine.answering.isSilent || this.#isAsking) return;
    this.#isAsking = true;
    await this.writable().catch(() => undefined);
    this.#isAsking = false;
  }

  /** Some of what is too old, until nothing is left; then an hour later again. By the operator's calendar alone: he is one. */
  async #forgetNowAndThen(now: number): Promise<void> {
    if (now - this.#forgotAt < FORGET_EVERY) return;
    this.#forgotAt = now;
    if (await forgetOld(this.#engine.db, now)) this.#forgotAt = Number.NEGATIVE_INFINITY;
  }

  #ask<T>(what: string, ask: () => Promise<T>): Promise<T> {
    return asked(this.#engine, what, ask);
  }
}
