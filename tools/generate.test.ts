import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

test("the committed crds/ and docs/reference/ are what the code says", () => {
  const verify = spawnSync(process.execPath, [join(import.meta.dirname, "generate.ts"), "--verify"], { encoding: "utf8" });
  expect(verify.stderr).toBe("");
  expect(verify.status).toBe(0);
});
