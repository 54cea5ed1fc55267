import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PopCluster } from "../../../src/api/pop-cluster.ts";
import { MAINTENANCE_WINDOW } from "../../../src/api/resources.ts";
import type { MaintenanceWindow } from "../../../src/api/maintenance-window.ts";
import { DAEMON_SET, EVENT } from "../../../src/control/kinds.ts";
import { DATA_PLANE_NAMESPACE, FLEET_NAMESPACE, sundayWindow } from "../../../src/simulation/world.ts";
import { startPrometheus, type Prometheus } from "../../../tools/prometheus/run.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { legacyDaemonSet } from "./legacy.ts";
import { eventually, firstVersions, holdOf, node, openFleet, passed, podsOf, QUICK, servedVersions, SUNDAY } from "./pops.ts";
import { RealWorld } from "./real-world.ts";

type Spec = PopCluster["spec"];

describeWithControlPlane("[T3] bad input that only a real server can judge", () => {
  let world: RealWorld;
  let prometheus: Prometheus;

  beforeAll(async () => {
    world = await RealWorld.start({ start: SUNDAY, pops: { tmpl1: 2, query1: 2, short1: 2, none1: 1, port1: 1, hand1: 2, where1: 2 } });
    prometheus = await startPrometheus({ configuration: { global: { scrape_interval: "1s" } } });
    await openFleet(world);
    await world.apply<MaintenanceWindow>(MAINTENANCE_WINDOW, {
      ...sundayWindow("short"),
      spec: { schedule: { weekly: [{ day: "Sunday", start: "01:00", duration: "1h" }] }, timeZone: "Local" },
    } as never);
    await world.startOperator(["--prometheus-url", prometheus.url]);
    await firstVersions(world, { tmpl1: {}, query1: {}, short1: {}, hand1: {}, where1: {} });
  });
  afterAll(async () => {
    await prometheus?.stop();
    await world?.stop();
  });

  const uids = async (pop: string) => [...(await podsOf(world, pop)).values()].map((pod) => pod.metadata.uid).toSorted();

  /** Makes an edit that is bad: nothing may start and no pod may move while its hold stands; then the correction, which goes through. */
  async function refusedAndHealed(
    pop: string,
    reason: string,
    words: RegExp,
    bad: (spec: Spec) => Spec,
    good: (spec: Spec) => Spec,
  ): Promise<void> {
    const before = await uids(pop);
    await world.editPop(pop, (spec) => ({ ...bad(spec), version: "2.0.0" }));
    const held = await world.until(pop, reason, (status) => words.test(holdOf(status, reason)?.message ?? ""));
    expect(held.status?.nodes?.every((entry) => entry.step === "Done" || entry.step === "Pending")).toBe(true);
    expect(await uids(pop)).toEqual(before);
    await world.editPop(pop, good);
    await world.until(pop, "2.0.0 when corrected", passed("2.0.0"), 90_000);
  }

  const withContainer = (spec: Spec, change: object): Spec => {
    const pod = spec.template.spec as { containers: object[] };
    return {
      ...spec,
      template: { ...spec.template, spec: { ...pod, containers: pod.containers.map((container) => ({ ...container, ...change })) } },
    } as Spec;
  };

  describe.concurrent("each on a PoP of its own", () => {
    it("a misspelt field of the template is refused by the strict dry run: TemplateInvalid", () =>
      refusedAndHealed(
        "tmpl1",
        "TemplateInvalid",
        /imagePulPolicy/,
        (spec) => withContainer(spec, { imagePulPolicy: "Always" }),
        (spec) => {
          const pod = spec.template.spec as { containers: Record<string, unknown>[] };
          const containers = pod.containers.map(({ imagePulPolicy: _, ...container }) => container);
          return { ...spec, template: { ...spec.template, spec: { ...pod, containers } } } as Spec;
        },
      ));

    it("a query that Prometheus cannot parse: QueryInvalid, with its words", () => {
      const check = (query: string) => ({ name: "loss", prometheus: { query, passIf: "<= 1" }, successes: 1, failures: 2, interval: "1s" });
      const withQuery = (query: string) => (spec: Spec) =>
        ({ ...spec, health: { ...spec.health, pop: [check(query)] } }) as unknown as Spec;
      return refusedAndHealed("query1", "QueryInvalid", /loss.*parse error/, withQuery("sum(rate("), withQuery("vector(0)"));
    });

    it("a window in which no node fits: WindowTooShort", () =>
      refusedAndHealed(
        "short1",
        "WindowTooShort",
        /./,
        (spec) => ({
          ...spec,
          windowRef: { name: "short" },
          strategy: { ...spec.strategy, perNode: { ...spec.strategy.perNode, expected: "2h", deadline: "3h" } },
        }),
        (spec) => ({ ...spec, strategy: { ...spec.strategy, perNode: QUICK.perNode }, windowRef: { name: "pop-sunday" } }),
      ));

    it("a window that does not exist: WindowInvalid, no fallback", () =>
      refusedAndHealed(
        "where1",
        "WindowInvalid",
        /MaintenanceWindow nowhere does not exist/,
        (spec) => ({ ...spec, windowRef: { name: "nowhere" } }),
        (spec) => ({ ...spec, windowRef: { name: "pop-sunday" } }),
      ));

    it("a selector that matches nothing: NoMembers; when a node gets the label, it joins", async () => {
      await world.applyPop("none1", { strategy: QUICK, spec: { nodeSelector: { matchLabels: { "example.org/role": "edge" } } } });
      const empty = await world.until(
        "none1",
        "the condition",
        (status) => status.conditions?.some((one) => one.type === "Accepted" && one.reason === "NoMembers") ?? false,
      );
      expect(empty.status?.conditions?.find(({ type }) => type === "Accepted")?.message).toContain(
        "label the nodes or correct the selector",
      );
      await world.cluster.patch({ apiVersion: "v1", kind: "Node", plural: "nodes", namespaced: false }, "none1-n1", undefined, [
        { op: "add", path: "/metadata/labels/example.org~1role", value: "edge" },
      ]);
      await world.until("none1", "the first version", (status) => status.run?.state === "Passed");
    });

    it("somebody else's DaemonSet on the host port: AdoptionUnclear; when it is gone, the first version joins", async () => {
      await world.apply(DAEMON_SET, legacyDaemonSet("port1"));
      await eventually(
        () => servedVersions(world, "port1"),
        (found) => expect(found).toEqual({ "port1-n1": "0.9.0" }),
      );
      await world.applyPop("port1", { strategy: QUICK });
      await world.until("port1", "the question", (status) => holdOf(status, "AdoptionUnclear") !== undefined);
      expect((await node(world, "port1-n1")).metadata.labels?.["rollward.dev.node-restriction.kubernetes.io/revision"]).toBeUndefined();
      await world.cluster.delete(DAEMON_SET, "legacy-port1", DATA_PLANE_NAMESPACE);
      await world.until("port1", "the first version", (status) => status.run?.state === "Passed");
      expect(await servedVersions(world, "port1")).toEqual({ "port1-n1": "1.0.0" });
    });

    it("a DaemonSet edited by hand is put back to its record without a restart; one deleted by hand is made again; each with an Event", async () => {
      const ofHand = async () =>
        (await world.cluster.list(DAEMON_SET, { namespace: DATA_PLANE_NAMESPACE, labelSelector: "rollward.dev/pop=hand1" }))[0];
      const imageOf = async () =>
        ((await ofHand()) as unknown as { spec: { template: { spec: { containers: { image: string }[] } } } } | undefined)?.spec.template
          .spec.containers[0]?.image;
      const before = await uids("hand1");
      const { metadata } = (await ofHand())!;
      await world.cluster.patch(DAEMON_SET, metadata.name, DATA_PLANE_NAMESPACE, [
        { op: "replace", path: "/spec/template/spec/containers/0/image", value: "registry.example/pop:6.6.6" },
      ]);
      await eventually(imageOf, (found) => expect(found).toBe("registry.example/pop:1.0.0"));
      expect(await uids("hand1")).toEqual(before);
      await world.cluster.delete(DAEMON_SET, metadata.name, DATA_PLANE_NAMESPACE, { uid: metadata.uid });
      await eventually(
        async () => (await ofHand())?.metadata.uid ?? metadata.uid,
        (found) => expect(found).not.toBe(metadata.uid),
      );
      await eventually(
        () => servedVersions(world, "hand1"),
        (found) => expect(found).toEqual({ "hand1-n1": "1.0.0", "hand1-n2": "1.0.0" }),
      );
      const told = async () =>
        (
          (await world.cluster.list(EVENT, { namespace: FLEET_NAMESPACE })) as unknown as {
            regarding?: { name?: string };
            reason?: string;
            note?: string;
          }[]
        ).filter((event) => event.regarding?.name === "hand1" && /DaemonSet/.test(event.note ?? "")).length;
      await eventually(told, (found) => expect(found).toBeGreaterThanOrEqual(2));
    });
  });
});
