import type { AttemptEnd, Caller, ChangedKey, DeviceAttributes, DeviceInventory, Inventory, PollAnswer } from "../../control/inventory.ts";
import { afterAct, type CommandAct, type CommandRow } from "../../core/socket/command.ts";
import { type DeviceReport, isLate } from "../../core/socket/device.ts";
import type { SiteInventory } from "../../core/socket-site/observation.ts";
import { CommandRows } from "./command-rows.ts";
import { Grouped } from "./grouped.ts";
import { Tokens } from "./tokens.ts";

const DAY = 86_400_000;
const FIRST_HINT = 300_000;

interface Device extends DeviceAttributes {
  readonly account: string;
  readonly versionSeenAt?: number;
  readonly polled?: number;
  readonly hint: number;
  readonly reported?: number;
  readonly connectedSince?: number;
  readonly gaps: readonly number[];
  readonly plan?: NonNullable<PollAnswer["plan"]>;
}

type Verdict = SiteInventory["verdicts"][number];
type Notice = Parameters<Inventory["recordNotice"]>[0];

/**
 * The inventory of the simulation, in memory: what the ports say, in the shortest way, and nothing looks through all devices or rows.
 * `real` is its own clock, in milliseconds.
 */
export class MemoryInventory implements Inventory, DeviceInventory {
  readonly #real: () => number;
  readonly #devices = new Map<string, Device>();
  readonly #commands = new CommandRows();
  readonly #cancelled = new Set<string>();
  /** The first end of each command, by rollout. */
  readonly #attempts = new Grouped<AttemptEnd>();
  readonly #verdicts = new Grouped<Verdict>();
  readonly #notices = new Grouped<Notice>();
  readonly #changed = new Map<string, string>();
  readonly #listeners = new Set<() => void>();
  readonly #tokens = new Tokens();
  /** In their order; made when it is asked for. */
  #serials: readonly string[] | undefined;
  #changes = 0;

  constructor(real: () => number) {
    this.#real = real;
  }

  async site({ uid, account, serials, named }: Parameters<Inventory["site"]>[0]): Promise<SiteInventory> {
    const known = serials.flatMap((serial) => {
      const device = this.#devices.get(serial);
      return device === undefined ? [] : [[serial, device] as const];
    });
    const own = known.filter(([, device]) => device.account === account);
    const foreign = new Set(known.filter(([, device]) => device.account !== account).map(([serial]) => serial));
    const live = this.#commands.liveOf(uid);
    const asked = named === undefined ? undefined : this.#commands.get(named);
    const rows = [live, asked?.site.uid === uid ? asked : undefined].filter((row) => row !== undefined);
    const polls = commonPlan(own.map(([, device]) => device));
    return {
      devices: new Map(own.map(([serial, device]) => [serial, this.#told(serial, device)])),
      foreign,
      commands: new Map(rows.map((row) => [row.id, row])),
      verdicts: serials.filter((serial) => !foreign.has(serial)).flatMap((serial) => this.#verdicts.of(serial)),
      notices: new Map(this.#notices.of(uid).map(({ id, acceptedAt }) => [id, { acceptedAt }])),
      ...(live !== undefined && this.#cancelled.has(live.id) ? { cancelRequested: new Set([live.id]) } : {}),
      ...(polls === undefined ? {} : { polls }),
    };
  }

  async insertCommand(row: CommandRow): Promise<boolean> {
    const isFree = this.#commands.isFree(row);
    if (isFree) this.#put(row);
    return isFree;
  }

  async act(id: string, act: CommandAct, now: number): Promise<boolean> {
    return this.#acted(this.#commands.get(id), act, now) !== undefined;
  }

  async requestCancel(id: string): Promise<void> {
    if (this.#commands.get(id) !== undefined) this.#cancelled.add(id);
  }

  async endAttempt(end: AttemptEnd): Promise<void> {
    const row = this.#commands.get(end.command);
    if (row !== undefined && this.#attempts.get(row.rollout, row.id) === undefined) this.#attempts.set(row.rollout, row.id, end);
  }

  async recordVerdict({ serial, revision, failed }: Parameters<Inventory["recordVerdict"]>[0]): Promise<void> {
    this.#verdicts.set(serial, revision, { serial, revision, failed });
  }

  async recordNotice(notice: Notice): Promise<void> {
    if (this.#notices.get(notice.siteUid, notice.id) === undefined) this.#notices.set(notice.siteUid, notice.id, notice);
  }

  async planPolls({ serials, ...plan }: Parameters<Inventory["planPolls"]>[0]): Promise<void> {
    for (const serial of serials) {
      const device = this.#devices.get(serial);
      if (device !== undefined) this.#devices.set(serial, { ...device, plan });
    }
  }

  async measured(rollout: string): ReturnType<Inventory["measured"]> {
    const confirmed = this.#attempts.of(rollout).filter(({ outcome }) => outcome === "Confirmed");
    const times = confirmed.flatMap(({ command, at }) => {
      const begun = this.#commands.get(command)?.proceedingAt;
      return begun === undefined ? [] : [at - begun];
    });
    const install = times.toSorted((a, b) => a - b)[Math.ceil(times.length * 0.95) - 1];
    return { upgrades: confirmed.length, ...(install === undefined ? {} : { install }) };
  }

  async changed(limit: number): Promise<readonly ChangedKey[]> {
    return [...this.#changed].slice(0, limit).map(([serial, token]) => ({ serial, token }));
  }

  async settle(keys: readonly ChangedKey[]): Promise<void> {
    for (const { serial, token } of keys) if (this.#changed.get(serial) === token) this.#changed.delete(serial);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async devices(after: string | undefined, limit: number): Promise<readonly DeviceReport[]> {
    this.#serials ??= [...this.#devices.keys()].toSorted();
    const from = after === undefined ? 0 : firstAfter(this.#serials, after);
    return this.#serials.slice(from, from + limit).map((serial) => this.#told(serial, this.#devices.get(serial)!));
  }

  async close(): Promise<void> {
    this.#listeners.clear();
  }

  async authenticate(hash: string, now: number): Promise<Caller | undefined> {
    return this.#tokens.callerOf(hash, now);
  }

  async poll({ account, serial, hintMilliseconds }: Parameters<DeviceInventory["poll"]>[0], now: number): Promise<PollAnswer | undefined> {
    const before = this.#devices.get(serial);
    if (before?.account !== account) return undefined;
    const real = this.#real();
    const gap = before.polled !== undefined && isLate(real - before.polled, before.hint);
    const isBack = before.polled === undefined || gap;
    const device: Device = {
      ...before,
      polled: real,
      hint: hintMilliseconds,
      connectedSince: isBack ? now : (before.connectedSince ?? now),
      gaps: gap ? [...before.gaps, real].slice(-4) : before.gaps,
    };
    this.#devices.set(serial, device);
    if (isBack) this.#touch(serial);
    const live = this.#commands.liveFor(serial);
    const command = live?.account === account ? live : undefined;
    return {
      device: this.#told(serial, device),
      ...(command === undefined ? {} : { command }),
      cancel: command !== undefined && this.#cancelled.has(command.id),
      ...(device.plan === undefined ? {} : { plan: device.plan }),
    };
  }

  async report({ account, serial, attributes }: Parameters<DeviceInventory["report"]>[0], now: number): Promise<boolean> {
    const before = this.#devices.get(serial);
    if (before?.account !== account) return false;
    const isNewVersion = attributes.version !== undefined && attributes.version !== before.version;
    const differs = (Object.keys(attributes) as (keyof DeviceAttributes)[]).some((key) => attributes[key] !== before[key]);
    this.#devices.set(serial, { ...before, ...attributes, reported: this.#real(), ...(isNewVersion ? { versionSeenAt: now } : {}) });
    if (differs) this.#touch(serial);
    return differs;
  }

  async give(of: Parameters<DeviceInventory["give"]>[0], now: number): Promise<CommandRow | undefined> {
    return this.#acted(this.#row(of), "give", now);
  }

  async feedback(
    of: Parameters<DeviceInventory["feedback"]>[0],
    act: Parameters<DeviceInventory["feedback"]>[1],
    said: string | undefined,
    now: number,
  ): Promise<"Changed" | "Repeated" | "NotYours"> {
    const row = this.#row(of);
    if (row === undefined || row.givenAt === undefined) return "NotYours";
    const after = afterAct(row, act, now);
    if (after === undefined || after.state === row.state) return "Repeated";
    this.#put({ ...after, ...(said === undefined ? {} : { said }) });
    return "Changed";
  }

  async enroll(device: Parameters<DeviceInventory["enroll"]>[0]): ReturnType<DeviceInventory["enroll"]> {
    const { account, serial } = device;
    if (serial === undefined) return this.#tokens.add(device) === 0 ? "Enrolled" : "Rotated";
    const before = this.#devices.get(serial);
    if (before !== undefined && before.account !== account) return "OfAnotherAccount";
    if (before === undefined) {
      this.#devices.set(serial, { account, hint: FIRST_HINT, gaps: [] });
      this.#serials = undefined;
    }
    this.#tokens.add(device);
    this.#touch(serial);
    return before === undefined ? "Enrolled" : "Rotated";
  }

  #row({ account, serial, action }: Parameters<DeviceInventory["give"]>[0]): CommandRow | undefined {
    const row = this.#commands.numbered(serial, action);
    return row?.account === account ? row : undefined;
  }

  #acted(row: CommandRow | undefined, act: CommandAct, now: number): CommandRow | undefined {
    const after = row && afterAct(row, act, now);
    if (after !== undefined) this.#put(after);
    return after;
  }

  #put(row: CommandRow): void {
    this.#commands.put(row);
    this.#touch(row.serial);
  }

  #touch(serial: string): void {
    this.#changes += 1;
    this.#changed.set(serial, String(this.#changes));
    for (const listener of this.#listeners) listener();
  }

  #told(serial: string, device: Device): DeviceReport {
    const real = this.#real();
    const { account, model, version, versionSeenAt, pop, polled, reported, connectedSince, haState, keepalive } = device;
    return {
      serial,
      account,
      ...(model === undefined ? {} : { model }),
      ...(version === undefined ? {} : { version }),
      ...(versionSeenAt === undefined ? {} : { versionSeenAt }),
      ...(haState === undefined ? {} : { ha: { state: haState, keepalive: keepalive ?? false } }),
      ...(pop === undefined ? {} : { pop }),
      prefetches: device.prefetch ?? false,
      ...(polled === undefined ? {} : { polledMilliseconds: real - polled }),
      hintMilliseconds: device.hint,
      ...(reported === undefined ? {} : { attributesMilliseconds: real - reported }),
      gaps: device.gaps.filter((gap) => real - gap < DAY).length,
      ...(connectedSince === undefined ? {} : { connectedSince }),
    };
  }
}

/** The plan that all of them have (rule S14). */
function commonPlan(devices: readonly Device[]): SiteInventory["polls"] {
  const [first, ...others] = devices.map(({ plan }) => plan);
  const isSame = (plan: typeof first) => plan?.from === first?.from && plan?.until === first?.until && plan?.first === first?.first;
  return others.every(isSame) ? first : undefined;
}

/** Where in the sorted list the first one greater than `after` stands. */
function firstAfter(sorted: readonly string[], after: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}
