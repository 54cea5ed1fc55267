import { beforeEach, describe, expect, it } from "vitest";
import { CLAIM_ANNOTATION, POP_LABEL, RELEASED_PREFIX, REVISION_LABEL, UPDATING_TAINT } from "../../../api/names.ts";
import { WHOLE_NODE } from "../../../simulation/nodes/kubelet.ts";
import { EmbeddedStage } from "../embedded-stage.ts";
import { Disruptions } from "./disruptions.ts";
import { secondAct } from "./second-act.ts";

const BAD = "2026.11.2";

describe("who was out, by the nodes' own word", () => {
  let stage: EmbeddedStage;
  let disruptions: Disruptions;
  const served = new Map<string, string>();

  beforeEach(async () => {
    stage = await EmbeddedStage.open(secondAct().setting, new AbortController().signal);
    served.clear();
    disruptions = new Disruptions(stage, BAD, (node) => served.get(node));
    await stage.perform(disruptions.whenSynced());
    for (const pop of ["fra1", "ber1", "zrh1", "sto1"])
      await stage.perform(
        stage.cluster.create(WHOLE_NODE, {
          apiVersion: "v1",
          kind: "Node",
          metadata: { name: `${pop}-n1`, labels: { [POP_LABEL]: pop, [REVISION_LABEL]: `${pop}-a` } },
          spec: {},
        }),
      );
    await seen();
  });

  const seen = () => stage.perform(stage.cluster.list(WHOLE_NODE).then(() => new Promise((resolve) => setImmediate(resolve))));

  async function patch(node: string, operations: readonly object[]): Promise<void> {
    await stage.perform(stage.cluster.patch(WHOLE_NODE, `${node}-n1`, undefined, operations as never));
    await seen();
  }
  const taint = (pop: string) =>
    patch(pop, [{ op: "add", path: "/spec/taints", value: [{ key: UPDATING_TAINT, value: "t", effect: "NoSchedule" }] }]);
  const untaint = (pop: string) => patch(pop, [{ op: "remove", path: "/spec/taints" }]);
  const claim = (pop: string, value: string) =>
    patch(pop, [{ op: "add", path: "/metadata/annotations", value: { [CLAIM_ANNOTATION]: value } }]);

  it("[F3] counts PoPs that are out at one moment, in the fleet and in a region, and not those that came one after the other", async () => {
    await taint("fra1");
    await untaint("fra1");
    await taint("zrh1");
    await claim("sto1", "token");
    expect(disruptions.peak("forward")).toEqual({ count: 2, who: "zrh1, sto1" });
    expect(disruptions.peak("forward", "eu-central")).toEqual({ count: 1, who: "fra1" });
    expect(disruptions.all.map(({ node }) => node)).toEqual(["fra1-n1", "zrh1-n1", "sto1-n1"]);
    await claim("sto1", `${RELEASED_PREFIX}token`);
    expect([...disruptions.outNow()]).toEqual(["zrh1"]);
  });

  it("[F2] names a site whose two PoPs are out together, and no other", async () => {
    await taint("fra1");
    await taint("zrh1");
    expect(disruptions.brokenSites).toEqual([]);
    await patch("ber1", [{ op: "remove", path: `/metadata/labels/${REVISION_LABEL.replaceAll("/", "~1")}` }]);
    expect(disruptions.brokenSites).toEqual(["fra1 and ber1"]);
  });

  it("[F10] tells the way back from a bad version from the way forward", async () => {
    served.set("sto1-n1", BAD).set("zrh1-n1", "2026.11.1");
    await taint("sto1");
    await taint("zrh1");
    expect([disruptions.peak("forward").who, disruptions.peak("back").who]).toEqual(["zrh1", "sto1"]);
  });
});
