import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { buildWithGo, type GoBuild } from "./go-build.ts";
import { silent } from "./progress.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "rollward-go-"));
  writeFileSync(join(root, "go.mod"), "module example\n\ngo 1.26.0\n");
});
afterEach(() => rmSync(root, { recursive: true }));

/** `one` and `two` are commands that print their names: println needs no package but the runtime. */
function build(more: Partial<GoBuild> = {}): Promise<void> {
  for (const name of ["one", "two"]) {
    mkdirSync(join(root, name), { recursive: true });
    writeFileSync(join(root, name, "main.go"), `package main\n\nvar said = "nothing"\n\nfunc main() { println("${name}", said) }\n`);
  }
  const directory = join(root, "out");
  const commands = { one: "example/one", two: "example/two" };
  return buildWithGo({
    title: "example",
    module: root,
    commands,
    ldflags: "-X main.said=hello",
    directory,
    env: process.env,
    progress: silent,
    ...more,
  });
}

describe.runIf(spawnSync("go", ["version"]).status === 0)("a Go build", () => {
  test("leaves exactly its binaries, linked with the flags", { timeout: 120_000 }, async () => {
    await build();
    expect(readdirSync(join(root, "out")).sort()).toEqual(["one", "two"]);
    expect(spawnSync(join(root, "out", "two"), { encoding: "utf8" }).stderr).toBe("two hello\n");
  });

  test("that does not compile says what the compiler said and leaves nothing", { timeout: 120_000 }, async () => {
    mkdirSync(join(root, "broken"));
    writeFileSync(join(root, "broken", "main.go"), "package main\n\nfunc main() { undefinedName() }\n");
    const attempt = build({ commands: { one: "example/one", broken: "example/broken" } });
    await expect(attempt).rejects.toThrow(/go build of example ended with 1: .*undefined: undefinedName/);
    expect(readdirSync(join(root, "out"))).toEqual([]);
  });

  test("that is interrupted leaves nothing under a final name", async () => {
    const progress = { say: (line: string) => void (line.startsWith("Building") && giveUp.abort()), step: () => {} };
    const giveUp = new AbortController();
    await expect(build({ progress, signal: giveUp.signal })).rejects.toThrow(/go build of example could not run/);
    expect(readdirSync(join(root, "out"))).toEqual([]);
  });
});

describe("a Go build is refused", () => {
  /** A program `go` of another version; only what it says of itself is asked. */
  function pathWithGo(version: string): NodeJS.ProcessEnv {
    const go = join(root, "go");
    writeFileSync(go, `#!/bin/sh\necho "go version ${version} linux/amd64"\n`);
    chmodSync(go, 0o755);
    return { PATH: root };
  }

  test("without Go, and with one that is too old, before anything is fetched", async () => {
    await expect(build({ env: { PATH: join(root, "empty") } })).rejects.toThrow("There is no Go on the PATH.");
    await expect(build({ env: pathWithGo("go1.22.1") })).rejects.toThrow(
      'Go 1.26 or newer is needed; "go version" says "go version go1.22.1 linux/amd64".',
    );
  });
});
