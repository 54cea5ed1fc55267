import { describe, expect, test } from "vitest";
import { VirtualClock } from "../simulation/clock.ts";
import { InMemoryCluster } from "../simulation/cluster/in-memory-cluster.ts";
import { Store } from "../simulation/cluster/store.ts";
import { NODE } from "./kinds.ts";
import { ApiError } from "./ports.ts";
import { SiteCacheSet } from "./site-caches.ts";

const clock = new VirtualClock(Date.UTC(2026, 0, 4, 1));
const store = new Store({ clock });
/** One connection to the PoP's cluster, as one kubeconfig makes it. */
const connection = () => new InMemoryCluster(store, { clock });

function watched() {
  const heard: string[] = [];
  const caches = new SiteCacheSet({
    node: ({ metadata }) => void heard.push(metadata.name),
    pod: () => undefined,
    daemonSet: () => undefined,
    silence: () => void heard.push("look again"),
  });
  return { heard, caches };
}

describe("[P17] the caches of a cluster that was closed, because its kubeconfig was rotated", () => {
  test("are let go, with their ages, and every PoP looks where its nodes are now", async () => {
    const { heard, caches } = watched();
    const before = connection();
    caches.of(before);
    expect([...caches.named()].map(([kind]) => kind)).toEqual(["Node", "Pod", "DaemonSet"]);
    await before.close();
    expect([...caches.named()]).toEqual([]);
    expect(heard).toEqual(["look again"]);
    expect(() => caches.of(before), "one that looked before the rotation is to look again").toThrow(ApiError);
  });

  test("leave the waking to those of the new connection", async () => {
    const { heard, caches } = watched();
    const [before, after] = [connection(), connection()];
    caches.of(before);
    await before.close();
    heard.length = 0;
    const now = caches.of(after);
    await clock.advance(1);
    await after.create(NODE, { metadata: { name: "fra1-1" }, spec: {} });
    await clock.advance(1);
    expect(heard).toEqual(["fra1-1"]);
    expect(now.nodes.get("fra1-1")?.metadata.name).toBe("fra1-1");
    expect([...caches.named()]).toHaveLength(3);
    caches.stop();
  });
});
