import type { ClientSystem } from "../../api/client-rollout.ts";
import type {
  ClientCheckIns,
  ClientInventory,
  ClientKey,
  ClientReport,
  CountedClients,
  Directory,
  DirectoryMember,
  Eligible,
  GatewayReplica,
  KnownClient,
  PilotGroup,
  UserOfVersion,
  UsersAsked,
  VersionCount,
} from "../../control/client-inventory.ts";
import { afterReport, type KeptClient } from "../../core/client/attempt.ts";
import { CountChanges, type Counts, nameKeyOf, NOTHING_COUNTED, numbersOf, plus } from "../../core/client/client-counts.ts";
import { readDirectory } from "../../core/client/client-directory.ts";
import { userKey } from "../../core/client/cohort.ts";
import { KEPT_VERSIONS, REPLICA_FORGOTTEN_MS } from "../../core/client/kept.ts";
import { isMember } from "../../core/client/policy.ts";
import type { Instant } from "../../core/decision.ts";
import { byText, VersionCounts } from "./version-counts.ts";
import { VersionDays } from "./version-days.ts";

const byKey = (one: ClientKey, other: ClientKey): number => byText(one.account, other.account) || byText(one.device, other.device);
const byName = (one: Named, other: Named): number => byText(one.name, other.name) || byText(one.device, other.device);

interface Named {
  readonly name: string;
  readonly device: string;
}

interface StageCounts {
  readonly stage: string;
  readonly account: string;
  pilots: Counts;
  others: Counts;
}

/**
 * The inventory of Clients in the simulation, in memory: what the ports say, in the shortest way, and by the same rules of what a report
 * changes. `real` is its own clock, in milliseconds.
 */
export class MemoryClientInventory implements ClientCheckIns, ClientInventory {
  readonly #real: () => number;
  readonly #devices = new Map<string, Map<string, KeptClient>>();
  readonly #versions = new VersionCounts();
  /** By rollout, then by stage and account. */
  readonly #counters = new Map<string, Map<string, StageCounts>>();
  readonly #census = new Map<string, { readonly at: Instant; readonly eligible: readonly Eligible[] }>();
  readonly #days = new VersionDays();
  readonly #pilotDays = new VersionDays();
  readonly #directories = new Map<string, Directory>();
  readonly #replicas = new Map<string, Omit<GatewayReplica, "name" | "silentMilliseconds"> & { readonly real: number }>();
  /** Of one system in their order; made when they are asked for. */
  readonly #ordered = new Map<ClientSystem, readonly ClientKey[]>();

  constructor(real: () => number) {
    this.#real = real;
  }

  async known(keys: readonly ClientKey[]): Promise<readonly (KnownClient | undefined)[]> {
    return keys.map((key) => this.#told(key));
  }

  async record(reports: readonly ClientReport[]): Promise<void> {
    const changes = new CountChanges();
    for (const report of reports) {
      const before = this.#devices.get(report.account)?.get(report.device);
      const after = afterReport(before, report);
      if (before?.os !== after.os) this.#ordered.clear();
      changes.add(before, after);
      this.#devicesOf(report.account).set(report.device, after);
    }
    this.#count(changes);
  }

  async deviceCounts(): Promise<ReadonlyMap<string, number>> {
    return new Map([...this.#devices].flatMap(([account, { size }]) => (size === 0 ? [] : [[account, size]])));
  }

  async directory(account: string): Promise<Directory> {
    return this.#directories.get(account) ?? { generation: 0, groups: new Map(), owners: new Map() };
  }

  async directories(): Promise<ReadonlyMap<string, number>> {
    return new Map([...this.#directories].map(([account, { generation }]) => [account, generation]));
  }

  async beat({ name, pauses, policies, missing }: Parameters<ClientCheckIns["beat"]>[0]): Promise<void> {
    const real = this.#real();
    this.#replicas.set(name, { real, pauses: new Map(pauses), policies: new Map(policies), missing: new Map(missing) });
    for (const [other, replica] of this.#replicas) if (real - replica.real > REPLICA_FORGOTTEN_MS) this.#replicas.delete(other);
  }

  async leave(name: string): Promise<void> {
    this.#replicas.delete(name);
  }

  async clients(os: ClientSystem, after: ClientKey | undefined, limit: number): Promise<readonly KnownClient[]> {
    const all = this.#orderedOf(os);
    const from = after === undefined ? 0 : firstAfter(all, after);
    return all.slice(from, from + limit).map((key) => this.#told(key)!);
  }

  async client(key: ClientKey): Promise<KnownClient | undefined> {
    return this.#told(key);
  }

  async recordCensus(rollout: string, at: Instant, eligible: readonly Eligible[]): Promise<void> {
    this.#census.set(rollout, { at, eligible });
  }

  async counted(rollout: string): ReturnType<ClientInventory["counted"]> {
    const census = this.#census.get(rollout);
    if (census === undefined) return undefined;
    const counters = new Map(
      [...(this.#counters.get(rollout) ?? [])].filter(([, { pilots, others }]) => pilots.reached + others.reached > 0),
    );
    const named = new Map(census.eligible.map((one) => [JSON.stringify([one.account, one.stage]), one]));
    const rows = [...new Set([...counters.keys(), ...named.keys()])].map((key): CountedClients => {
      const [found, eligible] = [counters.get(key), named.get(key)];
      const { account, stage } = (found ?? eligible)!;
      const [pilots, others] = [found?.pilots ?? NOTHING_COUNTED, found?.others ?? NOTHING_COUNTED];
      return {
        account,
        stage,
        numbers: numbersOf(plus(pilots, others), eligible?.devices ?? 0),
        pilots: numbersOf(pilots, eligible?.pilots ?? 0),
      };
    });
    return {
      censusAt: census.at,
      rows: rows.toSorted((one, other) => byText(one.account, other.account) || byText(one.stage, other.stage)),
    };
  }

  async replicas(): Promise<readonly GatewayReplica[]> {
    const now = this.#real();
    return [...this.#replicas]
      .toSorted(([one], [other]) => byText(one, other))
      .map(([name, { real, ...confirmed }]) => ({ name, silentMilliseconds: now - real, ...confirmed }));
  }

  async versions(of: Parameters<ClientInventory["versions"]>[0]): Promise<readonly VersionCount[]> {
    return this.#versions.rows(of);
  }

  async usersOf({ account, os, version, group, after, limit }: UsersAsked): Promise<readonly UserOfVersion[]> {
    const wanted = [...(this.#devices.get(account)?.values() ?? [])].filter(
      (client) =>
        (os === undefined || client.os === os) &&
        (version === undefined || (client.version ?? "") === version) &&
        (group === undefined || this.#groupsOf(client).includes(group)),
    );
    const last = after && { name: nameKeyOf(after), device: after.device };
    return wanted
      .map((client) => ({ client, name: nameKeyOf(client), device: client.device }))
      .filter((named) => last === undefined || byName(named, last) > 0)
      .toSorted(byName)
      .slice(0, limit)
      .map(({ client, device }) => ({
        user: client.user ?? device,
        device,
        os: client.os,
        version: client.version ?? "",
        seenAt: client.seenAt,
        groups: this.#groupsOf(client),
      }));
  }

  async recordDay(day: string): Promise<void> {
    this.#days.record(day, this.#versions.most(KEPT_VERSIONS));
    this.#pilotDays.forget(day);
  }

  async recordPilots(day: string, { account, os, ...pilots }: PilotGroup): Promise<void> {
    const counts = new VersionCounts();
    const changes = new CountChanges();
    for (const client of this.#devices.get(account)?.values() ?? [])
      if (client.os === os && isMember(pilots, client.user, this.#groupsOf(client))) changes.add(undefined, client);
    counts.change(changes.members);
    this.#pilotDays.replace(day, account, os, counts.most(KEPT_VERSIONS));
  }

  async days({ pilots = false, ...of }: Parameters<ClientInventory["days"]>[0]): ReturnType<ClientInventory["days"]> {
    return (pilots ? this.#pilotDays : this.#days).between(of);
  }

  async importDirectory(account: string, members: readonly DirectoryMember[]): ReturnType<ClientInventory["importDirectory"]> {
    const { users, owners, groups } = readDirectory(members);
    const generation = (this.#directories.get(account)?.generation ?? 0) + 1;
    this.#directories.set(account, { generation, groups: new Map([...users].map(([key, user]) => [key, user.groups])), owners });
    return { generation, users: users.size, groups, devices: owners.size };
  }

  async forget(notSeenSince: Instant, limit: number): Promise<number> {
    const unseen = [...this.#devices.values()].flatMap((devices) => [...devices.values()]).filter(({ seenAt }) => seenAt < notSeenSince);
    const gone = unseen.toSorted((one, other) => one.seenAt - other.seenAt || byKey(one, other)).slice(0, limit);
    const changes = new CountChanges();
    for (const client of gone) {
      changes.add(client, undefined);
      this.#devices.get(client.account)?.delete(client.device);
    }
    this.#ordered.clear();
    this.#count(changes);
    for (const [rollout, { at }] of this.#census) if (at < notSeenSince) this.#census.delete(rollout);
    return gone.length;
  }

  #told({ account, device }: ClientKey): KnownClient | undefined {
    const kept = this.#devices.get(account)?.get(device);
    if (kept === undefined) return undefined;
    const { requests: _requests, offered: _offered, ...known } = kept;
    return known;
  }

  #devicesOf(account: string): Map<string, KeptClient> {
    const found = this.#devices.get(account) ?? new Map<string, KeptClient>();
    this.#devices.set(account, found);
    return found;
  }

  #orderedOf(os: ClientSystem): readonly ClientKey[] {
    const found =
      this.#ordered.get(os) ??
      [...this.#devices.values()].flatMap((devices) => [...devices.values()].filter((one) => one.os === os)).toSorted(byKey);
    this.#ordered.set(os, found);
    return found;
  }

  #groupsOf({ account, user }: Pick<KeptClient, "account" | "user">): readonly string[] {
    return user === undefined ? [] : (this.#directories.get(account)?.groups.get(userKey(user)) ?? []);
  }

  #count(changes: CountChanges): void {
    this.#versions.change(changes.members);
    for (const { rollout, stage, account, pilot, counts } of changes.counters) {
      const stages = this.#counters.get(rollout) ?? new Map<string, StageCounts>();
      this.#counters.set(rollout, stages);
      const key = JSON.stringify([account, stage]);
      const found = stages.get(key) ?? { stage, account, pilots: NOTHING_COUNTED, others: NOTHING_COUNTED };
      stages.set(key, found);
      const whose = pilot ? "pilots" : "others";
      found[whose] = plus(found[whose], counts);
    }
  }
}

/** The first index after `key`: what was asked for may be gone meanwhile. */
function firstAfter(ordered: readonly ClientKey[], key: ClientKey): number {
  let [from, to] = [0, ordered.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (byKey(ordered[middle]!, key) > 0) to = middle;
    else from = middle + 1;
  }
  return from;
}
