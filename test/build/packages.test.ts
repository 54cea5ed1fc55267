// What the project is made of beside its own sources: packages that are locked by their content, under licences that let it be passed on.
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const textOf = (path: string): string => readFileSync(join(ROOT, path), "utf8");

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly license?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

const lock = JSON.parse(textOf("package-lock.json")) as { lockfileVersion: number; packages: Readonly<Record<string, Locked>> };
const packages = Object.entries(lock.packages).filter(([path]) => path !== "");
const namesOf = (found: readonly (readonly [string, Locked])[]): string[] =>
  found.map(([path, { license }]) => `${path}: ${license ?? "none"}`);

/** Of what ships: they ask for a notice at most. */
const SHIPPED = new Set(["MIT", "Apache-2.0", "ISC", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Unlicense", "PSF-2.0"]);
/** Of tools, which are run and not passed on: sources of theirs that are changed would have to be published, and none are. */
const TOOLS = new Set([...SHIPPED, "MPL-2.0"]);

describe("package-lock.json", () => {
  it("locks every package by its content, and names no host that it has to come from", () => {
    expect(lock.lockfileVersion).toBe(3);
    expect(packages.length).toBeGreaterThan(100);
    expect(namesOf(packages.filter(([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? "")))).toEqual([]);
    expect(namesOf(packages.filter(([, { resolved, link }]) => resolved !== undefined || link === true))).toEqual([]);
  });

  it("has licences of the list alone: what ships may be passed on, what builds and tests may be run", () => {
    const refused = packages.filter(([, { license = "", dev }]) => !(dev === true ? TOOLS : SHIPPED).has(license));
    expect(namesOf(refused), "ask whether its licence fits before it is added to the list").toEqual([]);
  });

  it("says of each package's licence what the package says itself", () => {
    const other = packages.filter(([path, { license }]) => {
      const manifest = join(path, "package.json");
      if (!existsSync(join(ROOT, manifest))) return false;
      return (JSON.parse(textOf(manifest)) as { license?: unknown }).license !== license;
    });
    expect(namesOf(other)).toEqual([]);
  });

  it("has the packages that package.json asks for, at exactly that version where it ships", () => {
    const { dependencies } = JSON.parse(textOf("package.json")) as { dependencies: Readonly<Record<string, string>> };
    const locked = Object.keys(dependencies).map((name) => [name, lock.packages[`node_modules/${name}`]?.version]);
    expect(Object.fromEntries(locked)).toEqual(dependencies);
  });

  it("gives each package that ships a reason, in decision 0008", () => {
    const { dependencies } = JSON.parse(textOf("package.json")) as { dependencies: Readonly<Record<string, string>> };
    const reasons = textOf("docs/decisions/0008-dependencies.md");
    expect(Object.keys(dependencies).filter((name) => !reasons.includes(`\`${name}\``))).toEqual([]);
  });
});

describe("packages are installed", () => {
  it("without running a script of theirs: by the project's own setting, in the image, and by the bootstrap", () => {
    expect(textOf(".npmrc").split("\n")).toContain("ignore-scripts=true");
    expect(textOf("Dockerfile")).toMatch(/^RUN npm ci --ignore-scripts$/m);
    expect(textOf("tools/bootstrap.mjs")).toContain('const flags = ["--ignore-scripts", ');
  });
});

describe("the tools that are built from Go modules", () => {
  it("are locked by the sums of their sources", () => {
    const modules = globSync("tools/*/go.mod", { cwd: ROOT });
    expect(modules.length).toBeGreaterThan(3);
    for (const path of modules) {
      const sums = textOf(join(path, "..", "go.sum"));
      const required = [...textOf(path).matchAll(/^\t(\S+) (v\S+)/gm)]
        .filter(([, name]) => !name!.startsWith("k8s.io/"))
        .map(([, name, version]) => `${name} ${version}/go.mod h1:`);
      expect(
        required.filter((line) => !sums.includes(line)),
        path,
      ).toEqual([]);
    }
  });
});
