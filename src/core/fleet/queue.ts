import type { Hold, Instant } from "../decision.ts";
import { stableHash } from "../rollout/order.ts";
import { SECOND } from "../time/civil.ts";
import type { Asker } from "./limits.ts";

/**
 * Who asks within so long of another asks together with it: windows of a zone open in the same second, and whose question is heard first
 * is chance. Nobody of them is decided on before the time is over; then a hash says who goes first (rule G7).
 */
const TOGETHER = 2 * SECOND;

/** One asker at its place in the queue, and from when on it is decided on. */
export interface Place {
  readonly asker: Asker;
  readonly decidedAt: Instant;
}

interface Ranked {
  readonly asker: Asker;
  readonly rank: number;
  readonly since: Instant;
}

/**
 * The order of rule F10: rollbacks, those with more failed sessions first; unfinished pieces, emergencies, regular rolls. Among equals who
 * waits longest; of those who asked together, a hash of PoP and version says it: it is another one for each version, and the forecast
 * knows it beforehand. A rollback waits for no other one to ask.
 */
export function queueOf(askers: readonly Asker[], sinceOf: (asker: Asker) => string): readonly Place[] {
  const ranked = askers
    .map((asker): Ranked => ({ asker, rank: rankOf(asker), since: Date.parse(sinceOf(asker)) }))
    .toSorted((a, b) => a.rank - b.rank || a.since - b.since);
  let first: Ranked | undefined;
  const places = ranked.map((one) => {
    const joins = first !== undefined && first.rank === one.rank && one.rank !== ROLLBACK && one.since < first.since + TOGETHER;
    first = joins ? first : one;
    return { ...one, together: first!.since, hash: hashOf(one.asker) };
  });
  return places
    .toSorted((a, b) => a.rank - b.rank || moreFailed(a.asker, b.asker) || a.together - b.together || (a.hash < b.hash ? -1 : 1))
    .map(({ asker, rank, together }) => ({ asker, decidedAt: rank === ROLLBACK ? -Infinity : together + TOGETHER }));
}

/** Another may still ask together with it. A machine's clock that was set back keeps nobody waiting. */
export const isUndecided = (decidedAt: Instant, now: Instant): boolean => now < decidedAt && now >= decidedAt - TOGETHER;

export const askedTogether = (): Hold => ({
  rule: "G7",
  reason: "RegionBusy",
  message: `it asked just now; of all who ask within ${TOGETHER / SECOND} seconds a hash says who goes first, not the moment`,
});

const ROLLBACK = 0;

function rankOf({ grant: { kind }, unfinished, emergency }: Asker): number {
  if (kind === "Rollback") return ROLLBACK;
  if (unfinished) return 1;
  return emergency ? 2 : 3;
}

const moreFailed = (a: Asker, b: Asker): number => (a.grant.kind === "Rollback" ? b.failedSessions - a.failedSessions : 0);

const hashOf = ({ uid, grant: { id, version } }: Asker): string => stableHash([uid, version ?? id], 24);
