import { describe, expect, it } from "vitest";
import { member, observation, OPEN, revisionIn } from "../../../test/builders/observation.ts";
import type { PopClusterStatus } from "../../api/pop-cluster.ts";
import { claimNext, sequenceOf } from "./claim.ts";
import { viewOf } from "./view.ts";

const ONE = revisionIn("1.0.0");
const TWO = revisionIn("2.0.0");
const names = ["n1", "n2", "n3"];

/** A roll to 2.0.0 of three nodes that nobody has touched yet, with its grant; `sequence`: the highest that was ever given. */
const rolling = (sequence: number | undefined): PopClusterStatus => ({
  ...(sequence === undefined ? {} : { sequence }),
  revisions: { current: ONE },
  grant: { id: 1, kind: "Roll", state: "Asked" },
  nodes: names.map((name) => ({ name, uid: `uid-${name}`, step: "Pending", since: "2026-11-22T00:00:00Z", attempt: 0 })),
  run: {
    id: 2,
    kind: "Roll",
    revision: TWO,
    version: "2.0.0",
    back: ONE,
    startedAt: "2026-11-22T00:00:00Z",
    state: "Rolling",
    timers: {},
    frozen: { members: names.map((name) => ({ name, uid: `uid-${name}` })), order: names.map((name) => `uid-${name}`) },
  },
});

function claimedWith(sequence: number | undefined, now = OPEN): PopClusterStatus {
  const seen = observation({
    status: rolling(sequence),
    members: names.map((name) => member(name)),
    spec: { version: "2.0.0", strategy: { prePull: false }, health: {} },
    fleet: {
      found: true,
      paused: false,
      freezes: [],
      disruptions: [{ pop: "fra1", uid: "uid-fra1", id: 1, kind: "Roll", region: "eu-central", since: "2026-11-22T00:00:00Z" }],
    },
  });
  const outcome = claimNext(viewOf(seen), now);
  if (!outcome?.ledger) throw new Error(`nothing was claimed: ${JSON.stringify(outcome)}`);
  return outcome.ledger;
}
const claimedNode = (ledger: PopClusterStatus) => ledger.nodes!.find((node) => node.step === "Claimed")!;

describe("the sequence of a drain", () => {
  it("[G5a] is the calendar's millisecond where the ledger knows no higher one, and stands in the ledger from then on", () => {
    const ledger = claimedWith(undefined);
    expect(ledger.sequence).toBe(OPEN);
    expect(sequenceOf(claimedNode(ledger))).toBe(OPEN);
  });

  it("[G5a] is one more than the highest given so far when the calendar was set back by a year, and when two claims meet in one millisecond", () => {
    const ahead = OPEN + 365 * 86_400_000;
    expect(claimedWith(ahead).sequence).toBe(ahead + 1);
    expect(sequenceOf(claimedNode(claimedWith(ahead)))).toBe(ahead + 1);
    expect(claimedWith(OPEN).sequence).toBe(OPEN + 1);
  });

  it("[G5a] of a claim that an operator made before numbers were kept is the instant that it was sent with then", () => {
    const { sequence: _, ...before } = claimedNode(claimedWith(undefined));
    expect(sequenceOf(before)).toBe(OPEN);
  });
});
