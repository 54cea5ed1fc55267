import type { Clock } from "../../runtime/clock.ts";
import type { NodeDirectory } from "./node-directory.ts";
import { type SessionBreak, SessionClient, type SessionTransport } from "./session-client.ts";

export interface SessionLoadOptions {
  readonly pop: string;
  readonly sessions: number;
  readonly clock: Clock;
  /** Milliseconds since the epoch for the instants of breaks; the clock's `now` when absent. */
  readonly wallClock?: () => number;
  readonly directory: NodeDirectory;
  readonly transport: SessionTransport;
  readonly onBreak?: (broken: SessionBreak) => void;
}

export interface SessionLoadSummary {
  readonly pop: string;
  readonly sessions: number;
  /** Sessions that hold a connection now. */
  readonly held: number;
  readonly breaks: number;
  /** How many sessions broke so many times: `{"0": 150, "1": 50}`. */
  readonly sessionsByBreaks: Readonly<Record<string, number>>;
  /** Milliseconds; breaks that never ended are not in it, `neverBack` counts them. */
  readonly longestOutage: number;
  /** Most sessions broken at the same time. */
  readonly maximumBroken: number;
  readonly wentElsewhere: number;
  readonly neverBack: number;
}

/** N sessions of one PoP, spread over its nodes at first, and the record of every break (rule P11, seen from outside). */
export class SessionLoad {
  readonly breaks: SessionBreak[] = [];
  readonly #options: SessionLoadOptions;
  readonly #clients: readonly SessionClient[];
  /** Which of the sessions hold a connection. */
  readonly #held = new Set<string>();
  #broken = 0;
  #maximumBroken = 0;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: SessionLoadOptions) {
    this.#options = options;
    this.#clients = Array.from({ length: options.sessions }, (_, index) => this.#client(index));
  }

  /** Begins; `held` tells when all of them are there. */
  start(): void {
    this.#running = Promise.all(this.#clients.map((client) => client.run()));
  }

  get held(): number {
    return this.#held.size;
  }

  /** Ends all sessions and resolves with the summary as it was a moment before. */
  async stop(): Promise<SessionLoadSummary> {
    const held = this.held;
    for (const client of this.#clients) client.stop();
    await this.#running;
    return { ...this.summary(), held };
  }

  summary(): SessionLoadSummary {
    const { pop, sessions } = this.#options;
    const counts = new Map(Array.from({ length: sessions }, (_, index) => [sessionID(pop, index), 0]));
    for (const { id } of this.breaks) counts.set(id, (counts.get(id) ?? 0) + 1);
    const sessionsByBreaks: Record<string, number> = {};
    for (const count of counts.values()) sessionsByBreaks[count] = (sessionsByBreaks[count] ?? 0) + 1;
    return {
      pop,
      sessions,
      held: this.held,
      breaks: this.breaks.length,
      sessionsByBreaks,
      longestOutage: Math.max(0, ...this.breaks.map(({ outage }) => outage ?? 0)),
      maximumBroken: this.#maximumBroken,
      wentElsewhere: this.breaks.filter(({ backPop }) => backPop !== undefined && backPop !== pop).length,
      neverBack: this.breaks.filter(({ backAt }) => backAt === undefined).length,
    };
  }

  #client(index: number): SessionClient {
    const { pop, clock, wallClock, directory, transport, onBreak } = this.#options;
    const id = sessionID(pop, index);
    return new SessionClient({
      id,
      pop,
      clock,
      directory,
      transport,
      wallClock: wallClock ?? (() => clock.now()),
      // In turn, by name: each node begins with its share.
      first: (nodes) => nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1))[index % Math.max(1, nodes.length)],
      onHeld: () => this.#held.add(id),
      onLost: () => {
        this.#held.delete(id);
        this.#maximumBroken = Math.max(this.#maximumBroken, ++this.#broken);
      },
      onBreak: (broken) => {
        this.#broken--;
        this.breaks.push(broken);
        onBreak?.(broken);
      },
    });
  }
}

const sessionID = (pop: string, index: number): string => `${pop}-s${index + 1}`;
