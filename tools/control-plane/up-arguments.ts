import { parseArgs } from "node:util";

const USAGE = `npm run control-plane:up: a real control plane on loopback to play with, until Ctrl-C.

It takes no argument. It prints its address, a kubectl line that reaches it, and its users; the first time it fetches its binaries.
`;

/** What to print instead of starting a control plane, and the exit code; undefined: start it. */
export function insteadOfStarting(args: readonly string[]): { readonly text: string; readonly code: number } | undefined {
  if (args.length === 0) return undefined;
  try {
    // Throws at anything but help.
    parseArgs({ args: [...args], options: { help: { type: "boolean", short: "h" } } });
    return { text: USAGE, code: 0 };
  } catch {
    return { text: `control-plane:up takes no argument, and ${JSON.stringify(args.join(" "))} was given; nothing was started\n`, code: 2 };
  }
}
