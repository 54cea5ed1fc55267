import type { AttemptEnd, Caller, ChangedKey, DeviceAttributes, DeviceInventory, Inventory, PollAnswer } from "../../control/inventory.ts";
import { afterAct, type CommandAct, type CommandRow, isOver } from "../../core/socket/command.ts";
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
  #devices = new Map<string, Device>();
  #commands = new CommandRows();
  readonly #cancelled = new Set<string>();
  /** The first end of each command, by rollout. */
  #attempts = new Grouped<AttemptEnd>();
  #verdicts = new Grouped<Verdict>();
  #notices = new Grouped<Notice>();
  readonly #changed = new Map<string, string>();
  readonly #listeners = new Set<() => void>();
  readonly #tokens = new Tokens();
  /** The audit trail: who did what, in the order in which it was done. */
  readonly audit: { readonly at: number; readonly act: string; readonly by: string; readonly serial?: string }[] = [];
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
    if (!this.#commands.isFree(row)) this.#endLeft(row);
    const isFree = this.#commands.isFree(row);
    if (isFree) this.#put(row);
    return isFree;
  }

  async act(id: string, act: CommandAct, now: number): Promise<boolean> {
    return this.#acted(this.#commands.get(id), act, "operator", now) !== undefined;
  }

  async requestCancel(id: string, now: number): Promise<void> {
    const row = this.#commands.get(id);
    if (row === undefined || isOver(row.state) || this.#cancelled.has(id)) return;
    this.#cancelled.add(id);
    this.audit.push({ at: now, act: "ask to cancel", by: "operator", serial: row.serial });
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

  async writable(): Promise<void> {}

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

  /**
   * Copies what is known now, and returns the restoring of that copy: rows, reports, verdicts and notices of then. Tokens stay, because
   * devices would only be refused; what changed is told anew, as by a store that is opened.
   */
  backup(): () => void {
    const devices = new Map(this.#devices);
    const commands = this.#commands.copy();
    const [attempts, verdicts, notices] = [this.#attempts.copy(), this.#verdicts.copy(), this.#notices.copy()];
    return () => {
      // Who was enrolled since is not there either; a device that nobody knows polls in vain until it is enrolled again.
      this.#devices = new Map(devices);
      this.#commands = commands.copy();
      this.#attempts = attempts.copy();
      this.#verdicts = verdicts.copy();
      this.#notices = notices.copy();
      this.#cancelled.clear();
      this.#serials = undefined;
      for (const serial of devices.keys()) this.#touch(serial);
    };
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

  async storeTime(): Promise<number> {
    return this.#real();
  }

  async reports({ account, serials }: Parameters<DeviceInventory["reports"]>[0]): Promise<readonly DeviceReport[]> {
    return serials.flatMap((serial) => {
      const device = this.#devices.get(serial);
      return device?.account === account ? [this.#told(serial, device)] : [];
    });
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
    return this.#acted(this.#row(of), "give", "gateway", now);
  }

  async given(of: Parameters<DeviceInventory["given"]>[0]): Promise<CommandRow | undefined> {
    const row = this.#row(of);
    return row?.givenAt === undefined ? undefined : row;
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
    this.audit.push({ at: now, act, by: "device", serial: row.serial });
    return "Changed";
  }

  async enroll(device: Parameters<DeviceInventory["enroll"]>[0]): ReturnType<DeviceInventory["enroll"]> {
    const { account, serial, at } = device;
    const before = serial === undefined ? undefined : this.#devices.get(serial);
    if (before !== undefined && before.account !== account) return "OfAnotherAccount";
    if (!this.#tokens.isFree(device)) return "TokenTaken";
    const tokens = this.#tokens.add(device);
    const isNew = serial === undefined ? tokens === 0 : before === undefined;
    this.audit.push({ at, act: isNew ? "enroll" : "rotate token", by: "registry", ...(serial === undefined ? {} : { serial }) });
    if (serial !== undefined && isNew) {
      this.#devices.set(serial, { account, hint: FIRST_HINT, gaps: [] });
      this.#serials = undefined;
    }
    if (serial !== undefined) this.#touch(serial);
    return isNew ? "Enrolled" : "Rotated";
  }

  #row({ account, serial, action }: Parameters<DeviceInventory["give"]>[0]): CommandRow | undefined {
    const row = this.#commands.numbered(serial, action);
    return row?.account === account ? row : undefined;
  }

  #acted(row: CommandRow | undefined, act: CommandAct, by: "operator" | "gateway", now: number): CommandRow | undefined {
    const after = row && afterAct(row, act, now);
    if (row === undefined || after === undefined) return undefined;
    // Given again is as it was: there is nothing to look at.
    if (act === "give" && row.givenAt !== undefined) return after;
    this.#put(after);
    this.audit.push({ at: now, act, by, serial: row.serial });
    return after;
  }

  /** What a site that is gone left behind keeps its Socket while it may be given; one that was given, a week longer (rule S1). */
  #endLeft({ serial, site, notBefore }: CommandRow): void {
    const left = this.#commands.liveFor(serial);
    if (left === undefined || left.site.uid === site.uid) return;
    const act = left.state === "Open" ? "withdraw" : "giveUp";
    const after = afterAct(left, act, notBefore);
    if (after === undefined || notBefore - left.notAfter < (act === "withdraw" ? 1 : 7 * DAY)) return;
    this.#commands.put(after);
    this.audit.push({ at: notBefore, act, by: "operator", serial });
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
