import { describe, expect, it } from "vitest";
import { CONFIG_MAP, type ConfigMapObject } from "../../src/control/kinds.ts";
import type { Draft, KubernetesObject } from "../../src/control/ports.ts";
import { MINUTE, SECOND, Story, type StoryOptions } from "./story.ts";

const content = (version: string) => ({
  version,
  source: { configMapRef: { name: "signatures" } },
  load: { http: { port: 8080, path: "/content" } },
  health: [{ name: "content", http: { port: 8080, path: "/healthz?content" }, successes: 2, failures: 2, interval: "1s", timeout: "1s" }],
});
const signatures = (story: Story) =>
  story.world.apply(CONFIG_MAP, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "signatures", namespace: "fleet" },
    data: { url: "https://signatures.example/sig" },
  } as Draft<KubernetesObject>);
/** The signatures of another version, under the same name. */
const rewritten = (story: Story) =>
  story.change<ConfigMapObject>(
    CONFIG_MAP,
    "signatures",
    (found) => ({ ...found, data: { url: "https://signatures.example/sig-419" } }),
    "fleet",
  );
/** A Tuesday: no window is near. */
const TUESDAY: StoryOptions = { start: "2026-11-24T12:00:00Z", nodes: 4, before: signatures };
const wants = (story: Story, version: string) => story.edit((spec) => ({ ...spec, content: content(version) }) as never);
const loaded = (story: Story) => story.nodes().map((node) => story.plane(node.metadata.name)?.contentVersion);

describe("content", () => {
  it("[P15] loads in the running data plane on a Tuesday: one canary node for a minute, then the others; no pod, session, taint or claim is touched", async () => {
    const story = await Story.begin(TUESDAY);
    const load = await story.sessions(40);
    const pods = story.pods().map((pod) => pod.metadata.uid);
    await wants(story, "sig.418");
    await story.untilTrue("the canary", () => loaded(story).filter((version) => version === "sig.418").length === 1, MINUTE);
    const since = story.now;
    await story.untilTrue("the second node", () => loaded(story).filter((version) => version === "sig.418").length === 2, 10 * MINUTE);
    expect(story.now - since).toBeGreaterThanOrEqual(MINUTE);
    await story.until("all of it", (status) => status.content?.state === "Loaded" && status.content.current === "sig.418");
    expect(loaded(story)).toEqual(["sig.418", "sig.418", "sig.418", "sig.418"]);
    expect(story.pods().map((pod) => pod.metadata.uid)).toEqual(pods);
    expect(load.summary().breaks).toBe(0);
    expect(story.claimed()).toEqual([]);
    expect(story.nodes().every((node) => (node.spec?.taints ?? []).length === 0)).toBe(true);
    await load.stop();
  });

  it("[P15] [G8] bad content is found on the canary and taken back to the content before; it is not tried again until a person names it", async () => {
    const story = await Story.begin(TUESDAY);
    await wants(story, "sig.418");
    await story.until("the first content", (status) => status.content?.current === "sig.418");
    await wants(story, "sig.419-bad-health");
    await story.until("the way back", (status) => (status.content?.failed?.length ?? 0) === 1 && status.content?.state === "Loaded");
    await story.pass(10 * MINUTE);
    expect(loaded(story)).toEqual(["sig.418", "sig.418", "sig.418", "sig.418"]);
    expect(story.status().content?.failed?.[0]).toMatchObject({
      version: "sig.419-bad-health",
      evidence: expect.stringMatching(/^node fra1-n\d: content: GET http:\/\/\S+ answered 500, \d+ times in a row/),
    });
    expect(story.holds()).toContain("FailedBefore");
    await story.request("retry", "sig.419-bad-health");
    await story.pass(10 * MINUTE);
    expect(story.reasons().filter((reason) => reason === "ContentFailed")).toHaveLength(2);
    expect(loaded(story)).toEqual(["sig.418", "sig.418", "sig.418", "sig.418"]);
  });

  const OTHER_SOURCE = { ...content("sig.419-bad-health"), source: { ociArtifact: "registry.example/signatures:419" } };

  it("[P15] the way back carries the source of the content before: its ConfigMap, and the digest of what that held", async () => {
    const story = await Story.begin(TUESDAY);
    await wants(story, "sig.418");
    await story.until("the first content", (status) => status.content?.current === "sig.418");
    const { source } = story.status().content!;
    expect(source).toEqual({ configMapRef: { name: "signatures" }, digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
    await story.edit((spec) => ({ ...spec, content: OTHER_SOURCE }) as never);
    await story.until("the way back", (status) => (status.content?.failed?.length ?? 0) === 1 && status.content?.state === "Loaded");
    const [canary] = story.status().content!.failed![0]!.evidence.match(/fra1-n\d/)!;
    await story.untilTrue("the canary to have it again", () => story.plane(canary)!.contentVersion === "sig.418", MINUTE);
    expect(story.plane(canary)!.contentSource).toEqual(source);
    expect(story.status().content).toMatchObject({ current: "sig.418", source });
    expect(story.status().content!.failed![0]!.evidence).not.toContain("ConfigMap");
  });

  it.each([
    ["holds something else by now", (story: Story) => rewritten(story)],
    ["is gone", (story: Story) => story.world.while(story.world.kubectl.delete(CONFIG_MAP, "signatures", "fleet"))],
  ] as const)(
    "[P15] [G9] a source that %s is said, and the data plane is asked for the version that it had all the same",
    async (what, change) => {
      const story = await Story.begin(TUESDAY);
      await wants(story, "sig.418");
      await story.until("the first content", (status) => status.content?.current === "sig.418");
      const { source } = story.status().content!;
      await story.edit((spec) => ({ ...spec, content: OTHER_SOURCE }) as never);
      await story.until("the new content to be loading", (status) => status.content?.target === "sig.419-bad-health");
      await change(story);
      await story.until("the verdict", (status) => (status.content?.failed?.length ?? 0) === 1);
      const sentence = `ConfigMap signatures, which content sig.418 was loaded from, ${what}; the data plane is asked for the version that it had`;
      expect(story.status().content!.failed![0]!.evidence).toContain(sentence);
      await story.untilTrue("the content before on all nodes", () => loaded(story).every((version) => version === "sig.418"), 10 * MINUTE);
      expect(story.narration().find((one) => one.startsWith("ContentFailed"))).toContain(sentence);
      expect(story.status().content!.source).toEqual(source);
    },
  );

  it("[P15] the ConfigMap of new content deleted in mid-way: what is in use is taken back to all the same", async () => {
    const story = await Story.begin(TUESDAY);
    await wants(story, "sig.418");
    await story.until("the first content", (status) => status.content?.current === "sig.418");
    await wants(story, "sig.419-bad-health");
    await story.until("the canary", (status) => (status.content?.nodes?.length ?? 0) === 1);
    await story.until("the verdict", (status) => (status.content?.failed?.length ?? 0) === 1);
    await story.world.while(story.world.kubectl.delete(CONFIG_MAP, "signatures", "fleet"));
    await story.untilTrue("the content before on all nodes", () => loaded(story).every((version) => version === "sig.418"), 10 * MINUTE);
  });

  it("[P15] content that needs a restart is refused: NotDisruptionFree; nothing restarts", async () => {
    const story = await Story.begin(TUESDAY);
    const pods = story.pods().map((pod) => pod.metadata.uid);
    await wants(story, "sig.420-needs-restart");
    await story.until("the refusal", (status) => (status.content?.failed?.length ?? 0) === 1);
    expect(story.status().content?.failed?.[0]?.evidence).toMatch(
      /^NotDisruptionFree: node fra1-n\d refuses content sig\.420-needs-restart \(409\); roll it as a version instead$/,
    );
    await story.pass(MINUTE);
    expect(story.pods().map((pod) => pod.metadata.uid)).toEqual(pods);
  });

  it("[P15] [W6] a freeze stops it unless the freeze allows Content", async () => {
    const story = await Story.begin(TUESDAY);
    const freeze = { name: "peak", from: "2026-11-24", to: "2026-11-25", timeZone: "Europe/Berlin", reason: "peak" };
    await story.editFleet({ freezes: [{ ...freeze, allow: [] }] as never });
    await wants(story, "sig.418");
    await story.untilHold("Frozen");
    await story.pass(10 * MINUTE);
    expect(loaded(story)).not.toContain("sig.418");
    await story.editFleet({ freezes: [{ ...freeze, allow: ["Content"] }] as never });
    await story.until("it to be loaded", (status) => status.content?.current === "sig.418");
  });

  it("[P15] a pod that comes after the load hears of it too: content is a level", async () => {
    const story = await Story.begin(TUESDAY);
    await wants(story, "sig.418");
    await story.until("it to be loaded", (status) => status.content?.current === "sig.418");
    await story.world.while(story.world.nodes.reboot("fra1-n2"));
    await story.untilTrue("the rebooted node to have it", () => loaded(story).every((version) => version === "sig.418"), 5 * MINUTE);
  });

  it("[P15] a source that does not exist says so and heals when it is created", async () => {
    const story = await Story.begin({ start: "2026-11-24T12:00:00Z" });
    await wants(story, "sig.418");
    await story.untilHold("ContentSourceMissing", MINUTE);
    expect(story.condition("Accepted")?.message).toBe(
      "spec.content.source.configMapRef: ConfigMap signatures does not exist in namespace fleet; create it or name another",
    );
    await story.pass(10 * SECOND);
    await signatures(story);
    await story.until("it to be loaded", (status) => status.content?.current === "sig.418", 10 * MINUTE);
  });
});
