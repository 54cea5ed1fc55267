import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { CONFIG_MAP } from "../../../src/control/kinds.ts";
import { FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { eventually, firstVersions, node, openFleet, podsOf } from "../rolls/pops.ts";
import { RealWorld } from "../rolls/real-world.ts";
import { SessionLoadProcess } from "../rolls/session-record.ts";
import { disturbancesSince, entriesSince } from "./disturbances.ts";
import { release, rolloutOf } from "./releases.ts";

const POPS = ["con1", "con2", "con3", "con4", "con5", "con6", "con7", "con8"] as const;
const NODES = 2;
/** 200 in all. */
const SESSIONS = 25;
const WEDNESDAY = "2026-11-25T10:00:00Z";

const LOADS = {
  load: { http: { port: 8080, path: "/content" } },
  health: [{ name: "content", http: { port: 8080, path: "/healthz?content" }, successes: 2, failures: 2, interval: "1s", timeout: "1s" }],
};
const SOURCE = { configMapRef: { name: "signatures" } };
const WAVES = [
  { name: "canary", pops: { count: 1 }, bake: "2m" },
  { name: "rest", pops: { percent: 100 }, bake: "2m" },
];

/** Asks each data plane by itself, 5 times a second, which content it uses; remembers in which order it saw what. */
class ContentWatcher {
  readonly #nodes: readonly { readonly name: string; readonly address: string }[];
  readonly #life = new AbortController();
  readonly #seen = new Map<string, string[]>();
  readonly #first = new Map<string, string[]>();
  readonly #done: Promise<void>;

  constructor(world: RealWorld) {
    this.#nodes = POPS.flatMap((pop) => world.addresses(pop));
    this.#done = this.#watch();
  }

  /** What each node used, in the order in which it was seen. */
  get seen(): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries([...this.#seen].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Nodes on which a version was ever seen, in the order in which it was seen first. */
  nodesWith(version: string): readonly string[] {
    return this.#first.get(version) ?? [];
  }

  async stop(): Promise<void> {
    this.#life.abort();
    await this.#done;
  }

  async #watch(): Promise<void> {
    while (!this.#life.signal.aborted) {
      await Promise.all(this.#nodes.map((one) => this.#ask(one)));
      await sleep(200);
    }
  }

  async #ask({ name, address }: { readonly name: string; readonly address: string }): Promise<void> {
    // A node that is silent for longer has failed; a machine that stops for some seconds has not ended what is watched.
    const answer = await fetch(`http://${address}:8080/content`, { signal: AbortSignal.timeout(20_000) });
    const { version } = (await answer.json()) as { version: string };
    const seen = this.#seen.get(name) ?? [];
    if (seen.at(-1) === version) return;
    if (!seen.includes(version)) this.#first.set(version, [...this.nodesWith(version), name]);
    this.#seen.set(name, [...seen, version]);
  }
}

describeWithControlPlane("[T3] content on a Wednesday over eight PoPs", () => {
  let world: RealWorld;
  let watcher: ContentWatcher;
  let loads: readonly SessionLoadProcess[] = [];
  let since: number;
  let before: unknown;

  const all = POPS.flatMap((pop) => Array.from({ length: NODES }, (_, index) => `${pop}-n${index + 1}`));
  /** What must not change: the pods' UIDs and restarts, the nodes' labels and taints. */
  const standing = async () => ({
    pods: (await Promise.all(POPS.map((pop) => podsOf(world, pop)))).flatMap((pods) =>
      [...pods.values()].map(({ metadata, status }) => [metadata.uid, status?.containerStatuses?.map(({ restartCount }) => restartCount)]),
    ),
    nodes: (await Promise.all(all.map((name) => node(world, name)))).map(({ metadata, spec }) => [metadata.labels, spec?.taints]),
  });

  beforeAll(async () => {
    world = await RealWorld.start({ start: WEDNESDAY, pops: Object.fromEntries(POPS.map((pop) => [pop, NODES])) });
    await openFleet(world);
    await world.apply(CONFIG_MAP, { metadata: { name: "signatures", namespace: FLEET_NAMESPACE }, data: { rules: "none" } });
    await world.startOperator();
    await firstVersions(world, Object.fromEntries(POPS.map((pop) => [pop, { spec: { content: LOADS } }])));
    loads = await Promise.all(POPS.map((pop) => SessionLoadProcess.start(world, pop, SESSIONS)));
    watcher = new ContentWatcher(world);
    before = await standing();
    since = Date.now();
    await world.calendar.setRate(60);
  });
  afterAll(async () => {
    await watcher?.stop();
    await Promise.all(loads.map((load) => load.end()));
    await world?.stop();
  });

  it("[P15] signatures reach a canary PoP, node after node, and then the others, without a window", async () => {
    await release(world, "sig-418", { content: { version: "sig.418", source: SOURCE }, waves: WAVES });
    await eventually(
      () => rolloutOf(world, "sig-418"),
      ({ status }) => expect([status?.outcome, status?.numbers?.passed]).toEqual(["Completed", POPS.length]),
      120_000,
    );
    const [canary] = (await rolloutOf(world, "sig-418")).status!.waves![0]!.pops!;
    const order = watcher.nodesWith("sig.418");
    expect(order.slice(0, NODES).toSorted()).toEqual([`${canary}-n1`, `${canary}-n2`]);
    expect(order.toSorted()).toEqual(all);
    expect(Object.values(watcher.seen).map((seen) => seen.at(-1))).toEqual(all.map(() => "sig.418"));
  });

  it("[P15] [F4] a bad signature set stops on the canary node of the canary PoP and is taken back; nobody else ever had it", async () => {
    await release(world, "sig-419", { content: { version: "sig.419-bad-health", source: SOURCE }, waves: WAVES });
    await eventually(
      () => rolloutOf(world, "sig-419"),
      ({ status }) => expect(status?.outcome).toBe("RolledBack"),
      120_000,
    );
    const { status } = await rolloutOf(world, "sig-419");
    const [canary] = status!.waves![0]!.pops!;
    expect(status?.waves?.map(({ state }) => state)).toEqual(["Open", "Pending"]);
    expect(status?.halted?.because).toContain("of the first wave canary, whose failure budget is 0");
    const [failed] = (await world.pop(canary!)).status!.content!.failed!;
    expect(failed).toMatchObject({
      version: "sig.419-bad-health",
      evidence: expect.stringMatching(/^node con\d-n\d: content: GET http:\/\/\S+ answered 500, \d+ times in a row/),
    });
    const [, canaryNode] = /^node (con\d-n\d): /.exec(failed!.evidence)!;
    expect(canaryNode!.startsWith(`${canary}-`)).toBe(true);
    await eventually(
      () => watcher.seen[canaryNode!],
      (seen) => expect(seen?.slice(-3)).toEqual(["sig.418", "sig.419-bad-health", "sig.418"]),
    );
    expect(watcher.nodesWith("sig.419-bad-health")).toEqual([canaryNode]);
    expect(Object.values(watcher.seen).map((seen) => seen.at(-1))).toEqual(all.map(() => "sig.418"));
  });

  it("[P15] by the audit log nobody moved a label or a taint, and no pod came or went; the same pods run, none restarted", async () => {
    // What the count must not find is what it finds of the first versions: each node's label, each node's pod.
    expect(disturbancesSince(world.controlPlane.auditLog, 0).length).toBeGreaterThanOrEqual(2 * all.length);
    expect(entriesSince(world.controlPlane.auditLog, since)).toBeGreaterThan(100);
    expect(disturbancesSince(world.controlPlane.auditLog, since)).toEqual([]);
    expect(await standing()).toEqual(before);
  });

  it("[P15] of 200 sessions, held over TCP by separate processes, none broke", async () => {
    expect(loads.flatMap((load) => load.breaks)).toEqual([]);
    const held = await Promise.all(loads.map((load) => load.end()));
    expect(held).toEqual(POPS.map(() => SESSIONS));
  });
});
