import { expect, it } from "vitest";
import { insteadOfStarting } from "./up-arguments.ts";

it("asking for help, or with what it does not know, starts no control plane", () => {
  expect(insteadOfStarting([])).toBeUndefined();
  for (const help of ["--help", "-h"])
    expect(insteadOfStarting([help])).toEqual({ text: expect.stringContaining("until Ctrl-C"), code: 0 });
  for (const args of [["--port", "6443"], ["fast"], ["--help", "--fast"]])
    expect(insteadOfStarting(args)).toEqual({ text: expect.stringContaining(`${JSON.stringify(args.join(" "))} was given`), code: 2 });
});
