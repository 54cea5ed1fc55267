import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = "docs/security/threat-model.md";

const text = readFileSync(join(ROOT, PAGE), "utf8");
const [, section = ""] = text.split(/^## Threats$/m);
const rows = (section.split(/^## /m)[0] ?? "")
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .slice(2);

describe("the threat model", () => {
  it("has a row for each threat, with who, what, what stands against it, and a test", () => {
    expect(rows.length).toBeGreaterThan(25);
    for (const row of rows) expect(row.split(" | "), row).toHaveLength(4);
  });

  it.for(rows)("%s", (row) => {
    const [, path = "", words = ""] = /\[test\]\(\.\.\/\.\.\/([^)]+)\) “([^”]+)” \|$/.exec(row) ?? expect.fail("it names no test");
    expect(existsSync(join(ROOT, path)), `${path} does not exist`).toBe(true);
    expect(readFileSync(join(ROOT, path), "utf8"), `${path} has no test that says “${words}”`).toContain(words);
  });

  it("is what SECURITY.md points to", () => {
    expect(readFileSync(join(ROOT, "SECURITY.md"), "utf8")).toContain(`](${PAGE})`);
  });
});
