import { expect, it } from "vitest";
import { type PopCluster, popClusterSpec, popClusterStatus } from "../../api/pop-cluster.ts";
import { rolloutPop } from "./pop-rollout.ts";

const baking = (bake: object, more: object = {}): PopCluster => ({
  apiVersion: "rollward.dev/v1alpha1",
  kind: "PoPCluster",
  metadata: { name: "fra1", namespace: "fleet", uid: "u", resourceVersion: "1" },
  spec: popClusterSpec.parse({
    timeZone: "Europe/Berlin",
    nodeSelector: {},
    windowRef: { name: "sunday" },
    template: { spec: { containers: [{ name: "c", image: "i:${version}" }] } },
    strategy: { bake: "1h" },
  }),
  status: popClusterStatus.parse({
    run: {
      id: 1,
      kind: "Roll",
      revision: "r2",
      version: "2.0",
      startedAt: "2026-11-22T00:00:00Z",
      state: "Baking",
      frozen: { members: [], order: [] },
      timers: { bake },
      ...more,
    },
  }),
});
const bakesUntil = (pop: PopCluster) => rolloutPop(pop).run?.bakesUntil;

it("[P8] [G2] a rollout sees when a PoP's bake is over: the bake of its wave, less what has baked; nothing while it stands still", () => {
  const running = { since: "2026-11-22T02:00:00Z", accumulated: 600_000 };
  expect(bakesUntil(baking(running))).toBe("2026-11-22T02:50:00.000Z");
  expect(bakesUntil(baking(running, { bake: "4h" }))).toBe("2026-11-22T05:50:00.000Z");
  expect(bakesUntil(baking({ accumulated: 600_000 }))).toBeUndefined();
  expect(bakesUntil(baking(running, { state: "Passed" }))).toBeUndefined();
});
