import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../../src/main.ts");

it.each([
  [2, "--no-such-option", /unknown option/],
  [2, "explaine pop/fra1", /unknown command.*\n.*explain/],
  [2, "explain", /missing required argument/],
  [2, "explain pop/fra1 -o toml", /toml.*is invalid/],
  [0, "--help", /Usage: rollward/],
  [0, "--version", /^\d+\.\d+\.\d+/],
])("ends with %i for `rollward %s`: what has to be written otherwise is never an error that another try may mend", (code, line, said) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...line.split(" ")], { encoding: "utf8" });
  expect([status, stdout + stderr]).toEqual([code, expect.stringMatching(said)]);
});
