import { expect, it, onTestFinished } from "vitest";
import type { PopCluster } from "../../../src/api/pop-cluster.ts";
import type { PopRollout } from "../../../src/api/pop-rollout.ts";
import { POP_CLUSTER, POP_ROLLOUT } from "../../../src/api/resources.ts";
import { FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import { HOUR, Story, type StoryOptions } from "../../scenarios/story.ts";
import { Exporter, Scrapes } from "./exporter.ts";
import { describeWithPromtool, expected, runPromtool, SUCCESS } from "./promtool.ts";

const FRA1 = { namespace: "fleet", pop: "fra1", instance: "a" };

/** A story whose PoPs are told to a real exporter, as the operator tells them, and ten minutes of scrapes in which all is well. */
async function scraped(options: StoryOptions = {}) {
  const story = await Story.begin(options);
  const a = await Exporter.open(() => story.now);
  onTestFinished(() => a.close());
  a.told.pop(story.pop());
  story.world.store.subscribe(({ kind, object }) => {
    if (kind.kind === POP_CLUSTER.kind) a.told.pop(structuredClone(object) as unknown as PopCluster);
    if (kind.kind === POP_ROLLOUT.kind) a.told.rollout(structuredClone(object) as unknown as PopRollout);
  });
  const scrapes = new Scrapes();
  await scrapes.take({ a }, 10);
  /** As it is now, for so many minutes; answers the last of them. */
  const stays = async (minutes: number): Promise<number> => {
    await scrapes.take({ a }, minutes);
    return scrapes.minute - 1;
  };
  return { story, stays, verdict: (tests: readonly object[]) => runPromtool(scrapes.inputSeries(), tests) };
}

describeWithPromtool("alerts on what the real controllers make of a PoP, in virtual time", () => {
  it("a bad version is taken back and then failed; both alerts resolve when a good one has rolled", async () => {
    const { story, stays, verdict } = await scraped();
    await story.want("2.0.0-crash-loop");
    await story.untilOutcome("2.0.0-crash-loop RolledBack");
    const firing = await stays(5);
    await story.want("2.0.1");
    await story.untilRolled("2.0.1");
    const resolved = await stays(70);
    const tests = [
      ...["RollwardRolledBack", "RollwardVersionFailed", "RollwardRollbackFailed"].flatMap((alert) => [
        expected(alert, 9),
        expected(alert, resolved),
      ]),
      expected("RollwardRolledBack", firing, { ...FRA1, reason: "NodeFailed" }, "PoP fra1 takes a version back (NodeFailed)."),
      expected("RollwardVersionFailed", firing, { ...FRA1, state: "VersionFailed" }, "PoP fra1: VersionFailed."),
    ];
    expect(await verdict(tests)).toMatch(SUCCESS);
  });

  it("a zone that there is not is not accepted, until it is corrected", async () => {
    const { story, stays, verdict } = await scraped();
    await story.edit((spec) => ({ ...spec, version: "2.0.0", timeZone: "Europe/Berlinn" }));
    await story.untilHold("WindowInvalid");
    const firing = await stays(18);
    await story.edit((spec) => ({ ...spec, timeZone: "Europe/Berlin" }));
    await story.untilRolled("2.0.0");
    const resolved = await stays(6);
    const alert = "RollwardPopNotAccepted";
    const fires = expected(alert, firing, { ...FRA1, state: "NotAccepted" }, "The spec of PoP fra1 cannot be carried out.");
    expect(await verdict([expected(alert, 9), fires, expected(alert, resolved)])).toMatch(SUCCESS);
  });

  it("a remote PoP whose API server is away in mid-roll is unreachable, until it answers", async () => {
    const { story, stays, verdict } = await scraped({ pop: { spec: { kubeconfigSecretRef: { name: "fra1-kubeconfig" } } } });
    await story.want("2.0.0");
    await story.untilStep("Updating");
    story.world.troubles.set("fra1-kubeconfig", { state: "Unreachable", message: "connect ETIMEDOUT 10.0.0.1:6443" });
    await story.untilHold("ClusterUnreachable");
    const firing = await stays(18);
    story.world.troubles.clear();
    await story.untilRolled("2.0.0");
    const resolved = await stays(6);
    const alert = "RollwardPopUnreachable";
    const fires = expected(alert, firing, { ...FRA1, state: "Unreachable" }, "The API server of PoP fra1 does not answer.");
    expect(await verdict([expected(alert, 9), fires, expected(alert, resolved)])).toMatch(SUCCESS);
  });

  it("an emergency that waits for its second person is told of after a day, and not any more when nobody is waited for", async () => {
    const { story, stays, verdict } = await scraped();
    await story.edit(({ version: _, ...spec }) => spec);
    await story.world.apply(POP_ROLLOUT, {
      apiVersion: POP_ROLLOUT.apiVersion,
      kind: "PoPRollout",
      metadata: { name: "r-2", namespace: FLEET_NAMESPACE },
      spec: {
        version: "2.0.0",
        requestedBy: "release-train",
        class: "Emergency",
        reason: "CVE-2026-0001",
        waves: [{ name: "all", pops: { percent: 100 } }],
      },
    } as never);
    const waits = () =>
      story.read<PopRollout>(POP_ROLLOUT, "r-2", FLEET_NAMESPACE)?.status?.holds?.some(({ reason }) => reason === "AwaitingApproval") ===
      true;
    await story.untilTrue("the approval to be waited for", waits);
    const early = await stays(5);
    await story.pass(25 * HOUR);
    const firing = await stays(5);
    await story.change<PopRollout>(
      POP_ROLLOUT,
      "r-2",
      (found) => ({ ...found, spec: { ...found.spec, requests: { stop: { at: new Date(story.now).toISOString() } } } }),
      FLEET_NAMESPACE,
    );
    await story.untilTrue("nobody to be waited for", () => !waits());
    const resolved = await stays(6);
    const alert = "RollwardApprovalWaiting";
    const fires = expected(
      alert,
      firing,
      { kind: "PoPRollout", name: "r-2", instance: "a" },
      "PoPRollout r-2 has waited 1d 1h 0m 0s for an approval.",
    );
    expect(await verdict([expected(alert, early), fires, expected(alert, resolved)])).toMatch(SUCCESS);
  });
});
