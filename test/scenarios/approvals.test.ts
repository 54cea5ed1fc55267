import { expect, it } from "vitest";
import type { Approval } from "../../src/api/approval.ts";
import type { PopRollout } from "../../src/api/pop-rollout.ts";
import { APPROVAL, MAINTENANCE_WINDOW, POP_ROLLOUT } from "../../src/api/resources.ts";
import { FLEET_NAMESPACE, sundayWindow } from "../../src/simulation/world.ts";
import { HOUR, MINUTE, Story } from "./story.ts";

it("[F8] an Approval says on itself that it is for nothing, then the right one that it was used; expiry and deletion are told too", async () => {
  const story = await Story.begin({ nodes: 1 });
  await story.edit(({ version: _, ...spec }) => spec);
  const named = { apiVersion: POP_ROLLOUT.apiVersion, metadata: { name: "r-2", namespace: FLEET_NAMESPACE } };
  const waves = [{ name: "all", pops: { percent: 100 }, approval: "Required" }];
  const content = { version: "2.0.0", requestedBy: "release@example.com", startNotBefore: "2026-11-22", waves };
  await story.world.apply(POP_ROLLOUT, { ...named, kind: "PoPRollout", spec: content } as never);
  const rollout = () => story.read<PopRollout>(POP_ROLLOUT, "r-2", FLEET_NAMESPACE)!;
  await story.untilTrue("the wave to have its digest", () => rollout()?.status?.waves?.[0]?.digest !== undefined, 10 * MINUTE);
  const { digest } = rollout().status!.waves![0]!;
  const approve = (name: string, names: string) =>
    story.world.apply(APPROVAL, {
      apiVersion: APPROVAL.apiVersion,
      kind: "Approval",
      metadata: { name, namespace: FLEET_NAMESPACE },
      spec: {
        for: { kind: "PoPRollout", name: "r-2", uid: rollout().metadata.uid, digest: names },
        actions: ["Promote"],
        decision: "Approve",
        reason: "looks good",
        approvedBy: "second@example.com",
        expiresAt: new Date(story.now + HOUR).toISOString(),
      },
    } as never);
  const said = (name: string): string | undefined => story.read<Approval>(APPROVAL, name, FLEET_NAMESPACE)?.status?.conditions?.[0]?.reason;
  await approve("wrong", `sha256:${"0".repeat(64)}`);
  await story.untilTrue("it to say that it is for nothing", () => said("wrong") === "OtherDigest", 10 * MINUTE);
  await approve("right", digest!);
  await story.untilTrue("it to say that it was used", () => said("right") === "Used", 10 * MINUTE);
  await story.untilTrue("the wrong one to expire", () => said("wrong") === "Expired", 2 * HOUR);
  expect(said("right")).toBe("Used");
  await story.world.while(story.world.kubectl.delete(POP_ROLLOUT, "r-2", FLEET_NAMESPACE));
  await story.untilTrue("nothing to be left that it names", () => said("wrong") === "RolloutUnknown", 10 * MINUTE);
  expect(said("right")).toBe("Used");
});

it("[F8] an Approval of a freeze that no PoP has heard of learns that a PoP has moved to the window that names it", async () => {
  const story = await Story.begin({ nodes: 1 });
  const { spec } = sundayWindow();
  const fair = { name: "fair", from: "2027-01-01", to: "2027-01-02", reason: "fair" };
  await story.world.apply(MAINTENANCE_WINDOW, {
    ...sundayWindow(),
    metadata: { name: "other", namespace: FLEET_NAMESPACE },
    spec: { ...spec, freezes: [fair] },
  } as never);
  const named = { apiVersion: POP_ROLLOUT.apiVersion, metadata: { name: "r-2", namespace: FLEET_NAMESPACE } };
  const waves = [{ name: "all", pops: { percent: 100 }, approval: "Required" }];
  // For no PoP at all: its own status does not change with what PoPs do, and wakes nobody.
  const forNobody = { class: "Emergency", reason: "a CVE", from: "<0.0.1" };
  const content = { version: "2.0.0", requestedBy: "release@example.com", startNotBefore: "2026-11-22", waves, ...forNobody };
  await story.world.apply(POP_ROLLOUT, { ...named, kind: "PoPRollout", spec: content } as never);
  const rollout = () => story.read<PopRollout>(POP_ROLLOUT, "r-2", FLEET_NAMESPACE)!;
  await story.untilTrue("the rollout to have its digest", () => rollout()?.status?.digest !== undefined, 10 * MINUTE);
  await story.world.apply(APPROVAL, {
    apiVersion: APPROVAL.apiVersion,
    kind: "Approval",
    metadata: { name: "lift", namespace: FLEET_NAMESPACE },
    spec: {
      for: { kind: "PoPRollout", name: "r-2", uid: rollout().metadata.uid, digest: rollout().status!.digest },
      actions: ["LiftFreeze"],
      freezes: ["fair"],
      decision: "Approve",
      reason: "the fair can wait",
      approvedBy: "second@example.com",
      expiresAt: new Date(story.now + HOUR).toISOString(),
    },
  } as never);
  const said = () => story.read<Approval>(APPROVAL, "lift", FLEET_NAMESPACE)?.status?.conditions?.[0];
  await story.untilTrue("it to say that nobody knows the freeze", () => said()?.reason === "FreezeUnknown", 10 * MINUTE);
  await story.world.clock.advance(MINUTE);
  await story.edit((pop) => ({ ...pop, windowRef: { name: "other" } }));
  await story.untilTrue("it to know the freeze", () => said()?.reason !== "FreezeUnknown", 10 * MINUTE);
});
