import type { ClientNumbers, ClientRollout, ClientSystem } from "../../api/client-rollout.ts";
import { type MissingFile, missingFiles } from "../../core/client/missing-files.ts";
import { NOBODY, notYetOpened, sumOf } from "../../core/client/numbers.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { ClientInventory, CountedClients, GatewayReplica, VersionCount } from "../client-inventory.ts";
import { InventoryUnavailable } from "../inventory.ts";

/** The numbers of one rollout, as they were counted last. */
export interface CountedRollout {
  /** Stages in which somebody is. */
  readonly stages: ReadonlyMap<string, ClientNumbers>;
  readonly accounts: ReadonlyMap<string, AccountNumbers>;
}

export interface AccountNumbers {
  readonly all: ClientNumbers;
  readonly pilots: ClientNumbers;
}

export interface ClientCountsSettings {
  readonly clock: Clock;
  readonly inventory: ClientInventory;
  /** Every rollout that there is. */
  readonly rollouts: () => readonly ClientRollout[];
  /** Between two readings of a rollout in flight; elapsed milliseconds. */
  readonly every: number;
  /** Numbers of these rollouts have changed, or nobody can tell them any more; by UID. */
  readonly onRollouts: (uids: readonly string[]) => void;
  /** Its numbers have changed; `pilots`: among them what may hold the account. */
  readonly onAccount: (account: string, pilots: boolean) => void;
  /** After each reading. */
  readonly onRead: () => void;
  readonly onVersions: (rows: readonly VersionCount[]) => void;
  readonly onError: (message: string, error: unknown) => void;
}

/** Of rollouts that stand or are stopped, and of versions, each so many-th reading only. */
const SELDOM = 6;
/** Replicas are asked of once for all who look within this time; elapsed milliseconds. */
const REPLICAS_KEPT = 500;

/**
 * What the inventory counts of Clients, read in the background and handed out from memory: 2,000 accounts do not each ask. While it is
 * away there are no numbers, so nothing is concluded (rule G9).
 */
export class ClientCounts {
  readonly #settings: ClientCountsSettings;
  readonly #counted = new Map<string, CountedRollout>();
  #missing: ReadonlyMap<string, readonly MissingFile[]> = new Map();
  #versions: ReadonlyMap<string, ReadonlyMap<ClientSystem, number>> | undefined;
  #directories: ReadonlyMap<string, number> = new Map();
  #replicas: { readonly at: number; readonly answer: Promise<readonly GatewayReplica[] | undefined> } | undefined;
  #reading: Promise<void> | undefined;
  #readings = 0;
  #stopped = false;
  #cancel: (() => void) | undefined;

  constructor(settings: ClientCountsSettings) {
    this.#settings = settings;
  }

  /** Reads from now on, again and again. Resolves after the first reading, however it ended. */
  async start(): Promise<void> {
    await this.#tick();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  /** Undefined: not counted, or the inventory is away. */
  of(uid: string): CountedRollout | undefined {
    return this.#counted.get(uid);
  }

  /** Live gateways that cannot read the file of a rollout (rule C7), as they told last. */
  missingOf(uid: string): readonly MissingFile[] {
    return this.#missing.get(uid) ?? [];
  }

  /** Devices of an account by system; undefined: nobody tells. */
  devicesOf(account: string): ReadonlyMap<ClientSystem, number> | undefined {
    return this.#versions && (this.#versions.get(account) ?? new Map());
  }

  /** Generations of the imported directories, as they were read last. */
  get directories(): ReadonlyMap<string, number> {
    return this.#directories;
  }

  /** Gateways by their last sign; undefined: the inventory does not answer. */
  async replicas(): Promise<readonly GatewayReplica[] | undefined> {
    const { clock, inventory } = this.#settings;
    const now = clock.elapsed();
    if (this.#replicas === undefined || now - this.#replicas.at > REPLICAS_KEPT) {
      this.#replicas = { at: now, answer: inventory.replicas().catch((error: unknown) => this.#unanswered(error)) };
    }
    return this.#replicas.answer;
  }

  /** Reads at once: a census has been recorded. */
  refresh(): Promise<void> {
    return (this.#reading ??= this.#read().finally(() => (this.#reading = undefined)));
  }

  async #tick(): Promise<void> {
    await this.refresh();
    if (this.#stopped) return;
    this.#cancel = this.#settings.clock.after(this.#settings.every, () => void this.#tick());
    this.#settings.onRead();
  }

  async #read(): Promise<void> {
    const { inventory, rollouts, onVersions } = this.#settings;
    const all = this.#readings++ % SELDOM === 0;
    try {
      const present = rollouts();
      for (const rollout of present) {
        const { uid } = rollout.metadata;
        if (!all && this.#counted.has(uid) && !isMoving(rollout)) continue;
        const counted = await inventory.counted(uid);
        if (this.#stopped) return;
        this.#take(uid, counted && byStageAndAccount(counted.rows, rollout));
      }
      const uids = new Set(present.map(({ metadata }) => metadata.uid));
      for (const uid of this.#counted.keys()) if (!uids.has(uid)) this.#counted.delete(uid);
      this.#takeMissing(missingFiles(await inventory.replicas()));
      this.#directories = await inventory.directories();
      if (!all && this.#versions !== undefined) return;
      const rows = await inventory.versions({});
      if (this.#stopped) return;
      this.#takeVersions(devicesBySystem(rows));
      onVersions(rows);
    } catch (error) {
      this.#unanswered(error);
      if (!this.#stopped) this.#away();
    }
  }

  #take(uid: string, counted: CountedRollout | undefined): void {
    const { onRollouts, onAccount } = this.#settings;
    const before = this.#counted.get(uid);
    if (counted === undefined) {
      if (this.#counted.delete(uid)) onRollouts([uid]);
      return;
    }
    this.#counted.set(uid, counted);
    if (before === undefined || !sameStages(before.stages, counted.stages)) onRollouts([uid]);
    for (const [account, numbers] of counted.accounts) {
      const known = before?.accounts.get(account);
      const pilots = !same(known?.pilots ?? NOBODY, numbers.pilots);
      if (pilots || !same(known?.all ?? NOBODY, numbers.all)) onAccount(account, pilots);
    }
  }

  #takeMissing(missing: ReadonlyMap<string, readonly MissingFile[]>): void {
    const before = this.#missing;
    this.#missing = missing;
    const changed = [...new Set([...before.keys(), ...missing.keys()])].filter((uid) => !sameFiles(before.get(uid), missing.get(uid)));
    if (changed.length > 0) this.#settings.onRollouts(changed);
  }

  #takeVersions(versions: ReadonlyMap<string, ReadonlyMap<ClientSystem, number>>): void {
    const before = this.#versions;
    this.#versions = versions;
    for (const account of new Set([...(before?.keys() ?? []), ...versions.keys()])) {
      if (!sameDevices(before?.get(account), versions.get(account))) this.#settings.onAccount(account, false);
    }
  }

  #away(): void {
    const uids = [...this.#counted.keys()];
    this.#counted.clear();
    this.#settings.onRollouts(uids);
  }

  #unanswered(error: unknown): undefined {
    if (!(error instanceof InventoryUnavailable)) this.#settings.onError("what is counted of Clients cannot be read", error);
    return undefined;
  }
}

/** Its numbers change from one moment to the next. */
const isMoving = ({ status }: ClientRollout): boolean =>
  status?.reached !== undefined && status.standingSince === undefined && status.stopped === undefined;

function byStageAndAccount(rows: readonly CountedClients[], { status }: ClientRollout): CountedRollout {
  const opened = new Set(status?.stages?.map(({ name }) => name));
  const stages = new Map<string, ClientNumbers>();
  const accounts = new Map<string, AccountNumbers>();
  for (const { account, stage, numbers, pilots } of rows) {
    stages.set(stage, sumOf(stages.get(stage), numbers));
    const known = accounts.get(account);
    const [all, own] = opened.has(stage) ? [numbers, pilots] : [notYetOpened(numbers), notYetOpened(pilots)];
    accounts.set(account, { all: sumOf(known?.all, all), pilots: sumOf(known?.pilots, own) });
  }
  return { stages, accounts };
}

const sameFiles = (one: readonly MissingFile[] = [], other: readonly MissingFile[] = []): boolean =>
  one.length === other.length &&
  one.every(({ gateway, problem }, index) => gateway === other[index]!.gateway && problem === other[index]!.problem);

function devicesBySystem(rows: readonly VersionCount[]): ReadonlyMap<string, ReadonlyMap<ClientSystem, number>> {
  const accounts = new Map<string, Map<ClientSystem, number>>();
  for (const { account, os, devices } of rows) {
    const systems = accounts.get(account) ?? new Map<ClientSystem, number>();
    accounts.set(account, systems.set(os, (systems.get(os) ?? 0) + devices));
  }
  return accounts;
}

const same = (one: ClientNumbers, other: ClientNumbers): boolean =>
  (Object.keys(NOBODY) as (keyof ClientNumbers)[]).every((name) => one[name] === other[name]);

type Devices = ReadonlyMap<ClientSystem, number> | undefined;

const sameDevices = (one: Devices, other: Devices): boolean =>
  one?.size === other?.size && [...(one ?? [])].every(([os, devices]) => other?.get(os) === devices);

const sameStages = (one: CountedRollout["stages"], other: CountedRollout["stages"]): boolean =>
  one.size === other.size && [...one].every(([stage, numbers]) => same(numbers, other.get(stage) ?? NOBODY));
