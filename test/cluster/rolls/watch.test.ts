import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { PopClusterStatus } from "../../../src/api/pop-cluster.ts";
import { FLEET } from "../../../src/api/resources.ts";
import type { Fleet } from "../../../src/api/fleet.ts";
import { CONFIG_MAP } from "../../../src/control/kinds.ts";
import { FLEET_NAMESPACE, type PopOptions } from "../../../src/simulation/world.ts";
import { startPrometheus, type Prometheus } from "../../../tools/prometheus/run.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { isNodePatch, operatorWrites } from "./audit.ts";
import {
  IMPATIENT,
  eventually,
  firstVersions,
  HOUR,
  openFleet,
  passed,
  podsOf,
  rolledBack,
  servedVersions,
  setVersion,
  SUNDAY,
} from "./pops.ts";
import { RealWorld } from "./real-world.ts";

const MINUTE = 60_000;
const READY = { name: "ready", http: { port: 8080, path: "/healthz" }, successes: 2, failures: 2, interval: "1s", timeout: "1s" };

describeWithControlPlane("[T3] bake, watch and what nobody can see", () => {
  let world: RealWorld;
  let prometheus: Prometheus;
  let upstream: Server;
  /** What the uplink of each node looks like to Prometheus: 1 is bad. It is no pod's doing. */
  const uplink = new Map<string, number>();

  const metrics = (): string => [...uplink].map(([node, bad]) => `uplink_bad{node="${node}"} ${bad}`).join("\n");
  const setUplink = async (pop: string, bad: number): Promise<void> => {
    for (const { name } of world.addresses(pop)) uplink.set(name, bad);
    await eventually(
      async () => (await prometheus.query(`count(uplink_bad{node=~"${pop}-.*"} == ${bad})`)).length,
      (found) => expect(found).toBe(1),
    );
    await eventually(
      async () =>
        ((await prometheus.query(`count(uplink_bad{node=~"${pop}-.*"} == ${bad})`)) as { value: [number, string] }[])[0]?.value[1],
      (found) => expect(found).toBe(String(world.addresses(pop).length)),
    );
  };

  beforeAll(async () => {
    world = await RealWorld.start({ start: "2026-11-20T00:10:00Z", pops: { turn1: 3, gone2: 3, bad1: 3, bad2: 3, cont1: 3 } });
    upstream = createServer((_, response) => response.end(`${metrics()}\n`)).listen(0, "127.0.0.1");
    await once(upstream, "listening");
    const targets = ["gone2"]
      .flatMap((pop) => world.addresses(pop))
      .map(({ name, address }) => ({ targets: [`${address}:8080`], labels: { machine: name } }));
    prometheus = await startPrometheus({
      configuration: {
        global: { scrape_interval: "1s" },
        scrape_configs: [
          { job_name: "nodes", static_configs: targets },
          {
            job_name: "uplinks",
            honor_labels: true,
            static_configs: [{ targets: [`127.0.0.1:${(upstream.address() as AddressInfo).port}`] }],
          },
        ],
      },
    });
    for (const pop of ["bad1", "bad2"]) for (const { name } of world.addresses(pop)) uplink.set(name, 0);
    await openFleet(world);
    await world.startOperator(["--prometheus-url", prometheus.url]);
    const errors = {
      name: "errors",
      prometheus: { query: 'sum(rate(pop_errors_total{node="${node}"}[10s]))', passIf: "<= 0.01" },
      successes: 2,
      failures: 2,
      interval: "1s",
    };
    const line = {
      name: "uplink",
      prometheus: { query: 'uplink_bad{node="${node}"}', passIf: "== 0" },
      successes: 2,
      failures: 2,
      interval: "1s",
    };
    const judged = (check: object, hold: string): PopOptions => ({
      health: { node: [READY, check], onUnknown: { hold } },
      strategy: IMPATIENT,
    });
    await firstVersions(world, {
      turn1: {},
      gone2: {
        ...judged(errors, "30m"),
        // Prometheus is ended while the first node soaks: were its soak over by then, the second would wait in hand for ever.
        strategy: { ...IMPATIENT, perNode: { ...IMPATIENT.perNode, soak: "10s" } },
      },
      bad1: judged(line, "10m"),
      bad2: judged(line, "10m"),
      cont1: {},
    });
    // From Friday to Sunday the first versions are watched and promoted: what turns bad before a roll is nobody's version.
    await world.calendar.jumpTo(Date.parse(SUNDAY));
    const pops = ["turn1", "gone2", "bad1", "bad2", "cont1"];
    await Promise.all(pops.map((name) => world.until(name, "the promotion", (status) => status.run === undefined)));
  });
  afterAll(async () => {
    upstream?.close();
    await prometheus?.stop();
    await world?.stop();
  });

  it("[P9] a Prometheus that goes away for ten minutes on a half-rolled PoP takes nothing back: it holds, HealthUnknown with until, and goes on", async () => {
    await setVersion(world, "gone2", "2.0.0");
    await world.until("gone2", "the first node done", (status) =>
      (status.nodes ?? []).some((entry) => entry.step === "Soaking" && entry.attempt > 0),
    );
    await prometheus.end();
    const known = (status: PopClusterStatus) => status.holds?.find((hold) => hold.reason === "HealthUnknown" && hold.until !== undefined);
    const held = await world.until(
      "gone2",
      "the hold",
      (status) => known(status) !== undefined && !(status.nodes ?? []).some((entry) => ["Claimed", "Updating"].includes(entry.step)),
    );
    const since = world.calendar.now();
    expect(Date.parse(known(held.status!)!.until!) - since).toBeLessThanOrEqual(30 * MINUTE);
    expect(held.status?.conditions?.find(({ type }) => type === "VersionHealthy")).toMatchObject({
      status: "Unknown",
      reason: "HealthUnknown",
    });
    const before = held.status!.nodes!.map((entry) => [entry.name, entry.attempt]);
    await world.calendar.setRate(120);
    await eventually(
      () => world.calendar.now() - since,
      (found) => expect(found).toBeGreaterThan(10 * MINUTE),
    );
    await world.calendar.setRate(1);
    const still = await world.pop("gone2");
    expect(still.status?.run).toMatchObject({ kind: "Roll", version: "2.0.0", state: "Rolling" });
    expect(still.status?.nodes?.map((entry) => [entry.name, entry.attempt])).toEqual(before);
    await prometheus.startAgain();
    await world.until("gone2", "2.0.0 on all nodes", passed("2.0.0"), 90_000);
    expect(await servedVersions(world, "gone2")).toEqual({ "gone2-n1": "2.0.0", "gone2-n2": "2.0.0", "gone2-n3": "2.0.0" });
  });

  it("[P10] neighbours that were bad before our first write excuse the version, at most for onUnknown.hold", async () => {
    await setUplink("bad1", 1);
    await setVersion(world, "bad1", "2.0.0");
    const excused = await world.until("bad1", "the excuse", (status) => status.holds?.some((hold) => hold.rule === "P10") ?? false);
    const until = Date.parse(excused.status!.holds!.find((hold) => hold.rule === "P10")!.until!);
    expect(until - world.calendar.now()).toBeGreaterThan(9 * MINUTE);
    expect(until - world.calendar.now()).toBeLessThanOrEqual(10 * MINUTE);
    await world.calendar.jumpTo(until + 1_000);
    const back = await world.until(
      "bad1",
      "the rollback when the excuse is over",
      (status) => status.history?.at(-1)?.version === "2.0.0" && status.run === undefined,
      90_000,
    );
    expect(back.status?.history?.at(-1)?.evidence).toContain("uplink");
    expect(Object.values(await servedVersions(world, "bad1"))).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
  });

  it("[P10] neighbours that turned bad after our first write count as ours: the version is taken back", async () => {
    await setVersion(world, "bad2", "2.0.0");
    await world.until("bad2", "the first node done", (status) =>
      (status.nodes ?? []).some((entry) => entry.step === "Soaking" && entry.attempt > 0),
    );
    for (const { name } of world.addresses("bad2")) uplink.set(name, 1);
    const turned = await world.until("bad2", "the verdict", (status) => status.run?.kind === "Rollback" || rolledBack("2.0.0")(status));
    expect(turned.status?.revisions?.failed?.at(-1)?.evidence).toContain("uplink");
    for (const { name } of world.addresses("bad2")) uplink.set(name, 0);
    await world.until(
      "bad2",
      "the rollback",
      (status) => status.history?.at(-1)?.version === "2.0.0" && status.history.at(-1)?.outcome === "RolledBack",
      90_000,
    );
  });

  it("[P8] a version that turns bad after an hour is taken back while it is watched, outside the window and with a grant of its own", async () => {
    // The last hour of Sunday's window: it is closed when the version turns bad.
    await world.calendar.jumpTo(Date.parse("2026-11-22T03:15:00Z"));
    await world.editPop("turn1", (spec) => ({ ...spec, version: "2.0.0-bad-after-1h", strategy: { ...spec.strategy, bake: "30m" } }));
    const baking = await world.until(
      "turn1",
      "the bake",
      (status) => status.run?.version === "2.0.0-bad-after-1h" && status.run.state === "Baking",
      90_000,
    );
    const { id } = baking.status!.grant!;
    expect(baking.status!.grant).toMatchObject({ kind: "Roll", state: "Returned" });
    await world.calendar.jumpTo(world.calendar.now() + 31 * MINUTE);
    await world.until("turn1", "the end of the bake", passed("2.0.0-bad-after-1h"));
    // Of the first node that was updated the hour is over a few seconds before the others': those still serve, and need a grant.
    const started = await Promise.all(
      world
        .addresses("turn1")
        .map(async ({ address }) => ((await (await fetch(`http://${address}:8080/healthz`)).json()) as { started: number }).started),
    );
    await world.calendar.jumpTo(Math.min(...started) + HOUR);
    const done = await world.until("turn1", "the rollback", rolledBack("2.0.0-bad-after-1h"), 90_000);
    expect(done.status?.grant).toMatchObject({ kind: "Rollback", state: "Returned" });
    expect(done.status!.grant!.id).toBeGreaterThan(id);
    expect(done.status?.history?.at(-1)?.evidence).toMatch(/ready: GET http:\/\/\S+ answered 500/);
    expect(Object.values(await servedVersions(world, "turn1"))).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
    await eventually(
      async () =>
        (await world.cluster.get<Fleet>(FLEET, "fleet", FLEET_NAMESPACE))?.status?.disruptions?.some(({ pop }) => pop === "turn1") ?? false,
      (found) => expect(found).toBe(false),
    );
  });

  it("[P15] content loads outside the window, canary node first, without a write to a node or a restart; bad content goes back by itself", async () => {
    const pods = await podsOf(world, "cont1");
    const uids = [...pods.values()].map((pod) => pod.metadata.uid).toSorted();
    const since = Date.now();
    await world.apply(CONFIG_MAP, { metadata: { name: "signatures", namespace: FLEET_NAMESPACE }, data: { rules: "none" } });
    const content = (version: string) => ({
      version,
      source: { configMapRef: { name: "signatures" } },
      load: { http: { port: 8080, path: "/content", scheme: "HTTP" as const } },
      health: [{ ...READY, name: "content", http: { port: 8080, path: "/healthz?content" } }],
    });
    const load = (version: string) => world.editPop("cont1", (spec) => ({ ...spec, content: content(version) as never }));
    const loaded = async () =>
      Promise.all(
        world
          .addresses("cont1")
          .map(async ({ address }) => ((await (await fetch(`http://${address}:8080/content`)).json()) as { version: string }).version),
      );
    await load("sig.1");
    await eventually(
      async () => (await loaded()).filter((version) => version === "sig.1").length,
      (found) => expect(found).toBe(1),
    );
    await world.calendar.setRate(60);
    await world.until("cont1", "sig.1 on all nodes", ({ content: state }) => state?.current === "sig.1" && state.state === "Loaded");
    expect(await loaded()).toEqual(["sig.1", "sig.1", "sig.1"]);
    await load("sig.2-bad-health");
    const bad = await world.until(
      "cont1",
      "sig.2 to be taken back",
      ({ content: state }) => (state?.failed ?? []).some((entry) => entry.version === "sig.2-bad-health") && state?.state !== "RollingBack",
    );
    expect(bad.status?.content?.current).toBe("sig.1");
    await eventually(loaded, (found) => expect(found).toEqual(["sig.1", "sig.1", "sig.1"]));
    await load("sig.3-needs-restart");
    const refused = await world.until("cont1", "sig.3 to be refused", ({ content: state }) =>
      (state?.failed ?? []).some((entry) => entry.version === "sig.3-needs-restart"),
    );
    expect(refused.status?.content?.failed?.at(-1)?.evidence).toContain("NotDisruptionFree");
    await world.calendar.setRate(1);
    expect([...(await podsOf(world, "cont1")).values()].map((pod) => pod.metadata.uid).toSorted()).toEqual(uids);
    expect(operatorWrites(world, since).filter((entry) => isNodePatch(entry) && entry.objectRef?.name?.startsWith("cont1"))).toEqual([]);
  });

  it("[P8] a good version is Passed after its bake and Promoted at the end of its watch", async () => {
    const { history } = (await world.pop("gone2")).status!;
    expect(history?.map((entry) => entry.outcome)).toEqual(["Promoted"]);
    await world.calendar.jumpTo(world.calendar.now() + 25 * HOUR);
    const done = await world.until("gone2", "the promotion of 2.0.0", (status) => status.run === undefined);
    expect(done.status?.history?.at(-1)).toMatchObject({ version: "2.0.0", outcome: "Promoted" });
  });
});
