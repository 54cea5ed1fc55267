import { expect, test } from "vitest";
import { ACCOUNT_LABEL } from "../../api/names.ts";
import { allResources, POP_CLUSTER, TUNNEL_SITE } from "../../api/resources.ts";
import type { TunnelSite, TunnelSiteStatus } from "../../api/tunnel-site.ts";
import { VirtualClock } from "../../simulation/clock.ts";
import { customKind } from "../../simulation/cluster/custom-kind.ts";
import { InMemoryCluster } from "../../simulation/cluster/in-memory-cluster.ts";
import { Store } from "../../simulation/cluster/store.ts";
import { SimulatedPrometheus } from "../../simulation/prometheus.ts";
import { popDraft } from "../../simulation/world.ts";
import { openHubCaches } from "../hub-caches.ts";
import { NAMESPACE } from "../kinds.ts";
import type { Draft, Prober } from "../ports.ts";
import { TunnelIndex } from "./tunnel-index.ts";
import { TunnelReader } from "./tunnel-reader.ts";

const MINUTE = 60_000;

/** Two PoPs, one Prometheus for both, an index and a reader, on a server in memory. */
async function world() {
  const clock = new VirtualClock(Date.parse("2026-11-25T12:00:00Z"));
  const store = new Store({ clock, kinds: allResources.map((resource) => customKind(resource)) });
  const cluster = new InMemoryCluster(store, { clock });
  const prometheus = new SimulatedPrometheus();
  const prober: Prober = { http: async ({ url }) => prometheus.answer(new URL(url)), tcp: async () => undefined };
  const settle = () => clock.advance(100);
  const namespace = (name: string, labels: Record<string, string>) =>
    cluster.create(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
  const site = (namespaceName: string, name: string, status?: TunnelSiteStatus) => {
    const spec = { type: "IPsec", primaryPoP: "ber1", secondaryPoP: "fra1" };
    const draft = { apiVersion: TUNNEL_SITE.apiVersion, kind: "TunnelSite", metadata: { namespace: namespaceName, name }, spec };
    return cluster
      .create<TunnelSite>(TUNNEL_SITE, draft as unknown as Draft<TunnelSite>)
      .then((created) => (status ? cluster.updateStatus<TunnelSite>(TUNNEL_SITE, { ...created, status }) : created));
  };
  for (const [name, labels] of [
    ["fleet", {}],
    ["acme", { [ACCOUNT_LABEL]: "acme" }],
    ["stray", {}],
  ] as const)
    await namespace(name, labels);
  for (const pop of ["ber1", "fra1"]) await cluster.create(POP_CLUSTER, popDraft(pop));
  const caches = openHubCaches(cluster, "fleet");
  const woken: string[] = [];
  const moved: string[][] = [];
  const index = new TunnelIndex(caches, "fleet", {
    site: (key) => void woken.push(key),
    partners: (pops) => void moved.push([...pops]),
  });
  const unanswered: string[] = [];
  const readSecret = () => Promise.resolve(undefined);
  const reader = new TunnelReader({
    clock,
    prober,
    readSecret,
    pops: caches.pops,
    index,
    defaultPrometheus: prometheus.url,
    onChange: (key) => void woken.push(`heard ${key}`),
    onUnanswered: (pop, { reason, message }) => void unanswered.push(`${pop.metadata.name} ${reason}: ${message}`),
  });
  await settle();
  reader.start();
  const heard = () => woken.splice(0).filter((key) => key.startsWith("heard "));
  return { clock, cluster, prometheus, index, reader, site, settle, moved, heard, unanswered };
}

const reported = (...pops: string[]): TunnelSiteStatus => ({
  tunnels: pops.map((pop) => ({ pop, up: "True" as const, seenAt: "2026-11-25T12:00:00Z" })),
});

test("nobody is asked while there is no site of an account; then each PoP once a minute, and only what turns is told on", async () => {
  const { clock, prometheus, site, settle, reader, heard } = await world();
  await clock.advance(5 * MINUTE);
  expect(prometheus.asked).toEqual([]);
  await site("acme", "berlin");
  await settle();
  reader.refresh();
  prometheus.tunnels.set("fra1", new Map([["acme/berlin", true]]));
  await clock.advance(10 * MINUTE);
  expect(prometheus.asked.length).toBeGreaterThanOrEqual(20);
  expect(prometheus.asked.length).toBeLessThanOrEqual(22);
  heard();
  await clock.advance(10 * MINUTE);
  expect(heard()).toEqual([]);
  prometheus.tunnels.get("fra1")!.set("acme/berlin", false);
  await clock.advance(2 * MINUTE);
  expect(heard()).toEqual(["heard acme/berlin"]);
  expect(reader.readingsOf("acme/berlin", ["ber1"]).get("fra1")?.report?.up).toBe(false);
  expect(reader.readingsOf("acme/berlin", ["ber1"]).get("ber1")).toEqual({ answeredMilliseconds: expect.any(Number) as number });
  reader.stop();
});

test("[F2] [I19] a label that names no site of an account is counted and kept nowhere, whatever it is and however many there are", async () => {
  const { clock, prometheus, site, settle, reader } = await world();
  await site("acme", "berlin");
  await site("stray", "berlin");
  await settle();
  const names = Array.from({ length: 2_000 }, (_, index) => `mallory/site-${index}`);
  prometheus.tunnels.set("fra1", new Map([...names, "stray/berlin", "fleet/own", "../x", "acme/berlin"].map((name) => [name, true])));
  reader.refresh();
  await clock.advance(2 * MINUTE);
  expect(reader.facts().find(({ pop }) => pop === "fra1")).toMatchObject({ up: 1, down: 0, unknown: 0, ignored: 2_003 });
  expect(reader.readingsOf("stray/berlin", []).size).toBe(0);
  reader.stop();
});

test("[F2] only sites of accounts that were reported tie PoPs together; a label that comes or goes counts at once", async () => {
  const { cluster, index, site, settle, moved } = await world();
  await site("stray", "berlin", reported("ber1", "fra1"));
  for (let claim = 0; claim < 300; claim++) await site("acme", `claim-${claim}`);
  await settle();
  expect(index.partners.size).toBe(0);
  expect(moved).toEqual([]);
  const stray = (await cluster.get(NAMESPACE, "stray"))!;
  await cluster.update(NAMESPACE, { ...stray, metadata: { ...stray.metadata, labels: { [ACCOUNT_LABEL]: "stray" } } });
  await settle();
  expect(index.partners.get("fra1")).toEqual(new Map([["ber1", 1]]));
  await site("acme", "berlin", reported("ber1", "fra1"));
  await settle();
  expect(index.partners.get("fra1")).toEqual(new Map([["ber1", 2]]));
  expect(moved).toEqual([["ber1", "fra1"]]);
  const labelled = (await cluster.get(NAMESPACE, "stray"))!;
  await cluster.update(NAMESPACE, { ...labelled, metadata: { ...labelled.metadata, labels: {} } });
  await cluster.delete(TUNNEL_SITE, "berlin", "acme");
  await settle();
  expect(index.partners.size).toBe(0);
  expect(moved).toHaveLength(2);
});

test("a Prometheus that is away is no answer: what was heard ages, and after an hour the site is told once", async () => {
  const { clock, prometheus, site, settle, reader, heard } = await world();
  await site("acme", "berlin");
  await settle();
  prometheus.tunnels.set("fra1", new Map([["acme/berlin", true]]));
  reader.refresh();
  await clock.advance(2 * MINUTE);
  prometheus.up = false;
  heard();
  await clock.advance(58 * MINUTE);
  expect(heard()).toEqual([]);
  await clock.advance(10 * MINUTE);
  expect(heard()).toContain("heard acme/berlin");
  expect(reader.facts().find(({ pop }) => pop === "fra1")).toMatchObject({ up: 0, unknown: 1 });
  await clock.advance(60 * MINUTE);
  expect(heard()).toEqual([]);
  reader.stop();
});

test("a Prometheus that has not told of tunnels for ten minutes is told of on its PoP, with what it said instead, until it answers", async () => {
  const { clock, prometheus, site, settle, reader, unanswered } = await world();
  await site("acme", "berlin");
  await settle();
  reader.refresh();
  await clock.advance(5 * MINUTE);
  prometheus.up = false;
  await clock.advance(9 * MINUTE);
  expect(unanswered).toEqual([]);
  await clock.advance(3 * MINUTE);
  expect(unanswered.length).toBeGreaterThanOrEqual(2);
  expect(unanswered[0]).toMatch(
    /^(ber1|fra1) TunnelsUnanswered: http.* was asked which tunnels are up, and has not told for ten minutes; lately: .*refused/,
  );
  prometheus.up = true;
  await clock.advance(2 * MINUTE);
  unanswered.length = 0;
  await clock.advance(9 * MINUTE);
  expect(unanswered).toEqual([]);
  reader.stop();
});
