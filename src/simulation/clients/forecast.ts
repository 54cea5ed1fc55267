import type { ClientRollout, ClientSystem } from "../../api/client-rollout.ts";
import type { NoUpdateReason } from "../../core/client/no-update.ts";
import type { Instant } from "../../core/decision.ts";
import { DAY, WEEK } from "../../core/time/civil.ts";
import { parseInstant } from "../../core/time/instant.ts";
import { Curve, type CurveRow, ownerKey } from "./curve.ts";
import { Waits } from "./forecast-band.ts";
import type { ClientForecastInput } from "./forecast-input.ts";
import { ForecastWorld, type OpenedStage, type Track } from "./forecast-world.ts";

/** A stage and whom it reaches first. */
export interface ForecastStage extends OpenedStage {
  readonly users: number;
  readonly devices: number;
  readonly accounts: number;
  /** Users whom this stage and the ones before have reached. */
  readonly reachedUsers: number;
}

export interface ClientForecast {
  readonly os: ClientSystem;
  readonly from: Instant;
  readonly until: Instant;
  /** Different users of the system. */
  readonly users: number;
  /** In the order in which they open. */
  readonly stages: readonly ForecastStage[];
  /** When everybody is reached and judged, by rollout. */
  readonly stands: ReadonlyMap<string, Instant>;
  /** Why nothing more of a rollout is foreseen, by rollout. */
  readonly held: ReadonlyMap<string, string>;
  readonly weeks: readonly CurveRow[];
  /** Who is never reached until then, by what a check-in would be told. */
  readonly left: readonly { readonly reason: NoUpdateReason; readonly users: number }[];
  /** How the band was made, as a sentence. */
  readonly band: string;
  at(instant: Instant): CurveRow;
  /** What a pause so many days after the beginning would leave, for as long as it lasts; `waiting`: users reached who would not get it. */
  pauseOn(day: number): CurveRow & { readonly waiting: number };
  /** Whom a stage reaches first. */
  usersOf(rollout: string, stage: string): readonly { readonly account: string; readonly user: string }[];
}

/** Where the inventory has seen nobody yet: they are taken to come within a day. */
const UNSEEN = Array.from({ length: 48 }, (_, half) => (half * DAY) / 48);

/**
 * When each stage of the Clients' rollouts opens, whom it reaches, and how many users run what in each week (rule F7 for Clients): by the
 * decisions and answers of the real thing, if no more fail than may. Instants and people are exact where `sure` says so; how many have
 * come for it by a week's end is a matter of chance, and has a band. The same input gives the same answer.
 */
export function clientForecast(input: ClientForecastInput): ClientForecast {
  const { os, from, until } = input;
  const clients = [...input.clients].filter((client) => client.os === os);
  const ages = clients.flatMap(({ seenAt }) => (seenAt === undefined ? [] : [Math.max(0, from - seenAt)]));
  const waits = new Waits(ages.length === 0 ? UNSEEN : ages);
  const world = new ForecastWorld(input, clients, waits);
  world.run();
  const ends = Array.from({ length: Math.max(1, Math.ceil((until - from) / WEEK)) }, (_, week) =>
    Math.min(until, from + (week + 1) * WEEK),
  );
  const mayFail = new Map(world.rollouts.map(({ spec }) => [spec.version, spec.health.failedPercentAtMost / 100]));
  const curve = new Curve(world.tracks, waits, mayFail, ends.length);
  const at = (instant: Instant): CurveRow => curve.at(instant);
  return {
    os,
    from,
    until,
    users: curve.users,
    stages: stagesOf(world),
    stands: new Map(world.rollouts.flatMap(({ metadata, status }) => entryOf(metadata.name, parseInstant(status?.standingSince ?? "")))),
    held: new Map(world.rollouts.flatMap((rollout) => entryOf(rollout.metadata.name, heldSentence(world, rollout)))),
    weeks: ends.map(at),
    left: leftOf(world.tracks),
    band: bandSentence(world.rollouts, ages.length),
    at,
    pauseOn: (day) => curve.frozenAt(from + day * DAY),
    usersOf: (rollout, stage) => usersOf(world.tracks, rollout, stage),
  };
}

const entryOf = <Value>(name: string, value: Value | undefined): readonly (readonly [string, Value])[] =>
  value === undefined ? [] : [[name, value]];

function stagesOf({ opened, tracks }: ForecastWorld): readonly ForecastStage[] {
  const reachedUsers = new Map<string, Set<string>>();
  return opened
    .toSorted((one, other) => one.at - other.at)
    .map((stage): ForecastStage => {
      const those = tracks.filter(({ reached }) =>
        reached.some(({ rollout, stage: by }) => rollout === stage.rollout && by === stage.name),
      );
      const before = reachedUsers.get(stage.rollout) ?? new Set<string>();
      const users = new Set(those.map(({ client }) => ownerKey(client)));
      reachedUsers.set(stage.rollout, new Set([...before, ...users]));
      return {
        ...stage,
        users: users.size,
        devices: those.length,
        accounts: new Set(those.map(({ client }) => client.account)).size,
        reachedUsers: reachedUsers.get(stage.rollout)!.size,
      };
    });
}

function usersOf(tracks: readonly Track[], rollout: string, stage: string): readonly { readonly account: string; readonly user: string }[] {
  const those = tracks.filter(({ reached }) => reached.some((one) => one.rollout === rollout && one.stage === stage));
  const users = new Map(those.map(({ client }) => [ownerKey(client), { account: client.account, user: client.user ?? client.device }]));
  return [...users.values()];
}

/** What only people can end; what ends by itself is in the stages. */
function heldSentence(world: ForecastWorld, { metadata, status }: ClientRollout): string | undefined {
  if (status?.standingSince !== undefined) return undefined;
  if (status?.stopped !== undefined) return status.stopped.message;
  return world.holdsOf(metadata.name).find(({ until }) => until === undefined)?.message;
}

function leftOf(tracks: readonly Track[]): ClientForecast["left"] {
  const byReason = new Map<NoUpdateReason, Set<string>>();
  for (const { client, reached, left } of tracks) {
    if (reached.length > 0 || left === undefined) continue;
    byReason.set(left, (byReason.get(left) ?? new Set<string>()).add(ownerKey(client)));
  }
  return [...byReason].map(([reason, users]) => ({ reason, users: users.size })).toSorted((one, other) => other.users - one.users);
}

function bandSentence(rollouts: readonly ClientRollout[], seen: number): string {
  const most = Math.max(0, ...rollouts.map(({ spec }) => spec.health.failedPercentAtMost));
  const figures = rollouts.some(({ spec }) => spec.health.prometheus !== undefined) ? ", and its figure of monitoring passes" : "";
  const waits =
    seen === 0 ? "no Client has been seen yet, so each is taken to come within a day" : `by the last check-ins of ${seen} Clients`;
  return (
    `the whole curve stays in it in 95 of 100 worlds in which at most ${most} % fail${figures}: ${waits}, ` +
    "each coming by itself (Bernstein's inequality over all weeks and versions)"
  );
}
