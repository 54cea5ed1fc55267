import { Command } from "commander";
import { registerDemo } from "./demo.ts";
import type { DemoPorts } from "./ports.ts";

/** A machine that has what is given; anything else that is asked of it is one thing too many. */
export function machineWith(given: Partial<DemoPorts>): DemoPorts {
  const nothing = (): never => {
    throw new Error("nobody may be asked for this");
  };
  return {
    startControlPlane: nothing,
    startRealNodes: nothing,
    isUnavailable: nothing,
    startOperator: nothing,
    openExporter: nothing,
    connect: nothing,
    createClock: nothing,
    makeFolder: nothing,
    terminalSize: nothing,
    interruption: () => new AbortController().signal,
    ...given,
  };
}

/** `rollward demo` with those words, on that machine: what it says, and how it ends. */
export async function demoOn(ports: DemoPorts, ...args: string[]): Promise<{ out: string; error: string; code: number }> {
  const said = { out: "", error: "", code: -1 };
  const io = {
    out: (text: string) => void (said.out += text),
    error: (text: string) => void (said.error += text),
    isTerminal: false,
    connect: () => Promise.reject(new Error("the demo asks its own ports")),
    now: () => 0,
    readFile: () => Promise.reject(new Error("the demo reads no file")),
    exit: (code: number) => void (said.code = code),
  };
  const program = new Command().exitOverride();
  registerDemo(program, io, () => Promise.resolve(ports));
  await program.parseAsync(["demo", ...args], { from: "user" });
  return said;
}
