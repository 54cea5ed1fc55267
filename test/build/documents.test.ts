import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const pages = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "src/core/RULES.md", ...markdownIn("docs")];

function markdownIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => join(folder, path));
}

const textOf = (page: string): string => readFileSync(join(ROOT, page), "utf8");

/** What a plan of the sample fleet says, and one of the sample Clients. */
const POPS = /^r-2026-11-2 \(2026\.11\.2\) fits .*6 PoPs begin on 2026-11-22 \(2 PoPs\), 2026-11-29 \(4 PoPs\)/m;
const CLIENTS = /^phase-3 +\w+ 2026-\d\d-\d\d \d\d:\d\d UTC +100 % +100 % +about 100 %$/m;

describe("the documents", () => {
  it("link only to what exists", () => {
    const broken = pages.flatMap((page) =>
      [...textOf(page).matchAll(/\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)/g)]
        .map(([, target]) => join(dirname(join(ROOT, page)), target!))
        .filter((path) => !existsSync(path))
        .map((path) => `${page} links to ${relative(ROOT, path)}, which does not exist`),
    );
    expect(broken).toEqual([]);
  });

  it("name only scripts that package.json has", () => {
    const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };
    const unknown = pages.flatMap((page) =>
      [...textOf(page).matchAll(/\bnpm run ([a-z][a-z:-]*)/g)]
        .filter(([, script]) => !Object.hasOwn(scripts, script!))
        .map(([command]) => `${page} says ${command}`),
    );
    expect(unknown).toEqual([]);
  });

  it("name only commands of rollward that there are", () => {
    const help = spawnSync(process.execPath, [join(ROOT, "src/main.ts"), "--help"], { encoding: "utf8" });
    const commands = new Set([...help.stdout.matchAll(/^ {2}([a-z-]+)(?: \[| <| {2})/gm)].map(([, name]) => name));
    expect([...commands]).toEqual(expect.arrayContaining(["run", "when", "take-back", "demo"]));
    const unknown = pages.flatMap((page) =>
      [...textOf(page).matchAll(/\bnpx rollward ([a-z-]+)/g)]
        .filter(([, name]) => !commands.has(name))
        .map(([command]) => `${page} says ${command}`),
    );
    expect(unknown).toEqual([]);
  });

  it("[F7] plan sample fleets that fit: every plan without a cluster runs as it is written, in the README too", () => {
    const plans = pages.flatMap((page) =>
      [...textOf(page).matchAll(/^\$ npx rollward (plan -f config\S* .*)$/gm)].map(([, line]) => ({
        page,
        words: line!.split(/ +#/)[0]!.split(" "),
      })),
    );
    expect(plans.map(({ page }) => page)).toEqual(expect.arrayContaining(["README.md", "docs/user-guide.md"]));
    for (const { page, words } of plans) {
      const { status, stdout, stderr } = spawnSync(process.execPath, ["src/main.ts", ...words], { cwd: ROOT, encoding: "utf8" });
      expect([page, status, stderr]).toEqual([page, 0, ""]);
      const foreseen = words.some((word) => word.includes("/clients/")) ? CLIENTS : POPS;
      expect(stdout).toMatch(foreseen);
    }
  });

  it("the README says the test command", () => {
    expect(textOf("README.md")).toMatch(/^\$ npm test +#/m);
    expect(textOf(".ci/run")).toMatch(/script test$/m);
  });
});
