import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { findOrInstall } from "./find-or-install.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "rollward-tool-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("three who want a tool at once install it once, and who finds it installs nothing", async () => {
  let tool: string | undefined;
  let installed = 0;
  const said: string[] = [];
  const want = () =>
    findOrInstall({
      what: "a tool",
      directory: join(folder, "tool"),
      progress: { say: (line: string) => void said.push(line) } as never,
      find: () => tool,
      install: async (_progress, directory) => {
        installed += 1;
        await new Promise((resolve) => setTimeout(resolve, 50));
        return (tool = directory);
      },
    });
  expect(await Promise.all([want(), want(), want()])).toEqual(Array.from({ length: 3 }, () => join(folder, "tool")));
  expect(await want()).toBe(join(folder, "tool"));
  expect([installed, said]).toEqual([1, Array.from({ length: 2 }, () => `Process ${process.pid} is installing a tool: waiting for it …`)]);
});
