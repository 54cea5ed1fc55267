import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { beyond, differenceOf, type PlanFile } from "./difference.ts";
import { historyOf, onCalendar } from "./history-from-audit.ts";

const WALL = Date.parse("2026-01-01T10:00:00.000Z");
const SUNDAY = Date.parse("2026-11-22T00:00:00.000Z");
/** A minute of wall time before the window, then a jump to it. */
const PACES = [
  { calendar: SUNDAY - 3_600_000, real: WALL, rate: 1 },
  { calendar: SUNDAY, real: WALL + 60_000, rate: 1 },
];
/** Seconds after the jump. */
const wallAt = (seconds: number): string => new Date(WALL + 60_000 + seconds * 1_000).toISOString();

const LABEL = "/metadata/labels/rollward.dev.node-restriction.kubernetes.io~1revision";
const CLAIM = "/metadata/annotations/rollward.dev~1claim";
const write = (seconds: number, resource: string, name: string, requestObject: unknown, code = 200) => ({
  verb: "update",
  objectRef: { resource, name, ...(resource === "nodes" ? {} : { subresource: "status" }) },
  responseStatus: { code },
  requestObject: resource === "nodes" ? requestObject : { status: requestObject },
  requestReceivedTimestamp: wallAt(seconds),
});
const fra1 = (state: string, steps: readonly string[], version = "2.0.0") => ({
  assigned: { rollout: "r2", wave: "all" },
  run: { version, state, revision: "b" },
  nodes: steps.map((step, index) => ({ name: `n${index + 1}`, step, revision: step === "Done" ? "b" : "a" })),
});

const AUDIT = [
  write(-20, "popclusters", "fra1", fra1("Passed", ["Done", "Done"], "1.0.0")),
  write(-10, "poprollouts", "r2", { waves: [{ name: "all", state: "Open" }] }),
  write(0.05, "popclusters", "fra1", { ...fra1("Passed", ["Done", "Done"], "1.0.0"), grant: { id: 3, state: "Asked" } }),
  write(0.1, "fleets", "fleet", { disruptions: [{ pop: "fra1", kind: "Roll", id: 3 }] }, 409),
  write(0.2, "fleets", "fleet", { disruptions: [{ pop: "fra1", kind: "Roll", id: 3 }] }),
  write(0.3, "popclusters", "fra1", fra1("Rolling", ["Claimed", "Pending"])),
  write(0.4, "nodes", "n1", [
    { op: "test", path: CLAIM, value: "released:x" },
    { op: "add", path: CLAIM, value: "t1" },
  ]),
  write(300, "nodes", "n1", [{ op: "remove", path: LABEL }]),
  write(302, "nodes", "n1", [{ op: "add", path: LABEL, value: "fra1-b" }]),
  write(305, "nodes", "n1", [{ op: "replace", path: CLAIM, value: "released:t1" }]),
  write(365, "popclusters", "fra1", fra1("Rolling", ["Done", "Claimed"])),
  write(800, "popclusters", "fra1", fra1("Baking", ["Done", "Done"])),
  write(4_400, "popclusters", "fra1", fra1("Passed", ["Done", "Done"])),
  write(4_401, "poprollouts", "r2", { outcome: "Completed", waves: [{ name: "all", state: "Passed" }] }),
];
const history = () => historyOf(AUDIT, PACES, "r2", "2.0.0");
const calendar = (seconds: number): string => new Date(SUNDAY + seconds * 1_000).toISOString();

const plan = (pop: Partial<PlanFile["rollouts"][0]["pops"][0]> = {}): PlanFile => ({
  digest: "sha256:0",
  from: calendar(-3_600),
  rollouts: [
    {
      name: "r2",
      finishAt: calendar(795),
      waves: [{ name: "all", opens: calendar(-3_550), ends: calendar(4_395) }],
      pops: [{ pop: "fra1", wave: "all", nodes: 2, start: calendar(0), end: calendar(795), passed: calendar(4_395), ...pop }],
    },
  ],
});

describe("[F7] the independent hand", () => {
  it.each(["history-from-audit.ts", "difference.ts"])("%s imports nothing of ours", (name) => {
    const text = readFileSync(join(import.meta.dirname, name), "utf8");
    const imported = [...text.matchAll(/(?:from|import\()\s*"([^"]+)"/g)].map(([, module]) => module!);
    expect(imported.filter((module) => !module.startsWith("node:"))).toEqual([]);
  });

  it("wall time is read as the calendar that was followed then; before its journal nothing is known", () => {
    expect(onCalendar(WALL + 59_000, PACES)).toBe("2026-11-21T23:00:59.000Z");
    expect(onCalendar(WALL + 61_000, PACES)).toBe("2026-11-22T00:00:01.000Z");
    expect(() => onCalendar(WALL - 1, PACES)).toThrow(/begins after/);
  });

  it("grant, claim, labels, nodes, bake and waves by the writes that were accepted; a refused grant is none", () => {
    expect(history()).toEqual({
      rollout: "r2",
      version: "2.0.0",
      outcome: "Completed",
      ended: calendar(4_401),
      waves: [{ name: "all", opened: new Date(SUNDAY - 3_600_000 + 50_000).toISOString(), ended: calendar(4_401) }],
      pops: [
        {
          pop: "fra1",
          wave: "all",
          asked: calendar(0.05),
          granted: calendar(0.2),
          firstClaim: calendar(0.4),
          firstLabelOff: calendar(300),
          lastLabelOn: calendar(302),
          lastReleased: calendar(305),
          nodesDone: [calendar(365), calendar(800)],
          rolled: calendar(800),
          passed: calendar(4_400),
        },
      ],
      writes: AUDIT.length - 1,
    });
  });

  it("the same within 60 s is no difference; later, earlier, missing, another wave or number of nodes is", () => {
    expect([differenceOf(plan(), history()).mismatches, beyond(differenceOf(plan(), history()), 60)]).toEqual([[], []]);
    expect(beyond(differenceOf(plan(), history()), 4)).toEqual(["wave all", "fra1", "rollout"]);
    expect(beyond(differenceOf(plan({ end: calendar(900) }), history()), 60)).toEqual(["fra1"]);
    const { end: _, ...endless } = plan().rollouts[0]!.pops[0]!;
    const missing = { ...plan(), rollouts: [{ ...plan().rollouts[0]!, pops: [endless] }] };
    expect(beyond(differenceOf(missing, history()), 60)).toEqual(["fra1"]);
    expect(differenceOf(plan({ wave: "canary", nodes: 3 }), history()).mismatches).toEqual([
      "fra1 was foreseen in wave canary and was in all",
      "fra1: 3 nodes were foreseen, 2 were done",
    ]);
    expect(differenceOf(plan({ pop: "ber1" }), history()).mismatches).toContain("fra1 was not foreseen at all");
    expect(differenceOf({ ...plan(), rollouts: [] }, history()).mismatches).toEqual(["the plan does not know r2"]);
  });
});
