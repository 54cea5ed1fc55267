import { appendFileSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fleet } from "../../../src/api/fleet.ts";
import type { PopCluster } from "../../../src/api/pop-cluster.ts";
import type { PopRollout } from "../../../src/api/pop-rollout.ts";
import { FLEET, POP_CLUSTER, POP_ROLLOUT } from "../../../src/api/resources.ts";
import { parseDuration } from "../../../src/core/time/duration.ts";
import { FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import type { RealWorld } from "../rolls/real-world.ts";

const SECOND = 1_000;
const HOUR = 3_600_000;
/** Nobody has written for so long, by the machine's clock: then nothing is under way. */
const QUIET = 500;
/** What was due is named no more within so long, by the machine's clock, or nobody takes it up. */
const TAKEN_UP = 30 * SECOND;
/** What is due so soon is waited for. */
const SOON = 2 * SECOND;
/** Nothing that nobody named is passed over by more. */
const LONGEST_STEP = 12 * HOUR;
const LOOK_EVERY = 50;

export interface Sight {
  readonly fleet: Fleet;
  readonly pops: readonly PopCluster[];
  readonly rollouts: readonly PopRollout[];
}

/**
 * Takes the calendar through weeks: it runs as fast as the machine's clock while anything moves, and is set forward to the next instant
 * that an object names when nothing does. It knows nothing of any plan: what would begin unannounced is found hours late, not hidden. Each
 * change of the calendar is one line of the journal, from which wall time is read as calendar time afterwards.
 */
export class Pacing {
  readonly #world: RealWorld;
  readonly #journal: string;
  /** When a node that is verified is warm: real time does nothing for it until then. */
  warmAt: (node: string) => number | undefined = () => undefined;

  constructor(world: RealWorld, journal: string) {
    this.#world = world;
    this.#journal = journal;
    this.#note();
  }

  get now(): number {
    return this.#world.calendar.now();
  }

  /** Until `enough`; asked only when nothing moves. Rejects after so many real milliseconds. */
  async passUntil(enough: (sight: Sight) => boolean, waitingFor: string, limit = 240_000): Promise<Sight> {
    const end = performance.now() + limit;
    let last = "";
    let changedAt = performance.now();
    let landed: { readonly on: number; readonly at: number } | undefined;
    for (;;) {
      const sight = await this.#look();
      const text = JSON.stringify([sight.fleet, ...sight.pops, ...sight.rollouts].map(({ metadata }) => metadata.resourceVersion));
      if (text !== last) [last, changedAt] = [text, performance.now()];
      if (enough(sight)) return sight;
      if (performance.now() > end) throw new Error(`${waitingFor} did not come until ${new Date(this.now).toISOString()}: ${told(sight)}`);
      const quiet = performance.now() - changedAt >= QUIET;
      const warm = warmingOf(sight, this.warmAt);
      const named = [...duesOf(sight), ...warm.values()];
      // That something else was written in between says nothing of what was due.
      const answered = landed === undefined || !named.includes(landed.on) || performance.now() - landed.at >= TAKEN_UP;
      const dues = named.filter((due) => due > this.now);
      const next = Math.min(...dues, this.now + LONGEST_STEP);
      if (!quiet || !answered || moves(sight, this.now, warm) || next - this.now < SOON) {
        await sleep(LOOK_EVERY);
        continue;
      }
      await this.jumpTo(next);
      landed = dues.includes(next) ? { on: next, at: performance.now() } : undefined;
      changedAt = performance.now();
    }
  }

  async jumpTo(calendar: number): Promise<void> {
    await this.#world.calendar.jumpTo(calendar);
    this.#note();
  }

  /** The clock's own file, as every process follows it. */
  #note(): void {
    const { calendar, real, rate } = JSON.parse(readFileSync(this.#world.clockFile, "utf8")) as Record<string, number>;
    appendFileSync(this.#journal, `${JSON.stringify({ calendar, real, rate })}\n`);
  }

  async #look(): Promise<Sight> {
    const { cluster } = this.#world;
    const [fleet, pops, rollouts] = await Promise.all([
      cluster.get<Fleet>(FLEET, "fleet", FLEET_NAMESPACE),
      cluster.list<PopCluster>(POP_CLUSTER, { namespace: FLEET_NAMESPACE }),
      cluster.list<PopRollout>(POP_ROLLOUT, { namespace: FLEET_NAMESPACE }),
    ]);
    return { fleet: fleet!, pops, rollouts };
  }
}

const milliseconds = (text: string): number => parseDuration(text) ?? 0;

/** Something is in hand that takes real time: sockets, pods, grants on their way. */
function moves({ fleet, pops }: Sight, now: number, warm: ReadonlyMap<string, number>): boolean {
  return pops.some(({ metadata, spec, status = {} }) => {
    const { nodes = [], grant } = status;
    if (nodes.some(({ name, step }) => step === "Updating" && !warm.has(name))) return true;
    const drains = nodes.filter(({ step }) => step === "Claimed");
    if (drains.some(({ since }) => now >= Date.parse(since) + milliseconds(spec.strategy.drain.timeout))) return true;
    const inHand = nodes.some(({ step }) => step === "Claimed" || step === "Updating" || step === "Soaking");
    const granted = fleet.status?.disruptions?.some(({ uid, id }) => uid === metadata.uid && id === grant?.id) === true;
    const told = fleet.status?.waiting?.find(({ uid, id }) => uid === metadata.uid && id === grant?.id);
    // Who asked just now is decided on within two seconds (rule G7).
    if (grant?.state === "Asked" && !granted && (told === undefined || told.rule === "G7")) return true;
    return grant?.state === "Asked" && granted && !inHand;
  });
}

const warmingOf = ({ pops }: Sight, warmAt: Pacing["warmAt"]): ReadonlyMap<string, number> =>
  new Map(
    pops
      .flatMap(({ status }) => status?.nodes ?? [])
      .flatMap(({ name, step }) => {
        const at = step === "Updating" ? warmAt(name) : undefined;
        return at === undefined ? [] : [[name, at] as const];
      }),
  );

/** Every instant that an object names as the end of what it waits for. */
function duesOf({ pops, rollouts }: Sight): number[] {
  const holds = [...pops, ...rollouts].flatMap(({ status }) => status?.holds ?? []);
  const ofNodes = pops.flatMap(({ spec: { strategy }, status = {} }) => {
    const { run, nodes = [] } = status;
    const ends = { Claimed: strategy.drain.timeout, Soaking: strategy.perNode.soak } as Readonly<Record<string, string>>;
    const steps = nodes.flatMap(({ step, since }) => (ends[step] === undefined ? [] : [Date.parse(since) + milliseconds(ends[step])]));
    const bake = run?.state === "Baking" ? run.timers.bake : undefined;
    if (bake?.since === undefined) return steps;
    return [...steps, Date.parse(bake.since) + milliseconds(run!.bake ?? strategy.bake) - bake.accumulated];
  });
  return [...ofNodes, ...holds.flatMap(({ until }) => (until === undefined ? [] : [Date.parse(until)]))];
}

const told = ({ fleet, pops, rollouts }: Sight): string =>
  JSON.stringify({
    waiting: fleet.status?.waiting,
    pops: pops.map(({ metadata, status }) => [
      metadata.name,
      status?.run?.version,
      status?.run?.state,
      status?.holds?.[0]?.message,
      status?.nodes?.map(({ step }) => step),
    ]),
    rollouts: rollouts.map(({ metadata, status }) => [metadata.name, status?.outcome, status?.waves, status?.holds]),
  });
