import type { NodeAddress } from "../nodes/node-fleet.ts";
import { atItsAddress, type DoorOf } from "./door.ts";
import { askHealth, isServing, type NodeList } from "./node-directory.ts";

/** A node changed between serving and not, or the number of those that are out did. Instants are milliseconds since the epoch. */
export type ServingEvent =
  | {
      readonly type: "node";
      readonly at: number;
      readonly pop: string;
      readonly node: string;
      readonly serving: boolean;
      readonly reason: string;
      readonly version: string;
    }
  | { readonly type: "out"; readonly at: number; readonly pop: string; readonly count: number; readonly nodes: readonly string[] };

export interface ServingSummary {
  readonly rounds: number;
  readonly asked: number;
  /** Nodes that served at least once; only these can be out (rule P16). */
  readonly served: readonly string[];
  /** Most nodes out at the same time, by PoP. */
  readonly maximumOut: Readonly<Record<string, { readonly count: number; readonly at: number; readonly nodes: readonly string[] }>>;
}

interface Seen extends NodeAddress {
  serving: boolean;
  asking: boolean;
}

/**
 * In milliseconds. A node whose pod is away refuses at once and one that drains says so; only of a frozen one is nothing heard. Shorter,
 * and a machine that stops for a second has every node of every PoP out at the same time.
 */
const ANSWER_TIMEOUT = 5_000;

/**
 * Asks each node by itself whether it serves: /healthz answers 200 and it does not drain. It knows nothing of the operator and shares no
 * connection with anybody. A node that is still answering the last question is not asked again; one that is silent for five seconds is out.
 */
export class ServingWatcher {
  readonly #nodes: NodeList;
  readonly #port: number;
  readonly #tell: (event: ServingEvent) => void;
  readonly #doorOf: DoorOf;
  readonly #seen = new Map<string, Seen>();
  readonly #out = new Map<string, string>();
  readonly #maximum: Record<string, { count: number; at: number; nodes: readonly string[] }> = {};
  #rounds = 0;
  #asked = 0;

  constructor(nodes: NodeList, port: number, tell: (event: ServingEvent) => void, doorOf: DoorOf = atItsAddress) {
    this.#nodes = nodes;
    this.#port = port;
    this.#tell = tell;
    this.#doorOf = doorOf;
  }

  /** Asks every node each `intervalMilliseconds` until the signal aborts. */
  async run(intervalMilliseconds: number, signal: AbortSignal): Promise<ServingSummary> {
    while (!signal.aborted) {
      this.#rounds++;
      for (const node of await this.#nodes()) void this.#ask(node);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, intervalMilliseconds);
        signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
      });
    }
    const served = [...this.#seen.keys()].toSorted();
    return { rounds: this.#rounds, asked: this.#asked, served, maximumOut: this.#maximum };
  }

  async #ask(node: NodeAddress): Promise<void> {
    const known = this.#seen.get(node.name);
    if (known?.asking) return;
    if (known) known.asking = true;
    this.#asked++;
    const health = await askHealth(this.#doorOf(node, this.#port), ANSWER_TIMEOUT);
    if (known) known.asking = false;
    const serving = isServing(health);
    const reason = health === undefined ? "no answer" : health.draining ? "draining" : `healthz ${health.status}`;
    if (!known && !serving) return;
    if (known?.serving === serving) return;
    if (known) known.serving = serving;
    else this.#seen.set(node.name, { ...node, serving, asking: false });
    this.#tell({ type: "node", at: Date.now(), pop: node.pop, node: node.name, serving, reason, version: health?.version ?? "" });
    this.#count(node.pop);
  }

  #count(pop: string): void {
    const nodes = [...this.#seen.values()]
      .filter((node) => node.pop === pop && !node.serving)
      .map(({ name }) => name)
      .toSorted();
    if ((this.#out.get(pop) ?? "") === nodes.join()) return;
    this.#out.set(pop, nodes.join());
    const now = { count: nodes.length, at: Date.now(), nodes };
    this.#tell({ type: "out", pop, ...now });
    if (nodes.length > (this.#maximum[pop]?.count ?? 0)) this.#maximum[pop] = now;
  }
}
