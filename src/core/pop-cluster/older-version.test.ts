import { describe, expect, it } from "vitest";
import { member, observation, OPEN, podOn, revisionIn } from "../../../test/builders/observation.ts";
import type { PopClusterStatus, PopRun } from "../../api/pop-cluster.ts";
import { decide } from "./decide.ts";
import { olderVersion } from "./older-version.ts";
import { viewOf } from "./view.ts";

const runs = (version: string, run?: Partial<PopRun>, more: PopClusterStatus = {}): PopClusterStatus => ({
  clusterUID: "cluster",
  revisions: { current: revisionIn(version) },
  ...(run
    ? {
        run: {
          id: 2,
          kind: "Roll",
          revision: revisionIn("3.0.0"),
          version: "3.0.0",
          back: revisionIn(version),
          startedAt: "2026-11-22T00:00:00Z",
          state: "Rolling",
          timers: {},
          frozen: { members: [], order: [] },
          ...run,
        },
      }
    : {}),
  ...more,
});
const VERSIONS = ["1.0.0", "2.0.0", "3.0.0"];
const seen = (wanted: string, status: PopClusterStatus, on = "2.0.0") =>
  observation({
    spec: { version: wanted },
    status,
    versions: VERSIONS,
    members: ["n1", "n2"].map((name) => member(name, { label: `fra1-${revisionIn(on)}` })),
    pods: ["n1", "n2"].map((name) => podOn(name, on)),
  });
const holds = (wanted: string, status: PopClusterStatus, on?: string) => olderVersion(viewOf(seen(wanted, status, on)))?.reason;

describe("[V3] a wanted version that is older", () => {
  it("than what the whole PoP runs holds, and says what to write instead", () => {
    const { holds: found, status, actions } = decide(seen("1.0.0", runs("2.0.0")), OPEN);
    expect(found.map(({ rule, reason, message }) => ({ rule, reason, message }))).toEqual([
      {
        rule: "V3",
        reason: "OlderVersion",
        message:
          "spec.version 1.0.0 is older than 2.0.0, which runs here, and nothing is rolled forward to an older version; write a version newer than 2.0.0, or take it back: rollward take-back fra1",
      },
    ]);
    expect(actions).toEqual([]);
    expect(status?.run).toBeUndefined();
  });

  it("is told by numbers, the 4th and the pre-release too", () => {
    expect(holds("2.0.0-rc.1", runs("2.0.0"))).toBe("OlderVersion");
    expect(holds("2.0.0.1", runs("2.0.0"))).toBeUndefined();
    expect(holds("10.0.0", runs("2.0.0"))).toBeUndefined();
  });

  it("is none where the PoP runs it, or nothing yet", () => {
    expect(holds("2.0.0", runs("2.0.0"))).toBeUndefined();
    expect(holds("2.0.0", runs("2.0.0", { ending: "Superseded" }), "3.0.0")).toBeUndefined();
    expect(holds("1.0.0", { revisions: {} })).toBeUndefined();
  });

  it("than what a run left on some nodes in mid-roll holds; before its first node it is none", () => {
    expect(holds("2.5.0", runs("2.0.0", { ending: "Superseded" }), "3.0.0")).toBe("OlderVersion");
    expect(holds("2.5.0", runs("2.0.0", { ending: "Superseded" }), "2.0.0")).toBeUndefined();
  });

  it("may be named where a rollback failed: nothing is left to take back (L2)", () => {
    const failed = {
      version: "2.0.0",
      revision: revisionIn("2.0.0"),
      startedAt: "2026-11-22T00:00:00Z",
      endedAt: "2026-11-22T00:10:00Z",
      outcome: "RollbackFailed" as const,
    };
    expect(holds("1.0.0", runs("2.0.0", undefined, { history: [failed] }))).toBeUndefined();
  });
});
