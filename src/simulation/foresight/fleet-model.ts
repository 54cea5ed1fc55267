import type { Fleet } from "../../api/fleet.ts";
import type { MaintenanceWindow } from "../../api/maintenance-window.ts";
import type { PopCluster } from "../../api/pop-cluster.ts";
import type { PopRollout } from "../../api/pop-rollout.ts";
import { assignmentsAmong } from "../../control/observe/assignments.ts";
import { rolloutObservation, rolloutPop } from "../../control/observe/pop-rollout.ts";
import type { ForecastInput } from "../../control/ports.ts";
import type { Instant } from "../../core/decision.ts";
import { decide as decideFleet } from "../../core/fleet/decide.ts";
import type { FleetPop, LiveAnswer } from "../../core/fleet/observation.ts";
import { concurrentLimit } from "../../core/fleet/limits.ts";
import { fleetPopOf } from "../../core/fleet/pop.ts";
import { entriesToConfirm } from "../../core/fleet/strike.ts";
import { decide as decideRollout } from "../../core/pop-rollout/decide.ts";
import { type Eligibility, eligibilityOf } from "../../core/pop-rollout/eligibility.ts";
import type { PopRolloutObservation, RolloutPop } from "../../core/pop-rollout/observation.ts";
import { inTheWayOf } from "../../core/pop-rollout/other-rollouts.ts";
import { writtenHolds } from "../../core/pop-cluster/accept-spec.ts";
import { windowProblems } from "../../core/window/parse.ts";
import { viewOf } from "../../core/pop-rollout/view.ts";
import { Schedule } from "../../runtime/schedule.ts";
import { changedShares } from "./changed-shares.ts";
import { type ApprovalDelays, assumedEvidence, Assumptions } from "./assumptions.ts";
import { paceOf } from "./piece-length.ts";
import { PopLog } from "./pop-log.ts";
import { PopModel } from "./pop-model.ts";
import type { ForesightInput } from "./types.ts";

/** Steps at one instant; more of them mean that two decisions undo each other. */
const MOST_ROUNDS = 200;
const FLEET = "fleet";

/** A window in which a PoP got no grant, and which limit was in the way. */
export interface Refusal {
  readonly pop: string;
  readonly at: Instant;
  readonly kind: "DualTunnel" | "Capacity" | "FleetLimit" | "Region";
  readonly message: string;
}

/** A rollout waited for another that was under way; `until` is when it did no more, absent while it does. */
export interface Wait {
  /** `PoPRollout r-2 (2.0.0)` */
  readonly other: string;
  readonly until?: Instant;
}

/** A PoP that a rollout leaves out, and why (rules V3, P12, G8). */
export interface Excluded {
  readonly pop: string;
  readonly reason: string;
  readonly message: string;
}

/**
 * The whole fleet on a clock of its own, moved by nothing but the decisions of core: who is in which wave, who gets a grant, and whether
 * a window is open are asked of the same functions as in the operator. Only a PoP's inside is a model. Whoever's input changed is asked
 * again, and whoever named an instant at that instant; nobody is polled.
 */
export class FleetModel {
  now: Instant;
  fleet: Fleet | undefined;
  readonly pops = new Map<string, PopModel>();
  readonly rollouts = new Map<string, PopRollout>();
  readonly assumptions: Assumptions;
  /** First and last look at each wave, by rollout and wave. */
  readonly opened = new Map<string, Instant>();
  readonly closed = new Map<string, Instant>();
  readonly refusals: Refusal[] = [];
  /** The last time that a rollout waited for another one (rule F6), by rollout. */
  readonly waits = new Map<string, Wait>();
  readonly #input: ForecastInput & Pick<ForesightInput, "onStep">;
  readonly #windows: ReadonlyMap<string, MaintenanceWindow>;
  readonly #windowsSeen: PopRolloutObservation["windows"];
  readonly #schedule: Schedule;
  #alarm: { readonly at: Instant; readonly ring: () => void } | undefined;
  readonly #paces = new Map<string, number>();
  #due = new Set<string>();
  #fleetDue = true;

  constructor(input: ForecastInput & Pick<ForesightInput, "onStep">, delays?: ApprovalDelays) {
    this.#input = input;
    this.now = input.now;
    this.fleet = input.fleet;
    this.assumptions = new Assumptions(input.fleet, delays);
    this.#windows = new Map(input.windows.map((window) => [window.metadata.name, window]));
    for (const pop of input.pops.toSorted(byName))
      this.pops.set(pop.metadata.name, new PopModel(pop, input.now, new PopLog(), (version) => this.paceOf(version)));
    const alive = input.rollouts.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    for (const rollout of alive.toSorted(byName)) this.rollouts.set(rollout.metadata.name, rollout);
    this.#windowsSeen = rolloutObservation(
      {
        rollout: alive[0] ?? NO_ROLLOUT,
        fleet: undefined,
        pops: input.pops,
        windows: input.windows,
        rollouts: [],
        approvals: [],
        live: true,
      },
      new Map(),
      undefined,
      undefined,
    ).windows;
    this.#schedule = new Schedule(
      {
        now: () => this.now,
        wake: (at, ring) => {
          this.#alarm = { at, ring };
          return () => (this.#alarm = undefined);
        },
      },
      (key) => this.#due.add(key),
    );
    for (const name of this.pops.keys()) this.#due.add(`pop/${name}`);
    for (const name of this.rollouts.keys()) this.#due.add(`rollout/${name}`);
  }

  /** Runs until nothing is to come, `until` is reached, or `enough` says so. */
  run(until: Instant, enough: () => boolean = () => false): void {
    this.#settle();
    while (this.#alarm !== undefined && this.#alarm.at <= until && !enough()) {
      this.now = this.#alarm.at;
      this.#input.onStep?.(this.now);
      this.#alarm.ring();
      this.#settle();
    }
  }

  /** All that follows at this instant from what is due. */
  #settle(): void {
    for (let round = 0; this.#due.size > 0 || this.#fleetDue; round++) {
      if (round > MOST_ROUNDS)
        throw new Error(`the forecast does not settle at ${new Date(this.now).toISOString()}: ${[...this.#due].slice(0, 4).join(", ")}`);
      const due = [...this.#due].toSorted();
      this.#due = new Set();
      for (const key of due) if (key.startsWith("pop/")) this.#movePop(key.slice(4));
      if (this.#fleetDue || due.includes(FLEET)) this.#moveFleet();
      for (const key of due) if (key.startsWith("rollout/")) this.#moveRollout(key.slice(8));
    }
  }

  #movePop(name: string): void {
    const model = this.pops.get(name);
    if (model === undefined) return;
    const before = model.pop;
    const window = this.#windows.get(before.spec.windowRef.name);
    const wakeAt = model.step(this.now, { fleet: this.fleet, window, assigned: assignmentsAmong([...this.rollouts.values()], before) });
    if (wakeAt !== undefined) this.#schedule.set(`pop/${name}`, wakeAt);
    if (model.pop === before) return;
    const { status } = model;
    if (before.status?.grant?.state === "Asked" && status.grant?.state === "Returned") this.#noteRefusal(before);
    if (before.status?.grant !== status.grant || before.status?.members !== status.members) this.#fleetDue = true;
    if (
      before.status?.run !== status.run ||
      before.status?.history !== status.history ||
      before.status?.content !== status.content ||
      before.status?.version !== status.version
    )
      this.#wakeRollouts();
  }

  /** A grant that was asked for and not given before it went back: who was in the way. */
  #noteRefusal({ metadata, status }: PopCluster): void {
    const { grant } = status!;
    const waiting = this.fleet?.status?.waiting?.find(({ uid, id }) => uid === metadata.uid && id === grant!.id);
    if (waiting === undefined) return;
    const pops = [...this.pops.values()].map(({ pop }) => fleetPop(pop));
    const asker = { ...fleetPop(this.pops.get(metadata.name)!.pop), grant: { ...grant!, state: "Asked" as const } };
    const standing = { spec: this.fleet!.spec, pops, partners: this.#input.partners, disruptions: this.fleet!.status?.disruptions ?? [] };
    const limit = concurrentLimit(standing, asker) ? "FleetLimit" : "Region";
    const kind = waiting.rule === "F2" || waiting.reason === "PartnerDisrupted" ? "DualTunnel" : waiting.rule === "F3" ? "Capacity" : limit;
    this.refusals.push({ pop: metadata.name, at: this.now, kind, message: waiting.message });
  }

  /** How many times what is expected the nodes of a version take, by what was seen before the look. */
  paceOf(version: string | undefined): number {
    if (version === undefined) return 1;
    const pace = this.#paces.get(version) ?? paceOf(this.#input.pops, version);
    this.#paces.set(version, pace);
    return pace;
  }

  /** When something is to come next; undefined: nothing is. */
  get next(): Instant | undefined {
    return this.#alarm?.at;
  }

  /** PoPs that may get the version and that no wave has taken. */
  unreached(name: string): readonly string[] {
    return this.#unassigned(name).flatMap(({ pop, eligibility }) => (eligibility.kind === "Eligible" ? [pop] : []));
  }

  /** PoPs that no wave has taken because they may not get the version, or have it. */
  excluded(name: string): readonly Excluded[] {
    return this.#unassigned(name).flatMap(({ pop, eligibility }): Excluded[] => {
      if (eligibility.kind === "There") return [{ pop, reason: "AlreadyThere", message: `PoP ${pop} has it already` }];
      return eligibility.kind === "Skipped" ? [{ pop, reason: eligibility.reason, message: eligibility.message }] : [];
    });
  }

  /** Whether a PoP runs a version, or has begun it, when the look begins. */
  runsNow(name: string, version: string): boolean {
    const status = this.#input.pops.find(({ metadata }) => metadata.name === name)?.status;
    return status?.version === version || status?.run?.version === version;
  }

  /** Why nothing can start on a PoP as it and its window are written (rules W10, P17): what its own Accepted condition would say first. */
  problemOf({ spec }: PopCluster): string | undefined {
    const window = this.#windows.get(spec.windowRef.name);
    const seen = window === undefined ? { found: false as const } : { found: true as const, problems: windowProblems(window.spec) };
    return writtenHolds({ namespace: this.#input.namespace, spec, window: seen })[0]?.message;
  }

  /**
   * Another rollout, a newer one, that assigns a PoP its version in the place of this one's; also where this one's train went over
   * that, but not where the newer one came only after the train.
   */
  takenBy({ metadata }: PopRollout, pop: PopCluster): string | undefined {
    const { version: assigned } = assignmentsAmong([...this.rollouts.values()], pop);
    if (pop.spec.version !== undefined || assigned === undefined || assigned.rollout === metadata.name) return undefined;
    const own = this.rollouts.get(metadata.name)?.status?.assignments?.find((one) => one.pop === pop.metadata.name);
    if (own === undefined) return undefined;
    const inItsTrain = own.reason === "OutsideWindow" && Date.parse(assigned.since) < Date.parse(own.to ?? "");
    if (own.state === "Skipped" && !inItsTrain) return undefined;
    return `PoPRollout ${assigned.rollout} is newer and assigns it ${assigned.version}`;
  }

  #unassigned(name: string): readonly { readonly pop: string; readonly eligibility: Eligibility }[] {
    const rollout = this.rollouts.get(name);
    if (rollout === undefined) return [];
    const seen = this.#observation(rollout);
    const view = viewOf(seen, seen.rollout.status, this.now);
    return seen.pops
      .filter((pop) => !pop.deleting && !view.assigned.has(pop.name))
      .map((pop) => ({ pop: pop.name, eligibility: eligibilityOf(view, pop, this.now) }));
  }

  #wakeRollouts(): void {
    for (const name of this.rollouts.keys()) this.#due.add(`rollout/${name}`);
  }

  #moveFleet(): void {
    this.#fleetDue = false;
    const { fleet } = this;
    if (fleet === undefined) return;
    const pops = [...this.pops.values()].map(({ pop }) => fleetPop(pop));
    const { status = {}, metadata, spec } = fleet;
    const live = new Map(entriesToConfirm(status.disruptions ?? [], pops).map(({ pop }): [string, LiveAnswer] => [pop, this.#live(pop)]));
    const seen = {
      fleet: { generation: metadata.generation ?? 1, spec, status },
      pops,
      partners: this.#input.partners,
      live,
      tzdata: status.tzdata ?? "",
    };
    const { status: next = status, wakeAt } = decideFleet(seen, this.now);
    this.fleet = { ...fleet, status: next };
    if (wakeAt !== undefined) this.#schedule.set(FLEET, wakeAt);
    const held = new Set((status.disruptions ?? []).map(({ uid, id }) => `${uid}/${id}`));
    for (const { pop, uid, id } of next.disruptions ?? []) if (!held.has(`${uid}/${id}`)) this.#due.add(`pop/${pop}`);
    // A partner that waits to roll back stops those that are in its way (F10), and lets them go on when it waits no more.
    for (const { partners, kind } of [...(status.waiting ?? []), ...(next.waiting ?? [])])
      if (kind === "Rollback") for (const partner of partners ?? []) this.#due.add(`pop/${partner}`);
  }

  #live(name: string): LiveAnswer {
    const pop = this.pops.get(name)?.pop;
    if (pop === undefined) return { found: false };
    return { found: true, uid: pop.metadata.uid, ...(pop.status?.grant ? { grant: pop.status.grant } : {}) };
  }

  #moveRollout(name: string): void {
    const before = this.rollouts.get(name);
    if (before === undefined) return;
    const seen = this.#observation(before);
    const { status, wakeAt } = decideRollout(seen, this.now);
    if (wakeAt !== undefined) this.#schedule.set(`rollout/${name}`, wakeAt);
    const after: PopRollout = status === undefined ? before : { ...before, status };
    this.#noteWait(after, seen);
    const given = this.assumptions.give(after, seen.approvals, this.now);
    if (given === true) this.#due.add(`rollout/${name}`);
    else if (given !== false) this.#schedule.set(`rollout/${name}`, given);
    if (after === before) return;
    this.rollouts.set(name, after);
    this.#noteWaves(before, after);
    for (const pop of changedShares(before, after)) this.#due.add(`pop/${pop}`);
    for (const other of this.rollouts.keys()) if (other !== name) this.#due.add(`rollout/${other}`);
    // What a wave that opened or closed lets follow is decided on the next look, as in the operator.
    if (before.status?.waves !== after.status?.waves || before.status?.outcome !== after.status?.outcome) this.#due.add(`rollout/${name}`);
  }

  #observation(rollout: PopRollout): PopRolloutObservation {
    const objects = {
      rollout,
      fleet: this.fleet,
      pops: [],
      windows: [],
      rollouts: [...this.rollouts.values()],
      approvals: this.#input.approvals,
      live: true,
    };
    const seen = rolloutObservation(objects, assumedEvidence(rollout), undefined, undefined);
    return {
      ...seen,
      pops: [...this.pops.values()].map(({ pop }) => seenPop(pop)),
      windows: this.#windowsSeen,
      approvals: [...seen.approvals, ...this.assumptions.of(rollout.metadata.uid)],
    };
  }

  #noteWait({ metadata: { name }, status = {} }: PopRollout, seen: PopRolloutObservation): void {
    const known = this.waits.get(name);
    const held = status.holds?.some(({ rule }) => rule === "F6") === true;
    const other = held ? inTheWayOf(viewOf(seen, status, this.now)) : undefined;
    if (other !== undefined) this.waits.set(name, { other: `PoPRollout ${other.name} (${other.version})` });
    else if (!held && known !== undefined && known.until === undefined) this.waits.set(name, { ...known, until: this.now });
  }

  #noteWaves(before: PopRollout, after: PopRollout): void {
    for (const { name, state } of after.status?.waves ?? []) {
      const key = `${after.metadata.uid}/${name}`;
      const was = before.status?.waves?.find((wave) => wave.name === name)?.state ?? "Pending";
      if (was === "Pending" && state !== "Pending") this.opened.set(key, this.now);
      if (was !== state && (state === "Passed" || state === "Skipped")) this.closed.set(key, this.now);
    }
  }
}

const byName = (a: { readonly metadata: { readonly name: string } }, b: { readonly metadata: { readonly name: string } }): number =>
  a.metadata.name < b.metadata.name ? -1 : 1;

/** Only for the windows of an observation without a rollout. */
const NO_ROLLOUT = { apiVersion: "", kind: "PoPRollout", metadata: { name: "", uid: "" }, spec: {} } as unknown as PopRollout;

const seenPops = new WeakMap<PopCluster, RolloutPop>();
const fleetPops = new WeakMap<PopCluster, FleetPop>();

const seenPop = (pop: PopCluster): RolloutPop => remembered(seenPops, pop, rolloutPop);
const fleetPop = (pop: PopCluster): FleetPop => remembered(fleetPops, pop, fleetPopOf);

function remembered<Value>(known: WeakMap<PopCluster, Value>, pop: PopCluster, of: (pop: PopCluster) => Value): Value {
  const found = known.get(pop);
  if (found !== undefined) return found;
  const value = of(pop);
  known.set(pop, value);
  return value;
}
