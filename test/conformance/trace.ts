import { expect } from "vitest";
import { ApiError, type Cluster } from "../../src/control/ports.ts";

/** Where a trace is played: the in-memory cluster, or a real API server with its controllers. */
export interface World {
  readonly cluster: Cluster;
  /** Another client of the same cluster: the caches of `cluster` hear of its writes by their watch alone. */
  readonly other: Cluster;
  /** Lets a little time pass: virtual here, real there. */
  pause(): Promise<void>;
}

/** What one step answered, with all that differs between any two runs taken out. */
export interface Answer {
  readonly step: string;
  readonly outcome: string;
  readonly object?: unknown;
}

export interface Trace {
  /** The rule that it pins, as a sentence. */
  readonly name: string;
  readonly play: (player: Player) => Promise<void>;
}

const traces: Trace[] = [];

/** Declares a trace; the same steps are played on both worlds and their answers compared. */
export function trace(name: string, play: Trace["play"]): void {
  traces.push({ name, play });
}

export const declaredTraces = (): readonly Trace[] => traces;

export interface StepOptions<T> {
  /** What of the answer is compared; default all of it. For objects that controllers write as well. */
  readonly compare?: (answer: T) => unknown;
}

/** Plays the steps of one trace on one world and notes the answers. */
export class Player {
  readonly cluster: Cluster;
  readonly other: Cluster;
  readonly answers: Answer[] = [];
  /** Namespace and prefix of cluster-wide names, so that traces do not meet. */
  readonly namespace: string;
  readonly #world: World;
  readonly #tokens = new Map<string, string>();

  constructor(world: World, namespace: string) {
    this.#world = world;
    this.cluster = world.cluster;
    this.other = world.other;
    this.namespace = namespace;
  }

  /** A step that must succeed; answers what it answered. */
  async ok<T>(step: string, act: (cluster: Cluster) => Promise<T>, options: StepOptions<T> = {}): Promise<T> {
    const { value, outcome } = await attempt(() => act(this.cluster));
    expect(outcome, step).toBe("ok");
    this.#note(step, outcome, (options.compare ?? ((answer) => answer))(value as T));
    return value as T;
  }

  /** A step that must fail with this code and reason (`409 Conflict`). */
  async fails(step: string, expected: string, act: (cluster: Cluster) => Promise<unknown>): Promise<void> {
    const { outcome, fields } = await attempt(() => act(this.cluster));
    expect(outcome, step).toBe(expected);
    this.#note(step, outcome, fields);
  }

  /** Looks until what is seen is as expected, as controllers take their time; gives up after 20 s. */
  async eventually<T>(
    step: string,
    look: (cluster: Cluster) => Promise<T>,
    expected: (seen: T) => boolean,
    options: StepOptions<T> = {},
  ): Promise<T> {
    for (let turn = 0; ; turn++) {
      const seen = await look(this.cluster);
      if (expected(seen)) {
        this.#note(step, "ok", (options.compare ?? (() => undefined))(seen));
        return seen;
      }
      if (turn > 400) expect.fail(`${step}: still ${JSON.stringify(seen).slice(0, 2_000)}`);
      await this.#world.pause();
    }
  }

  /** Time for controllers to do what they must not do. */
  async quiet(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await this.#world.pause();
  }

  #note(step: string, outcome: string, object: unknown): void {
    this.answers.push({ step, outcome, ...(object !== undefined && { object: this.#plain(object) }) });
  }

  #plain(value: unknown, field = ""): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#plain(item, field));
    if (typeof value === "object" && value !== null) {
      const entries = Object.entries(value).filter(([key]) => key !== "managedFields");
      const generated = (value as { generateName?: string }).generateName;
      return Object.fromEntries(
        entries.map(([key, child]) => [key, key === "name" && generated ? `${generated}?` : this.#plain(child, key)]),
      );
    }
    if (typeof value !== "string") return value;
    if (field === "uid" || field === "resourceVersion") return this.#token(field, value);
    return /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(value) ? "<time>" : value;
  }

  /** The n-th different UID or resourceVersion that the trace met: equal ones stay equal, so a write that changed nothing shows. */
  #token(field: string, value: string): string {
    const key = `${field} ${value}`;
    if (!this.#tokens.has(key))
      this.#tokens.set(key, `${field} ${[...this.#tokens.keys()].filter((known) => known.startsWith(`${field} `)).length + 1}`);
    return this.#tokens.get(key)!;
  }
}

/** `ok`, or code and reason of the ApiError; other errors are bugs and pass through. */
export async function attempt<T>(
  act: () => Promise<T>,
): Promise<{ readonly outcome: string; readonly value?: T; readonly fields?: readonly string[]; readonly error?: ApiError }> {
  try {
    return { outcome: "ok", value: await act() };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // Which fields are named is part of the answer, the sentences are each server's own.
    const fields = [...new Set(error.causes.flatMap(({ field }) => (field === undefined || field === "<nil>" ? [] : [field])))].sort();
    return { outcome: `${error.code} ${error.reason}`, fields, error };
  }
}
