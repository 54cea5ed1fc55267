import { expect, it } from "vitest";
import { VirtualClock } from "../simulation/clock.ts";
import { reconcile } from "../runtime/reconcile.ts";
import { ApiError, isConflict } from "./ports.ts";
import { unlessInvalid, unlessRefused } from "./status-refused.ts";

const refusal = new ApiError(422, "Invalid", "status.nodes[0].attempt: must be at least 0", undefined, [
  { field: "status.nodes[0].attempt", message: "must be at least 0" },
]);
/** What a JSON patch whose `test` failed is answered: the same code and reason, and no causes. */
const testFailed = new ApiError(422, "Invalid", "the server rejected our request due to an error in our request");
const conflict = new ApiError(409, "Conflict", "the object has been modified");

it("[G5] a status that the schema refuses is told as an error that names the object, and is no conflict", async () => {
  const error: unknown = await unlessRefused("PoPCluster fra1", Promise.reject(refusal)).catch((caught: unknown) => caught);
  expect([isConflict(refusal), isConflict(testFailed), isConflict(conflict)]).toEqual([false, true, true]);
  expect(isConflict(error)).toBe(false);
  expect(error).toMatchObject({
    message: "the API server refuses the status of PoPCluster fra1: status.nodes[0].attempt: must be at least 0",
    cause: refusal,
  });
});

it("a status that is taken, and one that met somebody else's write, pass as they are", async () => {
  await expect(unlessRefused("Fleet fleet", Promise.resolve(7))).resolves.toBe(7);
  await expect(unlessRefused("Fleet fleet", Promise.reject(conflict))).rejects.toBe(conflict);
});

it("[G5a] an effect that is invalid to the server is an error that says what was tried on what; one that met somebody else is none", async () => {
  await expect(unlessInvalid("SetLabel", "PoPCluster fra1", Promise.reject(refusal))).rejects.toThrow(
    "SetLabel for PoPCluster fra1 is invalid to the API server, and nothing of it was done: status.nodes[0].attempt: must be at least 0; " +
      "it is tried again ever more seldom; mend what it names: a schema, or the policy or webhook that refuses it",
  );
  await expect(unlessInvalid("SetLabel", "PoPCluster fra1", Promise.reject(testFailed))).rejects.toBe(testFailed);
  await expect(unlessInvalid("SetLabel", "PoPCluster fra1", Promise.resolve(7))).resolves.toBe(7);
});

it.each([
  ["a refused status ends the loop's run with the error, so that it is told and backs off", refusal, "throws"],
  ["a conflict is looked at again after a moment, without a word", conflict, "looks again"],
])("[G5] %s", async (_, error, what) => {
  const clock = new VirtualClock(0);
  const again: number[] = [];
  const nothing = () => {};
  const ended = reconcile<object, number, never, never, { status: number; actions: never[]; probes: never[] }>(
    {
      kind: "PoPCluster",
      observe: () => Promise.resolve({}),
      observeLive: () => Promise.resolve({}),
      decide: () => ({ status: 1, actions: [], probes: [] }),
      claim: () => unlessRefused<object>("PoPCluster fra1", Promise.reject(error)),
      act: () => Promise.resolve(undefined),
      isDisruptive: () => false,
      tell: nothing,
      forget: nothing,
    },
    { clock, isLeader: () => true, want: nothing, wakeAt: nothing, wakeAfter: (__, wait) => again.push(wait), isConflict },
    "fra1",
  ).then(
    () => "looks again",
    (thrown: Error) => (thrown.message.startsWith("the API server refuses the status of PoPCluster fra1") ? "throws" : "another error"),
  );
  expect(await ended).toBe(what);
  expect(again).toHaveLength(what === "throws" ? 0 : 1);
});
