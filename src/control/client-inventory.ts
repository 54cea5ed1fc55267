import type { ClientNumbers, ClientSystem } from "../api/client-rollout.ts";
import type { ClientAttempt, ClientKey, ClientReport, KnownClient } from "../core/client/known-client.ts";
import type { PilotGroup } from "../core/client/policy.ts";
import type { Instant } from "../core/decision.ts";

/**
 * What is known of Clients: devices by what they reported, what each rollout did with them, counters, users and groups, gateway replicas.
 * One million devices: nothing here walks all of them but `clients`, in pages. Calendar instants are given by the caller, ages are told
 * by the store's own clock. Every method rejects with InventoryUnavailable alone, and is safe to repeat.
 */

export type { ClientAttempt, ClientKey, ClientReport, KnownClient, PilotGroup };

/** The gateway's side: reads are batched, writes are batched, and an answer waits for no write. */
export interface ClientCheckIns {
  /** In the order asked; undefined: never seen. */
  known(keys: readonly ClientKey[]): Promise<readonly (KnownClient | undefined)[]>;
  /** One transaction: devices, attempts, versions and counters together, or nothing. */
  record(reports: readonly ClientReport[]): Promise<void>;
  /** Of each account how many devices are kept: beyond its cap a new one is answered and not kept (rule I19). */
  deviceCounts(): Promise<ReadonlyMap<string, number>>;
  /** Who is in which groups and whose computer a device is, of one account; with the generation of its last import. */
  directory(account: string): Promise<Directory>;
  /** Generations of all imported directories: another number, read it again. */
  directories(): Promise<ReadonlyMap<string, number>>;
  /** A replica's sign of life (rule G15): which pauses it obeys, and which generations of AccountPolicies it answers by. */
  beat(replica: {
    readonly name: string;
    /** By UID of the ClientRollout the id of `status.pause` that it has seen. */
    readonly pauses: ReadonlyMap<string, number>;
    /** By UID of the AccountPolicy: one that was made anew begins at generation 1 again. */
    readonly policies: ReadonlyMap<string, number>;
    /** By UID of the ClientRollout what is wrong with its file in the replica's folder; absent: nothing. */
    readonly missing?: ReadonlyMap<string, string>;
  }): Promise<void>;
  /** It ends and answers nobody any more. */
  leave(name: string): Promise<void>;
}

/** An imported directory of one account; the keys of both maps are of `userKey`, devices' too. */
export interface Directory {
  readonly generation: number;
  /** Groups by user. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  /** User by device. */
  readonly owners: ReadonlyMap<string, string>;
}

/** How many devices a stage will reach, of one account. */
export interface Eligible {
  readonly stage: string;
  readonly account: string;
  readonly devices: number;
  /** Of these the account's own pilots; absent: none. */
  readonly pilots?: number;
}

/** The operator's side, and what people ask. */
export interface ClientInventory extends Pick<ClientCheckIns, "directory" | "directories"> {
  /** Devices of one system in the order of their keys, at most `limit` after `after`: the census walks them, nobody else. */
  clients(os: ClientSystem, after: ClientKey | undefined, limit: number): Promise<readonly KnownClient[]>;
  /** One device of one account. */
  client(key: ClientKey): Promise<KnownClient | undefined>;
  /** Replaces what the last census of this rollout counted as eligible. */
  recordCensus(rollout: string, at: Instant, eligible: readonly Eligible[]): Promise<void>;
  /**
   * The numbers of a rollout by account and stage, from counters alone: no device is read, whatever stage opens (rule C4). Undefined: no
   * census of it has been recorded yet, so nobody knows who is eligible.
   */
  counted(rollout: string): Promise<{ readonly censusAt: Instant; readonly rows: readonly CountedClients[] } | undefined>;
  /** Replicas by their last sign, those that left apart; ages by the store's clock. */
  replicas(): Promise<readonly GatewayReplica[]>;
  /** Devices and users by version (a user with two versions counts for both), from counters; of one account or of all. */
  versions(of: { readonly os?: ClientSystem; readonly account?: string }): Promise<readonly VersionCount[]>;
  /** The names behind one row, in the order of their names, at most `limit` after `after`. */
  usersOf(of: UsersAsked): Promise<readonly UserOfVersion[]>;
  /** Keeps today's `versions` as one day of the curve; once a day, the last of a day stays. */
  recordDay(day: string): Promise<void>;
  /** Keeps what the own pilots of one account run, of one system, as one day of their curve: that account's devices alone are read. */
  recordPilots(day: string, pilots: PilotGroup): Promise<void>;
  /** The curve: rows of `versions` by day (`2026-11-22`), from the first to the last asked; of everybody, or of pilots alone. */
  days(of: {
    readonly account?: string;
    readonly from: string;
    readonly to: string;
    readonly pilots?: boolean;
  }): Promise<readonly (VersionCount & { readonly day: string })[]>;
  /** Replaces the directory of one account; the generation grows. */
  importDirectory(
    account: string,
    members: readonly DirectoryMember[],
  ): Promise<{ readonly generation: number; readonly users: number; readonly groups: number; readonly devices: number }>;
  /**
   * Devices that were not seen since then are forgotten, with their attempts and numbers, at most `limit` at a time; answers how many. So
   * is a census as old: its rollout is gone.
   */
  forget(notSeenSince: Instant, limit: number): Promise<number>;
}

export interface CountedClients {
  readonly account: string;
  readonly stage: string;
  readonly numbers: ClientNumbers;
  /** Of these the account's own pilots. */
  readonly pilots: ClientNumbers;
}

export interface GatewayReplica {
  readonly name: string;
  readonly silentMilliseconds: number;
  readonly pauses: ReadonlyMap<string, number>;
  readonly policies: ReadonlyMap<string, number>;
  readonly missing: ReadonlyMap<string, string>;
}

export interface VersionCount {
  readonly account: string;
  readonly os: ClientSystem;
  /** As reported; empty: a new installation, or one that says none. */
  readonly version: string;
  readonly devices: number;
  readonly users: number;
}

export interface UsersAsked {
  readonly account: string;
  readonly os?: ClientSystem;
  readonly version?: string;
  /** Members of this group of the directory alone. */
  readonly group?: string;
  /** The last row of the page before. */
  readonly after?: Pick<UserOfVersion, "user" | "device">;
  readonly limit: number;
}

export interface UserOfVersion {
  /** As the directory or the Client writes it; of a device without a user, the device's name. */
  readonly user: string;
  readonly device: string;
  readonly os: ClientSystem;
  readonly version: string;
  readonly seenAt: Instant;
  readonly groups: readonly string[];
}

/** One user of an imported directory. */
export interface DirectoryMember {
  readonly user: string;
  readonly groups: readonly string[];
  readonly devices: readonly string[];
}
