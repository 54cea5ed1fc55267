import { expect, it } from "vitest";
import { judgement } from "./verdict.ts";
import { askWitness, mostGone, type WitnessedMember } from "./witness.ts";

const alive = (name: string, changed = true): WitnessedMember => ({
  name,
  node: "True",
  changed,
  pod: { ready: true, restarts: 0, crashLooping: false },
});
const four = ["n1", "n2", "n3", "n4"];

it("[P9] more than half of the reports gone at once is most; half is not", () => {
  const [seen, gone, silent] = [judgement("Healthy", ""), judgement("Unknown", ""), judgement("Unhealthy", "", true)];
  expect(mostGone([seen, seen, gone, silent])).toBe(false);
  expect(mostGone([seen, gone, silent])).toBe(true);
  expect(mostGone([seen, judgement("Unhealthy", "")])).toBe(false);
  expect(mostGone([])).toBe(false);
});

it("[P9] pods Ready and leases fresh: the observer is lost", () => {
  expect(askWitness(four.map((name) => alive(name)))).toEqual({
    finding: "ObserverLost",
    message:
      "most reports are gone, but the API server sees 4 of 4 nodes alive and every updated pod Ready: the observer is lost; nothing is started or taken back until reports return",
  });
});

it("[P9] leases stale too: the PoP is unreachable, and pods marked NotReady for that are no evidence", () => {
  const members = four.map((name): WitnessedMember => ({
    name,
    node: "Unknown",
    changed: true,
    pod: { ready: false, restarts: 0, crashLooping: false },
  }));
  expect(askWitness(members)).toMatchObject({
    finding: "PoPUnreachable",
    message: expect.stringContaining("4 of 4 nodes (n1, n2, n3 and 1 more)"),
  });
  expect(askWitness(undefined).finding).toBe("PoPUnreachable");
});

it.each([
  ["crash-loops", { ready: false, restarts: 3, crashLooping: true }],
  ["restarted once", { ready: true, restarts: 1, crashLooping: false }],
  ["is not Ready", { ready: false, restarts: 0, crashLooping: false }],
])("[P9] an updated pod that %s since our change speaks against the version", (words, pod) => {
  const testimony = askWitness([alive("n1"), alive("n2"), { ...alive("n3"), pod }]);
  expect(testimony.finding).toBe("VersionBad");
  expect(testimony.message).toContain(`the pod on n3 ${words}`);
});

it("[P9] a broken pod on the old version, or on a node that the API server calls NotReady, does not", () => {
  const broken = { ready: false, restarts: 9, crashLooping: true };
  expect(askWitness([alive("n1"), { ...alive("n2", false), pod: broken }]).finding).toBe("ObserverLost");
  expect(askWitness([alive("n1"), alive("n2"), { ...alive("n3"), node: "False", pod: broken }]).finding).toBe("ObserverLost");
});
