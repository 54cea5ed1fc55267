import { spawn } from "node:child_process";
import { once } from "node:events";
import { relative } from "node:path";
import { describe, it } from "vitest";
import { describeWithControlPlane } from "./control-plane/available.ts";

const INSIDE = "ROLLWARD_TEST_IN_OWN_NETWORK";
const NEEDED = "ROLLWARD_TESTS_NEED";
/** Nodes have addresses below 10.0.0.0/8 there, all of this machine: no packet leaves the namespace. */
const SET_UP = 'ip link set lo up && ip route add local 10.0.0.0/8 dev lo && exec "$@"';

/**
 * The tests of one file in a network namespace of their own, in which nodes may have addresses that are not loopback: an API server
 * leads to no other. Outside it is one test, which runs this file once more inside and shows what that says.
 */
export function describeInOwnNetwork(name: string, file: string, limitMilliseconds: number, tests: () => void): void {
  if (process.env[INSIDE] !== undefined) return void describe(name, tests);
  describeWithControlPlane(name, () => {
    it(
      "in a network of its own",
      async ({ skip }) => {
        if (!(await isPossible())) skip("no network namespace can be made here (unshare -n, ip)");
        const vitest = ["node_modules/vitest/vitest.mjs", "run", "--project", "cluster", relative(process.cwd(), file)];
        const { code, text } = await run(["sh", "-c", SET_UP, "sh", process.execPath, ...vitest], { [INSIDE]: "yes" });
        if (code !== 0) throw new Error(text.slice(-8_000));
      },
      limitMilliseconds,
    );
  });
}

/** Where the nodes of a machine are needed, a machine that can make no namespace is an error and no reason to skip. */
async function isPossible(): Promise<boolean> {
  const { code, text } = await run(["sh", "-c", SET_UP, "sh", "true"], {});
  if (code !== 0 && process.env[NEEDED]?.includes("nodes") === true) throw new Error(`a network namespace is needed here: ${text}`);
  return code === 0;
}

async function run(command: readonly string[], env: Readonly<Record<string, string>>): Promise<{ code: number | null; text: string }> {
  const child = spawn("unshare", ["-n", "--", ...command], { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (part: string) => void (text += part));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, text };
}
