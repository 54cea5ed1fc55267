import { expect, it } from "vitest";
import { berlin } from "../core/socket-site/socket-site.examples.ts";
import { projectSocketSite } from "./projections.ts";

const { spec } = berlin().site;
const condition = (time: string) => ({
  type: "HAReady",
  status: "True" as const,
  reason: "PairReady",
  message: "each Socket of the pair can take over",
  lastTransitionTime: time,
});

const site = (name: string, time = "2026-11-20T09:00:00Z") => ({
  apiVersion: "rollward.dev/v1alpha1",
  kind: "SocketSite" as const,
  metadata: { namespace: "acme", name, uid: `uid-${name}`, resourceVersion: "1", managedFields: [{ manager: "kubectl" }] },
  spec,
  status: {
    weeksBehind: 3,
    next: [{ start: time, end: time, localStart: time }],
    holds: [{ rule: "S10", reason: "NotInRamp", message: "not among them yet" }],
    ha: { status: "Ready" as const, checks: [{ name: "Keepalive" as const, status: "Ready" as const }] },
    conditions: [condition(time)],
  },
});

it("[B3] a cached site has all that is decided by, without coming windows and managed fields", () => {
  const { status, metadata } = projectSocketSite(site("berlin"));
  expect(metadata).toEqual({ namespace: "acme", name: "berlin", uid: "uid-berlin", resourceVersion: "1" });
  const { next: _, weeksBehind: __, ...kept } = site("berlin").status;
  expect(status).toEqual(kept);
});

it("[B3] what two sites have alike is kept once, and what differs is not", () => {
  const [one, other, later] = [site("a"), site("b"), site("c", "2026-11-21T09:00:00Z")].map((each) => projectSocketSite(each).status!);
  expect(one!.ha!.checks).toBe(other!.ha!.checks);
  expect(one!.holds).toBe(later!.holds);
  expect(one!.conditions![0]).toBe(other!.conditions![0]);
  expect(later!.conditions![0]).toEqual(condition("2026-11-21T09:00:00Z"));
});
