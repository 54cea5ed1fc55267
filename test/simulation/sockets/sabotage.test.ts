import { describe, expect, it } from "vitest";
import { CASES } from "./sabotage.ts";

describe("an operator for Sockets that", () => {
  it.each(Object.entries(CASES))("%s is caught by what the devices were told", async (_, { bad, hunt, caughtBy }) => {
    expect((await hunt(bad)).join("\n")).toMatch(caughtBy);
  });

  it.each(Object.entries(CASES))("is honest goes through the story of one that %s unharmed", async (_, { hunt }) => {
    expect(await hunt(() => ({}))).toEqual([]);
  });
});
