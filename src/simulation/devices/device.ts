import type { DeviceAttributes } from "../../control/inventory.ts";
import type { Clock } from "../../runtime/clock.ts";
import { seededRandom } from "../clock.ts";
import type { Agenda } from "./agenda.ts";
import { type Behaviour, type DeviceTimes, reaches, timesOf, USUAL_TIMES } from "./behaviour.ts";
import type { DeviceGateway, PollReply, Word } from "./device-gateway.ts";
import type { DeviceLedger, LedgerEntry } from "./device-ledger.ts";
import { PairLink } from "./pair-link.ts";

export interface DeviceSettings {
  readonly account: string;
  readonly serial: string;
  readonly model: string;
  readonly version: string;
  /** The PoP that it is connected to. */
  readonly pop?: string;
  readonly clock: Clock;
  readonly agenda: Agenda;
  readonly gateway: DeviceGateway;
  readonly behaviour?: Behaviour;
  readonly times?: Partial<DeviceTimes>;
  /** The same link for both Sockets of a pair. */
  readonly link?: PairLink;
  /** Spreads first polls and the hours of the flaky; the same seed behaves the same. */
  readonly seed?: number;
}

/** Before the first answer of a gateway, and while none comes. */
const FIRST_SLEEP = 300_000;
const SAY_AGAIN = 30_000;

/** One Socket in the field: polls as it is told, installs as it behaves, and writes down what it was told and ran. */
export class Device {
  readonly serial: string;
  readonly account: string;
  readonly model: string;
  readonly ledger: DeviceLedger;
  readonly link: PairLink;
  behaviour: Behaviour;
  pop: string | undefined;
  #version: string;
  readonly #settings: DeviceSettings;
  readonly #phase: number;
  readonly #fetched = new Set<number>();
  /** What it believes to have told of itself. */
  #told = "";
  #sleep = FIRST_SLEEP;
  #inHand: LedgerEntry | undefined;
  /** Grows when its life is cut: whatever waited before does not go on. */
  #life = 0;
  #state: "New" | "On" | "Installing" | "Off" = "New";
  #nextPoll: (() => void) | undefined;

  constructor(settings: DeviceSettings) {
    const { account, serial, model, version, behaviour = "ok", link = new PairLink([serial]), seed = 1, pop } = settings;
    this.serial = serial;
    this.account = account;
    this.model = model;
    this.behaviour = behaviour;
    this.link = link;
    this.pop = pop;
    this.#version = version;
    this.#settings = settings;
    this.#phase = seededRandom(seed)();
    this.ledger = { account, serial, entries: [], absences: [], polls: 0, offers: 0 };
  }

  get version(): string {
    return this.#version;
  }

  /** Powered, and not away for an installation: it carries traffic, or would. */
  get isUp(): boolean {
    return this.#state === "On" || this.#state === "New";
  }

  /** Begins to poll within its first interval, which is `withinMilliseconds` long. */
  start(withinMilliseconds = this.#sleep): void {
    if (this.#state !== "New") return;
    this.#state = "On";
    this.#pollAfter(this.#phase * withinMilliseconds);
  }

  /** The power is cut, also in the middle of an installation. */
  unplug(): void {
    if (this.#state === "Off") return;
    this.#cut();
    this.#state = "Off";
    this.link.down(this.serial);
    this.#absent("Unplugged");
  }

  /** The power is back: what it was installing was not finished, and it runs what it ran before. */
  plug(): void {
    if (this.#state !== "Off") return;
    this.#state = "On";
    this.link.up(this.serial);
    this.#present();
    const entry = this.#inHand;
    this.#inHand = undefined;
    if (entry?.ranFrom !== undefined && entry.outcome === undefined) void this.#comeBack(entry, "RolledBack");
    this.#pollAfter(0);
  }

  /** Somebody installed a version by hand, past every window (the demo's mishap). */
  installByHand(version: string): void {
    this.#version = version;
    this.#pollAfter(0);
  }

  /** Does nothing any more; its ledger stays. */
  stop(): void {
    this.#cut();
    this.#state = "Off";
  }

  #cut(): void {
    this.#life += 1;
    this.#nextPoll?.();
    this.#nextPoll = undefined;
  }

  #absent(why: "Unplugged" | "Unreachable"): void {
    if (this.ledger.absences.at(-1)?.until === undefined && this.ledger.absences.length > 0) return;
    this.ledger.absences.push({ from: this.#settings.clock.now(), why });
  }

  #present(): void {
    const last = this.ledger.absences.at(-1);
    if (last !== undefined) last.until ??= this.#settings.clock.now();
  }

  #pollAfter(milliseconds: number): void {
    this.#nextPoll?.();
    const life = this.#life;
    this.#nextPoll = this.#settings.agenda.after(milliseconds, async () => {
      if (life !== this.#life || this.#state !== "On") return;
      await this.#poll();
      if (life === this.#life && this.#state === "On") this.#pollAfter(this.#sleep);
    });
  }

  #reaches(): boolean {
    const { clock, times } = this.#settings;
    return reaches(this.behaviour, { ...USUAL_TIMES, ...times }, clock.elapsed(), this.#phase);
  }

  async #poll(): Promise<void> {
    if (!this.#reaches()) return this.#absent("Unreachable");
    this.#present();
    this.ledger.polls += 1;
    const life = this.#life;
    const answer = await this.#settings.gateway.poll();
    if (answer === undefined || life !== this.#life) return;
    this.#sleep = answer.sleepMilliseconds;
    await this.#tell(answer);
    if (life !== this.#life) return;
    if (answer.cancel !== undefined) await this.#cancel(answer.cancel);
    else if (answer.deployment !== undefined) await this.#offered(answer.deployment);
  }

  /** Its attributes, when it is asked for them and when they changed. */
  async #tell({ configData }: Pick<PollReply, "configData">): Promise<void> {
    const attributes = this.#attributes();
    const said = JSON.stringify(attributes);
    if (!configData && said === this.#told) return;
    if (await this.#settings.gateway.report(attributes)) this.#told = said;
  }

  #attributes(): DeviceAttributes {
    const ha = {
      haState: this.link.isActive(this.serial) ? ("Active" as const) : ("Standby" as const),
      keepalive: this.link.keepalive(this.serial),
    };
    return {
      version: this.#version,
      model: this.model,
      ...(this.link.isPair ? ha : {}),
      ...(this.pop === undefined ? {} : { pop: this.pop }),
      prefetch: this.behaviour === "prefetch",
    };
  }

  /** It drops what it has not begun; one that starts late does not listen. */
  async #cancel(action: number): Promise<void> {
    const entry = this.#inHand;
    if (entry?.action !== action || entry.ranFrom !== undefined || this.behaviour === "lateStart") return;
    this.#life += 1;
    this.#inHand = undefined;
    entry.outcome = "Canceled";
    entry.versionAfter = this.#version;
    await this.#settings.gateway.say(action, "canceled");
    this.#pollAfter(this.#sleep);
  }

  async #offered(action: number): Promise<void> {
    this.ledger.offers += 1;
    if (this.#inHand !== undefined) return;
    const known = this.ledger.entries.find((entry) => entry.action === action);
    // Told and done: the gateway has not heard how it ended.
    if (known?.outcome !== undefined) return void (await this.#settings.gateway.say(action, WORDS[known.outcome]));
    const life = this.#life;
    const answer = await this.#settings.gateway.deployment(action);
    if (answer === undefined || life !== this.#life) return;
    const entry = known ?? this.#write(action, answer.version);
    if (!answer.install) return this.#fetchAhead(entry);
    entry.toldAt.push(this.#settings.clock.now());
    entry.wasActive ??= this.link.isActive(this.serial);
    this.#inHand = entry;
    void this.#install(entry);
  }

  #write(action: number, version: string): LedgerEntry {
    const entry: LedgerEntry = { action, version, versionBefore: this.#version, toldAt: [] };
    this.ledger.entries.push(entry);
    return entry;
  }

  #fetchAhead(entry: LedgerEntry): void {
    if (entry.aheadAt !== undefined) return;
    entry.aheadAt = this.#settings.clock.now();
    void (async () => {
      await this.#wait(this.#times().download);
      this.#fetched.add(entry.action);
      await this.#say(entry.action, "downloaded");
    })();
  }

  async #install(entry: LedgerEntry): Promise<void> {
    const { behaviour } = this;
    const times = this.#times();
    if (behaviour === "liesSuccess") return this.#ended(entry, "Lied");
    if (behaviour === "lateStart") await this.#wait(times.lateBy);
    await this.#say(entry.action, "proceeding");
    if (!this.#fetched.has(entry.action)) await this.#wait(times.download);
    if (behaviour === "fails") return this.#ended(entry, "Failed");
    entry.ranFrom = this.#settings.clock.now();
    this.#state = "Installing";
    this.link.down(this.serial);
    await this.#wait(times.install);
    this.#state = "On";
    this.link.up(this.serial);
    await this.#comeBack(entry, behaviour === "rollsBack" ? "RolledBack" : "Installed");
  }

  /** Back from an installation: it says what it runs before it says how it went. */
  async #comeBack(entry: LedgerEntry, outcome: "Installed" | "RolledBack"): Promise<void> {
    entry.ranUntil = this.#settings.clock.now();
    if (outcome === "Installed") this.#version = entry.version;
    entry.outcome = outcome;
    entry.versionAfter = this.#version;
    if (this.#reaches()) await this.#tell({ configData: true });
    this.#pollAfter(0);
    await this.#ended(entry, outcome);
  }

  async #ended(entry: LedgerEntry, outcome: NonNullable<LedgerEntry["outcome"]>): Promise<void> {
    entry.outcome = outcome;
    entry.versionAfter = this.#version;
    this.#inHand = undefined;
    await this.#say(entry.action, WORDS[outcome]);
  }

  /** Says it until somebody has heard it. */
  async #say(action: number, word: Word): Promise<void> {
    for (;;) {
      if (this.#reaches() && (await this.#settings.gateway.say(action, word)) !== "Unheard") return;
      await this.#wait(SAY_AGAIN);
    }
  }

  #times(): DeviceTimes {
    return timesOf(this.behaviour, { ...USUAL_TIMES, ...this.#settings.times });
  }

  /** Never resolves when its life was cut meanwhile. */
  #wait(milliseconds: number): Promise<void> {
    const life = this.#life;
    return new Promise((resolve) => {
      this.#settings.agenda.after(milliseconds, () => {
        if (life === this.#life) resolve();
        return Promise.resolve();
      });
    });
  }
}

const WORDS: Readonly<Record<NonNullable<LedgerEntry["outcome"]>, Word>> = {
  Installed: "success",
  Lied: "success",
  Failed: "failure",
  RolledBack: "failure",
  Canceled: "canceled",
};
