import { describe, expect, it } from "vitest";
import { demoOn, machineWith } from "./demo.examples.ts";
import type { DemoPorts } from "./ports.ts";

/** A machine on which no real nodes can run. */
const machine = (startRealNodes: DemoPorts["startRealNodes"], interrupted = new AbortController().signal): DemoPorts =>
  machineWith({
    startRealNodes,
    isUnavailable: (error) => (error as Error).name === "NodesUnavailable",
    interruption: () => interrupted,
  });

const unavailable = (): Promise<never> => {
  const error = new Error("No real nodes here: they need root, to make namespaces and mounts of their own.");
  error.name = "NodesUnavailable";
  return Promise.reject(error);
};

describe("rollward demo --real-nodes, where it cannot be", () => {
  it("names the reason and what to write instead, plays nothing, and ends with 3", async () => {
    const { out, error, code } = await demoOn(machine(unavailable), "--real-nodes");
    expect(error).toMatch(/^No real nodes here: they need root, .*--real --act 1 plays .* virtual nodes.*--embedded plays in memory\.\n$/);
    expect([out, code]).toEqual(["", 3]);
  });

  it("--act 1 is what it plays, so the machine is asked; --fast and --keep go with it", async () => {
    for (const words of [["--act", "1"], ["--fast"], ["--keep"]])
      expect((await demoOn(machine(unavailable), "--real-nodes", ...words)).code).toBe(3);
  });

  it.each(["2", "3", "4"])("--act %s is refused with 2 by a sentence that says what there is", async (act) => {
    const { out, error, code } = await demoOn(machine(unavailable), "--real-nodes", "--act", act);
    expect(error).toContain(`act ${act} does not play on real nodes`);
    expect(error).toContain("there is act 1 alone, one PoP of four of them");
    expect([out, code]).toEqual(["", 2]);
  });

  it.each([
    [["--embedded"], "--embedded plays in memory, --real-nodes on real nodes: write one of them"],
    [["--real"], "--real plays on a real control plane with virtual nodes, --real-nodes on one with real ones: write one of them"],
    [["--metrics", "9090"], "with --real-nodes the operator runs in the nodes' network"],
    [["--kubeconfig", "/some/where"], "--real-nodes starts a control plane and nodes of its own"],
  ])("beside %j the command line is at fault, and nothing is started", async (words, sentence) => {
    const { out, error, code } = await demoOn(machine(unavailable), "--real-nodes", ...words);
    expect(error).toContain(sentence);
    expect([out, code]).toEqual(["", 2]);
  });

  it("asks for four nodes of one PoP, and tells how they come up", async () => {
    let asked: readonly string[] = [];
    const ports = machine((_, { nodes, say }) => {
      asked = nodes.map(({ name, pop }) => `${pop}/${name}`);
      say("four of them");
      return unavailable();
    });
    expect((await demoOn(ports, "--real-nodes")).out).toBe("four of them\n");
    expect(asked).toEqual(["tyo1/tyo1-n1", "tyo1/tyo1-n2", "tyo1/tyo1-n3", "tyo1/tyo1-n4"]);
  });

  it("what goes wrong otherwise is no refusal: it ends with 1; interrupted meanwhile, with 130", async () => {
    const broken = (): Promise<never> => Promise.reject(new Error("Node tyo1-n1 did not get Ready"));
    const { error, code } = await demoOn(machine(broken), "--real-nodes");
    expect(error).toContain("Node tyo1-n1 did not get Ready");
    expect(code).toBe(1);
    expect((await demoOn(machine(broken, AbortSignal.abort()), "--real-nodes")).code).toBe(130);
  });
});
