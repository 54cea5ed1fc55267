import type { RolloutView } from "../../../src/core/socket/rollout-view.ts";
import { rolloutView } from "../../../src/core/socket/rollout-view.examples.ts";
import { seededRandom, VirtualClock } from "../../../src/simulation/clock.ts";
import { DeviceFleet, type PlannedSite } from "../../../src/simulation/devices/device-fleet.ts";
import { DirectGateway } from "../../../src/simulation/devices/direct.ts";
import { MemoryInventory } from "../../../src/simulation/devices/inventory.ts";
import { NoticeSink } from "../../../src/simulation/devices/notice-sink.ts";
import { type Evidence, EXPECTED, type JudgedRelease, pieceOf, type TakenNotice } from "./judge.ts";
import { type SiteFacts, SiteLoop } from "./site-loop.ts";
import { DAY, HOUR, MINUTE, reads, SECOND, slotsBetween, SUNDAY_NIGHT, WEEK } from "./slots.ts";

/** Shorter than what counts as a gap: years of nights pass in hours of elapsed time, and gaps of a day are counted by that (rule S4). */
const TIMES = { download: MINUTE, install: 2 * MINUTE };
const HINTS = { ordinary: 5 * MINUTE, near: MINUTE };
/** The calendar goes on in steps of this at most, and after each one the devices get time for a poll or two. */
const LONGEST_SKIP = 12 * HOUR;
const POLL_OR_TWO = 6 * MINUTE;
/** A look at least so often while devices are at work: what ages is seen. What they report is seen at once. */
const LOOK_EVERY = 5 * MINUTE;
/** Before a slot begins and after it has ended, time is not skipped. */
const BEFORE = 45 * MINUTE;
const AFTER = 35 * MINUTE;

/** Whoever lives in one zone through years of announcements: one site, a single Socket or a pair. */
export class ZoneLife {
  readonly clock: VirtualClock;
  readonly site: PlannedSite;
  readonly fleet: DeviceFleet;
  readonly loop: SiteLoop;
  readonly releases: JudgedRelease[] = [];
  readonly taken: TakenNotice[] = [];
  readonly #facts: SiteFacts = { rollouts: [], fleet: { paused: false, freezes: [], minimumNotice: 48 * HOUR } };
  readonly #inventory: MemoryInventory;
  readonly #zone: string;

  private constructor(zone: string, pair: boolean, from: number) {
    this.#zone = zone;
    this.clock = new VirtualClock(from);
    this.#inventory = new MemoryInventory(() => this.clock.elapsed());
    const sockets = ["S-1", "S-2"].slice(0, pair ? 2 : 1);
    const [namespace, name, account, model] = ["acme", "site", "acme", "X1600"];
    this.site = {
      namespace,
      name,
      account,
      model,
      timeZone: zone,
      sockets: sockets.map((serial, nth) => ({ serial, role: nth === 0 ? "Primary" : "Secondary", behaviour: "ok" })),
    };
    const { clock } = this;
    const inventory = this.#inventory;
    this.loop = new SiteLoop(this.site, this.#facts, { clock, inventory, sink: this.#sink() });
    this.fleet = new DeviceFleet({
      clock,
      sites: [this.site],
      version: "17.0",
      slotMilliseconds: 5_000,
      times: TIMES,
      gatewayOf: (device) =>
        new DirectGateway({ clock, inventory, hints: HINTS, viewOf: (row) => Promise.resolve(this.loop.view(row)) }, device),
    });
  }

  static async begin(zone: string, pair: boolean, from: number): Promise<ZoneLife> {
    const life = new ZoneLife(zone, pair, from);
    const { clock, site, fleet } = life;
    for (const { serial } of site.sockets)
      await life.#inventory.enroll({ serial, account: "acme", tokenHash: serial, at: clock.now(), oldTokensUntil: clock.now() });
    life.#inventory.onChange(() => void life.loop.look());
    fleet.start();
    await clock.advance(2 * POLL_OR_TWO);
    return life;
  }

  #sink(): NoticeSink {
    const sink = new NoticeSink();
    const send = sink.send.bind(sink);
    sink.send = async (notice) => {
      const took = await send(notice);
      if (took) this.taken.push({ site: this.loop.key, version: notice.version, takenAt: this.clock.now() });
      return took;
    };
    return sink;
  }

  /** A version is announced, and life goes on until the night after its first allowed one. */
  async announce(version: string): Promise<void> {
    const announcedAt = this.clock.now();
    this.releases.push({ version, announcedAt, expected: EXPECTED });
    this.#facts.rollouts = [announced(version, announcedAt)];
    await this.loop.look();
    const piece = pieceOf({ expected: EXPECTED }, this.site.sockets.length);
    const slots = slotsBetween(this.#zone, SUNDAY_NIGHT, announcedAt + 48 * HOUR, announcedAt + 4 * WEEK);
    const first = slots.find(({ start, end }) => end - start >= piece)!;
    await this.liveUntil(first.end + AFTER);
  }

  /** Time passes in full around each slot, and in long steps elsewhere: what would begin there is not missed. */
  async liveUntil(end: number): Promise<void> {
    const { clock, loop } = this;
    while (clock.now() < end) {
      const now = clock.now();
      const slot = slotsBetween(this.#zone, SUNDAY_NIGHT, now - DAY, end + DAY).find((one) => one.end + AFTER > now);
      const [from, until] = slot === undefined ? [end, end] : [slot.start - BEFORE, Math.min(end, slot.end + AFTER)];
      if (now >= from) {
        while (clock.now() < until) {
          const due = loop.wakeAt === undefined ? Infinity : Math.max(SECOND, loop.wakeAt - clock.now());
          await clock.advance(Math.min(LOOK_EVERY, due, until - clock.now()));
          await loop.look();
        }
      } else {
        const wake = loop.wakeAt !== undefined && loop.wakeAt > now ? loop.wakeAt : Infinity;
        const skipped = Math.min(from, end, now + LONGEST_SKIP, wake);
        await clock.skipTo(skipped);
        await loop.look();
        if (skipped < from) await clock.advance(POLL_OR_TWO);
      }
    }
  }

  evidence(): Evidence {
    const serials = this.site.sockets.map(({ serial }) => serial);
    return {
      sites: [{ key: this.loop.key, timeZone: this.#zone, slot: SUNDAY_NIGHT, serials }],
      releases: this.releases,
      ledgers: this.fleet.ledgers(),
      notices: this.taken,
    };
  }

  stop(): void {
    this.fleet.stop();
  }
}

function announced(version: string, at: number): RolloutView {
  const instant = new Date(at).toISOString();
  const view = rolloutView();
  return {
    ...view,
    name: `socket-${version}`,
    uid: `rollout-${version}`,
    revision: `${version}-9f86d081`,
    spec: { ...view.spec, version },
    announcedAt: at,
    seenAt: at,
    ramp: { step: 0, percent: 100, opened: [{ percent: 100, at: instant }] },
  };
}

const FIRST = Date.parse("2024-01-01T00:00:00Z");
const YEARS = 5;
const WEEKS = Math.floor((YEARS * 366 * DAY) / WEEK);

/** The weeks, by number from 2024 on, in which the clock of a zone is set. */
export function weeksOfChange(zone: string): number[] {
  const offset = (at: number): number => Date.parse(`${reads(zone, at).replace(" ", "T")}Z`) - at;
  const weeks = Array.from({ length: WEEKS }, (_, week) => week);
  const offsets = [...weeks, WEEKS].map((week) => offset(FIRST + week * WEEK));
  return weeks.filter((week) => offsets[week] !== offsets[week + 1]);
}

/** Announcements of each of these weeks, at an instant that a seed decides: some reach the Sunday that follows, some the one after it. */
export async function liveThrough(zone: string, pair: boolean, weeks: readonly number[], seed: number): Promise<ZoneLife> {
  const random = seededRandom(seed);
  const life = await ZoneLife.begin(zone, pair, FIRST + ((weeks[0] ?? 0) - 1) * WEEK);
  for (const [index, week] of weeks.entries()) {
    // Never exactly on a slot's edge less the notice: the instants of statuses are whole seconds.
    const at = FIRST + week * WEEK + Math.floor(random() * (WEEK - DAY));
    if (at < life.clock.now()) continue;
    await life.clock.skipTo(at);
    await life.loop.look();
    await life.announce(`18.${index + 1}`);
  }
  life.stop();
  return life;
}
