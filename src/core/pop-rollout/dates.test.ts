import { describe, expect, it } from "vitest";
import { DAY, FRIDAY, other, pops, RolloutWorld } from "./pop-rollout.examples.ts";

const started = (spec: Record<string, unknown>, now = FRIDAY) => new RolloutWorld(pops(4), spec).settle(now);

describe("[F1] dates", () => {
  it("without startNotBefore it is the next departure of the train, and two weeks from it", () => {
    const world = started({ startNotBefore: undefined });
    expect(world.status).toMatchObject({ startDate: "2026-11-22", endDate: "2026-12-06" });
  });

  it("a train that has begun to leave in the easternmost zone is not boarded any more: on Sunday it is the one after", () => {
    expect(started({ startNotBefore: undefined }, Date.UTC(2026, 10, 21, 10)).status.startDate).toBe("2026-11-22");
    expect(started({ startNotBefore: undefined }, Date.UTC(2026, 10, 21, 10, 0, 1)).status.startDate).toBe("2026-12-06");
  });

  it("it is frozen while it waits, and resolved anew only while nothing has been assigned", () => {
    const world = started({ startNotBefore: undefined });
    world
      .settle(Date.UTC(2026, 10, 20))
      .edit({ startNotBefore: "2026-12-06" })
      .settle();
    expect(world.status).toMatchObject({ startDate: "2026-12-06", endDate: "2026-12-20" });
    world
      .settle(Date.UTC(2026, 11, 6))
      .edit({ startNotBefore: "2026-12-20" })
      .settle();
    expect([world.status.startDate, world.of("p00")?.from ?? world.status.assignments![0]!.from]).toEqual(["2026-12-06", "2026-12-06"]);
  });

  it("a rollout that waited out its whole train takes the next departure", () => {
    const world = started({ startNotBefore: undefined, stages: [{ name: "ci", check: { http: { url: "https://ci.example.com" } } }] });
    world.settle(Date.UTC(2026, 11, 5, 23));
    expect(world.status.startDate).toBe("2026-11-22");
    world.settle(Date.UTC(2026, 11, 8));
    expect(world.status.startDate).toBe("2026-12-20");
  });

  it.each([
    ["in the past", { startNotBefore: "2026-11-08" }, "is in the past everywhere; write a date to come"],
    [
      "off the train",
      { startNotBefore: "2026-11-29" },
      "is no departure of the Fleet's train (every 2 weeks from 2026-11-22); write 2026-11-22 or 2026-12-06",
    ],
    ["off the train in the past", { startNotBefore: "2020-01-05" }, "2020-01-05 is in the past everywhere; write a date to come"],
    ["after which no year of four digits is left", { startNotBefore: "9999-12-26" }, "9999-12-26 is too far away"],
  ])("a start %s is refused with what to write instead", (_, spec, sentence) => {
    const world = started(spec);
    expect([world.condition("Accepted"), world.status.startDate]).toEqual(["False StartInvalid", undefined]);
    expect(world.message("Accepted")).toContain(sentence);
    world.settle(Date.UTC(2026, 10, 29));
    expect(world.status.assignments ?? []).toEqual([]);
  });

  it("without a train any Sunday will do, another day will not, and nothing at all says what is missing", () => {
    const world = new RolloutWorld(pops(4), { startNotBefore: "2026-11-29" });
    world.fleet = { train: undefined as never };
    expect(world.settle().status).toMatchObject({ startDate: "2026-11-29", endDate: "2026-12-13" });
    world.edit({ startNotBefore: "2026-11-25" }).settle();
    expect(world.message("Accepted")).toContain("is no Sunday, and PoP releases start on Sundays; write 2026-11-22 or 2026-11-29");
    world.edit({ startNotBefore: undefined }).settle();
    expect(world.message("Accepted")).toContain("the Fleet has no train");
  });

  it("what was in the future when it was resolved does not become wrong by waiting", () => {
    const world = started({ stages: [{ name: "ci", check: { http: { url: "https://ci.example.com" } } }] });
    world.settle(Date.UTC(2026, 10, 25));
    expect(world.condition("Accepted")).toBe("True Accepted");
  });

  it("[F5] a rollout that mends another waits for no train: it starts with today's date", () => {
    const world = new RolloutWorld(pops(4), { startNotBefore: undefined, supersedes: { name: "r-1" } });
    world.others = [other("r-1", { supersededBy: "r-2" })];
    expect(world.settle(FRIDAY).status).toMatchObject({ startDate: "2026-11-13", endDate: "2026-11-27" });
  });

  it("[W3] an announcement in the past gives no notice away: it counts from when the rollout was first seen", () => {
    const world = new RolloutWorld(pops(4));
    world.window = { ...world.window, notice: "48h" };
    world.settle(Date.UTC(2026, 10, 21, 12)).settle(Date.UTC(2026, 10, 28, 1));
    expect(world.status.assignments![0]!.announcedAt).toBe("2026-11-21T12:00:00.000Z");
    expect(world.status.waves![0]!.openedAt).toBe("2026-11-28T01:00:00.000Z");
  });

  it("content and emergencies have no dates", () => {
    const content = started({ version: undefined, startNotBefore: undefined, content: { version: "sig.418" } });
    expect([content.status.startDate, content.status.assignments![0]!.from]).toEqual([undefined, undefined]);
    const emergency = started({ class: "Emergency", startNotBefore: undefined, reason: "CVE" }, FRIDAY + DAY);
    expect(emergency.status.startDate).toBeUndefined();
  });
});
