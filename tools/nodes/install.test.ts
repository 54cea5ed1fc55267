import { mkdirSync, mkdtempSync, rmSync, cpSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { silent } from "../control-plane/progress.ts";
import { ROOT } from "../control-plane/versions.ts";
import { whyNoNodes } from "./ability.ts";
import { ensureNodeTools, findNodeTools, NodesUnavailable } from "./install.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "rollward-node-tools-"));
  mkdirSync(join(root, "tools", "nodes"), { recursive: true });
  cpSync(join(ROOT, "tools", "nodes", "programs"), join(root, "tools", "nodes", "programs"), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

test("an empty cache has no nodes in it, and looking installs nothing", () => {
  expect(findNodeTools({ root })).toBeUndefined();
});

describe.runIf(whyNoNodes() === undefined)("where nodes can run", () => {
  test("without Go what they are made of is not to be had, and the sentence says so", async () => {
    const attempt = ensureNodeTools({ root, env: { PATH: join(root, "empty") }, progress: silent });
    await expect(attempt).rejects.toThrow(NodesUnavailable);
    await expect(ensureNodeTools({ root, env: { PATH: join(root, "empty") }, progress: silent })).rejects.toThrow(
      "No real nodes here, because what they are made of is not to be had: There is no Go on the PATH.",
    );
  });
});

test("on a machine that cannot run them the reason is said before anything is fetched", async ({ skip }) => {
  const path = process.env["PATH"];
  skip(process.platform !== "linux" || process.getuid?.() !== 0, "another reason comes first here");
  process.env["PATH"] = join(root, "empty");
  try {
    await expect(ensureNodeTools({ root, progress: silent })).rejects.toThrow(
      "No real nodes here: they need unshare, nsenter, setpriv, mount, ip on the PATH.",
    );
  } finally {
    process.env["PATH"] = path;
  }
});
