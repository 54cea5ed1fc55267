import { describe, expect, test } from "vitest";
import { progressOn } from "./progress.ts";

function written(isTTY: boolean): { output: { isTTY: boolean; columns: number; write(text: string): void }; text: () => string } {
  const parts: string[] = [];
  return { output: { isTTY, columns: 60, write: (text) => void parts.push(text) }, text: () => parts.join("") };
}

describe("progress", () => {
  test("in a log is a plain line at most every 20 seconds", () => {
    const { output, text } = written(false);
    let now = 0;
    const progress = progressOn(output, () => now);
    for (; now <= 45_000; now += 500) progress.step("compiling", now / 500, 2000);
    expect(text()).toBe("compiling: 40 of 2000 (2 %)\ncompiling: 80 of 2000 (4 %)\n");
  });

  test("on a terminal is one bar that redraws itself, fits its width, and is gone when it is full", () => {
    const { output, text } = written(true);
    let now = 0;
    const progress = progressOn(output, () => now);
    progress.step("compiling Kubernetes with a long name", 1, 2);
    now = 200;
    progress.step("compiling Kubernetes with a long name", 2, 2);
    progress.say("Built.");
    const bar = `[${"█".repeat(15)}${"·".repeat(15)}] compiling Kubernetes with a long name: 1 of 2 (50 %)`.slice(0, 59);
    expect(text()).toBe(`${bar}\r\u001b[KBuilt.\n`);
  });
});
