// A PoP whose pods only its own API server reaches (rule P17): the operator's own packets go nowhere.
import { describe, expect, it } from "vitest";
import { ApiError } from "../../src/control/ports.ts";
import { MINUTE, Story } from "./story.ts";

const BEHIND = { reach: "ApiServerProxy", kubeconfigSecretRef: { name: "fra1-kubeconfig" } };
const HOST_NETWORK = {
  name: "ready",
  address: "Node",
  http: { port: 8080, path: "/healthz" },
  successes: 2,
  failures: 2,
  interval: "1s",
  timeout: "1s",
};

const begin = (spec: object = {}, health: object = {}): Promise<Story> =>
  Story.begin({
    pop: { spec: { ...BEHIND, ...spec }, health },
    before: (story) => Promise.resolve(void (story.world.directOutage = true)),
  });

/** Counts what goes through the API server, and lets through what `allows` says. */
function watchProxy(story: Story, allows: () => boolean = () => true): { calls: number } {
  const seen = { calls: 0 };
  story.world.hubs[0]!.fault = ({ verb }) => {
    if (verb !== "proxy") return undefined;
    seen.calls += 1;
    return allows() ? undefined : { error: new ApiError(403, "Forbidden", "pods/proxy is forbidden") };
  };
  return seen;
}

describe("[P17] a PoP behind its API server", () => {
  it("rolls, drains and counts its sessions with no packet of the operator's own to a node or pod", async () => {
    const story = await begin();
    const load = await story.sessions(20);
    const seen = watchProxy(story);
    await story.want("2.0.0");
    await story.untilRolled("2.0.0", 30 * MINUTE);
    expect(seen.calls).toBeGreaterThan(20);
    expect(load.held).toBe(20);
  });

  it("address: Node is asked at the pod where pods have the node's network", async () => {
    const story = await begin({}, { node: [HOST_NETWORK] });
    await story.want("2.0.0");
    await story.untilRolled("2.0.0", 30 * MINUTE);
  });

  it("[G9] an API server that does not let us ask makes nothing healthy and nothing failed: the node waits, and goes on when it does", async () => {
    const story = await begin();
    let allowed = true;
    watchProxy(story, () => allowed);
    await story.want("2.0.0");
    await story.until("a node is in hand", (status) => (status.nodes?.length ?? 0) > 0, 10 * MINUTE);
    allowed = false;
    await story.pass(12 * MINUTE);
    expect(story.versions().filter((version) => version === "2.0.0").length).toBeLessThanOrEqual(1);
    expect(story.status().run?.kind).not.toBe("Rollback");
    allowed = true;
    await story.untilRolled("2.0.0", 30 * MINUTE);
  });
});
