import type { ClientSystem } from "../../api/client-rollout.ts";
import type { ClientCheckIns, ClientInventory, ClientKey, ClientReport, KnownClient } from "../../control/client-inventory.ts";
import { asked } from "../asked.ts";
import type { Engine } from "../engine.ts";
import { countedClients, deviceCounts, versionCounts, writeCensus } from "./counters.ts";
import { daysBetween, writeDay, writePilotDay } from "./days.ts";
import { knownClients, pageOfClients } from "./devices.ts";
import { generations, readAccount, replaceDirectory } from "./directories.ts";
import { forgetClients, takeReports } from "./record.ts";
import { readReplicas, writeBeat } from "./replicas.ts";
import { usersOfVersion } from "./users.ts";

/** Both ports of Clients on one SQL store: `openInventory(…).clients`, which is closed with the rest of it. */
export class SqlClientInventory implements ClientCheckIns, ClientInventory {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  known(keys: readonly ClientKey[]): Promise<readonly (KnownClient | undefined)[]> {
    return asked(this.#engine, "known", () => knownClients(this.#engine, keys));
  }

  record(reports: readonly ClientReport[]): Promise<void> {
    return asked(this.#engine, "record", () => takeReports(this.#engine, reports));
  }

  deviceCounts(): Promise<ReadonlyMap<string, number>> {
    return asked(this.#engine, "deviceCounts", () => deviceCounts(this.#engine));
  }

  directory(account: string): ReturnType<ClientCheckIns["directory"]> {
    return asked(this.#engine, "directory", () => readAccount(this.#engine, account));
  }

  directories(): Promise<ReadonlyMap<string, number>> {
    return asked(this.#engine, "directories", () => generations(this.#engine));
  }

  beat(replica: Parameters<ClientCheckIns["beat"]>[0]): Promise<void> {
    return asked(this.#engine, "beat", () => writeBeat(this.#engine, replica));
  }

  leave(name: string): Promise<void> {
    return asked(this.#engine, "leave", async () => {
      await this.#engine.db.deleteFrom("gateway_replica").where("name", "=", name).execute();
    });
  }

  clients(os: ClientSystem, after: ClientKey | undefined, limit: number): Promise<readonly KnownClient[]> {
    return asked(this.#engine, "clients", () => pageOfClients(this.#engine, { os, after, limit }));
  }

  async client(key: ClientKey): Promise<KnownClient | undefined> {
    return (await this.known([key]))[0];
  }

  recordCensus(...[rollout, at, eligible]: Parameters<ClientInventory["recordCensus"]>): Promise<void> {
    return asked(this.#engine, "recordCensus", () => writeCensus(this.#engine, rollout, at, eligible));
  }

  counted(rollout: string): ReturnType<ClientInventory["counted"]> {
    return asked(this.#engine, "counted", () => countedClients(this.#engine, rollout));
  }

  replicas(): ReturnType<ClientInventory["replicas"]> {
    return asked(this.#engine, "replicas", () => readReplicas(this.#engine));
  }

  versions(of: Parameters<ClientInventory["versions"]>[0]): ReturnType<ClientInventory["versions"]> {
    return asked(this.#engine, "versions", () => versionCounts(this.#engine, of));
  }

  usersOf(of: Parameters<ClientInventory["usersOf"]>[0]): ReturnType<ClientInventory["usersOf"]> {
    return asked(this.#engine, "usersOf", () => usersOfVersion(this.#engine, of));
  }

  recordDay(day: string): Promise<void> {
    return asked(this.#engine, "recordDay", () => writeDay(this.#engine, day));
  }

  recordPilots(...[day, pilots]: Parameters<ClientInventory["recordPilots"]>): Promise<void> {
    return asked(this.#engine, "recordPilots", () => writePilotDay(this.#engine, day, pilots));
  }

  days(of: Parameters<ClientInventory["days"]>[0]): ReturnType<ClientInventory["days"]> {
    return asked(this.#engine, "days", () => daysBetween(this.#engine, of));
  }

  importDirectory(...[account, members]: Parameters<ClientInventory["importDirectory"]>): ReturnType<ClientInventory["importDirectory"]> {
    return asked(this.#engine, "importDirectory", () => replaceDirectory(this.#engine, account, members));
  }

  forget(notSeenSince: number, limit: number): Promise<number> {
    return asked(this.#engine, "forget", () => forgetClients(this.#engine, notSeenSince, limit));
  }
}
