import type { ClientNumbers, ClientRollout, ClientRolloutStatus } from "../../api/client-rollout.ts";
import { answer } from "../../core/client/answer.ts";
import type { AccountView } from "../../core/client/check-in.ts";
import type { FleetView, NoUpdateReason } from "../../core/client/no-update.ts";
import { type ClientRolloutView, clientViews } from "../../core/client/rollout-view.ts";
import { policyFor } from "../../core/client/policy.ts";
import { stageName } from "../../core/client/stage.ts";
import { decide } from "../../core/client-rollout/decide.ts";
import type { ClientRolloutObservation, ObservedRollout } from "../../core/client-rollout/observation.ts";
import type { Hold, Instant } from "../../core/decision.ts";
import { HOUR } from "../../core/time/civil.ts";
import { parseInstant } from "../../core/time/instant.ts";
import { strayOf, type Waits } from "./forecast-band.ts";
import type { ClientForecastInput, ForecastClient } from "./forecast-input.ts";
import { accountView } from "./gateway.ts";

/** When a stage has reached a Client, from which moment on its next check-in is an offer. */
export interface Reach {
  readonly at: Instant;
  readonly rollout: string;
  readonly version: string;
  readonly stage: string;
}

/** One Client on its way through the forecast. */
export interface Track {
  readonly client: ForecastClient;
  readonly account: AccountView;
  /** Of all rollouts, the first one first. */
  readonly reached: Reach[];
  /** Why nothing was offered when it was asked last. */
  left: NoUpdateReason | undefined;
}

/** A stage that opens, or is open when the look begins. */
export interface OpenedStage {
  readonly rollout: string;
  readonly version: string;
  readonly name: string;
  readonly at: Instant;
  /** The evidence that opened it is beyond what chance can change: it opens at this very instant, if no more fail than may. */
  readonly sure: boolean;
}

interface Running {
  object: ClientRollout;
  holds: readonly Hold[];
  /** What had been counted when the look began. */
  readonly counted: ReadonlyMap<string, ClientNumbers>;
}

/** At least so often it is asked whether a gate that waits has its evidence now. */
const STEP = HOUR;
const NOBODY: ClientNumbers = { eligible: 0, offered: 0, attempted: 0, confirmed: 0, failed: 0, unreachable: 0 };

/**
 * The world of a forecast: the rollouts by their own decisions (`decide`), each Client by its own answers (`answer`), and between the two as
 * many attempts as are to be expected by then. Nothing fails that has not failed yet.
 */
export class ForecastWorld {
  readonly tracks: readonly Track[];
  readonly opened: OpenedStage[] = [];
  readonly #input: ClientForecastInput;
  readonly #waits: Waits;
  readonly #running: readonly Running[];
  readonly #others: readonly ClientRollout[];
  /** How many Clients a stage reached, by when; keys are `<rollout>/<stage>`. */
  readonly #counts = new Map<string, Map<Instant, number>>();
  #asked = "";

  constructor(input: ClientForecastInput, clients: readonly ForecastClient[], waits: Waits) {
    this.#input = input;
    this.#waits = waits;
    const views = new Map<string, AccountView>();
    this.tracks = clients.map((client) => {
      const account = views.get(client.account) ?? accountOf(input, client.account);
      views.set(client.account, account);
      return { client, account, reached: [], left: undefined };
    });
    const ours = input.rollouts.filter(({ spec }) => spec.os === input.os);
    this.#others = input.rollouts.filter(({ spec }) => spec.os !== input.os);
    this.#running = ours.map((object) => ({
      object,
      holds: [],
      counted: new Map((object.status?.stages ?? []).flatMap(({ name, numbers }) => (numbers === undefined ? [] : [[name, numbers]]))),
    }));
    for (const { object } of this.#running) this.#begin(object);
  }

  get rollouts(): readonly ClientRollout[] {
    return this.#running.map(({ object }) => object);
  }

  holdsOf(name: string): readonly Hold[] {
    return this.#running.find(({ object }) => object.metadata.name === name)?.holds ?? [];
  }

  run(): void {
    const { from, until } = this.#input;
    const pauses = this.#pauseEnds();
    for (let now = from; now <= until;) {
      const wakes = this.#look(now);
      this.#ask(now);
      const coming = [...wakes, ...pauses].filter((wake) => wake > now);
      now = Math.min(now + STEP, ...coming);
    }
  }

  /** Each rollout decides, until none of them changes any more: what one reaches another takes over. */
  #look(now: Instant): readonly Instant[] {
    const wakes: Instant[] = [];
    for (const one of this.#running) {
      for (let changes = true, looks = 0; changes && looks < 4; looks += 1) {
        const { status, wakeAt, holds } = decide(this.#seen(one, now), now);
        changes = status !== undefined;
        one.holds = holds;
        if (status !== undefined) {
          this.#note(one, status, now);
          one.object = { ...one.object, status };
        }
        if (!changes && wakeAt !== undefined) wakes.push(wakeAt);
      }
    }
    return wakes;
  }

  #seen(one: Running, now: Instant): ClientRolloutObservation {
    const others = [...this.#running.filter((other) => other !== one).map(({ object }) => object), ...this.#others];
    const { generation = 1 } = one.object.metadata;
    return {
      rollout: { ...observed(withoutFigure(one.object)), generation },
      others: others.map(observed),
      fleetPaused: this.#input.fleetPaused ?? false,
      numbers: this.#numbers(one, now),
      approvals: [],
      samples: new Map(),
    };
  }

  #numbers(one: Running, now: Instant): ReadonlyMap<string, ClientNumbers> {
    const { spec, metadata } = one.object;
    const names = ["exposed", "pilot", ...spec.phases.map((_, index) => `phase-${index + 1}`)];
    return new Map(names.map((name) => [name, this.#expected(metadata.name, name, now, one.counted.get(name) ?? NOBODY).numbers]));
  }

  /** What a stage will have counted by then, as far as can be expected, and how much chance may change of it. */
  #expected(
    rollout: string,
    stage: string,
    now: Instant,
    before: ClientNumbers,
  ): { readonly numbers: ClientNumbers; readonly variance: number } {
    let [eligible, attempted, variance] = [0, 0, 0];
    for (const [at, count] of this.#counts.get(`${rollout}/${stage}`) ?? []) {
      const share = this.#waits.within(now - at);
      eligible += count;
      attempted += count * share;
      variance += count * share * (1 - share);
    }
    const done = before.attempted + Math.floor(attempted);
    const all = Math.max(before.eligible, before.attempted + eligible);
    const numbers = { ...before, eligible: all, offered: done, attempted: done, confirmed: done - before.failed, unreachable: all - done };
    return { numbers, variance };
  }

  #begin({ metadata, spec, status }: ClientRollout): void {
    const open = status?.reached;
    if (open === undefined || status?.standingSince !== undefined) return;
    const name = stageName(open);
    const at = parseInstant(status?.stages?.find((one) => one.name === name)?.openedAt ?? "") ?? this.#input.from;
    this.opened.push({ rollout: metadata.name, version: spec.version, name, at, sure: true });
  }

  #note(one: Running, status: ClientRolloutStatus, now: Instant): void {
    const { metadata, spec } = one.object;
    const ours = this.opened.filter(({ rollout }) => rollout === metadata.name);
    for (const { name, openedAt } of status.stages ?? []) {
      if (ours.some((known) => known.name === name) || one.object.status?.stages?.some((known) => known.name === name)) continue;
      const last = ours.at(-1);
      const sure = last === undefined || (last.sure && this.#isSure(one, last.name, now));
      const stage = { rollout: metadata.name, version: spec.version, name, at: parseInstant(openedAt)!, sure };
      ours.push(stage);
      this.opened.push(stage);
    }
  }

  /** The gate of that stage had more than enough, or nobody to ask, or could not have enough. */
  #isSure(one: Running, stage: string, now: Instant): boolean {
    const { spec, metadata } = one.object;
    const { numbers, variance } = this.#expected(metadata.name, stage, now, one.counted.get(stage) ?? NOBODY);
    // It ends when enough of them have come, and not at an hour.
    if (stage === "exposed") return numbers.eligible === 0;
    const phase = /^phase-(\d+)$/.exec(stage)?.[1];
    const least = stage === "pilot" ? spec.pilot.minimumDevices : (spec.phases[Number(phase ?? 1) - 1]?.gate.attemptedAtLeast ?? 1);
    const stray = strayOf(variance, 1);
    if (numbers.eligible < least) return numbers.attempted - stray >= 1 || numbers.eligible === 0;
    return numbers.attempted - stray >= least;
  }

  /** Asks for every Client what its next check-in would be answered, where what is answered by has changed. */
  #ask(now: Instant): void {
    const views = clientViews(this.rollouts);
    const pauses = this.#pauseEnds().filter((end) => end <= now).length;
    const asked = JSON.stringify([
      pauses,
      views.map((view) => [view.uid, reachOf(view), view.provider, view.monitoring, view.superseded, view.problem]),
    ]);
    if (asked === this.#asked) return;
    this.#asked = asked;
    const fleet = { fresh: true, paused: this.#input.fleetPaused ?? false };
    for (const track of this.tracks) this.#askOne(track, views, fleet, now);
  }

  #askOne(track: Track, views: readonly ClientRolloutView[], fleet: FleetView, now: Instant): void {
    const { client, account, reached } = track;
    const version = reached.at(-1)?.version ?? client.version;
    const told = answer({ ...client, ...(version === undefined ? {} : { version }), failures: NO_FAILURES }, account, views, fleet, now);
    track.left = told.kind === "NoUpdate" ? told.reason : undefined;
    if (told.kind === "NoUpdate") return;
    const { name, version: offered } = told.rollout;
    reached.push({ at: now, rollout: name, version: offered, stage: told.stage });
    const key = `${name}/${told.stage}`;
    const counts = this.#counts.get(key) ?? new Map<Instant, number>();
    this.#counts.set(key, counts.set(now, (counts.get(now) ?? 0) + 1));
  }

  /** When accounts' own pauses end by themselves. */
  #pauseEnds(): readonly Instant[] {
    return [...this.#input.accounts.values()].flatMap(({ policies }) => {
      const until = policyFor(policies, this.#input.os)?.pause?.until;
      return until === undefined ? [] : (parseInstant(until) ?? []);
    });
  }
}

const NO_FAILURES: ReadonlyMap<string, number> = new Map();

function accountOf({ accounts, os }: ClientForecastInput, name: string): AccountView {
  const account = accounts.get(name);
  const { labels = {}, policies, failedPilots = new Set<string>() } = account ?? {};
  return accountView({ labels, policies, failedPilots }, os);
}

/** Nobody knows what a figure of monitoring will say: it is taken as passing. */
const withoutFigure = (rollout: ClientRollout): ClientRollout => {
  const { prometheus: _prometheus, ...health } = rollout.spec.health;
  return { ...rollout, spec: { ...rollout.spec, health } };
};

const reachOf = ({ reached }: ClientRolloutView) =>
  reached && [reached.stage, reached.phase ?? 0, reached.accountsPercent, reached.usersPercent];

const observed = ({ metadata, spec, status }: ClientRollout): ObservedRollout => ({
  name: metadata.name,
  uid: metadata.uid,
  createdAt: Date.parse(metadata.creationTimestamp ?? "") || 0,
  spec,
  status: status ?? {},
});
