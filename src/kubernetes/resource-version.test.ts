import { expect, test } from "vitest";
import { compareResourceVersions, isNewer } from "./resource-version.ts";

test("decimal versions of one resource are ordered as integers of any length; of others only equality is known", () => {
  expect(compareResourceVersions("9", "10")).toBeLessThan(0);
  expect(compareResourceVersions("123456789012345678901", "123456789012345678900")).toBeGreaterThan(0);
  expect(compareResourceVersions("7", "7")).toBe(0);
  expect(compareResourceVersions("a", "a")).toBe(0);
  expect(compareResourceVersions("a", "b")).toBeUndefined();
  expect(compareResourceVersions("010", "9")).toBeUndefined();
  expect(isNewer("10", undefined)).toBe(false);
});
