import { describe, expect, it } from "vitest";
import { MAINTENANCE_WINDOW } from "../../src/api/resources.ts";
import { DAEMON_SET, type DaemonSetObject } from "../../src/control/kinds.ts";
import type { Draft, KubernetesObject } from "../../src/control/ports.ts";
import { DATA_PLANE_NAMESPACE } from "../../src/simulation/world.ts";
import { HOUR, MINUTE, Story } from "./story.ts";

/** What a schema cannot know: it starts nothing, says so with its reason, and heals when corrected. */
async function refused(story: Story, reason: string, sentence: RegExp): Promise<void> {
  await story.untilHold(reason);
  await story.pass(10 * MINUTE);
  expect(story.condition("Accepted")).toMatchObject({ status: "False", reason });
  expect(story.condition("Accepted")?.message).toMatch(sentence);
  expect(story.condition("Ready")).toMatchObject({ status: "False", reason: "NotAccepted" });
  expect(
    story.versions().filter((version) => version === "2.0.0"),
    "nothing starts",
  ).toEqual([]);
  expect(story.serving(), "nothing is lost").toHaveLength(3);
}

const sunday = { weekly: [{ day: "Sunday", start: "01:00", duration: "4h" }] };

describe("bad input that no schema knows", () => {
  it("[W10] an unknown zone: WindowInvalid, no fallback to UTC", async () => {
    const story = await Story.begin();
    await story.edit((spec) => ({ ...spec, version: "2.0.0", timeZone: "Europe/Berlinn" }));
    await refused(story, "WindowInvalid", /^spec\.timeZone: .*Europe\/Berlinn.*Europe\/Berlin/);
    await story.edit((spec) => ({ ...spec, timeZone: "Europe/Berlin" }));
    await story.untilRolled("2.0.0", 2 * HOUR);
  });

  it("[W10] a misspelt day in a window that came past its schema: WindowInvalid, naming what to write", async () => {
    const story = await Story.begin();
    story.world.store.put(MAINTENANCE_WINDOW, withSchedule(story, { weekly: [{ day: "Sundy", start: "01:00", duration: "4h" }] }));
    await story.want("2.0.0");
    await refused(story, "WindowInvalid", /MaintenanceWindow pop-sunday: .*Sundy.*Sunday/);
    await story.editWindow((spec) => ({ ...spec, schedule: sunday as never }));
    await story.untilRolled("2.0.0", 2 * HOUR);
  });

  it("[W4] a window too short for one node: WindowTooShort on the PoP, and the window lists it", async () => {
    const story = await Story.begin();
    await story.edit((spec) => ({
      ...spec,
      version: "2.0.0",
      strategy: { ...spec.strategy, perNode: { ...spec.strategy.perNode, expected: "5h", deadline: "6h" } },
    }));
    await refused(
      story,
      "WindowTooShort",
      /MaintenanceWindow pop-sunday: one node \(spec\.strategy\.perNode\.expected\) needs 5h, and no coming occurrence \(4h by the window/,
    );
    await story.edit((spec) => ({ ...spec, strategy: { ...spec.strategy, perNode: { ...spec.strategy.perNode, expected: "2m" } } }));
    await story.untilRolled("2.0.0", 2 * HOUR);
  });

  it("[P16] a selector that matches nothing: NoMembers; nodes that are labelled join", async () => {
    const story = await Story.begin({ nodes: 0, firstVersion: false });
    await story.untilHold("NoMembers");
    expect(story.condition("Accepted")).toMatchObject({
      status: "False",
      reason: "NoMembers",
      message: "spec.nodeSelector rollward.dev/pop=fra1 matches no node; label the nodes or correct the selector",
    });
    await story.world.bootNodes("fra1", 2);
    await story.untilPassed("1.0.0");
  });

  it("[P3] a template that the API server refuses: TemplateInvalid with its words; nothing is made of it", async () => {
    const story = await Story.begin();
    await story.edit((spec) => ({
      ...spec,
      version: "2.0.0",
      template: { ...spec.template, spec: { ...spec.template.spec, contaners: [] } },
    }));
    await refused(story, "TemplateInvalid", /^spec\.template: the API server refuses the DaemonSet that would run it: .*contaners/);
    expect(story.daemonSets()).toHaveLength(1);
    await story.edit((spec) => {
      const { contaners: _, ...rest } = spec.template.spec as typeof spec.template.spec & { contaners?: unknown };
      return { ...spec, template: { ...spec.template, spec: rest } };
    });
    await story.untilRolled("2.0.0");
  });

  it("[P9] a query that does not parse: QueryInvalid before the window opens, with Prometheus' words; corrected it rolls", async () => {
    const check = (query: string) => ({
      name: "loss",
      prometheus: { query, passIf: "<= 0.01" },
      address: "Pod" as const,
      successes: 2,
      failures: 2,
      interval: "5s",
      timeout: "1s",
    });
    const story = await Story.begin({
      start: "2026-11-21T12:00:00Z",
      pop: { health: { prometheus: { url: "http://prometheus.simulation:9090" } } },
      before: async ({ world }) => void world.prometheus.replies.set("sum(rate(lost[5m])", "Unparsable").set("sum(rate(lost[5m]))", 0),
    });
    await story.edit((spec) => ({ ...spec, version: "2.0.0", health: { ...spec.health, pop: [check("sum(rate(lost[5m])")] } }));
    await refused(story, "QueryInvalid", /^spec\.health\.pop check loss: Prometheus refuses the query: .*parse error/);
    expect(story.world.prometheus.asked.length, "asked once, not each second").toBeLessThan(5);
    await story.edit((spec) => ({ ...spec, health: { ...spec.health, pop: [check("sum(rate(lost[5m]))")] } }));
    await story.untilHold("OutsideWindow");
    expect(story.condition("Accepted")).toMatchObject({ status: "True" });
    await story.untilRolled("2.0.0", 24 * HOUR);
  });

  it("[W10] a zone that is spoilt in mid-roll: the node in hand is finished or given back, and the roll goes on when it is corrected", async () => {
    const story = await Story.begin({ nodes: 4 });
    await story.want("2.0.0");
    await story.untilStep("Soaking");
    await story.edit((spec) => ({ ...spec, timeZone: "Nowhere/Land" }));
    await story.untilHold("WindowInvalid");
    await story.pass(5 * MINUTE);
    expect(story.claimed()).toEqual([]);
    await story.edit((spec) => ({ ...spec, timeZone: "Europe/Berlin" }));
    await story.untilRolled("2.0.0", 2 * HOUR);
  });

  it("[G14] no Fleet: nothing that needs a grant starts, FleetMissing; a first version joins all the same", async () => {
    const story = await Story.begin({ fleet: "None" });
    await story.want("2.0.0");
    await story.untilHold("FleetMissing");
    await story.pass(10 * MINUTE);
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
  });

  it("[P12] neither a version nor a rollout: VersionUnassigned", async () => {
    const story = await Story.begin();
    await story.edit(({ version: _, ...spec }) => spec);
    await story.untilHold("VersionUnassigned");
    expect(story.serving()).toHaveLength(3);
  });
});

describe("hands on DaemonSets", () => {
  const warned = (story: Story) => story.narration().filter((sentence) => sentence.startsWith("DaemonSetRestored"));

  it("[R0] one edited by hand is put back to its record, with an event, and no pod restarts", async () => {
    const story = await Story.begin();
    const pods = story.pods().map((pod) => pod.metadata.uid);
    const [set] = story.daemonSets();
    const image = set!.spec.template.spec.containers[0]!.image;
    await story.change<DaemonSetObject>(
      DAEMON_SET,
      set!.metadata.name,
      (found) => ({
        ...found,
        spec: {
          ...found.spec,
          template: {
            ...found.spec.template,
            spec: { ...found.spec.template.spec, containers: [{ ...found.spec.template.spec.containers[0]!, image: "evil:1" }] },
          },
        },
      }),
      DATA_PLANE_NAMESPACE,
    );
    await story.untilTrue("it to be put back", () => story.daemonSets()[0]!.spec.template.spec.containers[0]!.image === image, MINUTE);
    await story.pass(MINUTE);
    expect(story.pods().map((pod) => pod.metadata.uid)).toEqual(pods);
    expect(warned(story)).toEqual([expect.stringMatching(/was edited by hand and is put back to the record of 1\.0\.0; no pod restarts$/)]);
  });

  it("[R0] one deleted by hand is made again at once, and its nodes serve again; also while a roll waits for its window", async () => {
    const story = await Story.begin({ start: "2026-11-24T12:00:00Z" });
    await story.want("2.0.0");
    await story.untilHold("OutsideWindow");
    const set = story.daemonSets().find((one) => one.metadata.labels?.["app.kubernetes.io/version"] === "1.0.0")!;
    await story.world.while(story.world.kubectl.delete(DAEMON_SET, set.metadata.name, DATA_PLANE_NAMESPACE));
    await story.untilTrue("its pods to go with it", () => story.serving().length < 3, MINUTE);
    await story.untilTrue("all to serve again", () => story.serving().length === 3 && story.daemonSets().length === 2, MINUTE);
    expect(warned(story)).toEqual([
      expect.stringMatching(/^DaemonSetRestored: the DaemonSet of 1\.0\.0 .* was gone and is made again from its record$/),
    ]);
  });

  it("[R0] the one of the way back deleted in mid-roll is made again, so that the way back exists", async () => {
    const story = await Story.begin({ nodes: 4 });
    await story.want("2.0.0-bad-after-1h");
    await story.untilPassed("2.0.0-bad-after-1h");
    const set = story.daemonSets().find((one) => one.metadata.labels?.["app.kubernetes.io/version"] === "1.0.0")!;
    await story.world.while(story.world.kubectl.delete(DAEMON_SET, set.metadata.name, DATA_PLANE_NAMESPACE));
    await story.untilOutcome("2.0.0-bad-after-1h RolledBack", 3 * HOUR);
  });

  it("[P7] old DaemonSets are collected beyond the history limit, never one that may be needed", async () => {
    const story = await Story.begin({ nodes: 2, pop: { spec: { revisionHistoryLimit: 1 } } });
    for (const version of ["2.0.0", "3.0.0", "4.0.0", "5.0.0"]) {
      await story.want(version);
      await story.untilPassed(version);
    }
    await story.pass(MINUTE);
    expect(
      story
        .daemonSets()
        .map((set) => String(set.metadata.labels?.["app.kubernetes.io/version"]))
        .toSorted((a, b) => a.localeCompare(b)),
    ).toEqual(["3.0.0", "4.0.0", "5.0.0"]);
  });
});

describe("somebody else's data plane", () => {
  const foreign = (name: string): Draft<KubernetesObject> =>
    ({
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: { name, namespace: DATA_PLANE_NAMESPACE },
      spec: {
        selector: { matchLabels: { app: name } },
        updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
        template: {
          metadata: { labels: { app: name } },
          spec: {
            hostNetwork: true,
            terminationGracePeriodSeconds: 2,
            tolerations: [{ operator: "Exists" }],
            containers: [
              {
                name: "pop",
                image: "registry.example/pop:0.9.0",
                ports: [
                  { name: "health", containerPort: 8080, hostPort: 8080 },
                  { name: "session", containerPort: 7000, hostPort: 7000 },
                ],
                readinessProbe: { httpGet: { path: "/healthz", port: 8080 } },
              },
            ],
          },
        },
      },
    }) as Draft<KubernetesObject>;
  const running = async (story: Story) => {
    await story.world.apply(DAEMON_SET, foreign("legacy"));
    await story.untilTrue("the legacy data plane", () => story.serving().length === 3, MINUTE);
  };

  it("[P16] on the same host port without adopt: AdoptionUnclear, nothing starts, and the sentence says what to write; adopted afterwards it rolls node by node", async () => {
    const story = await Story.begin({ firstVersion: false, before: running });
    await story.untilHold("AdoptionUnclear");
    await story.pass(10 * MINUTE);
    expect(story.condition("Accepted")?.message).toMatch(
      /of DaemonSet legacy holds host port 8080 on node fra1-n\d, which the template needs too; write spec\.adopt\.daemonSet\.name: legacy to take it over, or remove it/,
    );
    expect(story.versions()).toEqual(["0.9.0", "0.9.0", "0.9.0"]);
    expect(story.daemonSets().map((set) => set.metadata.name)).toEqual(["legacy"]);
    await story.edit((spec) => ({ ...spec, adopt: { daemonSet: { name: "legacy" } } }));
    await story.untilPassed("1.0.0");
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
  });

  it("[P16] adopt: first OnDelete, then the affinity, nobody restarts; then the roll takes node by node, never two out", async () => {
    const story = await Story.begin({ firstVersion: false, before: running, pop: { spec: { adopt: { daemonSet: { name: "legacy" } } } } });
    let most = 0;
    let onDelete = false;
    await story.untilTrue("the roll", () => {
      most = Math.max(most, 3 - story.serving().length);
      const legacy = story.read<DaemonSetObject>(DAEMON_SET, "legacy", DATA_PLANE_NAMESPACE)!;
      const excluded = JSON.stringify(legacy.spec.template.spec.affinity ?? {}).includes("DoesNotExist");
      onDelete ||= legacy.spec.updateStrategy?.type === "OnDelete";
      expect(excluded && !onDelete, "the affinity never before OnDelete").toBe(false);
      return story.status().run?.state === "Passed";
    });
    expect(most).toBe(1);
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
    expect(story.read(DAEMON_SET, "legacy", DATA_PLANE_NAMESPACE)).toBeDefined();
  });

  it("[P16] an adopted data plane can be gone back to: the label leaves and the old pod returns", async () => {
    const story = await Story.begin({
      firstVersion: false,
      before: running,
      pop: { version: "1.0.0-crash-loop", spec: { adopt: { daemonSet: { name: "legacy" } } } },
    });
    await story.untilOutcome("1.0.0-crash-loop RolledBack");
    await story.untilTrue("the legacy data plane", () => story.versions().join() === "0.9.0,0.9.0,0.9.0", MINUTE);
    expect(story.nodes().map((node) => story.label(node.metadata.name))).toEqual([undefined, undefined, undefined]);
    expect(story.claimed()).toEqual([]);
  });

  it("[P16] adopt with a name that leads nowhere: AdoptionUnclear, and no second data plane is started beside what runs", async () => {
    const story = await Story.begin({ firstVersion: false, pop: { spec: { adopt: { daemonSet: { name: "legcy" } } } }, before: running });
    await story.untilHold("AdoptionUnclear");
    await story.pass(10 * MINUTE);
    expect(story.condition("Accepted")?.message).toContain(
      "spec.adopt.daemonSet: DaemonSet legcy does not exist in namespace rollward-data-plane",
    );
    expect(story.versions()).toEqual(["0.9.0", "0.9.0", "0.9.0"]);
  });
});

function withSchedule(story: Story, schedule: object) {
  const found = structuredClone(
    story.read<{ spec: object; metadata: { resourceVersion: string } }>(MAINTENANCE_WINDOW, "pop-sunday", "fleet")!,
  );
  return { ...found, spec: { ...found.spec, schedule } } as never;
}
