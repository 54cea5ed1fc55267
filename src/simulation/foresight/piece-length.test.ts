import { describe, expect, it } from "vitest";
import type { PopCluster } from "../../api/pop-cluster.ts";
import { foresee } from "./foresee.ts";
import { example, popObject, rolloutObject } from "./foresight.examples.ts";
import { paceOf, pieceLength } from "./piece-length.ts";

const MINUTE = 60_000;
const START = Date.parse("2026-11-22T00:00:00Z");
const iso = (minutes: number): string => new Date(START + minutes * MINUTE).toISOString();

/** Two nodes of a PoP on their way to 2026.11.2, each done so many minutes after the one before; 8 and a soak of 1 are expected. */
const took = (name: string, minutes: readonly number[], region = "asia", run: object = {}): PopCluster => {
  const members = ["n1", "n2"].map((node) => ({ name: `${name}-${node}`, uid: `${name}-${node}` }));
  const done = (index: number) => minutes.slice(0, index + 1).reduce((sum, one) => sum + one, 0);
  return popObject(name, {
    nodes: 2,
    region,
    timeZone: "Asia/Singapore",
    version: minutes.length === 2 ? "2026.11.2" : "2026.11.1",
    status: {
      runs: 1,
      run: {
        id: 1,
        kind: "Roll",
        revision: "rev2",
        version: "2026.11.2",
        back: "rev1",
        startedAt: iso(0),
        state: minutes.length === 2 ? "Passed" : "Rolling",
        frozen: { members, order: [] },
        timers: {},
        ...run,
      },
      nodes: members.map((member, index) => ({
        ...member,
        step: index < minutes.length ? "Done" : "Pending",
        since: iso(index < minutes.length ? done(index) : 0),
        attempt: 1,
        revision: "rev2",
      })),
    },
  });
};

describe("[F7] how long a node takes", () => {
  it("as the PoP's own nodes took where that is longer; as expected while none is done; never shorter than expected", () => {
    expect(pieceLength(took("sin1", []), 1)).toEqual({ out: 8 * MINUTE, soak: MINUTE });
    expect(pieceLength(took("sin1", [25]), 1).out).toBe(24 * MINUTE);
    expect(pieceLength(took("sin1", [5]), 1).out).toBe(8 * MINUTE);
  });

  it("as much longer as elsewhere while none of its own is done; then its own nodes say it", () => {
    expect(pieceLength(took("sin1", []), 3).out).toBe(24 * MINUTE);
    expect(pieceLength(took("sin1", [9]), 3).out).toBe(8 * MINUTE);
  });

  it("one slow PoP says nothing of others; of two the faster one; of three the one in the middle; another version nothing", () => {
    const [slow, slower, usual] = [took("a", [25, 25]), took("b", [31, 31]), took("c", [9, 9])];
    const pace = (pops: readonly PopCluster[], version = "2026.11.2") => paceOf(pops, version);
    expect(pace([slow])).toBe(1);
    expect(pace([slow, took("z", [])])).toBe(1);
    expect(pace([slow, usual])).toBe(1);
    expect(pace([slow, slower])).toBe(3);
    expect(pace([slow, usual, slower])).toBe(3);
    expect(pace([took("c", [5, 5]), took("d", [5, 5])])).toBe(1);
    expect(pace([slow, slower], "2026.11.3")).toBe(1);
    expect(pace([took("a", [25, 25], "asia", { kind: "Rollback" }), took("b", [25, 25], "asia", { kind: "Join" })])).toBe(1);
  });
});

describe("[F7] PoPs that have not begun", () => {
  const at = "2026-11-21T12:00:00.000Z";
  const assignment = (pop: string) => ({
    pop,
    uid: `uid-${pop}`,
    wave: "canary",
    version: "2026.11.2",
    class: "Regular" as const,
    announcedAt: at,
    order: "Go" as const,
    state: "Passed" as const,
    since: at,
  });
  const plan = (...canaries: PopCluster[]) => {
    const rollout = rolloutObject({
      stages: [],
      waves: [
        { name: "canary", pops: { count: canaries.length }, bake: "4h" },
        { name: "rest", pops: { percent: 100 }, bake: "1h" },
      ],
    });
    const status = {
      seenAt: at,
      startDate: "2026-11-22",
      endDate: "2026-12-06",
      waves: [
        { name: "canary", state: "Passed" as const, pops: canaries.map(({ metadata }) => metadata.name), openedAt: at, endedAt: at },
        { name: "rest", state: "Pending" as const },
      ],
      assignments: canaries.map(({ metadata }) => assignment(metadata.name)),
    };
    const pops = [...canaries, popObject("nyc1", { region: "us-east", timeZone: "America/New_York", nodes: 3 })];
    const [found] = foresee(example({ now: START + 2 * 60 * MINUTE, pops, rollouts: [{ ...rollout, status }] })).rollouts;
    const { start, end } = found!.pops.find(({ pop }) => pop === "nyc1")!;
    return { minutes: (Date.parse(end!) - Date.parse(start!)) / MINUTE, message: found!.message };
  };

  it("two canaries whose nodes took three times what was expected: the others are foreseen to take as long, and it is told", () => {
    const { minutes, message } = plan(took("sin1", [25, 25]), took("tyo1", [25, 25], "japan"));
    expect(minutes).toBe(3 * (24 + 1));
    expect(message).toContain("on most PoPs that have begun it a node takes 3.0 times what is expected");
  });

  it("one of two canaries was slow: it was that PoP, and the others are foreseen as expected", () => {
    const { minutes, message } = plan(took("sin1", [25, 25]), took("tyo1", [9, 9], "japan"));
    expect(minutes).toBe(3 * (8 + 1));
    expect(message).not.toContain("times what is expected");
  });
});
