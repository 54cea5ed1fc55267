import type { Clock } from "./clock.ts";

/** The shape of a decision, as far as the loop looks at it. */
export interface DecisionShape<Status, Action, Probe> {
  readonly status?: Status;
  readonly actions: readonly Action[];
  readonly probes: readonly Probe[];
  readonly wakeAt?: number;
}

/** What was read from the servers, and when its lists were asked for; elapsed milliseconds. */
export interface Reading<Observation> {
  readonly observation: Observation;
  readonly listedAt: number;
}

/**
 * How a kind goes on from its last live reading. A consistent list costs up to 100 ms after a write of anybody, because the API server
 * waits for its next word from etcd; a GET of one object does not wait.
 */
export interface Rereading<Observation, Decision> {
  /** The last live reading of each key, kept by the loop. */
  readonly last: Map<string, Reading<Observation>>;
  /** What the ledger has in hand read anew, object by object; the rest stands as it was listed. Undefined: everything has to be listed. */
  refresh(observation: Observation): Promise<Observation | undefined>;
  /** Does a cache know already that a person, or another of us, was here since: then everything is listed anew. */
  isOutdated(observation: Observation): boolean;
  /** Does the decision concern only what `refresh` reads; else everything is listed before it is done. */
  suffices(observation: Observation, decision: Decision): boolean;
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
   * the observation with the object as it was written. Undefined: everything is read anew; so after every status that claims of a
   * budget, because what others take out is looked for after the claim (rule G5).
   */
  claim(observation: Observation, status: Status): Promise<Observation | undefined>;
  /** One idempotent, fenced effect. Answers like `claim`. */
  act(observation: Observation, action: Action): Promise<Observation | undefined>;
  /** Effects that must not be sent on a list older than `LIVE_LIST_LIMIT`. */
  isDisruptive(action: Action): boolean;
  /** Events, metrics, the log line, all from the same decision. `done`: what was written or performed. */
  tell(key: string, observation: Observation, decision: Decision, done: "Claimed" | "Acted" | "Rested"): void;
  forget(key: string): void;
  readonly rereading?: Rereading<Observation, Decision>;
  readonly aside?: Aside<Observation, Action>;
}

/** Effects that leave nothing at an API server: only what was answered is remembered. They are performed side by side. */
export interface Aside<Observation, Action> {
  is(action: Action): boolean;
  /** The observation with all that was answered until now. */
  recall(observation: Observation): Observation;
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
 * How long a live reading is worked on with nothing added but the answers to our own writes and what was read anew object by object;
 * elapsed milliseconds. Each write is conditional on what was seen, so what others did meanwhile is a conflict and not an error.
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
 * answered counts as looked at, for a second at most, and never over a claim.
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
  const asked = JSON.stringify(first.actions);
  let performed = "";
  let reading = await refreshed(kind, loop, key);
  let listed = reading === undefined;
  for (let pass = 0; pass < PASSES; pass++) {
    if (reading !== undefined && isOld(kind, loop, reading)) reading = undefined;
    if (reading === undefined) {
      reading = await listAnew(kind, loop, key);
      listed = true;
    }
    if (reading === undefined) return forget(kind, loop, key);
    const { observation, listedAt }: Reading<Observation> = reading;
    const decision = kind.decide(observation, loop.clock.now());
    // What the cache asked for may be news that the older lists do not have, unless it has just been done.
    const isNews = first.status !== undefined || performed !== asked;
    if (!listed && (isQuiet(decision) ? isNews : !kind.rereading?.suffices(observation, decision))) {
      reading = undefined;
      continue;
    }
    loop.want(key, decision.probes);
    if (isQuiet(decision)) {
      kind.rereading?.last.set(key, reading);
      return rest(kind, loop, key, observation, decision);
    }
    if (!loop.isLeader()) return;
    try {
      let after: Observation | undefined;
      if (decision.status !== undefined) {
        after = await kind.claim(observation, decision.status);
        performed = "";
        kind.tell(key, observation, decision, "Claimed");
      } else {
        const effects = JSON.stringify(decision.actions);
        if (effects === performed) return again(loop, key, decision);
        after = await perform(kind, loop, observation, decision.actions, listedAt);
        performed = effects;
        kind.tell(key, observation, decision, "Acted");
      }
      reading = after && { observation: after, listedAt };
    } catch (error) {
      if (!loop.isConflict(error)) throw error;
      return loop.wakeAfter(key, AFTER_CONFLICT);
    }
  }
  loop.wakeAfter(key, 0);
}

function isOld<Observation, Status, Action, Probe, Decision extends DecisionShape<Status, Action, Probe>>(
  { rereading }: Reconciler<Observation, Status, Action, Probe, Decision>,
  { clock }: Loop<Probe>,
  { observation, listedAt }: Reading<Observation>,
): boolean {
  return clock.elapsed() - listedAt > CARRIED_LIMIT || rereading?.isOutdated(observation) === true;
}

/** The last live reading of a key, if it is young enough, with what is in hand read anew. It is taken away: only a run that rests leaves one. */
async function refreshed<Observation, Status, Action, Probe, Decision extends DecisionShape<Status, Action, Probe>>(
  kind: Reconciler<Observation, Status, Action, Probe, Decision>,
  loop: Loop<Probe>,
  key: string,
): Promise<Reading<Observation> | undefined> {
  const { rereading } = kind;
  const last = rereading?.last.get(key);
  if (!rereading || !last) return undefined;
  rereading.last.delete(key);
  if (isOld(kind, loop, last)) return undefined;
  const observation = await rereading.refresh(last.observation);
  return observation && { observation, listedAt: last.listedAt };
}

async function listAnew<Observation, Status, Action, Probe, Decision extends DecisionShape<Status, Action, Probe>>(
  kind: Reconciler<Observation, Status, Action, Probe, Decision>,
  { clock }: Loop<Probe>,
  key: string,
): Promise<Reading<Observation> | undefined> {
  const listedAt = clock.elapsed();
  const observation = await kind.observeLive(key);
  return observation && { observation, listedAt };
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
  for (const together of batches(kind.aside, actions)) {
    if (!loop.isLeader()) return undefined;
    // A process that slept between the list and here must look again: what others took out since is not in the list.
    if (together.some((action) => kind.isDisruptive(action)) && loop.clock.elapsed() - listedAt > LIVE_LIST_LIMIT) return undefined;
    const from: Observation = seen ?? observation;
    const [first, ...others] = await allOf(together.map((action) => kind.act(from, action)));
    const after: Observation | undefined = others.includes(undefined) ? undefined : first;
    seen = seen && after && (others.length > 0 && kind.aside ? kind.aside.recall(after) : after);
  }
  return seen;
}

/** In order; the asides beside the first of the others, whose answer is then what is seen. */
function batches<Observation, Action>(aside: Aside<Observation, Action> | undefined, actions: readonly Action[]): readonly Action[][] {
  const asides = actions.filter((action) => aside?.is(action));
  const [first, ...others] = actions.filter((action) => !aside?.is(action));
  return [[...(first === undefined ? [] : [first]), ...asides], ...others.map((action) => [action])];
}

/** Waits for all of them, also when one fails: nothing of this pass is under way any more when the next begins. */
async function allOf<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const failed = (await Promise.allSettled(promises)).find((settled) => settled.status === "rejected");
  if (failed) throw failed.reason;
  return Promise.all(promises);
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
