import { type Clock, sleep } from "../../runtime/clock.ts";
import type { SessionOffer, SessionReferral } from "../nodes/data-plane.ts";
import type { NodeDirectory, ServingNode } from "./node-directory.ts";

/** Nobody answered, or without a word: try another node of this PoP at once. */
export const AGAIN: SessionReferral = { afterMilliseconds: 0, to: "-" };

export interface SessionConnection {
  close(): void;
}

/** Carries sessions to nodes: TCP (tcp-transport.ts) or calls in memory (in-memory-transport.ts). */
export interface SessionTransport {
  /**
   * Resolves with the connection, or with a referral when the node does not take the session (or nobody answers). `onLost` comes once,
   * after an accepted session is gone.
   */
  connect(
    node: ServingNode,
    offer: SessionOffer,
    onLost: (referral: SessionReferral) => void,
  ): Promise<SessionConnection | SessionReferral>;
}

/** One loss of a session, told when it is over. Instants are milliseconds since the epoch. */
export interface SessionBreak {
  readonly id: string;
  /** The node that held it. */
  readonly node: string;
  readonly at: number;
  /** Absent when it never came back in the time of the run, or went to a PoP that is not in the directory. */
  readonly backAt?: number;
  readonly backNode?: string;
  readonly backPop?: string;
  /** Milliseconds from loss to return, measured by a monotonic clock. */
  readonly outage?: number;
}

export interface SessionClientOptions {
  readonly id: string;
  readonly pop: string;
  readonly clock: Clock;
  readonly wallClock: () => number;
  readonly directory: NodeDirectory;
  readonly transport: SessionTransport;
  /** Which node to begin with, among the serving ones of the PoP. */
  readonly first: (nodes: readonly ServingNode[]) => ServingNode | undefined;
  readonly onHeld: (node: string) => void;
  readonly onLost: (node: string) => void;
  readonly onBreak: (broken: SessionBreak) => void;
}

const RETRY_MILLISECONDS = 100;
/** A node that drops a session so soon after taking it is tried last for as long again. */
const SUSPECT_MILLISECONDS = 5_000;
const STOPPED = new Error("the load has ended");

/** One user: keeps its session, and when it is lost takes it by itself to the node of its PoP that started last. */
export class SessionClient {
  readonly #options: SessionClientOptions;
  readonly #life = new AbortController();
  readonly #stopped = Promise.withResolvers<never>();
  #connection: SessionConnection | undefined;
  /** The node that holds the session, or held it last. */
  #node: ServingNode | undefined;
  #heldSince = 0;
  #lost: { readonly at: number; readonly elapsed: number } | undefined;
  #suspect: { readonly name: string; readonly until: number } | undefined;
  #pop: string;

  constructor(options: SessionClientOptions) {
    this.#options = options;
    this.#pop = options.pop;
    // A client that is stopped while it holds nothing waits for nobody.
    this.#stopped.promise.catch(() => undefined);
  }

  /** Holds the session until `stop`; never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#life;
    try {
      while (!signal.aborted) {
        const { loss } = await this.#connect();
        const referral = await Promise.race([loss, this.#stopped.promise]);
        this.#markLost();
        await this.#follow(referral);
      }
    } catch (error) {
      if (error !== STOPPED) throw error;
    }
  }

  /** Ends it; a break that is still open is told without its end. */
  stop(): void {
    if (this.#life.signal.aborted) return;
    this.#life.abort(STOPPED);
    this.#stopped.reject(STOPPED);
    this.#connection?.close();
    if (this.#lost && this.#node) this.#options.onBreak({ id: this.#options.id, node: this.#node.name, at: this.#lost.at });
  }

  /** Tries nodes until one takes the session; `loss` tells what the node said when it is over. */
  async #connect(): Promise<{ readonly loss: Promise<SessionReferral> }> {
    const { signal } = this.#life;
    for (;;) {
      const node = await this.#choose();
      signal.throwIfAborted();
      if (node) {
        const { promise: loss, resolve } = Promise.withResolvers<SessionReferral>();
        const answer = await this.#options.transport.connect(node, this.#offer(), resolve);
        if (!("afterMilliseconds" in answer)) {
          this.#connection = answer;
          // Stopped while the node was still answering: nobody else closes this connection.
          if (signal.aborted) answer.close();
          signal.throwIfAborted();
          this.#markHeld(node);
          return { loss };
        }
        await this.#follow(answer);
      }
      await sleep(this.#options.clock, RETRY_MILLISECONDS, signal);
    }
  }

  #offer(): SessionOffer {
    const { id, clock } = this.#options;
    if (!this.#node) return { id, from: "-", lostMilliseconds: 0 };
    return { id, from: this.#node.name, lostMilliseconds: Math.round(clock.elapsed() - (this.#lost?.elapsed ?? clock.elapsed())) };
  }

  /** The node that started last (the first time any, so that the load begins spread); one under suspicion only when there is no other. */
  async #choose(): Promise<ServingNode | undefined> {
    const nodes = (await this.#options.directory.serving()).filter(({ pop }) => pop === this.#pop);
    if (!this.#node) return this.#options.first(nodes);
    const suspect = this.#suspect && this.#options.clock.elapsed() < this.#suspect.until ? this.#suspect.name : undefined;
    return nodes.toSorted(
      (a, b) => Number(a.name === suspect) - Number(b.name === suspect) || b.started - a.started || (a.name < b.name ? -1 : 1),
    )[0];
  }

  /** Does what the node said: waits, goes to another PoP. From one that the directory does not know nobody comes back. */
  async #follow({ afterMilliseconds, to }: SessionReferral): Promise<void> {
    if (to !== "-") {
      const others = (await this.#options.directory.serving()).filter(({ pop }) => pop !== this.#pop).map(({ pop }) => pop);
      this.#pop = others.includes(to) ? to : (others.toSorted()[0] ?? to);
    }
    if (afterMilliseconds > 0) await sleep(this.#options.clock, afterMilliseconds, this.#life.signal);
  }

  #markHeld(node: ServingNode): void {
    const { id, clock, wallClock, onBreak, onHeld } = this.#options;
    const lost = this.#lost;
    const left = this.#node;
    this.#node = node;
    this.#lost = undefined;
    this.#heldSince = clock.elapsed();
    onHeld(node.name);
    if (!lost || !left) return;
    onBreak({
      id,
      node: left.name,
      at: lost.at,
      backAt: wallClock(),
      backNode: node.name,
      backPop: node.pop,
      outage: clock.elapsed() - lost.elapsed,
    });
  }

  #markLost(): void {
    this.#life.signal.throwIfAborted();
    const { clock, wallClock, onLost } = this.#options;
    const name = this.#node!.name;
    this.#lost = { at: wallClock(), elapsed: clock.elapsed() };
    this.#connection = undefined;
    if (clock.elapsed() - this.#heldSince < SUSPECT_MILLISECONDS) this.#suspect = { name, until: clock.elapsed() + SUSPECT_MILLISECONDS };
    onLost(name);
  }
}
