import { expect, test } from "vitest";
import type { Approval } from "../api/approval.ts";
import { API_VERSION } from "../api/common.ts";
import { popRolloutSpec, type PopRollout, type PopRolloutStatus } from "../api/pop-rollout.ts";
import { allResources, APPROVAL, POP_ROLLOUT } from "../api/resources.ts";
import { reconcile } from "../runtime/reconcile.ts";
import { VirtualClock } from "../simulation/clock.ts";
import { customKind } from "../simulation/cluster/custom-kind.ts";
import { InMemoryCluster } from "../simulation/cluster/in-memory-cluster.ts";
import { Store } from "../simulation/cluster/store.ts";
import { ApprovalReconciler } from "./approval-reconciler.ts";
import { openHubCaches } from "./hub-caches.ts";
import { type ClusterEvent, type Draft, isConflict } from "./ports.ts";
import type { Told } from "./told.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const digestOf = (letter: string): string => `sha256:${letter.repeat(64)}`;

async function world(digest: string) {
  const clock = new VirtualClock(NOW);
  const cluster = new InMemoryCluster(new Store({ clock, kinds: allResources.map((resource) => customKind(resource)) }), { clock });
  const settled = async <Result>(work: Promise<Result>): Promise<Result> => {
    await clock.advance(100);
    return work;
  };
  const draft = <Of>(kind: string, name: string, spec: object): Draft<Of> =>
    ({ apiVersion: API_VERSION, kind, metadata: { namespace: "fleet", name }, spec }) as unknown as Draft<Of>;
  const spec = popRolloutSpec.parse({
    version: "2026.11.2",
    requestedBy: "release@example.com",
    waves: [{ name: "rest", pops: { percent: 100 }, approval: "Required" }],
  });
  const made = await settled(cluster.create<PopRollout>(POP_ROLLOUT, draft("PoPRollout", "r-2", spec)));
  const status: PopRolloutStatus = { digest: digestOf("a"), waves: [{ name: "rest", state: "Pending", digest: digestOf("b") }] };
  const rollout = await settled(cluster.updateStatus<PopRollout>(POP_ROLLOUT, { ...made, status }));
  const decided = {
    for: { kind: "PoPRollout", name: "r-2", uid: rollout.metadata.uid, digest },
    actions: ["Promote"],
    decision: "Approve",
    reason: "looks good",
    approvedBy: "second@example.com",
    expiresAt: "2026-11-29T00:00:00Z",
  };
  await settled(cluster.create<Approval>(APPROVAL, draft("Approval", "ok", decided)));
  const events: ClusterEvent[] = [];
  const told = { decided: () => {} } as unknown as Told;
  const sink = { publish: (event: ClusterEvent) => void events.push(event), flush: () => Promise.resolve() };
  const kind = new ApprovalReconciler({ hub: cluster, hubCaches: openHubCaches(cluster, "fleet"), events: sink, told, namespace: "fleet" });
  await clock.advance(100);
  const wakes: number[] = [];
  const look = async (): Promise<Approval> => {
    const loop = { clock, isLeader: () => true, want: () => {}, wakeAfter: () => {}, isConflict };
    const ended = reconcile(kind, { ...loop, wakeAt: (_, at) => void wakes.push(at) }, "ok");
    await clock.advance(5_000);
    await ended;
    return (await settled(cluster.get<Approval>(APPROVAL, "ok", "fleet")))!;
  };
  const open = () => {
    const approval = { name: "ok", by: "second@example.com", at: "2026-11-22T12:00:00Z" };
    const opened: PopRolloutStatus = { ...status, waves: [{ name: "rest", state: "Open", digest: digestOf("b"), approval }] };
    return settled(cluster.updateStatus<PopRollout>(POP_ROLLOUT, { ...rollout, status: opened }));
  };
  return { look, open, events, wakes };
}

const accepted = ({ status }: Approval): string => `${status?.conditions?.[0]?.status} ${status?.conditions?.[0]?.reason}`;

test("[F8] [G11] an Approval for nothing says so on itself, in one write and one event, and is looked at again when it expires", async () => {
  const { look, events, wakes } = await world(digestOf("c"));
  const first = await look();
  expect([accepted(first), first.status?.observedGeneration]).toEqual(["False OtherDigest", 1]);
  expect(first.status?.conditions?.[0]?.message).toContain(`wave rest (Promote: ${digestOf("b")})`);
  const second = await look();
  expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  expect(events.map(({ reason, regarding }) => [reason, regarding.kind, regarding.name])).toEqual([["OtherDigest", "Approval", "ok"]]);
  expect(wakes).toContain(Date.parse("2026-11-29T00:00:00Z"));
});

test("[F8] one that counts is Accepted, and Used once the rollout's ledger has it", async () => {
  const { look, open, events } = await world(digestOf("b"));
  expect(accepted(await look())).toBe("True Accepted");
  await open();
  const used = await look();
  expect([accepted(used), used.status?.used]).toEqual(["True Used", [{ action: "Promote", at: "2026-11-22T12:00:00Z", for: "wave rest" }]]);
  expect(events).toEqual([]);
});
