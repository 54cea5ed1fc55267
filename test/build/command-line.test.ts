import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../../src/main.ts");

const folder = mkdtempSync(join(tmpdir(), "rollward-command-line-"));
const kubeconfig = join(folder, "kubeconfig");
writeFileSync(
  kubeconfig,
  JSON.stringify({
    clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1" } }],
    users: [{ name: "u", user: { token: "t" } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  }),
);
afterAll(() => rmSync(folder, { recursive: true }));

it.each([
  [2, "--no-such-option", /^rollward has no option --no-such-option; rollward --help says what it takes\n$/],
  [2, "explaine pop/fra1", /^there is no command rollward explaine; did you mean rollward explain\?\n$/],
  [2, "explain", /^rollward explain needs <kind\/name> \(for example pop\/fra1, .*\) behind its name; rollward explain --help says/],
  [2, "demo --fast=yes", /^--fast of rollward demo takes no value: write --fast alone, or leave it out\n$/],
  [2, "explain pop/fra1 -o toml", /toml.*is invalid/],
  [0, "--help", /Usage: rollward/],
  [0, "--version", /^\d+\.\d+\.\d+/],
])("ends with %i for `rollward %s`: what has to be written otherwise is never an error that another try may mend", (code, line, said) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...line.split(" ")], { encoding: "utf8" });
  expect([status, stdout + stderr]).toEqual([code, expect.stringMatching(said)]);
});

it.each([
  [
    "a kubeconfig of --kubeconfig",
    "status --kubeconfig /nope",
    {},
    /^the kubeconfig \/nope cannot be read \(ENOENT.*\); give the path of one with --kubeconfig/,
  ],
  [
    "a kubeconfig of KUBECONFIG",
    "status",
    { KUBECONFIG: "/nope" },
    /^the kubeconfig \/nope \(KUBECONFIG\) cannot be read \(ENOENT.*\); give the path/,
  ],
  ["a kubeconfig that nobody named", "status", { HOME: "/nope" }, /^there is no kubeconfig: KUBECONFIG names none/],
  ["the operator's kubeconfig", "run --kubeconfig /nope", {}, /^the kubeconfig \/nope cannot be read/],
  ["the operator's inventory", "run --inventory sqlite:/nope/i.db", { KUBECONFIG: kubeconfig }, /^--inventory: .*\/nope\/i\.db/],
  [
    "the key of notices",
    "run --notice-hosts a.example --notice-key /nope",
    { KUBECONFIG: kubeconfig },
    /^--notice-key \/nope cannot be read \(ENOENT\)/,
  ],
  ["the operator's clock", "run --clock-file /nope", {}, /^--clock-file \/nope cannot be used \(ENOENT.*\); name a file that holds a pace/],
])("says of %s that is missing what was looked for and what to give, in one line, and ends with 2", (_, line, env, said) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...line.split(" ")], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
  });
  expect([status, stdout, stderr]).toEqual([2, "", expect.stringMatching(said)]);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
});

/** The reader takes the first words and goes, as `| head -1` does; with `2>&1` nobody hears the sentence at the end either. */
async function readTheBeginning(line: string, stderr: "kept" | "closed") {
  const child = spawn(process.execPath, [MAIN, ...line.split(" ")], { stdio: ["ignore", "pipe", "pipe"] });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  await once(child.stdout, "data");
  child.stdout.destroy();
  if (stderr === "closed") child.stderr.destroy();
  const [code] = (await once(child, "close")) as [number | null];
  return { code, complaint };
}

it("what only prints ends quietly with 0 when its reader has seen enough", async () => {
  expect(await readTheBeginning("crds", "kept")).toEqual({ code: 0, complaint: "" });
});

it("a demo whose reader went away has not shown what it promised: it ends what it started, says so where it can, and ends with 141", async () => {
  const { code, complaint } = await readTheBeginning("demo --embedded --act 1", "kept");
  expect([code, complaint]).toEqual([
    141,
    "\nNobody reads the demo any more, so it has not shown everything that it promised; everything that it started is gone.\n",
  ]);
  expect((await readTheBeginning("demo --embedded --act 1", "closed")).code).toBe(141);
});
