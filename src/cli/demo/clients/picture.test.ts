import { describe, expect, it } from "vitest";
import pico from "picocolors";
import { DAY, WEEK } from "../../../core/time/civil.ts";
import { ClientDevice } from "../../../simulation/clients/client-device.ts";
import { CURTAIN, FAULTY, FIXED, HABITS, OLD } from "./cast.ts";
import { UsersByVersion } from "./ledgers.ts";
import { barOf, momentLine, pictureLines, sharesText, VERSIONS } from "./picture.ts";

/** A computer of a user that ran these, one from each day on. */
function computer(device: string, user: string, ...versions: readonly string[]): ClientDevice {
  const planned = { account: "acme", device, user, os: "Windows", version: OLD } as const;
  const client = new ClientDevice(planned, { start: CURTAIN, habits: HABITS, fateOf: () => ({ ends: "Runs" }), seed: 1 });
  for (const [index, version] of versions.entries()) client.ledger.ran.push({ from: CURTAIN + (index + 1) * DAY, version });
  return client;
}

describe("users by version as bars", () => {
  it("a bar is fifty signs whatever is rounded, and empty where nobody is", () => {
    for (const counts of [
      [1, 0, 0],
      [1, 1, 1],
      [9_950, 40, 10],
      [1, 998, 1],
      [333, 333, 334],
    ])
      expect(barOf(counts)).toHaveLength(50);
    expect(barOf([60, 30, 10])).toBe("░".repeat(30) + "▓".repeat(15) + "█".repeat(5));
    expect(barOf([0, 0, 0]).trim()).toBe("");
  });

  it("very few are told by how many they are", () => {
    expect(sharesText([9_200, 800, 0])).toBe(`${OLD} 92.0 %, ${FAULTY} 8.0 %`);
    expect(sharesText([0, 2, 9_998])).toBe(`${FAULTY} 2 users, ${FIXED} 100.0 %`);
  });

  it("a user of two versions counts for the older one, at the instant that is asked", () => {
    const clients = [computer("one", "anna"), computer("two", "anna", FAULTY), computer("three", "bert", FAULTY, FIXED)];
    const users = new UsersByVersion(clients, VERSIONS);
    const at = (day: number): readonly number[] => users.at(CURTAIN + day * DAY);
    expect([at(0), at(1), at(2)]).toEqual([
      [2, 0, 0],
      [1, 1, 0],
      [1, 0, 1],
    ]);
  });

  it("the picture fits its width, and has a line for each week that is over", () => {
    const users = new UsersByVersion([computer("one", "anna", FAULTY)], VERSIONS);
    const now = CURTAIN + 3 * WEEK + DAY;
    const lines = pictureLines({ now, users, rollouts: [] }, 60, pico.createColors(false));
    expect(lines.filter((line) => line.startsWith("week"))).toHaveLength(3);
    expect(lines.every((line) => line.length <= 60)).toBe(true);
    expect(momentLine("now", users, now)).toContain(`${FAULTY} 100.0 %`);
  });
});
