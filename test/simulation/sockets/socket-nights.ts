import type { SocketRolloutSpec } from "../../../src/api/socket-rollout.ts";
import type { Inventory } from "../../../src/control/inventory.ts";
import type { Notices } from "../../../src/control/notices.ts";
import { SocketStory, type SocketStoryOptions } from "../../scenarios/socket-story.ts";
import { FaultyOperator, type FaultyOperatorOptions } from "../faulty-operator.ts";
import { breachesOf, type Evidence, EXPECTED, type JudgedRelease, type JudgedSite, starvedBy, type TakenNotice } from "./judge.ts";
import { type FrozenDays, MINUTE, SECOND, SUNDAY_NIGHT } from "./slots.ts";

export interface NightsOptions extends Omit<SocketStoryOptions, "fleet"> {
  readonly freezes?: readonly FrozenDays[];
}

export interface NightOperatorOptions extends Omit<FaultyOperatorOptions, "devices"> {
  /** The ports as a bad operator believes them to be. */
  readonly inventory?: (inventory: Inventory) => Inventory;
  readonly notices?: (notices: Notices) => Notices;
}

/**
 * The whole stack through nights of upgrades: API server, operators that may fail, inventory, gateway, devices and a receiver of notices
 * on one virtual clock; and the judge, who reads the devices' ledgers and what the receiver took, and nothing that an operator wrote.
 */
export class SocketNights {
  readonly story: SocketStory;
  readonly operators: FaultyOperator[] = [];
  readonly releases: JudgedRelease[] = [];
  readonly taken: TakenNotice[] = [];
  readonly #options: NightsOptions;
  readonly #pauses: { readonly from: number; until: number }[] = [];
  /** Tellings that a person asked for. */
  readonly #asked = new Set<string>();

  private constructor(story: SocketStory, options: NightsOptions) {
    this.story = story;
    this.#options = options;
    const { sink, clock } = story.world;
    const send = sink.send.bind(sink);
    sink.send = async (notice) => {
      const took = await send(notice);
      const { site, version, kind } = notice;
      if (took) this.taken.push({ site: `${site.namespace}/${site.name}`, version, kind, takenAt: clock.now() });
      return took;
    };
  }

  /** Sites whose Sockets have reported, and no operator yet. */
  static async begin(options: NightsOptions): Promise<SocketNights> {
    const { freezes = [], ...rest } = options;
    const fleet = { freezes: freezes.map(({ from, to }, index) => ({ name: `freeze-${index}`, from, to })) };
    const story = await SocketStory.begin({ ...rest, fleet });
    story.world.operators.at(-1)!.crash();
    return new SocketNights(story, options);
  }

  get now(): number {
    return this.story.now;
  }

  operator({ inventory = same, notices = same, ...options }: NightOperatorOptions = {}): FaultyOperator {
    const { world } = this.story;
    const devices = { inventory: inventory(world.inventory), notices: notices(world.sink) };
    const operator = new FaultyOperator(world, { ...options, devices });
    this.operators.push(operator);
    return operator;
  }

  /** The first operator of them that lives, or the next one after a few seconds: whoever dies is replaced. */
  replaceTheDead(): void {
    const { clock } = this.story.world;
    const tick = (): void => {
      if (this.operators.every(({ alive }) => !alive))
        this.operator({ name: `after-${this.operators.length}`, seed: this.operators.length });
      clock.after(3 * SECOND, tick);
    };
    clock.after(3 * SECOND, tick);
  }

  /** A version for everybody from now on. */
  async announce(version: string, spec: Partial<SocketRolloutSpec> = {}, name?: string): Promise<void> {
    this.releases.push({ version, announcedAt: this.now, expected: EXPECTED });
    await this.story.rollout(version, spec, name);
  }

  /** A person pauses the Fleet, or lets it go on. */
  async pause(paused: boolean): Promise<void> {
    const last = this.#pauses.at(-1);
    if (paused === (last?.until === Infinity)) return;
    if (!paused && last !== undefined) last.until = this.now;
    await this.story.editFleet({ paused });
    if (paused) this.#pauses.push({ from: this.now, until: Infinity });
  }

  asked(serial: string): void {
    this.#asked.add(serial);
  }

  evidence(): Evidence {
    const sites = this.#options.sites.map(({ namespace, name, timeZone, sockets }): JudgedSite => ({
      key: `${namespace}/${name}`,
      timeZone,
      slot: SUNDAY_NIGHT,
      serials: sockets.map(({ serial }) => serial),
      freezes: this.#options.freezes ?? [],
    }));
    const { releases, taken: notices, story } = this;
    return { sites, releases, notices, ledgers: story.devices.ledgers(), pauses: this.#pauses, asked: (serial) => this.#asked.has(serial) };
  }

  breaches(): string[] {
    return breachesOf(this.evidence());
  }

  starved(version: string): string[] {
    const release = this.releases.findLast((one) => one.version === version)!;
    return starvedBy(this.evidence(), release, this.now).map(({ sentence }) => sentence);
  }

  /** What was told by notices of a kind, by site. */
  notified(kind: string): readonly TakenNotice[] {
    return this.taken.filter((notice) => notice.kind === kind);
  }

  async untilDate(instant: string): Promise<void> {
    await this.story.untilDate(instant);
  }

  /** Until a device's ledger says so, looked at every few seconds. */
  async untilLedgers(says: () => boolean, limitMilliseconds: number, waitingFor: string): Promise<void> {
    for (const end = this.now + limitMilliseconds; !says();) {
      if (this.now >= end) throw new Error(`${waitingFor} did not come within ${limitMilliseconds / MINUTE} min\n${this.story.describe()}`);
      await this.story.pass(5 * SECOND);
    }
  }
}

const same = <Port>(port: Port): Port => port;
