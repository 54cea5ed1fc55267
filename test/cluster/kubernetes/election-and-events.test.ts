import { afterAll, beforeAll, expect, test } from "vitest";
import type { Kind, KubernetesObject } from "../../../src/control/ports.ts";
import type { KubernetesCluster } from "../../../src/kubernetes/cluster.ts";
import { KubernetesEvents } from "../../../src/kubernetes/events.ts";
import { KubernetesLeaseStore } from "../../../src/kubernetes/lease-record.ts";
import type { Transport } from "../../../src/kubernetes/transport.ts";
import { Election } from "../../../src/runtime/leader.ts";
import { type ControlPlane, startControlPlane } from "../../../tools/control-plane/run.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { clock, clusterOf, CONFIG_MAP, transportTo } from "./bench.ts";

interface Lease extends KubernetesObject {
  readonly spec: {
    readonly holderIdentity: string;
    readonly leaseTransitions: number;
    readonly renewTime: string;
    readonly leaseDurationSeconds: number;
  };
}
interface StoredEvent extends KubernetesObject {
  readonly note: string;
  readonly reason: string;
  readonly series?: { readonly count: number };
}
const LEASE: Kind<Lease> = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", plural: "leases", namespaced: true };
/** Several times what a busy machine keeps a renewal waiting. */
const LEASE_MS = 6_000;
const SOON = { timeout: 30_000 };
const EVENT: Kind<StoredEvent> = { apiVersion: "events.k8s.io/v1", kind: "Event", plural: "events", namespaced: true };

describeWithControlPlane("[T3] election and events on a real API server", () => {
  let plane: ControlPlane;
  let hub: KubernetesCluster;
  beforeAll(async () => {
    plane = await startControlPlane();
    hub = clusterOf(plane);
  });
  afterAll(async () => {
    await hub?.close();
    await plane?.stop();
  });

  test("of two candidates one leads; handed back, the other leads within a retry; killed, after the lease", async () => {
    const story: string[] = [];
    const candidate = (identity: string): { election: Election; transport: Transport } => {
      const transport = transportTo(plane, { maximumConnections: 1 });
      const election = new Election({
        clock,
        random: Math.random,
        identity,
        store: new KubernetesLeaseStore({ transport, namespace: "default", name: "operator" }),
        leaseMilliseconds: LEASE_MS,
        renewDeadlineMilliseconds: 4_500,
        retryMilliseconds: 300,
        onElected: () => void story.push(`${identity} leads`),
        onLost: () => void story.push(`${identity} lost`),
      });
      election.start();
      return { election, transport };
    };
    const [a, b] = [candidate("a"), candidate("b")];
    await expect.poll(() => story.length, SOON).toBe(1);
    const [first, second] = story[0] === "a leads" ? [a, b] : [b, a];
    const renewed = async () => Date.parse((await hub.get(LEASE, "operator", "default"))!.spec.renewTime);
    const acquired = await renewed();
    // Held for longer than a lease lasts, by renewing it.
    await expect.poll(renewed, SOON).toBeGreaterThan(acquired + LEASE_MS);
    expect([story.length, first.election.isLeader(), second.election.isLeader()]).toEqual([1, true, false]);
    const held = await hub.get(LEASE, "operator", "default");
    expect(held?.spec).toMatchObject({
      leaseDurationSeconds: LEASE_MS / 1_000,
      leaseTransitions: 0,
      holderIdentity: story[0]!.slice(0, 1),
    });
    expect(Math.abs(Date.parse(held!.spec.renewTime) - Date.now())).toBeLessThan(LEASE_MS);

    await first.election.stop();
    const handedBack = performance.now();
    await expect.poll(() => second.election.isLeader(), { ...SOON, interval: 10 }).toBe(true);
    expect(performance.now() - handedBack, "a retry of 0.3 s, not the 6 s of the lease").toBeLessThan(LEASE_MS / 2);

    const third = candidate("c");
    await second.transport.close();
    const last = await renewed();
    await expect.poll(() => third.election.isLeader(), { ...SOON, interval: 10 }).toBe(true);
    expect(Date.now() - last, "not before the 6 s of the lease since it was last renewed").toBeGreaterThanOrEqual(LEASE_MS);
    expect(story.at(-2)).toMatch(/lost$/);
    expect((await hub.get(LEASE, "operator", "default"))?.spec.leaseTransitions).toBe(2);
    await Promise.all([second.election.stop(), third.election.stop()]);
    await Promise.all([first, third].map(({ transport }) => transport.close()));
  });

  test("the same event three times is one object with a series of 3, and the server refuses none of our fields", async () => {
    const object = await hub.create(CONFIG_MAP, { metadata: { name: "subject", namespace: "default" } });
    const log: string[] = [];
    const transport = transportTo(plane);
    const events = new KubernetesEvents({
      transport,
      clock,
      controller: "rollward.dev/operator",
      instance: "pod-1",
      log: (_, message) => void log.push(message),
    });
    const regarding = { apiVersion: "v1", kind: "ConfigMap", name: "subject", namespace: "default", uid: object.metadata.uid };
    const event = { type: "Normal", reason: "NodeClaimed", action: "ClaimNode", regarding } as const;
    events.publish({ ...event, note: "claimed fra1-1" });
    await events.flush();
    events.publish({ ...event, note: "claimed fra1-1" });
    events.publish({ ...event, note: "claimed fra1-1" });
    events.publish({ ...event, type: "Warning", note: "ü".repeat(3_000), reason: "R".repeat(300) });
    await events.flush();
    expect([log, events.dropped]).toEqual([[], 0]);
    const stored = (await hub.list(EVENT, { namespace: "default" })).filter(
      (entry) => entry.note.startsWith("claimed") || entry.note.startsWith("ü"),
    );
    expect(new Set(stored.map((entry) => entry.series?.count))).toEqual(new Set([3, undefined]));
    expect(stored).toHaveLength(2);
    // kubectl reads them by the old name of the API, with the field selector that `describe` uses.
    const described = await plane.call(
      "admin",
      "GET",
      `/api/v1/namespaces/default/events?fieldSelector=involvedObject.uid=${object.metadata.uid}`,
    );
    expect(JSON.parse(described.body).items).toHaveLength(2);
    await transport.close();
  });
});
