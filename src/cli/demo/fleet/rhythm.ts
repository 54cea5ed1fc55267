import type { PopCluster } from "../../../api/pop-cluster.ts";
import type { PopRollout } from "../../../api/pop-rollout.ts";
import { POP_CLUSTER, POP_ROLLOUT } from "../../../api/resources.ts";
import type { Cache, Cluster } from "../../../control/ports.ts";
import type { Clock } from "../../../runtime/clock.ts";
import { isInHand } from "../busy.ts";
import { NAMESPACE } from "../cast.ts";
import type { Rhythm } from "../rhythm.ts";

/** Elapsed milliseconds without a change after which nobody is taken to be about to do something. */
const QUIET = 1_200;
/** So long without a change, whoever should go on waits for something that only the calendar brings. */
const STUCK = 20_000;
/** Others are in hand, and when they are done it goes on: the calendar must not run away meanwhile. */
const PASSING = new Set(["RegionBusy", "BudgetExhausted", "PartnerDisrupted", "Soaking", "HealthUnknown"]);

/**
 * A fleet that rollouts move. The calendar runs only while nothing is in hand and the operator has said nothing for a while, so that a
 * slow machine slows it and nothing is missed; it stops at every hour that somebody waits for.
 */
export class FleetRhythm implements Rhythm {
  readonly aheadMilliseconds = 0;
  readonly #clock: Clock;
  readonly #pops: Cache<PopCluster>;
  readonly #rollouts: Cache<PopRollout>;
  /** What counts of each object, as last seen, by its UID. */
  readonly #seen = new Map<string, string>();
  #changedAt: number;

  constructor(cluster: Cluster, clock: Clock) {
    this.#clock = clock;
    this.#changedAt = clock.elapsed();
    this.#pops = cluster.cache<PopCluster>(POP_CLUSTER, { namespace: NAMESPACE });
    this.#rollouts = cluster.cache<PopRollout>(POP_ROLLOUT, { namespace: NAMESPACE });
    this.#pops.onChange((pop) => this.#note(pop, motionOf(pop)));
    this.#rollouts.onChange((rollout) => this.#note(rollout, courseOf(rollout)));
  }

  moved(): void {
    this.#changedAt = this.#clock.elapsed();
  }

  isBusy(): boolean {
    const quiet = this.#clock.elapsed() - this.#changedAt;
    if (quiet < QUIET) return true;
    const pops = this.#pops.list();
    const now = this.#clock.now();
    if (pops.some((pop) => isAtWork(pop, now))) return true;
    if (quiet > STUCK) return false;
    return pops.some((pop) => this.#goesOn(pop)) || this.#rollouts.list().some(isUnseen);
  }

  /** Windows, waves that open, and the end of the last bake of a wave behind which another waits. */
  events(): readonly number[] {
    const now = this.#clock.now();
    const open = this.#rollouts.list().filter(({ status }) => status?.outcome === undefined);
    const holds = [...this.#pops.list(), ...open].flatMap(({ status }) => status?.holds ?? []);
    const untils = (bakes: boolean) =>
      holds.flatMap(({ reason, until }) => (until === undefined || (reason === "Baking") !== bakes ? [] : [Date.parse(until)]));
    const follows = open.some(({ spec, status }) => spec.content !== undefined || status?.waves?.some(({ state }) => state === "Pending"));
    const bakes = follows ? [...untils(true), ...open.flatMap(contentBakes)].filter((at) => at > now) : [];
    return [...untils(false).filter((at) => at > now), ...(bakes.length > 0 ? [Math.max(...bakes)] : [])];
  }

  starts(): readonly number[] {
    return this.events();
  }

  async whenSynced(signal?: AbortSignal): Promise<void> {
    await Promise.all([this.#pops.whenSynced(signal), this.#rollouts.whenSynced(signal)]);
  }

  stop(): void {
    this.#pops.stop();
    this.#rollouts.stop();
  }

  #note({ metadata: { uid } }: PopCluster | PopRollout, found: string): void {
    if (this.#seen.get(uid) === found) return;
    this.#seen.set(uid, found);
    this.moved();
  }

  /** Nothing holds it but others: it starts, or is granted, as soon as somebody looks. */
  #goesOn(pop: PopCluster): boolean {
    if (isUnseen(pop)) return true;
    const { run, revisions, holds = [] } = pop.status ?? {};
    if (holds.some((hold) => isToCome(hold, this.#clock.now()))) return false;
    const passing = holds.length === 0 || PASSING.has(holds[0]!.reason);
    const moves = run?.state === "Preflight" || run?.state === "Rolling" || run?.state === "RollingBack";
    return passing && (moves || (revisions?.wanted !== undefined && revisions.wanted !== revisions.current && run?.state !== "Baking"));
  }
}

const isUnseen = ({ metadata, status }: PopCluster | PopRollout): boolean => (status?.observedGeneration ?? 0) < (metadata.generation ?? 0);

const isToCome = ({ until }: { readonly until?: string | undefined }, now: number): boolean =>
  until !== undefined && Date.parse(until) > now;

/** A node is in its hand, or content is being loaded; that on a first node bakes before the others get it. */
function isAtWork({ status: { nodes = [], content, holds = [] } = {} }: PopCluster, now: number): boolean {
  const loads = content?.state === "Loading" || content?.state === "RollingBack";
  return nodes.some(isInHand) || (loads && !holds.some((hold) => hold.rule === "P15" && hold.reason === "Baking" && isToCome(hold, now)));
}

/** Of a PoP what moves when it is about to do something; its windows come and go without that. */
const motionOf = ({
  metadata,
  status: { observedGeneration, run, nodes, holds, grant, content, assigned, revisions } = {},
}: PopCluster): string =>
  JSON.stringify([
    metadata.generation,
    observedGeneration,
    [run?.id, run?.state, run?.ending],
    nodes?.map(({ step, since }) => [step, since]),
    holds?.map(({ reason, until }) => [reason, until]),
    [grant?.id, grant?.state],
    [content?.state, content?.target, content?.current, content?.nodes?.length],
    [assigned?.version, assigned?.order],
    [revisions?.wanted, revisions?.current],
  ]);

/** Of a rollout everything but what is foreseen. */
const courseOf = ({ metadata, status: { forecast: _, conditions: __, ...status } = {} }: PopRollout): string =>
  JSON.stringify([metadata.generation, status]);

/** Content bakes by wave: the rollout does not say until when, it says since when. */
const contentBakes = ({ spec, status }: PopRollout): number[] =>
  (status?.waves ?? []).flatMap(({ name, bakesFrom }) => {
    const minutes = /^(\d+)m$/.exec(spec.waves.find((wave) => wave.name === name)?.bake ?? "")?.[1];
    return bakesFrom === undefined || minutes === undefined ? [] : [Date.parse(bakesFrom) + Number(minutes) * 60_000];
  });
