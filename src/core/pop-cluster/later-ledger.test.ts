import { describe, expect, it } from "vitest";
import { observation, OPEN } from "../../../test/builders/observation.ts";
import type { PopClusterStatus } from "../../api/pop-cluster.ts";
import { decide } from "./decide.ts";
import { laterWordsOf } from "./later-ledger.ts";

const SINCE = "2026-11-22T00:00:00Z";
const resting = { name: "n1", uid: "uid-n1", step: "Resting", since: SINCE, attempt: 1, token: "run-1/1" };

/** A PoP that would begin to roll now, with a ledger of a later version. */
function decided(status: object, deletionTimestamp = false) {
  const seen = observation({ spec: { version: "2.0.0" } });
  const ledger: PopClusterStatus = { ...seen.pop.status, ...status };
  return { ledger, ...decide({ ...seen, pop: { ...seen.pop, deleting: deletionTimestamp, status: ledger } }, OPEN) };
}

describe("a ledger at a step that this version does not know", () => {
  it.each([false, true])("[I21] holds and says which; nothing is done and nothing of it moves (deleted: %s)", (deleting) => {
    const { actions, holds, status, ledger } = decided({ nodes: [resting] }, deleting);
    expect(actions).toEqual([]);
    expect(holds).toContainEqual(expect.objectContaining({ rule: "I21", reason: "LaterVersion" }));
    expect(holds.find(({ reason }) => reason === "LaterVersion")?.message).toBe(
      "a later version of Rollward left the ledger at step Resting of node n1, which this one does not know; " +
        "nothing is done to this PoP until that version runs again and has finished it",
    );
    expect([status?.nodes, status?.run, status?.grant]).toEqual([ledger.nodes, ledger.run, ledger.grant]);
  });

  it("[I21] names the place of each word, five nodes and how many more", () => {
    const nodes = Array.from({ length: 7 }, (_, index) => ({ ...resting, name: `n${index + 1}` }));
    const status = {
      run: { kind: "Turn", state: "Turning", ending: "Turned" },
      grant: { id: 1, kind: "Turn", state: "Lent" },
      content: { state: "Folding" },
    };
    expect(laterWordsOf(status as unknown as PopClusterStatus)).toEqual([
      "status.run.kind Turn",
      "status.run.state Turning",
      "status.run.ending Turned",
      "status.grant.kind Turn",
      "status.grant.state Lent",
      "status.content.state Folding",
    ]);
    expect(decided({ nodes }).holds[0]?.message).toContain("node n5 and 2 more, which");
  });

  it("[I21] a ledger of this version has none", () => {
    expect(laterWordsOf(decided({}).status ?? {})).toEqual([]);
  });
});
