import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { VERSION } from "../../../src/composition/version.ts";
import { NODE_FLAGS } from "../../../tools/build.ts";
import { CHART, ROOT } from "./helm.ts";

const dockerfile = readFileSync(join(ROOT, "Dockerfile"), "utf8").replaceAll(/\\\n\s*/g, "");
const instructions = dockerfile.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
const of = (word: string): string[] =>
  instructions.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));

const copied = of("COPY")
  .filter((line) => !line.startsWith("--from"))
  .flatMap((line) => line.split(" ").slice(0, -1));

/** Its last stage is built and run in test/nodes/image.test.ts; its first needs a registry, so what that runs is run here without one. */
describe("the Dockerfile", () => {
  it("takes both bases as build arguments without a default, so that nobody builds on whatever a tag is today", () => {
    expect(of("FROM")).toEqual(["${BUILD_BASE} AS build", "${RUNTIME_BASE}"]);
    expect(of("ARG")).toEqual(["BUILD_BASE", "RUNTIME_BASE"]);
  });

  it("runs as the user that the chart names, with the flags of the bundle's first line, and installs without scripts", () => {
    const user = /runAsUser: (\d+)/.exec(readFileSync(join(CHART, "templates/operator.yaml"), "utf8"))?.[1];
    expect(of("USER")).toEqual([`${user}:${user}`]);
    expect(JSON.parse(of("ENTRYPOINT")[0]!)).toEqual(["/usr/local/bin/node", ...NODE_FLAGS, "/app/rollward.mjs"]);
    expect(of("RUN")[0]).toBe("npm ci --ignore-scripts");
  });

  it("runs nothing in its last stage, so that it can be built where there is no network", () => {
    const last = instructions
      .slice(instructions.findLastIndex((line) => line.startsWith("FROM ")) + 1)
      .map((line) => line.split(" ")[0] ?? "");
    expect([...new Set(last)].toSorted()).toEqual(["CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "LABEL", "USER"]);
  });

  it("copies only what exists and what .dockerignore lets through, and that lets nothing through besides", () => {
    expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    const lines = readFileSync(join(ROOT, ".dockerignore"), "utf8").split("\n");
    const allowed = lines.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
    expect(lines).toContain("*");
    expect(copied.toSorted()).toEqual(allowed.toSorted());
  });

  it("builds from what it copies and from nothing else: the program starts as the entry point starts it", () => {
    const folder = mkdtempSync(join(tmpdir(), "rollward-image-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    for (const path of copied)
      cpSync(join(ROOT, path), join(folder, path), { recursive: true, filter: (file) => !file.endsWith(".test.ts") });
    // What npm ci would install there is installed here.
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    execFileSync(process.execPath, ["tools/build.ts", "--out", join(folder, "app")], { cwd: folder });
    const program = [...NODE_FLAGS, join(folder, "app", "rollward.mjs")];
    expect(execFileSync(process.execPath, [...program, "--version"], { cwd: "/", env: { NODE_ENV: "production" }, encoding: "utf8" })).toBe(
      `${VERSION}\n`,
    );
  });
});
