import { describe, expect, it } from "vitest";
import { chosenActs } from "./acts.ts";
import { demoOn, machineWith } from "./demo.examples.ts";

const numbers = (asked: Parameters<typeof chosenActs>[0]) => chosenActs(asked).map(({ number }) => number);

describe("which acts are played", () => {
  it("all when none is named, else those that are, in their order and each once", () => {
    expect(numbers(undefined)).toEqual([1, 2, 3, 4]);
    expect(numbers(["3"])).toEqual([3]);
    expect(numbers(["2", "1", "2"])).toEqual([1, 2]);
  });

  it("--act 4 --act 3, and --act 4 3, ask for both: neither is dropped without a word", async () => {
    for (const words of [
      ["--act", "4", "--act", "3"],
      ["--act", "4", "3"],
    ]) {
      const { error, code } = await demoOn(machineWith({}), ...words, "--real");
      expect([code, error]).toEqual([2, "act 3 and act 4 play in memory alone, --real, --kubeconfig and --keep do not: leave them out\n"]);
    }
  });

  it("--real-nodes with acts one and two is refused for the second", async () => {
    const { error, code } = await demoOn(machineWith({}), "--real-nodes", "--act", "1", "--act", "2");
    expect([code, error]).toEqual([2, expect.stringContaining("act 2 does not play on real nodes")]);
  });
});

describe("whose reader went away", () => {
  class ReaderGone extends Error {
    override readonly name = "ReaderGone";
  }
  const unavailable = (error: unknown): error is Error => error instanceof Error && error.message === "none here";
  const machine = (reason: Error) => {
    const interruption = new AbortController();
    return machineWith({
      interruption: () => interruption.signal,
      isUnavailable: unavailable,
      startRealNodes: () => (interruption.abort(reason), Promise.reject(reason)),
    });
  };

  it("ends with 141 and not with what Ctrl-C ends with, 130", async () => {
    const gone = await demoOn(machine(new ReaderGone()), "--real-nodes");
    expect([gone.code, gone.error]).toEqual([
      141,
      expect.stringMatching(/Nobody reads the demo any more.*everything that it started is gone/),
    ]);
    const interrupted = await demoOn(machine(new Error("SIGINT came")), "--real-nodes");
    expect([interrupted.code, interrupted.error]).toEqual([
      130,
      expect.stringMatching(/was interrupted; everything that it started is gone/),
    ]);
  });
});
