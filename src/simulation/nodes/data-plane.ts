import type { Clock } from "../../runtime/clock.ts";
import { type Behaviour, contentBehaviour } from "./behaviour.ts";
import { DrainLedger, type DrainAnswer, type DrainOrder } from "./drain-ledger.ts";
import { SessionReturns } from "./session-returns.ts";

/** Which container instance this is. A restart of the container makes another one with another containerID. */
export interface DataPlaneIdentity {
  readonly node: string;
  readonly pop: string;
  readonly podUID: string;
  readonly containerID: string;
  readonly version: string;
}

/** What a session says when it comes: where it comes from (`-`: a new one) and how long it has been nowhere. */
export interface SessionOffer {
  readonly id: string;
  readonly from: string;
  readonly lostMilliseconds: number;
}

/** What it is told when it has to go, or may not come: when another node takes it, and in which PoP (`-`: this one). */
export interface SessionReferral {
  readonly afterMilliseconds: number;
  readonly to: string;
}

export type SessionAnswer =
  | { readonly accepted: true; readonly started: number; /** The session left by itself. */ readonly leave: () => void }
  | ({ readonly accepted: false } & SessionReferral);

export type Health = "Starting" | "Healthy" | "Unhealthy";

export interface Tunnel {
  readonly site: string;
  readonly tunnel: string;
}

export interface DataPlaneOptions {
  readonly identity: DataPlaneIdentity;
  readonly behaviour: Behaviour;
  readonly clock: Clock;
  readonly tunnels?: readonly Tunnel[];
}

/** Where sessions go that leave the PoP; which one it is does not matter to the PoP that lost them. */
export const ELSEWHERE = "elsewhere";
const HERE = "-";
/** A drain hands its sessions back in this many steps of 50 ms: within about a second. */
const HAND_BACK_STEPS = 16;
const STEP_MILLISECONDS = 50;
const DROP_AFTER_MILLISECONDS = 1_000;

/**
 * One container instance of a simulated data plane: its sessions, its drain, its health and its content. It answers calls and keeps
 * time by the clock it was given, and knows nothing of sockets: `data-plane-http.ts` and the runtimes give it a mouth.
 */
export class DataPlane {
  readonly identity: DataPlaneIdentity;
  readonly behaviour: Behaviour;
  readonly tunnels: readonly Tunnel[];
  /** Calendar instant of the start, in milliseconds since the epoch. */
  readonly started: number;
  readonly returns = new SessionReturns();
  readonly #clock: Clock;
  readonly #startedElapsed: number;
  readonly #drain: DrainLedger;
  readonly #sessions = new Map<string, (referral: SessionReferral) => void>();
  readonly #healthListeners = new Set<() => void>();
  readonly #timers = new Set<() => void>();
  #content: { readonly version: string; readonly loadedElapsed: number; readonly source?: unknown } = {
    version: "built-in",
    loadedElapsed: 0,
  };
  #handingBack = false;
  #handedOver = 0;
  #stopped = false;
  #terminated: (() => void) | undefined;

  constructor({ identity, behaviour, clock, tunnels = [] }: DataPlaneOptions) {
    this.identity = identity;
    this.behaviour = behaviour;
    this.tunnels = tunnels;
    this.#clock = clock;
    this.started = clock.now();
    this.#startedElapsed = clock.elapsed();
    this.#drain = new DrainLedger(identity, () => clock.elapsed());
    if (Number.isFinite(behaviour.readyAfter)) this.#later(behaviour.readyAfter, () => this.#healthChanged());
    if (Number.isFinite(behaviour.unhealthyAfter) && behaviour.unhealthyAfter > 0) {
      this.#timers.add(clock.at(this.started + behaviour.unhealthyAfter, () => this.#healthChanged()));
    }
  }

  get health(): Health {
    if (this.#stopped || this.#clock.elapsed() - this.#startedElapsed < this.behaviour.readyAfter) return "Starting";
    return this.#clock.now() - this.started >= this.behaviour.unhealthyAfter ? "Unhealthy" : "Healthy";
  }

  /** Tells when `health` changed. Returns the unsubscription. */
  onHealth(listener: () => void): () => void {
    this.#healthListeners.add(listener);
    return () => this.#healthListeners.delete(listener);
  }

  /** True while a drain holds: no new sessions, the old ones go. */
  get draining(): boolean {
    return this.behaviour.drains && this.#drain.token !== undefined;
  }

  get drainToken(): string | undefined {
    return this.#drain.token;
  }

  /** IDs of the sessions that it counts. */
  get sessions(): readonly string[] {
    return this.behaviour.keepsSessions ? [...this.#sessions.keys()] : [];
  }

  get errors(): number {
    return Math.floor((this.behaviour.errorsPerSecond * (this.#clock.elapsed() - this.#startedElapsed)) / 1000);
  }

  startDrain(order: DrainOrder, leaseMilliseconds: number): DrainAnswer {
    const answer = this.#drain.start(order, leaseMilliseconds);
    if (answer.accepted && this.behaviour.drains) this.#handBackStepwise(() => this.draining);
    return answer;
  }

  cancelDrain(order: DrainOrder): DrainAnswer {
    return this.#drain.cancel(order);
  }

  /** A session comes. `onBye` is called once, when the node wants it to go; after `leave` or `onBye` neither is called again. */
  offer(offer: SessionOffer, onBye: (referral: SessionReferral) => void): SessionAnswer {
    const refusal = this.#refusal(offer);
    if (refusal) return { accepted: false, ...refusal };
    const { id, from, lostMilliseconds } = offer;
    // The same session twice: the older connection is a leftover that its client has given up.
    this.#close(id, { afterMilliseconds: 0, to: HERE });
    this.#sessions.set(id, onBye);
    if (!this.behaviour.keepsSessions) this.#later(DROP_AFTER_MILLISECONDS, () => this.#drop(id, onBye));
    else if (from !== HERE) this.returns.observe(from, lostMilliseconds / 1000);
    return { accepted: true, started: this.started, leave: () => void (this.#sessions.get(id) === onBye && this.#sessions.delete(id)) };
  }

  get contentVersion(): string {
    return this.#content.version;
  }

  /** What was named as its source when it was loaded. */
  get contentSource(): unknown {
    return this.#content.source;
  }

  get contentHealthy(): boolean {
    return contentBehaviour(this.#content.version).name !== "bad-health";
  }

  get contentErrors(): number {
    const bad = contentBehaviour(this.#content.version).name === "errors";
    return bad ? Math.floor((this.#clock.elapsed() - this.#content.loadedElapsed) / 100) : 0;
  }

  /** Loads content in place (rule P15): no session, drain or restart is touched. False: it would need a restart, and nothing changed. */
  loadContent(version: string, source?: unknown): boolean {
    if (contentBehaviour(version).name === "needs-restart") return false;
    if (version !== this.#content.version) this.#content = { version, loadedElapsed: this.#clock.elapsed(), source };
    return true;
  }

  /** The container is told to end: hands its sessions back, then resolves. It answers nothing any more. */
  terminate(): Promise<void> {
    this.#stopped = true;
    return new Promise((resolve) => {
      this.#terminated = resolve;
      this.#handBackStepwise(
        () => true,
        () => this.kill(),
      );
    });
  }

  /** The container is gone at once: no goodbye to anybody. Whoever holds the sockets closes them. */
  kill(): void {
    this.#stopped = true;
    this.#sessions.clear();
    this.#healthListeners.clear();
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    this.#terminated?.();
  }

  #refusal({ id, from, lostMilliseconds }: SessionOffer): SessionReferral | undefined {
    if (this.health === "Starting" || this.draining) return { afterMilliseconds: 0, to: HERE };
    if (from === HERE || from === this.identity.node) return undefined;
    const { after, tenthElsewhere } = this.behaviour.takesOver;
    if (tenthElsewhere && !this.#sessions.has(id) && this.#isTenth()) return { afterMilliseconds: 0, to: ELSEWHERE };
    return lostMilliseconds < after ? { afterMilliseconds: after - lostMilliseconds, to: HERE } : undefined;
  }

  /** Every tenth session that changes node, counted: a share by hash would not be a tenth of fifty. */
  #isTenth(): boolean {
    return this.#handedOver++ % 10 === 0;
  }

  /** Closes a sixteenth of the sessions every 50 ms while `goOn`, then calls `done`; one at a time. */
  #handBackStepwise(goOn: () => boolean, done?: () => void): void {
    if (this.#handingBack && !done) return;
    this.#handingBack = true;
    const share = Math.max(1, Math.ceil(this.#sessions.size / HAND_BACK_STEPS));
    const step = () => {
      if (!goOn() || this.#sessions.size === 0) {
        this.#handingBack = false;
        return done?.();
      }
      for (const id of [...this.#sessions.keys()].slice(0, share)) this.#close(id, this.#goodbye());
      this.#later(STEP_MILLISECONDS, step);
    };
    step();
  }

  #goodbye(): SessionReferral {
    const { after, tenthElsewhere } = this.behaviour.givesAway;
    return tenthElsewhere && this.#isTenth() ? { afterMilliseconds: 0, to: ELSEWHERE } : { afterMilliseconds: after, to: HERE };
  }

  #close(id: string, referral: SessionReferral): void {
    const bye = this.#sessions.get(id);
    this.#sessions.delete(id);
    bye?.(referral);
  }

  #drop(id: string, onBye: (referral: SessionReferral) => void): void {
    if (this.#sessions.get(id) === onBye) this.#close(id, { afterMilliseconds: 0, to: HERE });
  }

  #healthChanged(): void {
    for (const listener of this.#healthListeners) listener();
  }

  #later(milliseconds: number, act: () => void): void {
    const cancel = this.#clock.after(milliseconds, () => {
      this.#timers.delete(cancel);
      act();
    });
    this.#timers.add(cancel);
  }
}
