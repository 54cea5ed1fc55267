import fc from "fast-check";
import semver from "semver";
import { describe, expect, it } from "vitest";
import { compareVersions, isDowngrade, parseVersion, rangeProblem, satisfies, socketMajor, versionProblem } from "./version.ts";

const version = (text: string) => parseVersion(text)!;

describe("versions", () => {
  it("[V1] two to four numbers and a pre-release, missing ones are 0", () => {
    expect(version("17.0").components).toEqual([17, 0, 0, 0]);
    expect(version("2026.11.2").components).toEqual([2026, 11, 2, 0]);
    expect(version("5.10.21.4306-rc.1").components).toEqual([5, 10, 21, 4306]);
    expect(compareVersions(version("17.0"), version("17.0.0.0"))).toBe(0);
  });

  it.each([
    ["42", "write 42.0"],
    ["v18.3.3", "write 18.3.3"],
    ["2026.01.2", "write 2026.1.2"],
    ["1.2.3+build.5", "write 1.2.3"],
    ["1.2.3.4.5", "write 2 to 4 numbers"],
    ["1.2-", "write 2 to 4 numbers"],
    ["1.2.3-rc.01", "write 1.2.3-rc.1"],
    ["latest", "write 2 to 4 numbers"],
    ["", "write 2 to 4 numbers"],
    [`1.${"9".repeat(70)}`, "write 2 to 4 numbers"],
  ])("[V1] %j is none, and the sentence says what to write", (text, instead) => {
    expect(parseVersion(text)).toBeUndefined();
    expect(versionProblem(text)).toContain(instead);
  });

  it("[V1] orders a hotfix after its release and a pre-release before it", () => {
    const ordered = [
      "5.9.99",
      "5.10.21-beta",
      "5.10.21-rc.1",
      "5.10.21-rc.2",
      "5.10.21-rc.10",
      "5.10.21",
      "5.10.21.4306-rc.1",
      "5.10.21.4306",
      "5.10.22",
      "5.11",
      "18.3.3",
    ];
    const shuffled = ordered.toReversed().map(version);
    expect(shuffled.toSorted(compareVersions).map(({ text }) => text)).toEqual(ordered);
  });

  const part = fc.integer({ min: 0, max: 12 });
  const semverText = fc
    .tuple(part, part, part, fc.constantFrom("", "-alpha", "-rc.1", "-rc.2"))
    .map(([major, minor, patch, pre]) => `${major}.${minor}.${patch}${pre}`);

  it("[V1] is semver's order and semver's ranges where semver can", () => {
    const range = fc.constantFrom(
      "^1.2.3",
      "~1.2",
      "1.x",
      ">=1.2.3 <2",
      "1.0.0 - 2.3",
      "*",
      "<1.2.3-rc.2",
      "1.2.3 || >=5",
      ">= 1.2.3-rc.1",
      "=3.0.0",
    );
    fc.assert(
      fc.property(semverText, semverText, range, (a, b, wanted) => {
        expect(Math.sign(compareVersions(version(a), version(b)))).toBe(semver.compare(a, b));
        expect(satisfies(version(a), wanted), `${a} in ${wanted}`).toBe(semver.satisfies(a, wanted));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["5.10.21.4306", ">=5.10.21", true],
    ["5.10.21.4306", "5.10.x", true],
    ["5.10.21.4306", "<=5.10.21", false],
    ["5.10.21.4306", "5.10.21.4306", true],
    ["5.10.21.4306", ">5.10.21.4306", false],
    ["5.10.21.4307", ">= 5.10.21.4306 <5.11", true],
    ["5.10.21", ">=5.10.21.4306", false],
    ["17.0", ">=17.0 <18.0", true],
    ["18.3.3", "<17.0.0.1 || ^18", true],
  ])("[V1] %s in %j: %s", (text, range, expected) => {
    expect(rangeProblem(range)).toBeUndefined();
    expect(satisfies(version(text), range)).toBe(expected);
  });

  it("[V1] a range that does not parse holds nothing and has a sentence", () => {
    for (const range of ["new", ">=", "1.2.3.4 - 2.0", "1.2.3 ||| 2"]) {
      expect(rangeProblem(range), range).toContain("is no range of versions");
      expect(satisfies(version("1.2.3"), "new")).toBe(false);
    }
  });

  it("[V2] the major of a Socket is its first component: 17.0 and 18.3.3 are different majors", () => {
    expect(socketMajor(version("17.0"))).toBe(17);
    expect(socketMajor(version("18.3.3"))).toBe(18);
  });

  it("[V3] going to an older version is a downgrade, to an equal or newer one is not", () => {
    expect(isDowngrade(version("5.10.21.4306"), version("5.10.21"))).toBe(true);
    expect(isDowngrade(version("17.0"), version("17.0.0"))).toBe(false);
    expect(isDowngrade(version("17.0"), version("18.0-rc.1"))).toBe(false);
  });
});
