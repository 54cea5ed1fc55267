import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startOf, stillRuns, withLock } from "./folder-lock.mjs";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollward-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("a lock between processes", () => {
  test("is held by one at a time, and let go at the end and after a failure", async () => {
    const path = join(folder, "lock");
    let inside = 0;
    const most: number[] = [];
    const work = async (): Promise<void> => {
      most.push(++inside);
      await new Promise((done) => setImmediate(done));
      inside--;
    };
    await Promise.all([withLock(path, () => {}, work), withLock(path, () => {}, work), withLock(path, () => {}, work)]);
    expect(most).toEqual([1, 1, 1]);
    await expect(
      withLock(
        path,
        () => {},
        () => Promise.reject(new Error("failed inside")),
      ),
    ).rejects.toThrow("failed inside");
    expect(existsSync(path)).toBe(false);
  });

  test("of a process that has died is taken over without a word of waiting", async () => {
    const dead = spawn(process.execPath, ["--version"], { stdio: "ignore" });
    await once(dead, "exit");
    writeFileSync(join(folder, "lock"), JSON.stringify({ pid: dead.pid, start: "1" }));
    const waits: number[] = [];
    await expect(
      withLock(
        join(folder, "lock"),
        (owner) => waits.push(owner.pid),
        () => "done",
      ),
    ).resolves.toBe("done");
    expect(waits).toEqual([]);
  });

  test.runIf(process.platform === "linux")("of another process with our number, started at another time, does not count", () => {
    expect(stillRuns({ pid: process.pid, start: startOf(process.pid) })).toBe(true);
    expect(stillRuns({ pid: process.pid, start: "12345" })).toBe(false);
  });
});
