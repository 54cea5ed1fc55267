import { describe, expect, it } from "vitest";
import type { ApprovalSpec, ApprovalStatus } from "../../api/approval.ts";
import { approvalStatus } from "../../api/approval.ts";
import { decideApproval } from "./approval-verdict.ts";
import { approval, DAY, HOUR, pops, RolloutWorld, SUNDAY } from "./pop-rollout.examples.ts";

const WAVES = [
  { name: "canary", pops: { count: 1 } },
  { name: "rest", pops: { percent: 100 }, approval: "Required" },
];
const NOTHING = `sha256:${"0".repeat(64)}`;

/** The canary has passed; wave rest waits for an Approval that names its digest. */
function waits() {
  const world = new RolloutWorld(pops(5), { waves: WAVES }).settle(SUNDAY);
  world.passes(...world.members("canary")).settle(SUNDAY + 2 * HOUR);
  return { world, digest: world.wave("rest")!.digest!, whole: world.status.digest! };
}

/** What the Approval named `ok` says of itself, beside the rollout as it stands. */
function said(
  world: RolloutWorld | undefined,
  spec: ApprovalSpec,
  options: { now?: number; approvers?: string[]; freezes?: string[]; before?: ApprovalStatus } = {},
) {
  const { now = SUNDAY + 3 * HOUR, approvers = [], freezes = ["year-end"], before } = options;
  const rollout = world && { ...world.observe().rollout, status: world.status };
  const meta = { name: "ok", namespace: "fleet", uid: "uid-ok", resourceVersion: "1", generation: 1 };
  const one = {
    apiVersion: "rollward.dev/v1alpha1",
    kind: "Approval" as const,
    metadata: meta,
    spec,
    ...(before ? { status: before } : {}),
  };
  const decision = decideApproval(
    { approval: one, ...(rollout ? { rollout } : {}), rollouts: rollout ? ["r-2"] : ["r-3"], approvers, freezes },
    now,
  );
  const status = approvalStatus.parse(JSON.parse(JSON.stringify(decision.status ?? before)));
  const { status: accepted, reason, message } = status.conditions![0]!;
  return { decision, status, accepted: `${accepted} ${reason}`, message };
}

const spec = (digest: string, changes: Partial<ApprovalSpec> = {}) => approval("ok", digest, changes).spec;

describe("[F8] an Approval says on itself what it is good for", () => {
  it("one for a wave that waits for it is Accepted, then Used, and that stays when it expires or the rollout is deleted", () => {
    const { world, digest } = waits();
    const first = said(world, spec(digest));
    expect([first.accepted, first.message]).toEqual(["True Accepted", "it counts: it approves Promote of wave rest"]);
    world.approvals = [approval("ok", digest)];
    world.settle(SUNDAY + 3 * HOUR);
    const used = said(world, spec(digest), { before: first.status });
    expect([used.accepted, used.status.used]).toEqual([
      "True Used",
      [{ action: "Promote", at: "2026-11-22T03:00:00.000Z", for: "wave rest" }],
    ]);
    expect(said(undefined, spec(digest), { before: used.status, now: SUNDAY + 90 * DAY }).decision.status).toBeUndefined();
  });

  it("one with a wrong digest says what could be named instead, each with its digest", () => {
    const { world, digest } = waits();
    const { accepted, message, decision } = said(world, spec(NOTHING));
    expect(accepted).toBe("False OtherDigest");
    expect(message).toContain(`wave rest (Promote and LiftFreeze: ${digest})`);
    expect(message).toContain("rollward approve popro/r-2 writes one for what waits now");
    expect(decision.events).toMatchObject([{ type: "Warning", reason: "OtherDigest" }]);
  });

  it.each<[string, Partial<ApprovalSpec>, string, string]>([
    [
      "that has expired, and not one with another digest",
      { expiresAt: "2026-11-22T01:00:00Z" },
      "False Expired",
      "it expired at 2026-11-22T01:00:00Z",
    ],
    ["by who asked for the rollout", { approvedBy: "release@example.com" }, "False ByRequester", "a second person has to decide"],
    [
      "of the UID of another object",
      { for: { kind: "PoPRollout", name: "r-2", uid: "old", digest: NOTHING } },
      "False OtherObject",
      "UID old, this one has uid-r-2",
    ],
    ["of an action that is not asked for", { actions: ["Emergency"] }, "False WrongAction", "write another one with actions: [Promote]"],
  ])("one %s says so", (_, changes, accepted, sentence) => {
    const { world, digest } = waits();
    const found = said(world, spec(digest, changes));
    expect([found.accepted, found.message]).toEqual([accepted, expect.stringContaining(sentence)]);
  });

  it("one that expired and whose digest is that of nothing either is Expired, and both are said", () => {
    const { world } = waits();
    const { accepted, message } = said(world, spec(NOTHING, { expiresAt: "2026-11-22T01:00:00Z" }));
    expect([accepted, message]).toEqual(["False Expired", expect.stringContaining("and its digest is that of nothing any more")]);
  });

  it("one for a rollout that does not exist names those that do; one by somebody who may not names who may", () => {
    const { world, digest } = waits();
    expect(said(undefined, spec(digest))).toMatchObject({
      accepted: "False RolloutUnknown",
      message: expect.stringContaining("it names PoPRollout r-2, which does not exist (there are r-3)") as string,
    });
    expect(said(world, spec(digest), { approvers: ["third@example.com"] })).toMatchObject({
      accepted: "False NotAnApprover",
      message: expect.stringContaining("(third@example.com)") as string,
    });
  });

  it("one that nobody asks for now says for what it was looked up", () => {
    const { world, whole } = waits();
    const canary = world.wave("canary")!.digest!;
    expect(said(world, spec(canary))).toMatchObject({
      accepted: "Unknown NothingWaits",
      message: "it was looked up for Promote of wave canary: it opened at 2026-11-22T00:00:00.000Z",
    });
    expect(said(world, spec(whole, { actions: ["RetryFailed"] })).message).toBe(
      "it was looked up for RetryFailed of the rollout as a whole: no PoP has failed; it counts for PoPs on which the version failed before their wave opens",
    );
  });

  it("an Emergency for a regular rollout is a WrongAction; a refusal of an open wave counts", () => {
    const { world, whole } = waits();
    expect(said(world, spec(whole, { actions: ["Emergency"] })).message).toContain("which asks for LiftFreeze and RetryFailed");
    const open = new RolloutWorld(pops(5), { waves: WAVES }).settle(SUNDAY);
    const refusal = spec(open.wave("canary")!.digest!, { decision: "Refuse" });
    expect(said(open, refusal).message).toBe("it counts: it refuses Promote of wave canary");
  });

  it("one that lifts a freeze that there is not says which there are; with a freeze of that name it counts", () => {
    const { world, digest } = waits();
    const lifts = spec(digest, { actions: ["LiftFreeze"], freezes: ["nope"] });
    expect(said(world, lifts)).toMatchObject({
      accepted: "False FreezeUnknown",
      message: expect.stringContaining("there is no freeze nope that it could lift (there are year-end)") as string,
    });
    expect(said(world, lifts, { freezes: [] }).message).toContain("there is no freeze nope that it could lift (there is none)");
    expect(said(world, lifts, { freezes: ["nope"] }).accepted).toBe("True Accepted");
  });

  it("without any freeze nobody is told that an Approval could lift one", () => {
    const { world, digest, whole } = waits();
    const none = { freezes: [] };
    expect(said(world, spec(NOTHING), none).message).toContain(`now an Approval can name wave rest (Promote: ${digest}); rollward`);
    const { message } = said(world, spec(whole, { actions: ["Emergency"] }), none);
    expect(message).not.toContain("--action LiftFreeze");
  });

  it("it is written once, and looked at again when it expires [G11]", () => {
    const { world, digest } = waits();
    const first = said(world, spec(digest));
    const again = said(world, spec(digest), { before: first.status, now: SUNDAY + 9 * HOUR });
    expect([again.decision.status, again.decision.wakeAt]).toEqual([undefined, Date.parse("2026-12-31T00:00:00Z")]);
  });
});
