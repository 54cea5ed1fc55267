import { expect, it } from "vitest";
import type { Assignment } from "../../api/pop-rollout.ts";
import { type AssigningRollout, assignmentOf } from "./assignment.ts";

const FRA1 = { name: "fra1", uid: "uid-fra1" };

const assigned = (version: string, changes: Partial<Assignment> = {}): Assignment => ({
  pop: "fra1",
  uid: "uid-fra1",
  wave: "general",
  version,
  class: "Regular",
  announcedAt: "2026-11-16T09:00:00Z",
  order: "Go",
  state: "Assigned",
  since: "2026-11-22T00:00:00Z",
  ...changes,
});

const rollout = (name: string, createdAt: string, assignments: readonly Assignment[], changes: Partial<AssigningRollout> = {}) => ({
  name,
  uid: `uid-${name}`,
  createdAt,
  content: false,
  withdrawn: false,
  assignments,
  ...changes,
});

const OLD = rollout("r1", "2026-11-01T00:00:00Z", [assigned("1.0.0")]);
const versionOf = (...rollouts: AssigningRollout[]) => assignmentOf(rollouts, FRA1).version?.version;

it("[F1] the newest rollout that assigns the PoP counts, in whatever order the objects are listed", () => {
  const newer = rollout("r2", "2026-11-15T00:00:00Z", [assigned("2.0.0")], { seenAt: "2026-11-15T00:00:01Z" });
  expect(assignmentOf([OLD, newer], FRA1)).toEqual(assignmentOf([newer, OLD], FRA1));
  expect(assignmentOf([OLD, newer], FRA1).version).toMatchObject({
    version: "2.0.0",
    rollout: "r2",
    rolloutUID: "uid-r2",
    seenAt: "2026-11-15T00:00:01Z",
  });
});

it("[F1] [F6] two rollouts of the same second: everybody names the one with the greater UID, which waited for the other", () => {
  const [a, b] = ["ra", "rb"].map((name) => rollout(name, "2026-11-15T00:00:00Z", [assigned(name)]));
  expect([versionOf(a!, b!), versionOf(b!, a!)]).toEqual(["rb", "rb"]);
});

it("[F5] a withdrawn rollout assigns nothing, and the one before it counts again", () => {
  const newer = rollout("r2", "2026-11-15T00:00:00Z", [assigned("2.0.0")], { withdrawn: true });
  expect(versionOf(OLD, newer)).toBe("1.0.0");
  expect(versionOf(newer)).toBeUndefined();
});

it("[I14] an assignment of another PoP, or of an older PoP of the same name, is none", () => {
  expect(versionOf(rollout("r1", "2026-11-01T00:00:00Z", [assigned("1.0.0", { uid: "uid-of-before" })]))).toBeUndefined();
  expect(versionOf(rollout("r1", "2026-11-01T00:00:00Z", [assigned("1.0.0", { pop: "ams1" })]))).toBeUndefined();
});

it("[F8] a PoP that the newer rollout leaves out stays with what the one before it assigned", () => {
  const skipped = assigned("2.0.0", { state: "Skipped", reason: "OtherBase" });
  expect(versionOf(OLD, rollout("r2", "2026-11-15T00:00:00Z", [skipped]))).toBe("1.0.0");
});

it("[P15] version and content come from rollouts of their own, content with its source", () => {
  const source = { ociArtifact: "registry.example/signatures:419" };
  const content = rollout("sig", "2026-11-25T00:00:00Z", [assigned("sig.419")], { content: true, source });
  const found = assignmentOf([content, OLD], FRA1);
  expect([found.version?.version, found.content?.version, found.content?.source]).toEqual(["1.0.0", "sig.419", source]);
  expect(found.version).not.toHaveProperty("source");
});

it.each([
  ["an emergency that passed", { state: "Passed" }, {}, "3.0.0"],
  ["one that is promoted", { state: "Promoted" }, {}, "3.0.0"],
  ["one that has not begun", {}, {}, "2.0.1"],
  ["one that rolls", { state: "Rolling" }, {}, "2.0.1"],
  ["one that failed and is taken back", { state: "RolledBack" }, {}, "2.0.1"],
  ["one that passed, and the release was stopped here", { state: "Passed" }, { order: "Stop" }, "2.0.1"],
  ["one that passed, and the release had failed here", { state: "Passed" }, { state: "RolledBack" }, "2.0.1"],
  ["one that passed, and the release is of an older version", { state: "Passed" }, { version: "2.0.0" }, "2.0.1"],
  ["one that passed, and the release is of the same version", { state: "Passed" }, { version: "2.0.1" }, "2.0.1"],
] as const)("[F6] [F8] [V3] a release that an emergency cut into: after %s", (_, of, release, expected) => {
  const cutInto = rollout("r3", "2026-11-15T00:00:00Z", [assigned("3.0.0", release)]);
  const emergency = rollout("em", "2026-11-20T00:00:00Z", [assigned("2.0.1", { class: "Emergency", ...of })]);
  expect([versionOf(cutInto, emergency), versionOf(emergency, cutInto)]).toEqual([expected, expected]);
});

it("[F1] a newer release that passed does not yield to an older one: only an emergency cuts into another", () => {
  const older = rollout("r3", "2026-11-15T00:00:00Z", [assigned("3.0.0")]);
  expect(versionOf(older, rollout("r2", "2026-11-20T00:00:00Z", [assigned("2.0.1", { state: "Passed" })]))).toBe("2.0.1");
});
