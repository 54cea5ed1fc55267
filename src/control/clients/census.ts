import { createHash } from "node:crypto";
import { CLIENT_SYSTEMS, type ClientRollout, type ClientSystem } from "../../api/client-rollout.ts";
import type { ClientAccount } from "../../core/client/accounts.ts";
import { censusStage } from "../../core/client/census.ts";
import { userKey } from "../../core/client/cohort.ts";
import { isPilot, pilotGroupsOf, policyFor } from "../../core/client/policy.ts";
import { type ClientRolloutView, clientViews } from "../../core/client/rollout-view.ts";
import { DAY, SECOND } from "../../core/time/civil.ts";
import { formatInstant } from "../../core/time/instant.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { ClientInventory, ClientKey, Directory, Eligible, KnownClient } from "../client-inventory.ts";
import { InventoryUnavailable } from "../inventory.ts";

export interface CensusSettings {
  readonly clock: Clock;
  readonly inventory: ClientInventory;
  readonly isLeader: () => boolean;
  readonly rollouts: () => readonly ClientRollout[];
  readonly accounts: () => ReadonlyMap<string, ClientAccount>;
  /** Generations of the imported directories. */
  readonly directories: () => ReadonlyMap<string, number>;
  /** A rollout in flight is counted again after so long; calendar milliseconds. */
  readonly every: number;
  /** Rollouts were counted. */
  readonly onCounted: () => void;
  readonly onError: (message: string, error: unknown) => void;
}

/** Devices are looked at in slices so short that nobody waits for the event loop. */
const PAGE = 500;
/** Edits come in rows: one census for all that come within this time; elapsed milliseconds. */
const RESTS = 2 * SECOND;
/** After a census it rests at least this long, and ten times as long as it took; elapsed milliseconds. */
const SHORTEST_REST = 20 * SECOND;

/** A Client that was not seen for so long is forgotten; it is new when it comes again. */
const FORGOTTEN_AFTER = 180 * DAY;

interface Last {
  readonly digest: string;
  readonly at: number;
  readonly day: string;
  /** The phases of each rollout that was counted, by UID. */
  readonly phases: ReadonlyMap<string, string>;
}

/**
 * Who is eligible for which stage, counted by a walk over all devices of a system: when a rollout is announced, when what decides it was
 * edited, and from time to time for those who came since; never because a stage opens (rule C4). The leader alone walks, and what it has
 * counted when it is deposed it does not record.
 */
export class Census {
  readonly #settings: CensusSettings;
  readonly #last = new Map<ClientSystem, Last>();
  #restsUntil = 0;
  #day: string | undefined;
  #walking = false;
  #stopped = false;
  #cancel: (() => void) | undefined;

  constructor(settings: CensusSettings) {
    this.#settings = settings;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  /** Whether the last census of this term knew the rollout with the phases that it has now: a stage without rows is one without anybody. */
  covers({ metadata, spec }: ClientRollout): boolean {
    return this.#last.get(spec.os)?.phases.get(metadata.uid) === JSON.stringify(spec.phases);
  }

  /** Something has changed that may change who is eligible: looked at before long. */
  changed(): void {
    if (this.#cancel !== undefined || this.#stopped) return;
    this.#cancel = this.#settings.clock.after(RESTS, () => {
      this.#cancel = undefined;
      void this.look();
    });
  }

  /** Walks where a census is due, and keeps the day. Rejects with nothing. */
  async look(): Promise<void> {
    if (this.#walking || !this.#alive()) return;
    this.#walking = true;
    try {
      for (const os of CLIENT_SYSTEMS) await this.#lookAt(os);
      await this.#keepDay();
    } catch (error) {
      if (!(error instanceof InventoryUnavailable)) this.#settings.onError("the Clients could not be counted", error);
    } finally {
      this.#walking = false;
    }
  }

  #alive(): boolean {
    return !this.#stopped && this.#settings.isLeader();
  }

  async #lookAt(os: ClientSystem): Promise<void> {
    const { clock, rollouts, accounts, every, onCounted } = this.#settings;
    const ofSystem = rollouts().filter(({ spec }) => spec.os === os);
    const counting = ofSystem.filter(({ status }) => status?.reached !== undefined && status.stopped === undefined);
    const views = clientViews(ofSystem).filter(
      ({ uid, problem, superseded }) =>
        problem === undefined && superseded === undefined && counting.some(({ metadata }) => metadata.uid === uid),
    );
    if (views.length === 0) return;
    const counted = counting.filter(({ metadata }) => views.some(({ uid }) => uid === metadata.uid));
    const [now, began] = [clock.now(), clock.elapsed()];
    const digest = this.#digest(os, views);
    const last = this.#last.get(os);
    const isNew = counted.some(({ metadata }) => last?.phases.has(metadata.uid) !== true);
    const inFlight = counted.some(({ status }) => status?.standingSince === undefined);
    const old = inFlight ? now - (last?.at ?? 0) >= every : last?.day !== dayOf(now);
    if (!isNew && ((digest === last?.digest && !old) || began < this.#restsUntil)) return;
    const eligible = await this.#walk(os, views, accounts());
    if (eligible === undefined) return;
    for (const { uid } of views) {
      if (!this.#alive()) return;
      await this.#settings.inventory.recordCensus(uid, now, eligible.get(uid) ?? []);
    }
    const phases = new Map(counted.map(({ metadata, spec }) => [metadata.uid, JSON.stringify(spec.phases)]));
    this.#last.set(os, { digest, at: now, day: dayOf(now), phases });
    const ended = clock.elapsed();
    this.#restsUntil = ended + Math.max(SHORTEST_REST, 10 * (ended - began));
    onCounted();
  }

  /** All that decides who is eligible, but not how far a rollout has come. */
  #digest(os: ClientSystem, views: readonly ClientRolloutView[]): string {
    const hash = createHash("sha256");
    const { accounts, directories } = this.#settings;
    for (const { uid, phases, firstPhase, pilotAccounts, floors, faulty } of views) {
      hash.update(JSON.stringify([uid, phases, firstPhase, pilotAccounts, floors.map(({ version }) => version), faulty]));
    }
    for (const [account, { labels, policies }] of accounts()) {
      const policy = policyFor(policies, os);
      hash.update(JSON.stringify([account, labels, policy?.upgrade, policy?.pilotGroup]));
    }
    hash.update(JSON.stringify([...directories()].toSorted(([one], [other]) => (one < other ? -1 : 1))));
    return hash.digest("base64");
  }

  /** Undefined: we are not the leader any more. */
  async #walk(
    os: ClientSystem,
    views: readonly ClientRolloutView[],
    accounts: ReadonlyMap<string, ClientAccount>,
  ): Promise<ReadonlyMap<string, readonly Eligible[]> | undefined> {
    const { inventory, clock } = this.#settings;
    const imported = this.#settings.directories();
    const tallies = new Map(views.map((view) => [view.uid, new Tally()]));
    const directories = new Map<string, Directory>();
    for (let after: ClientKey | undefined; ;) {
      const page = await inventory.clients(os, after, PAGE);
      for (const account of new Set(page.map((client) => client.account))) {
        // Devices come account by account, so few are kept at once.
        if (imported.has(account) && !directories.has(account)) directories.set(account, await inventory.directory(account));
      }
      if (!this.#alive()) return undefined;
      for (const client of page) count(client, views, accounts.get(client.account), directories.get(client.account), tallies);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) break;
      after = { account: last.account, device: last.device };
      for (const account of directories.keys()) if (account !== last.account) directories.delete(account);
      // A database in this process answers at once: without a pause the walk would be one long slice.
      await new Promise<void>((resolve) => clock.after(0, resolve));
    }
    return new Map([...tallies].map(([uid, tally]) => [uid, tally.rows()]));
  }

  /** Once a day: the curve of versions by day, of everybody and of the accounts' own pilots, and devices that nobody has seen for half a year (rule I19). */
  async #keepDay(): Promise<void> {
    const { inventory, clock, accounts } = this.#settings;
    const now = clock.now();
    if (dayOf(now) === this.#day || !this.#alive()) return;
    await inventory.recordDay(dayOf(now));
    for (const [account, { policies }] of accounts()) {
      for (const pilots of pilotGroupsOf(account, policies)) {
        if (!this.#alive()) return;
        await inventory.recordPilots(dayOf(now), pilots);
      }
    }
    while (this.#alive() && (await inventory.forget(now - FORGOTTEN_AFTER, PAGE)) >= PAGE) {
      await new Promise<void>((resolve) => clock.after(0, resolve));
    }
    this.#day = dayOf(now);
  }
}

const dayOf = (now: number): string => formatInstant(now).slice(0, 10);

function count(
  client: KnownClient,
  views: readonly ClientRolloutView[],
  account: ClientAccount | undefined,
  directory: Directory | undefined,
  tallies: ReadonlyMap<string, Tally>,
): void {
  const policy = policyFor(account?.policies, client.os);
  const view = { labels: account?.labels ?? {}, ...(policy === undefined ? {} : { policy }) };
  // As a check-in is completed: the directory knows better whose computer it is.
  const user = directory?.owners.get(userKey(client.device)) ?? client.user;
  const groups = (user === undefined ? undefined : directory?.groups.get(userKey(user))) ?? [];
  const attemptAt = (rollout: string) => client.attempts.find((attempt) => attempt.rollout === rollout);
  const { account: name, device, os, version } = client;
  const seen = {
    account: name,
    device,
    os,
    groups,
    ...(user === undefined ? {} : { user }),
    ...(version === undefined ? {} : { version }),
  };
  const pilot = isPilot(policy, user, groups);
  for (const rollout of views) {
    const stage = censusStage(rollout, { ...seen, reached: (uid) => attemptAt(uid)?.stage }, view);
    if (stage !== undefined) tallies.get(rollout.uid)!.add(name, stage, attemptAt(rollout.uid)?.pilot ?? pilot);
  }
}

/** Devices by account and stage. */
class Tally {
  readonly #counts = new Map<string, Map<string, { devices: number; pilots: number }>>();

  add(account: string, stage: string, pilot: boolean): void {
    const stages = this.#counts.get(account) ?? new Map<string, { devices: number; pilots: number }>();
    if (stages.size === 0) this.#counts.set(account, stages);
    const known = stages.get(stage) ?? { devices: 0, pilots: 0 };
    stages.set(stage, known);
    known.devices += 1;
    if (pilot) known.pilots += 1;
  }

  rows(): Eligible[] {
    return [...this.#counts].flatMap(([account, stages]) => [...stages].map(([stage, counts]) => ({ account, stage, ...counts })));
  }
}
