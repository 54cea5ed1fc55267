import { expect, test } from "vitest";
import { popClusterSpec, type PopCluster, type PopClusterStatus } from "../../api/pop-cluster.ts";
import { fleetPopOf } from "./pop.ts";

const spec = {
  timeZone: "Europe/Berlin",
  region: "eu",
  nodeSelector: {},
  windowRef: { name: "w" },
  template: { spec: { containers: [{ name: "c", image: "i" }] } },
  strategy: { maxUnavailable: "25%" },
  rollback: { maxUnavailable: 2 },
};
const popCluster = (status?: PopClusterStatus): PopCluster => ({
  apiVersion: "rollward.dev/v1alpha1",
  kind: "PoPCluster",
  metadata: { name: "fra1", uid: "u", resourceVersion: "1" },
  spec: popClusterSpec.parse(spec),
  ...(status ? { status } : {}),
});
const ended = (outcome: "RollbackFailed" | "RolledBack" | "Promoted", endedAt: string) => ({
  version: "1.1",
  revision: "r",
  startedAt: "2026-11-01T00:00:00Z",
  endedAt,
  outcome,
});

test("[F10] an emergency is told by what the PoP asked for, so that it goes before regular rolls", () => {
  const asked = { id: 1, kind: "Roll", state: "Asked" } as const;
  expect(fleetPopOf(popCluster({ grant: { ...asked, class: "Emergency" } })).emergency).toBe(true);
  expect(fleetPopOf(popCluster({ grant: asked })).emergency).toBe(false);
});

test("a PoP nobody looked at yet has no grant, no members, and is not degraded", () => {
  const seen = fleetPopOf(popCluster());
  expect(seen).toMatchObject({ name: "fra1", uid: "u", region: "eu", deleting: false, degraded: false, unfinished: false });
  expect(seen.grant).toBeUndefined();
  expect(seen.members).toBeUndefined();
});

test("[G14] a roll may become a rollback under its grant: it takes out 25 % of 12 = 3, of 4 the rollback's 2", () => {
  expect(fleetPopOf(popCluster({ members: { total: 12, out: 0 } })).takesOut).toEqual({ Roll: 3, Rollback: 2 });
  expect(fleetPopOf(popCluster({ members: { total: 4, out: 0 } })).takesOut).toEqual({ Roll: 2, Rollback: 2 });
});

test("[F3] degraded is more out than maxUnavailable; 1 of 4 at 25 % is within the budget", () => {
  expect(fleetPopOf(popCluster({ version: "1.0", members: { total: 4, out: 1 } })).degraded).toBe(false);
  expect(fleetPopOf(popCluster({ version: "1.0", members: { total: 4, out: 2 } })).degraded).toBe(true);
});

test("[G14] the nodes that RollbackFailed left out make it degraded until they serve; an older failure does not", () => {
  const history = [ended("RollbackFailed", "2026-11-02T00:00:00Z"), ended("Promoted", "2026-11-01T00:00:00Z")];
  expect(fleetPopOf(popCluster({ history, members: { total: 4, out: 1 } })).degraded).toBe(true);
  expect(fleetPopOf(popCluster({ history })).degraded).toBe(true);
  expect(fleetPopOf(popCluster({ history, members: { total: 4, out: 0 } })).degraded).toBe(false);
  const later = [...history, ended("RolledBack", "2026-11-03T00:00:00Z")];
  expect(fleetPopOf(popCluster({ history: later, members: { total: 4, out: 1 } })).degraded).toBe(false);
});

test("[F10] failed sessions are those of nodes that did not come back: what each held when its drain began", () => {
  const node = (name: string, step: "Failed" | "Done" | "Pending", sessions?: number) => ({
    name,
    uid: name,
    step,
    since: "2026-11-22T00:00:00Z",
    attempt: 1,
    ...(sessions === undefined ? {} : { sessions }),
  });
  expect(fleetPopOf(popCluster({ nodes: [node("a", "Failed", 30), node("b", "Done", 50), node("c", "Pending")] })).failedSessions).toBe(30);
  expect(fleetPopOf(popCluster()).failedSessions).toBe(0);
});

test("[F2] a PoP whose cluster does not answer is unreachable, as its status tells", () => {
  expect(fleetPopOf(popCluster({ unreachable: true })).unreachable).toBe(true);
  expect(fleetPopOf(popCluster()).unreachable).toBe(false);
});

test("[G1] the conditions change nothing", () => {
  const status: PopClusterStatus = { members: { total: 4, out: 0 }, grant: { id: 3, kind: "Roll", state: "Asked" } };
  const conditions = [
    { type: "Ready", status: "False" as const, reason: "RollbackFailed", message: "", lastTransitionTime: "2026-11-02T00:00:00Z" },
  ];
  expect(fleetPopOf(popCluster({ ...status, conditions }))).toEqual(fleetPopOf(popCluster(status)));
});

test("[F2] [F3] a PoP of which no node serves is degraded, be it a single one within its budget: its partners may not roll", () => {
  expect(fleetPopOf(popCluster({ version: "1.0", members: { total: 1, out: 1 } })).degraded).toBe(true);
  expect(fleetPopOf(popCluster({ version: "1.0", members: { total: 1, out: 0 } })).degraded).toBe(false);
  expect(fleetPopOf(popCluster({ version: "1.0", members: { total: 0, out: 0 } })).degraded).toBe(false);
});

test("[F3] [L3] a PoP that never ran a version is not degraded: it holds no place that the rollout needs which brings it one", () => {
  expect(fleetPopOf(popCluster({ members: { total: 3, out: 3 } })).degraded).toBe(false);
});
