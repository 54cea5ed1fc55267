// B5, idle: from the moment a node answers a health check with a bad sample until the decision to roll back stands in the API server,
// by one clock: this process gives the bad answer and holds the watch that sees the status. The floor does the same without
// deciding: a bare client asks for the sample, and replaces a status of the same size as soon as it is bad.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";
import type { PopCluster } from "../src/api/pop-cluster.ts";
import { POP_CLUSTER } from "../src/api/resources.ts";
import { NAMESPACE, NODE } from "../src/control/kinds.ts";
import type { Kind } from "../src/control/ports.ts";
import { FLEET_NAMESPACE, popDraft } from "../src/simulation/world.ts";
import { type Figures, quantile, spread } from "./figures.ts";
import { type BenchWorld, changeIn } from "./world.ts";

const POP = "ber1";
const PORT = 9900;
const ROLLBACKS = 20;
const FLOOR_NAMESPACE = "bench-floor";
const MEDIAN_TARGET = 30;
const TAIL_TARGET = 200;
const KIND: Kind<PopCluster> = POP_CLUSTER;

const watched = {
  strategy: { bake: "1s", perNode: { expected: "40s", deadline: "60s", soak: "0s", retries: 0 } },
  health: {
    node: [{ name: "sample", http: { port: PORT, path: "/" }, address: "Node", successes: 1, failures: 1, interval: "1s", timeout: "1s" }],
    pop: [],
  },
};

export async function badHealth(world: BenchWorld, program: string): Promise<Figures> {
  const [node] = await world.cluster.list(NODE, { labelSelector: `rollward.dev/pop=${POP}` });
  const address = node?.status?.addresses?.find(({ type }) => type === "InternalIP")?.address;
  if (address === undefined) throw new Error(`PoP ${POP} has no node with an address`);
  const source = await SampleSource.open(address);
  const operator = await world.startOperator(program);
  try {
    await world.createPop(POP, watched);
    await passed(world, "1.0.0");
    const floor = await Floor.open(world, `http://${address}:${PORT}/`);
    const ours: number[] = [];
    const bare: number[] = [];
    for (let round = 1; round <= ROLLBACKS; round++) {
      // A B B A, two rounds at a time.
      const measured = [
        async () => ours.push(await rollback(world, source, `2.${round}.0`)),
        async () => bare.push(await floor.measure(source)),
      ];
      if (round % 2 === 0) measured.reverse();
      for (const one of measured) await one();
    }
    floor.stop();
    const tail = quantile(ours, 0.99);
    return {
      title: "B5, idle: bad health seen → decision to roll back persisted",
      how: `${ROLLBACKS} rollbacks of a version that is watched, damping off (failures: 1); from the bad answer to the watch event with the rollback, one process's clock; the floor asks for the same sample and replaces the same status without deciding, in turn with it`,
      rows: [
        { what: "Rollward", value: spread(ours, "ms"), target: `p50 ≤ ${MEDIAN_TARGET} ms`, met: quantile(ours, 0.5) <= MEDIAN_TARGET },
        {
          what: `Rollward, p99 (of ${ROLLBACKS}: the longest)`,
          value: `${tail.toFixed(0)} ms`,
          target: `≤ ${TAIL_TARGET} ms`,
          met: tail <= TAIL_TARGET,
        },
        { what: "floor: a bare client", value: spread(bare, "ms") },
        { what: "damping, apart", value: "(failures − 1) × interval of the check; 2 s with the defaults" },
      ],
    };
  } finally {
    await operator.stop();
    await source.close();
  }
}

const passed = (world: BenchWorld, version: string) =>
  world.until(POP, `${version} is watched`, ({ status }) => status?.run?.version === version && status.run.state === "Passed");

/** Rolls to a version, lets it turn bad, and answers how long the decision took; waits until the PoP is back. */
async function rollback(world: BenchWorld, source: SampleSource, version: string): Promise<number> {
  await world.editPop(POP, (spec) => ({ ...spec, version }));
  await passed(world, version);
  // The sampler is at its interval again, and nothing of the roll is under way.
  await sleep(1_500);
  const decided = world.until(POP, `the decision to take ${version} back`, ({ status }) => status?.run?.kind === "Rollback");
  const bad = source.turnBad();
  const { at } = await decided;
  const elapsed = at - (await bad);
  source.turnGood();
  await world.until(
    POP,
    `${version} is taken back`,
    ({ status }) => status?.run === undefined && status?.history?.at(-1)?.outcome === "RolledBack",
  );
  return elapsed;
}

/** What both are asked about: an HTTP server on the node's own address whose answer turns bad on request. */
class SampleSource {
  readonly #server: Server;
  #told: ((at: number) => void) | undefined;
  #bad = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(address: string): Promise<SampleSource> {
    const server = createServer((_, response) => {
      response.writeHead(source.#bad ? 500 : 200).end();
      if (source.#bad) source.#told?.(performance.now());
    });
    const source = new SampleSource(server);
    server.listen(PORT, address);
    await once(server, "listening");
    return source;
  }

  /** From now on bad; resolves with `performance.now()` when the first bad answer was given. */
  turnBad(): Promise<number> {
    this.#bad = true;
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#told = resolve;
    return promise;
  }

  turnGood(): void {
    this.#bad = false;
    this.#told = undefined;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** The same reading and the same write without anything in between, on an object that no operator looks at. */
class Floor {
  readonly #world: BenchWorld;
  readonly #cache;
  readonly #url: string;

  private constructor(world: BenchWorld, url: string) {
    this.#world = world;
    this.#url = url;
    this.#cache = world.cluster.cache(KIND, { namespace: FLOOR_NAMESPACE });
  }

  static async open(world: BenchWorld, url: string): Promise<Floor> {
    await world.cluster.create(NAMESPACE, { metadata: { name: FLOOR_NAMESPACE } });
    const draft = popDraft(POP, watched);
    await world.cluster.create(KIND, { ...draft, metadata: { ...draft.metadata, namespace: FLOOR_NAMESPACE } });
    const floor = new Floor(world, url);
    await floor.#cache.whenSynced();
    return floor;
  }

  async measure(source: SampleSource): Promise<number> {
    const bad = source.turnBad();
    const answer = await request(this.#url);
    await answer.body.dump();
    const own = this.#cache.get(POP, FLOOR_NAMESPACE);
    const like = this.#world.pops.get(POP, FLEET_NAMESPACE)?.status;
    if (answer.statusCode !== 500 || !own || !like)
      throw new Error(`the floor had no bad sample (${answer.statusCode}), or nothing to write it on`);
    const version = own.metadata.resourceVersion;
    const seen = changeIn(
      this.#cache,
      () => this.#cache.get(POP, FLOOR_NAMESPACE),
      ({ metadata }) => metadata.resourceVersion !== version,
      10_000,
      () => "the floor's write was not seen within 10 s",
    );
    // Each round's status has something new in it, or the server would write nothing.
    await updateStatus(this.#world, own, { ...like, observedGeneration: Math.round(performance.now()) });
    const { at } = await seen;
    source.turnGood();
    return at - (await bad);
  }

  stop(): void {
    this.#cache.stop();
  }
}

async function updateStatus(world: BenchWorld, pop: PopCluster, status: NonNullable<PopCluster["status"]>): Promise<void> {
  await world.cluster.updateStatus(KIND, { ...pop, status });
}

if (import.meta.main) {
  const { build, DIST } = await import("../tools/build.ts");
  const { inWorld } = await import("./world.ts");
  const { printFigures } = await import("./figures.ts");
  const { program } = await build(DIST);
  printFigures(await inWorld({ [POP]: 1 }, (world) => badHealth(world, program)));
}
