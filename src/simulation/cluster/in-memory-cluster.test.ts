import { describe, expect, test } from "vitest";
import { CONFIG_MAP, NODE, type ConfigMapObject } from "../../control/kinds.ts";
import { ApiError, type Draft, type Kind } from "../../control/ports.ts";
import { VirtualClock } from "../clock.ts";
import { InMemoryCluster, type InMemoryClusterOptions } from "./in-memory-cluster.ts";
import { Store } from "./store.ts";

function world(options: Partial<InMemoryClusterOptions> = {}) {
  const clock = new VirtualClock(Date.UTC(2026, 0, 4, 1));
  const store = new Store({ clock });
  const view = (more: Partial<InMemoryClusterOptions> = {}) => new InMemoryCluster(store, { clock, ...more });
  return { clock, store, view, cluster: view(options) };
}

const draft = (name: string, data: Record<string, string> = {}): Draft<ConfigMapObject> => ({
  metadata: { name, namespace: "default" },
  data,
});

/** The promise's outcome without waiting for it: a call that takes time must not be awaited before the clock is moved. */
async function settled<T>(clock: VirtualClock, promise: Promise<T>, milliseconds: number): Promise<T> {
  const outcome = promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  await clock.advance(milliseconds);
  const done = await outcome;
  if ("error" in done) throw done.error;
  return done.value;
}

describe("objects of the in-memory cluster", () => {
  test("what is given out cannot be changed, and what was handed in is not kept", async () => {
    const { cluster } = world();
    const data = { a: "1" };
    const created = await cluster.create(CONFIG_MAP, draft("one", data));
    data.a = "2";
    expect(() => ((created as { data: Record<string, string> }).data.a = "3")).toThrow(TypeError);
    expect((await cluster.get(CONFIG_MAP, "one", "default"))?.data).toEqual({ a: "1" });
  });

  test("UIDs and generated names are the same for the same seed, and times are those of the virtual clock", async () => {
    const make = () => world().cluster.create(CONFIG_MAP, { metadata: { generateName: "x-", namespace: "default" } });
    const [one, two] = [await make(), await make()];
    expect(one).toEqual(two);
    expect(one.metadata.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(one.metadata.creationTimestamp).toBe("2026-01-04T01:00:00Z");
  });

  test("a kind that nobody registered is a mistake of the test, not a 404", async () => {
    const kind: Kind = { apiVersion: "x.example/v1", kind: "Thing", plural: "things", namespaced: true };
    await expect(world().cluster.get(kind, "a", "default")).rejects.toThrow(/registerKind/);
  });
});

describe("a view's caches", () => {
  const heard = (view: InMemoryCluster) => {
    const lines: string[] = [];
    const cache = view.cache(CONFIG_MAP, { namespace: "default" });
    cache.onChange((object, deleted) => lines.push(`${deleted ? "-" : "+"}${object.metadata.name} ${object.data?.a ?? ""}`.trim()));
    return { cache, lines };
  };

  test("a view that lags 500 ms shows at each instant what the store held 500 ms ago; calls read the truth", async () => {
    const { clock, view, cluster } = world();
    const late = view({ lagMilliseconds: 500 });
    const { cache, lines } = heard(late);
    await clock.advance(499);
    expect(cache.synced).toBe(false);
    await clock.advance(1);
    expect(cache.synced).toBe(true);
    await cluster.create(CONFIG_MAP, draft("one"));
    await clock.advance(499);
    expect([lines, cache.list()]).toEqual([[], []]);
    expect(await late.get(CONFIG_MAP, "one", "default")).toBeDefined();
    await clock.advance(1);
    expect(lines).toEqual(["+one"]);
  });

  test("a lag that shrinks reorders nothing", async () => {
    const { clock, view, cluster } = world();
    const late = view({ lagMilliseconds: 0 });
    const { lines } = heard(late);
    await clock.advance(0);
    late.lagMilliseconds = 1_000;
    await cluster.create(CONFIG_MAP, draft("one"));
    late.lagMilliseconds = 0;
    await cluster.create(CONFIG_MAP, draft("two"));
    await clock.advance(999);
    expect(lines).toEqual([]);
    await clock.advance(1);
    expect(lines).toEqual(["+one", "+two"]);
  });

  test("own writes are known as soon as they are answered, before the lagging watch; or not, if so set", async () => {
    const { clock, view } = world();
    for (const seesOwnWrites of [true, false]) {
      const late = view({ lagMilliseconds: 500, seesOwnWrites });
      const { cache, lines } = heard(late);
      await clock.advance(500);
      lines.length = 0;
      await late.create(CONFIG_MAP, draft(`own-${seesOwnWrites}`));
      expect(cache.get(`own-${seesOwnWrites}`, "default") !== undefined).toBe(seesOwnWrites);
      await clock.advance(500);
      expect(lines).toEqual([`+own-${seesOwnWrites}`]);
      await late.close();
    }
  });

  test("an own write that somebody else has undone since does not come back from the dead", async () => {
    const { clock, view, cluster } = world();
    const late = view({ latencyMilliseconds: 100 });
    const { cache, lines } = heard(late);
    await clock.advance(0);
    const created = late.create(CONFIG_MAP, draft("one"));
    await clock.advance(60); // committed after 50 ms, answered after 100
    await cluster.delete(CONFIG_MAP, "one", "default");
    await clock.advance(40);
    await created;
    expect([lines, cache.list()]).toEqual([["+one", "-one"], []]);
  });

  test("after a cut with 410 only the difference is heard: what came and went in between never was", async () => {
    const { clock, view, cluster } = world();
    const other = view();
    const { cache, lines } = heard(other);
    await cluster.create(CONFIG_MAP, draft("stays", { a: "1" }));
    await cluster.create(CONFIG_MAP, draft("goes"));
    await clock.advance(0);
    lines.length = 0;
    other.breakWatches(30_000);
    await cluster.delete(CONFIG_MAP, "goes", "default");
    await cluster.create(CONFIG_MAP, draft("flash"));
    await cluster.delete(CONFIG_MAP, "flash", "default");
    await cluster.patch(CONFIG_MAP, "stays", "default", [{ op: "replace", path: "/data/a", value: "2" }]);
    await cluster.patch(CONFIG_MAP, "stays", "default", [{ op: "replace", path: "/data/a", value: "3" }]);
    await clock.advance(29_999);
    expect([lines, cache.synced]).toEqual([[], true]);
    await clock.advance(1);
    expect(lines).toEqual(["-goes", "+stays 3"]);
  });

  test("[G6] deleted and created anew during a cut is two things: the old one is told as deleted", async () => {
    const { clock, view, cluster } = world();
    const other = view();
    const { lines } = heard(other);
    await cluster.create(CONFIG_MAP, draft("one", { a: "old" }));
    await clock.advance(0);
    other.breakWatches(1_000);
    await cluster.delete(CONFIG_MAP, "one", "default");
    await cluster.create(CONFIG_MAP, draft("one", { a: "new" }));
    await clock.advance(1_000);
    expect(lines).toEqual(["+one old", "-one old", "+one new"]);
  });

  test("after a cut without 410 every event is heard, late and in order", async () => {
    const { clock, view, cluster } = world();
    const other = view();
    const { lines } = heard(other);
    await clock.advance(0);
    other.breakWatches(1_000, { relist: false });
    await cluster.create(CONFIG_MAP, draft("flash"));
    await cluster.delete(CONFIG_MAP, "flash", "default");
    await clock.advance(999);
    expect(lines).toEqual([]);
    await clock.advance(1);
    expect(lines).toEqual(["+flash", "-flash"]);
  });

  test("[G15] the age grows to a minute between bookmarks, and without end while the watch is cut", async () => {
    const { clock, cluster } = world();
    const { cache } = heard(cluster);
    await clock.advance(59_000);
    expect(cache.age).toBe(59_000);
    await clock.advance(2_000);
    expect(cache.age).toBe(1_000);
    cluster.breakWatches(600_000);
    await clock.advance(599_000);
    expect(cache.age).toBe(600_000);
    await clock.advance(2_000);
    expect(cache.age).toBeLessThan(2_000);
  });

  test("a cache holds projections, a get the whole object", async () => {
    const { clock, cluster } = world();
    const cache = cluster.cache(NODE);
    await cluster.create(NODE, {
      metadata: { name: "n", annotations: { "x.example/long": "x" } },
      status: { capacity: { cpu: "4" } },
    });
    await clock.advance(0);
    expect([cache.get("n")?.status?.capacity, (await cluster.get(NODE, "n"))?.status?.capacity]).toEqual([undefined, { cpu: "4" }]);
  });

  test("nothing is heard after stop, and whoever waited for the first sync learns that it will not come", async () => {
    const { clock, cluster } = world();
    const { cache, lines } = heard(cluster);
    const waiting = cache.whenSynced();
    waiting.catch(() => undefined);
    await cluster.create(CONFIG_MAP, draft("one"));
    cache.stop();
    await clock.advance(1_000);
    await expect(waiting).rejects.toThrow(/stopped/);
    expect([lines, cache.synced, clock.pending]).toEqual([[], false, 0]);
  });

  test("with a seed, which of two watchers hears first is shuffled, yet each hears in order", async () => {
    const orders = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      const clock = new VirtualClock(0, { seed });
      const store = new Store({ clock });
      const lines: string[] = [];
      for (const name of ["x", "y"])
        new InMemoryCluster(store, { clock }).cache(CONFIG_MAP).onChange(({ metadata }) => lines.push(name + metadata.name));
      await clock.advance(0);
      const writer = new InMemoryCluster(store, { clock });
      for (const name of ["1", "2"]) await writer.create(CONFIG_MAP, draft(name));
      await clock.advance(0);
      expect(lines.filter((line) => line.startsWith("x"))).toEqual(["x1", "x2"]);
      expect(lines.filter((line) => line.startsWith("y"))).toEqual(["y1", "y2"]);
      orders.add(lines.join());
    }
    expect(orders.size).toBeGreaterThan(2);
  });
});

describe("[I8] faults of calls", () => {
  const timeout = new ApiError(0, "Timeout", "no answer within 10 s");

  test("a time-out before the commit leaves no trace, one after it has done all", async () => {
    const { clock, store, cluster } = world();
    cluster.fault = ({ name }) => ({ error: timeout, afterCommit: name === "after" });
    await expect(cluster.create(CONFIG_MAP, draft("before"))).rejects.toBe(timeout);
    await expect(cluster.create(CONFIG_MAP, draft("after"))).rejects.toBe(timeout);
    expect(store.list(CONFIG_MAP).map(({ metadata }) => metadata.name)).toEqual(["after"]);
    expect(store.audit.map(({ name, code }) => [name, code])).toEqual([["after", 201]]);
    await clock.advance(0);
  });

  test("a delayed write acts on what is there when it arrives: its compare-and-set is judged then", async () => {
    const { clock, view, cluster } = world();
    const slow = view({ user: "slow", fault: ({ verb }) => (verb === "update" ? { delayMilliseconds: 60_000 } : undefined) });
    const seen = await cluster.create(CONFIG_MAP, draft("one", { a: "1" }));
    const late = settled(clock, slow.update(CONFIG_MAP, { ...seen, data: { a: "late" } }), 60_000);
    await cluster.update(CONFIG_MAP, { ...seen, data: { a: "2" } });
    await expect(late).rejects.toMatchObject({ code: 409, reason: "Conflict" });
  });

  test("a call takes its latency, half of it on the way there", async () => {
    const { clock, store, cluster } = world({ latencyMilliseconds: 100 });
    let answered = false;
    void cluster.create(CONFIG_MAP, draft("one")).then(() => (answered = true));
    await clock.advance(49);
    expect(store.list(CONFIG_MAP)).toEqual([]);
    await clock.advance(1);
    expect([store.list(CONFIG_MAP).length, answered]).toEqual([1, false]);
    await clock.advance(50);
    expect(answered).toBe(true);
  });

  test("after close no call that was under way reaches the store, and none is answered", async () => {
    const { clock, store, cluster } = world({ latencyMilliseconds: 100 });
    const under = settled(clock, cluster.create(CONFIG_MAP, draft("one")), 200);
    await cluster.close();
    await expect(under).rejects.toMatchObject({ code: 0, reason: "Unreachable" });
    await expect(cluster.get(CONFIG_MAP, "one", "default")).rejects.toMatchObject({ code: 0 });
    expect(store.list(CONFIG_MAP)).toEqual([]);
  });

  test("the audit log has each write once, refused ones with their code, and a write that changed nothing leaves the version", async () => {
    const { store, cluster } = world({ user: "somebody" });
    const created = await cluster.create(CONFIG_MAP, draft("one", { a: "1" }));
    await cluster.update(CONFIG_MAP, created);
    await expect(cluster.create(CONFIG_MAP, draft("one"))).rejects.toMatchObject({ code: 409 });
    await cluster.delete(CONFIG_MAP, "none", "default");
    cluster.fault = () => ({ error: new ApiError(429, "TooManyRequests", "later", 1_000) });
    await expect(cluster.delete(CONFIG_MAP, "one", "default")).rejects.toMatchObject({ code: 429, retryAfterMilliseconds: 1_000 });
    const version = Number(created.metadata.resourceVersion);
    expect(store.audit.map(({ user, verb, name, code, resourceVersion }) => [user, verb, name, code, resourceVersion])).toEqual([
      ["somebody", "create", "one", 201, version],
      ["somebody", "update", "one", 200, version],
      ["somebody", "create", "one", 409, version],
      ["somebody", "delete", "none", 404, version],
      ["somebody", "delete", "one", 429, version],
    ]);
  });
});
