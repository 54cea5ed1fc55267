import { readFile } from "node:fs/promises";
import type { NodeAddress } from "../nodes/node-fleet.ts";
import { atItsAddress, type Door, type DoorOf, getOnce } from "./door.ts";

/** A node that serves now, by its own word. */
export interface ServingNode extends NodeAddress {
  /** Calendar instant of its instance's start. */
  readonly started: number;
}

/** Which nodes serve, asked of the nodes themselves and not of the operator. */
export interface NodeDirectory {
  serving(): Promise<readonly ServingNode[]>;
}

export interface HealthAnswer {
  readonly status: number;
  readonly draining: boolean;
  readonly started: number;
  readonly version: string;
}

/** Asks a node's /healthz; undefined when nobody answers in time. */
export async function askHealth(door: Door, timeoutMilliseconds: number): Promise<HealthAnswer | undefined> {
  const answer = await getOnce(door, "/healthz", timeoutMilliseconds);
  return answer && readHealth(answer.status, answer.body);
}

export function readHealth(status: number, body: string): HealthAnswer | undefined {
  try {
    const { draining, started, version } = JSON.parse(body) as Partial<HealthAnswer>;
    return { status, draining: draining === true, started: started ?? 0, version: version ?? "" };
  } catch {
    return undefined;
  }
}

export const isServing = (health: HealthAnswer | undefined): health is HealthAnswer => health?.status === 200 && !health.draining;

/** Where nodes are: a fixed list, or a JSON file `[{name, pop, address}]` that is read anew each time, because nodes come and go. */
export type NodeList = () => Promise<readonly NodeAddress[]>;

/** Reads the directory file that `nodes/main.ts` keeps. A file that is just being written counts as the last one read. */
export function nodesFromFile(path: string): NodeList {
  let last: readonly NodeAddress[] = [];
  return async () => {
    try {
      last = JSON.parse(await readFile(path, "utf8")) as NodeAddress[];
    } catch {
      // Not there yet: no nodes.
    }
    return last;
  };
}

const ASK_TIMEOUT = 1_000;
const FRESH_MILLISECONDS = 100;

/** The directory over HTTP. Sessions of one drain come back together, so answers of the last 100 ms are shared. */
export class HttpNodeDirectory implements NodeDirectory {
  readonly #nodes: NodeList;
  readonly #port: number;
  readonly #doorOf: DoorOf;
  #asked = -Infinity;
  #answer: Promise<readonly ServingNode[]> = Promise.resolve([]);

  constructor(nodes: NodeList, port: number, doorOf: DoorOf = atItsAddress) {
    this.#nodes = nodes;
    this.#port = port;
    this.#doorOf = doorOf;
  }

  serving(): Promise<readonly ServingNode[]> {
    if (performance.now() - this.#asked > FRESH_MILLISECONDS) {
      this.#asked = performance.now();
      this.#answer = this.#ask();
    }
    return this.#answer;
  }

  async #ask(): Promise<readonly ServingNode[]> {
    const nodes = await this.#nodes();
    const answers = await Promise.all(nodes.map((node) => askHealth(this.#doorOf(node, this.#port), ASK_TIMEOUT)));
    return nodes.flatMap((node, index) => {
      const health = answers[index];
      return isServing(health) ? [{ ...node, started: health.started }] : [];
    });
  }
}
