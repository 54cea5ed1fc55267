import type { Clock } from "../runtime/clock.ts";
import type { DrainAnswer } from "../core/pop-cluster/observation.ts";

interface Heard {
  readonly verb: "start" | "cancel";
  readonly token: string;
  readonly podUID: string;
  readonly containerID: string;
  readonly status: number;
  readonly at: number;
  readonly firstHeardAt: number | undefined;
  readonly message: string;
  /** Sessions that the instance said it still holds. */
  readonly sessions?: number;
  readonly refusal?: string;
}

interface Pull {
  readonly state: "Pulling" | "Pulled" | "Failed";
  readonly message: string;
  /** UID of the pod that said so. */
  readonly pod?: string;
}

/** A refusal is of no interest any more this long after its pod could have been asked again; elapsed milliseconds. */
const MOVE_FORGOTTEN = 600_000;

interface Looked<Answer> {
  readonly answer: Answer;
  readonly at: number;
}

/**
 * What a PoP's data plane and API server answered to questions that leave no trace there. It may be lost at any time: an effect that
 * is a level is then sent again, a question asked again. Ages are elapsed time.
 */
export class PopMemory {
  readonly #clock: Clock;
  readonly #drains = new Map<string, Heard>();
  readonly #evictions = new Map<string, Looked<{ readonly allowed: boolean; readonly message: string }>>();
  readonly #contents = new Map<
    string,
    Looked<{
      readonly podUID: string;
      readonly containerID: string;
      readonly asked: string;
      readonly status: number;
      readonly message: string;
    }>
  >();
  readonly drainedSessions = new Map<string, { readonly token: string; readonly podUID: string; readonly ids: readonly string[] }>();
  readonly #dryRuns = new Map<string, Looked<{ readonly accepted: boolean; readonly message: string }>>();
  readonly #pulls = new Map<string, Looked<Pull>>();
  readonly #refusedMoves = new Map<string, { readonly message: string; readonly until: number }>();
  unreachableSince: number | undefined;
  reachableSince: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  heardDrain(nodeUID: string, answer: Omit<Heard, "at" | "firstHeardAt">): void {
    const at = this.#clock.elapsed();
    const before = this.#drains.get(nodeUID);
    const same =
      before?.verb === answer.verb &&
      before.token === answer.token &&
      before.podUID === answer.podUID &&
      before.containerID === answer.containerID;
    const heard = answer.status >= 200 && answer.status < 300;
    const firstHeardAt = (same ? before.firstHeardAt : undefined) ?? (heard ? at : undefined);
    const refusal =
      answer.verb === "start" && answer.status === 409 ? answer.message : before?.token === answer.token ? before.refusal : undefined;
    this.#drains.set(nodeUID, { ...answer, at, firstHeardAt, ...(refusal === undefined ? {} : { refusal }) });
  }

  /** The first list counts: a repeated drain finds fewer sessions. */
  holdsSessions(nodeUID: string, held: { readonly token: string; readonly podUID: string; readonly ids: readonly string[] }): void {
    if (this.drainedSessions.get(nodeUID)?.token !== held.token) this.drainedSessions.set(nodeUID, held);
  }

  triedTemplate(revision: string, answer: { readonly accepted: boolean; readonly message: string }): void {
    this.#dryRuns.set(revision, { answer, at: this.#clock.elapsed() });
  }

  /** `pod`: the outcome of one pulling pod counts once, from when it was first seen. */
  pulled(key: string, answer: Pull): void {
    const before = this.#pulls.get(key)?.answer;
    if (before?.pod !== undefined && before.pod === answer.pod && before.state === answer.state) return;
    this.#pulls.set(key, { answer, at: this.#clock.elapsed() });
  }

  refusedMove(podUID: string, message: string, waitMilliseconds: number): void {
    const now = this.#clock.elapsed();
    for (const [uid, { until }] of this.#refusedMoves) if (until + MOVE_FORGOTTEN < now) this.#refusedMoves.delete(uid);
    this.#refusedMoves.set(podUID, { message, until: now + waitMilliseconds });
  }

  lookedEviction(nodeUID: string, answer: { readonly allowed: boolean; readonly message: string }): void {
    this.#evictions.set(nodeUID, { answer, at: this.#clock.elapsed() });
  }

  askedContent(
    nodeUID: string,
    answer: {
      readonly podUID: string;
      readonly containerID: string;
      readonly asked: string;
      readonly status: number;
      readonly message: string;
    },
  ): void {
    this.#contents.set(nodeUID, { answer, at: this.#clock.elapsed() });
  }

  drains(): ReadonlyMap<string, DrainAnswer> {
    const now = this.#clock.elapsed();
    return mapped(this.#drains, ({ at, firstHeardAt, ...heard }) => ({
      ...heard,
      ageMilliseconds: now - at,
      firstHeardMilliseconds: firstHeardAt === undefined ? undefined : now - firstHeardAt,
    }));
  }

  dryRuns() {
    const now = this.#clock.elapsed();
    return mapped(this.#dryRuns, ({ answer, at }) => ({ ...answer, ageMilliseconds: now - at }));
  }

  pulls() {
    const now = this.#clock.elapsed();
    return mapped(this.#pulls, ({ answer, at }) => ({ ...answer, ageMilliseconds: now - at }));
  }

  refusedMoves() {
    const now = this.#clock.elapsed();
    return mapped(this.#refusedMoves, ({ message, until }) => ({ message, waitMilliseconds: until - now }));
  }

  evictions() {
    const now = this.#clock.elapsed();
    return mapped(this.#evictions, ({ answer, at }) => ({ ...answer, ageMilliseconds: now - at }));
  }

  contents() {
    const now = this.#clock.elapsed();
    return mapped(this.#contents, ({ answer, at }) => ({ ...answer, ageMilliseconds: now - at }));
  }

  /** Drops what was heard of nodes that are gone. */
  keepNodes(uids: ReadonlySet<string>): void {
    for (const map of [this.#drains, this.#evictions, this.#contents, this.drainedSessions])
      for (const uid of map.keys()) if (!uids.has(uid)) map.delete(uid);
    for (const key of this.#pulls.keys()) if (!uids.has(key.slice(key.indexOf("/") + 1))) this.#pulls.delete(key);
  }
}

function mapped<In, Out>(map: ReadonlyMap<string, In>, change: (value: In) => Out): Map<string, Out> {
  return new Map([...map].map(([key, value]) => [key, change(value)]));
}
