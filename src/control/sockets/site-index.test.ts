import { expect, it } from "vitest";
import { ACCOUNT_LABEL } from "../../api/names.ts";
import { allResources } from "../../api/resources.ts";
import { SOCKET_ROLLOUT, type SocketRollout } from "../../api/socket-rollout.ts";
import { SOCKET_SITE, type SocketSite, type SocketSiteStatus } from "../../api/socket-site.ts";
import { VirtualClock } from "../../simulation/clock.ts";
import { customKind } from "../../simulation/cluster/custom-kind.ts";
import { InMemoryCluster } from "../../simulation/cluster/in-memory-cluster.ts";
import { Store } from "../../simulation/cluster/store.ts";
import { openHubCaches } from "../hub-caches.ts";
import { NAMESPACE } from "../kinds.ts";
import type { Draft } from "../ports.ts";
import { SiteIndex } from "./site-index.ts";

async function world() {
  const clock = new VirtualClock(Date.parse("2026-11-25T12:00:00Z"));
  const store = new Store({ clock, kinds: allResources.map((resource) => customKind(resource)) });
  const cluster = new InMemoryCluster(store, { clock });
  for (const [name, labels] of [
    ["fleet", {}],
    ["acme", { [ACCOUNT_LABEL]: "acme" }],
    ["acme-two", { [ACCOUNT_LABEL]: "acme" }],
    ["mallory", { [ACCOUNT_LABEL]: "mallory" }],
  ] as const)
    await cluster.create(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
  const caches = openHubCaches(cluster, "fleet");
  const woken: string[] = [];
  const short: string[] = [];
  const index = new SiteIndex(caches, "fleet", {
    site: (key) => void woken.push(key),
    tooShort: (namespace) => void short.push(namespace),
  });
  const settle = () => clock.advance(100);
  const site = (namespace: string, name: string, ...serials: readonly string[]) => {
    const sockets = serials.map((serial, nth) => ({ serial, role: nth === 0 ? "Primary" : "Secondary" }));
    const draft = {
      apiVersion: SOCKET_SITE.apiVersion,
      kind: "SocketSite",
      metadata: { namespace, name },
      spec: { timeZone: "Europe/Berlin", sockets },
    };
    return cluster.create<SocketSite>(SOCKET_SITE, draft as unknown as Draft<SocketSite>);
  };
  const tell = async (namespace: string, name: string, status: SocketSiteStatus) => {
    const found = await cluster.get<SocketSite>(SOCKET_SITE, name, namespace);
    return cluster.updateStatus<SocketSite>(SOCKET_SITE, { ...found!, status });
  };
  const found = (namespace: string, name: string) => caches.socketSites.get(name, namespace)!;
  await settle();
  return { clock, cluster, caches, index, woken, short, settle, site, tell, found };
}

it("[S3] [I15] a serial at two sites of one account is claimed twice; what another account writes changes nothing", async () => {
  const { cluster, index, woken, settle, site, found } = await world();
  await site("acme", "berlin", "S-1", "S-2");
  await site("mallory", "steal", "S-1");
  await settle();
  expect([...index.claimedTwice(found("acme", "berlin"))]).toEqual([]);
  expect([...index.claimedTwice(found("mallory", "steal"))]).toEqual([]);
  woken.length = 0;
  await site("acme-two", "potsdam", "S-2");
  await settle();
  // The other one hears of it too.
  expect(woken).toContain("acme/berlin");
  expect([...index.claimedTwice(found("acme", "berlin"))]).toEqual([["S-2", { sameAccount: "acme-two/potsdam" }]]);
  woken.length = 0;
  await cluster.delete(SOCKET_SITE, "potsdam", "acme-two");
  await settle();
  expect(woken).toContain("acme/berlin");
  expect([...index.claimedTwice(found("acme", "berlin"))]).toEqual([]);
  expect([...index.withSerial("S-1")]).toEqual(["acme/berlin", "mallory/steal"]);
});

it("a site moves from PoP to PoP, is active while something is planned, and leaves nothing when it is gone", async () => {
  const { cluster, index, short, settle, site, tell } = await world();
  await site("acme", "berlin", "S-1");
  const upgrade = {
    version: "18.0",
    rollout: { name: "r", uid: "u" },
    cause: "Rollout",
    step: "Scheduled",
    since: "2026-11-25T00:00:00Z",
  } as const;
  const planned = { announcedAt: "2026-11-25T00:00:00Z", rule: "r" };
  await tell("acme", "berlin", { pop: "fra1", upgrade: { ...upgrade, planned } });
  await settle();
  expect([...index.active("fra1")]).toEqual(["acme/berlin"]);
  await tell("acme", "berlin", { pop: "ber1", holds: [{ rule: "W4", reason: "WindowTooShort", message: "too short" }] });
  await settle();
  expect([[...index.connectedTo("fra1")], [...index.connectedTo("ber1")], [...index.active()]]).toEqual([[], ["acme/berlin"], []]);
  expect([...index.tooShort("acme")]).toEqual(["acme/berlin"]);
  expect([...index.tooShort("fleet")]).toEqual(["acme/berlin"]);
  await cluster.delete(SOCKET_SITE, "berlin", "acme");
  await settle();
  expect(short).toEqual(["acme", "acme"]);
  expect([index.size, ...index.keys(), ...index.inNamespace("acme"), ...index.withSerial("S-1"), ...index.connectedTo("ber1")]).toEqual([
    0,
  ]);
});

it("[S10] a rollout's sites are looked through once; from then on they are counted as they change", async () => {
  const { cluster, caches, index, settle, site, tell } = await world();
  const spec = {
    version: "18.3.3",
    announcedAt: "2026-11-20T09:00:00Z",
    artifact: { url: "https://artifacts.example.com/a.swu", sha256: "9f86d081".repeat(8), size: 1 },
  };
  const draft = { apiVersion: SOCKET_ROLLOUT.apiVersion, kind: "SocketRollout", metadata: { namespace: "fleet", name: "r" }, spec };
  const rollout = await cluster.create<SocketRollout>(SOCKET_ROLLOUT, draft as unknown as Draft<SocketRollout>);
  for (const name of ["a", "b", "c"]) await site("acme", name, `S-${name}`);
  const runs = (name: string, version: string) =>
    tell("acme", name, { sockets: [{ serial: `S-${name}`, role: "Primary", state: "Active", version, connected: true }] });
  await runs("a", "17.2");
  await settle();
  expect(index.tallyOf(rollout).count(100).numbers).toMatchObject({ sites: 1, confirmed: 0 });
  let lists = 0;
  caches.socketSites.list = () => {
    lists += 1;
    return [];
  };
  await runs("b", "17.2");
  await runs("a", "18.3.3");
  await settle();
  expect(index.tallyOf(rollout).count(100).numbers).toMatchObject({ sites: 2, confirmed: 1 });
  expect(lists).toBe(0);
});

it("[S3] when a namespace becomes another account's, the sites beside it that name the same serials are looked at too", async () => {
  const { cluster, index, woken, settle, site, found } = await world();
  await site("acme", "berlin", "S-1");
  await site("acme-two", "potsdam", "S-1");
  await site("acme", "tokyo", "S-2");
  await settle();
  expect([...index.claimedTwice(found("acme", "berlin"))]).toHaveLength(1);
  woken.length = 0;
  const namespace = (await cluster.get(NAMESPACE, "acme-two"))!;
  await cluster.update(NAMESPACE, { ...namespace, metadata: { ...namespace.metadata, labels: { [ACCOUNT_LABEL]: "globex" } } });
  await settle();
  expect(woken.toSorted()).toEqual(["acme-two/potsdam", "acme/berlin"]);
  expect([...index.claimedTwice(found("acme", "berlin"))]).toEqual([]);
});
