import type { Clock } from "./clock.ts";

/** The shape of a decision, as far as the loop looks at it. */
export interface DecisionShape<Status, Action, Probe> {
  readonly status?: Status;
  readonly actions: readonly Action[];
  readonly probes: readonly Probe[];
  readonly wakeAt?: number;
}

/** What one kind brings to the loop. Nothing in it decides but `decide`, and that is pure. */
export interface Reconciler<Observation, Status, Action, Probe, Decision extends DecisionShape<Status, Action, Probe>> {
  readonly kind: string;
  /** From caches; undefined when the object is gone. A cache may wake us, it never moves a ledger. */
  observe(key: string): Promise<Observation | undefined>;
  /** Read from the servers just now. */
  observeLive(key: string): Promise<Observation | undefined>;
  decide(observation: Observation, now: number): Decision;
  /**
   * Writes the status, conditional on the version observed: the claim. Answers what is seen now when the server's answer tells it:
   * the observation with the object as it was written. Undefined: everything is read anew.
   */
  claim(observation: Observation, status: Status): Promise<Observation | undefined>;
  /** One idempotent, fenced effect. Answers like `claim`. */
  act(observation: Observation, action: Action): Promise<Observation | undefined>;
  /** Effects that must not be sent on a list older than `LIVE_LIST_LIMIT`. */
  isDisruptive(action: Action): boolean;
  /** Events, metrics, the log line, all from the same decision. `done`: what was written or performed. */
  tell(key: string, observation: Observation, decision: Decision, done: "Claimed" | "Acted" | "Rested"): void;
  forget(key: string): void;
}

export interface Loop<Probe> {
  readonly clock: Clock;
  /** False as soon as our time as leader is over; asked right before every write. */
  readonly isLeader: () => boolean;
  /** Hands the probes of the last decision to the sampler. */
  readonly want: (key: string, probes: readonly Probe[]) => void;
  /** Look again at a calendar instant, or after elapsed milliseconds. */
  readonly wakeAt: (key: string, at: number) => void;
  readonly wakeAfter: (key: string, milliseconds: number) => void;
  /** 409 or a failed `test`: somebody was here since we looked. Told apart by status code, never by text. */
  readonly isConflict: (error: unknown) => boolean;
}

/** An effect is not sent on a list of nodes older than this; elapsed milliseconds. */
export const LIVE_LIST_LIMIT = 10_000;
/**
 * How long a live reading is worked on with nothing added but the answers to our own writes; elapsed milliseconds. Each write is
 * conditional on what was seen, so what others did meanwhile is a conflict and not an error. It serves fenced effects and the last look alone; a consistent list costs up to
 * 100 ms after every write, because the API server waits for its next word from etcd.
 */
const CARRIED_LIMIT = 1_000;
/** A run of the loop ends after so many passes and goes on in the next: nobody waits behind one busy key. */
const PASSES = 40;
/** When the same effects are decided again at once, the world needs a moment. */
const SAME_AGAIN = 1_000;
const AFTER_CONFLICT = 50;

/**
 * One reconcile, top to bottom, the same for every kind: observe, decide; and if there is anything to do, observe live, decide once
 * more, claim (compare-and-set of the status) or act, and look again, until nothing is left to do now. What our own writes were
 * answered counts as looked at, for a second at most.
 */
export async function reconcile<Observation, Status, Action, Probe, Decision extends DecisionShape<Status, Action, Probe>>(
  kind: Reconciler<Observation, Status, Action, Probe, Decision>,
  loop: Loop<Probe>,
  key: string,
): Promise<void> {
  const cached = await kind.observe(key);
  if (cached === undefined) return forget(kind, loop, key);
  const first = kind.decide(cached, loop.clock.now());
  if (isQuiet(first)) return rest(kind, loop, key, cached, first);
  let performed = "";
  let listedAt = 0;
  let carried: Observation | undefined;
  for (let pass = 0; pass < PASSES; pass++) {
    if (carried !== undefined && loop.clock.elapsed() - listedAt > CARRIED_LIMIT) carried = undefined;
    if (carried === undefined) listedAt = loop.clock.elapsed();
    const observation: Observation | undefined = carried ?? (await kind.observeLive(key));
    if (observation === undefined) return forget(kind, loop, key);
    const decision = kind.decide(observation, loop.clock.now());
    // A ledger moves, and a node is taken out, only on what was read after the last write: others may have been here meanwhile.
    if (carried !== undefined && (decision.status !== undefined || decision.actions.some((action) => kind.isDisruptive(action)))) {
      carried = undefined;
      continue;
    }
    loop.want(key, decision.probes);
    if (isQuiet(decision)) return rest(kind, loop, key, observation, decision);
    if (!loop.isLeader()) return;
    try {
      if (decision.status !== undefined) {
        carried = await kind.claim(observation, decision.status);
        performed = "";
        kind.tell(key, observation, decision, "Claimed");
        continue;
      }
      const effects = JSON.stringify(decision.actions);
      if (effects === performed) return again(loop, key, decision);
      carried = await perform(kind, loop, observation, decision.actions, listedAt);
      performed = effects;
      kind.tell(key, observation, decision, "Acted");
    } catch (error) {
      if (!loop.isConflict(error)) throw error;
      return loop.wakeAfter(key, AFTER_CONFLICT);
    }
  }
  loop.wakeAfter(key, 0);
}

const isQuiet = <Status, Action, Probe>(decision: DecisionShape<Status, Action, Probe>): boolean =>
  decision.status === undefined && decision.actions.length === 0;

async function perform<Observation, Status, Action, Probe, Decision extends DecisionShape<Status, Action, Probe>>(
  kind: Reconciler<Observation, Status, Action, Probe, Decision>,
  loop: Loop<Probe>,
  observation: Observation,
  actions: readonly Action[],
  listedAt: number,
): Promise<Observation | undefined> {
  let seen: Observation | undefined = observation;
  for (const action of actions) {
    if (!loop.isLeader()) return undefined;
    // A process that slept between the list and here must look again: what others took out since is not in the list.
    if (kind.isDisruptive(action) && loop.clock.elapsed() - listedAt > LIVE_LIST_LIMIT) return undefined;
    const after: Observation | undefined = await kind.act(seen ?? observation, action);
    seen = seen && after;
  }
  return seen;
}

function again<Probe, Status, Action>(loop: Loop<Probe>, key: string, decision: DecisionShape<Status, Action, Probe>): void {
  loop.wakeAfter(key, SAME_AGAIN);
  if (decision.wakeAt !== undefined) loop.wakeAt(key, decision.wakeAt);
}

function rest<Observation, Status, Action, Probe, Decision extends DecisionShape<Status, Action, Probe>>(
  kind: Reconciler<Observation, Status, Action, Probe, Decision>,
  loop: Loop<Probe>,
  key: string,
  observation: Observation,
  decision: Decision,
): void {
  loop.want(key, decision.probes);
  if (decision.wakeAt !== undefined) loop.wakeAt(key, decision.wakeAt);
  kind.tell(key, observation, decision, "Rested");
}

function forget<Observation, Status, Action, Probe, Decision extends DecisionShape<Status, Action, Probe>>(
  kind: Reconciler<Observation, Status, Action, Probe, Decision>,
  loop: Loop<Probe>,
  key: string,
): void {
  loop.want(key, []);
  kind.forget(key);
}
