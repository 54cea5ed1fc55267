import { describe, expect, it } from "vitest";
import { MAINTENANCE_WINDOW } from "../../src/api/resources.ts";
import { DRAIN } from "../../src/simulation/world.ts";
import { DAY, HOUR, MINUTE, RARELY, SECOND, Story, type StoryOptions } from "./story.ts";

/** Sessions that do not leave when they are asked to: each drain lasts its whole 15 minutes, and an hour is over in the middle of four nodes. */
const SLOW = {
  version: "1.0.0-ignores-drain",
  strategy: {
    drain: { ...DRAIN, timeout: "15m" },
    perNode: { expected: "18m", deadline: "30m", soak: "30s", retries: 1 },
  },
};
const slowly = async (options: StoryOptions = {}): Promise<Story> => {
  const story = await Story.begin({
    nodes: 4,
    window: HOUR_ON_SUNDAY,
    ...options,
    pop: { ...SLOW, health: RARELY, strategy: { ...SLOW.strategy, ...options.pop?.strategy } },
  });
  await story.sessions(20);
  return story;
};
const HOUR_ON_SUNDAY = { schedule: { weekly: [{ day: "Sunday" as const, start: "01:00", duration: "1h" }] }, timeZone: "Local" };
const FOUR_HOURS = { schedule: { weekly: [{ day: "Sunday" as const, start: "01:00", duration: "4h" }] }, timeZone: "Local" };
const NEXT_SUNDAY = "2026-11-29T00:00:00.000Z";

describe("the window", () => {
  it("[W5] closes in the middle: the node whose label has left finishes, and the roll goes on at the next node next Sunday", async () => {
    const story = await slowly();
    await story.want("2.0.0");
    await story.pass(HOUR);
    expect(story.versions().filter((version) => version === "2.0.0").length).toBeGreaterThan(1);
    expect(story.versions().filter((version) => version.startsWith("1.0.0")).length).toBeGreaterThan(0);
    expect(story.claimed()).toEqual([]);
    expect(story.status().grant?.state).toBe("Returned");
    const [hold] = story.status().holds!;
    expect(hold).toMatchObject({ reason: "OutsideWindow", until: NEXT_SUNDAY });
    expect(story.condition("Ready")).toMatchObject({ status: "True" });
    const mixed = story.versions();
    await story.pass(6 * DAY);
    expect(story.versions()).toEqual(mixed);
    await story.untilRolled("2.0.0", 2 * DAY);
    expect(story.now).toBeGreaterThan(Date.parse(NEXT_SUNDAY));
    expect(story.status().run?.id).toBe(2);
    // The week between counts as the window's, and every millisecond of the run is accounted to one cause.
    const { spent, startedAt } = story.status().run!;
    expect(spent!.window).toBeGreaterThan(6 * DAY);
    expect(spent!.window).toBeLessThan(7 * DAY);
    expect(spent!.working + spent!.window + spent!.people + spent!.soaking).toBe(Date.parse(spent!.until) - Date.parse(startedAt));
  });

  it("[W4] no node starts that would not be done before the end: after the last start the hold is LastStartPassed, until next Sunday", async () => {
    const story = await slowly();
    await story.want("2.0.0");
    let latest = 0;
    await story.untilTrue("the window's end", () => {
      for (const node of story.status().nodes ?? []) if (node.step === "Claimed") latest = Math.max(latest, Date.parse(node.since));
      return story.holds().includes("LastStartPassed");
    });
    expect(new Date(latest).toISOString() <= "2026-11-22T00:42:00.000Z").toBe(true);
    expect(story.status().holds?.[0]?.until).toBe(NEXT_SUNDAY);
  });

  it("[W5] [P3b] a node that only drains when the window closes is given back: it serves again, its claim is ended, nothing restarted", async () => {
    const story = await slowly({ nodes: 2 });
    const pods = story.pods().map((pod) => pod.metadata.uid);
    await story.want("2.0.0");
    const node = await story.untilStep("Claimed");
    await story.editWindow((spec) => ({
      ...spec,
      schedule: { ...spec.schedule, weekly: [{ day: "Sunday", start: "01:00", duration: "4m" }] },
    }));
    await story.until(
      "the give-back",
      (status) => status.nodes?.some((entry) => entry.step === "Pending" && entry.message?.startsWith("given back")) ?? false,
    );
    expect(story.now).toBeGreaterThanOrEqual(Date.parse("2026-11-22T00:04:00Z"));
    await story.pass(SECOND);
    expect(story.plane(node)?.drainToken).toBeUndefined();
    expect(story.claimed()).toEqual([]);
    expect(story.pods().map((pod) => pod.metadata.uid)).toEqual(pods);
    await story.pass(DAY);
    expect(story.pods().map((pod) => pod.metadata.uid)).toEqual(pods);
  });

  it("[W6] a freeze that begins in mid-roll ends the occurrence: nothing new starts until the next usable Sunday after it", async () => {
    const story = await slowly({ window: FOUR_HOURS });
    await story.want("2.0.0");
    await story.until(
      "the first node",
      ({ run, nodes }) =>
        run?.version === "2.0.0" && (nodes?.some((node) => node.step === "Done" && node.revision === run.revision) ?? false),
    );
    const before = story.versions().filter((version) => version === "2.0.0").length;
    await story.editFleet({
      freezes: [
        { name: "holidays", from: "2026-11-22", to: "2026-12-01", timeZone: "Europe/Berlin", reason: "peak season", allow: [] },
      ] as never,
    });
    await story.untilHold("Frozen");
    expect(story.status().holds?.[0]).toMatchObject({ rule: "W6", until: "2026-12-06T00:00:00.000Z" });
    await story.pass(10 * DAY);
    expect(story.versions().filter((version) => version === "2.0.0").length).toBeLessThanOrEqual(before + 1);
    await story.untilRolled("2.0.0", 10 * DAY);
    expect(story.now).toBeGreaterThan(Date.parse("2026-12-06T00:00:00Z"));
  });

  it("[W3] a notice of 48 h: announced on Friday evening the version takes the Sunday after next", async () => {
    const story = await Story.begin({
      start: "2026-11-20T17:00:00Z",
      pop: { health: RARELY },
      window: { ...HOUR_ON_SUNDAY, schedule: { weekly: [{ day: "Sunday", start: "01:00", duration: "4h" }] }, notice: "48h" },
    });
    await story.want("2.0.0");
    await story.untilHold("NoticeNotElapsed");
    expect(story.status().holds?.[0]).toMatchObject({ rule: "W3", until: NEXT_SUNDAY });
    await story.untilRolled("2.0.0", 10 * DAY);
    expect(story.now).toBeGreaterThan(Date.parse(NEXT_SUNDAY));
  });

  it("[W5] onWindowEnd RollBack: a half-rolled PoP goes back without a verdict, the history says why, and next Sunday it is tried again", async () => {
    const story = await slowly({ pop: { strategy: { onWindowEnd: "RollBack" } } });
    await story.want("2.0.0");
    await story.untilOutcome("2.0.0 RolledBack", 4 * HOUR);
    expect(story.versions()).toEqual(Array.from({ length: 4 }, () => "1.0.0-ignores-drain"));
    expect(story.status().history?.at(-1)?.evidence).toMatch(
      /^the window lets no further node start with \d of 4 nodes on 2\.0\.0, and onWindowEnd is RollBack/,
    );
    expect(story.status().revisions?.failed).toEqual([]);
    expect(story.status().grant?.state).toBe("Returned");
    expect(story.condition("Ready")).toMatchObject({ status: "True" });
    await story.until("the second try", (status) => status.run?.version === "2.0.0", 8 * DAY);
    expect(story.now).toBeGreaterThanOrEqual(Date.parse(NEXT_SUNDAY));
  });
});

describe("brakes against acts, seen from outside", () => {
  it("[G13] a rollback with ignoreWindow false waits for the next window with the nodes that serve", async () => {
    const story = await Story.begin({
      start: "2026-11-22T02:30:00Z",
      window: { ...HOUR_ON_SUNDAY, schedule: { weekly: [{ day: "Sunday", start: "01:00", duration: "3h" }] } },
      pop: { rollback: { ignoreWindow: false } },
    });
    await story.want("2.0.0");
    await story.untilPassed("2.0.0");
    await story.pass(2 * HOUR);
    await story.request("takeBack");
    await story.untilHold("OutsideWindow");
    expect(story.versions()).toEqual(["2.0.0", "2.0.0", "2.0.0"]);
    expect(story.status().grant?.state).toBe("Returned");
    await story.untilOutcome("2.0.0 RolledBack", 8 * DAY);
    expect(story.now).toBeGreaterThanOrEqual(Date.parse(NEXT_SUNDAY));
  });

  it("[G13] a rollback goes on while the PoP is paused, and says that it ignores the pause", async () => {
    const story = await Story.begin();
    await story.want("2.0.0");
    await story.untilPassed("2.0.0");
    await story.edit((spec) => ({ ...spec, paused: true }));
    await story.pass(MINUTE);
    await story.request("takeBack");
    await story.untilOutcome("2.0.0 RolledBack");
    expect(story.narration().find((sentence) => sentence.startsWith("RollbackStarted"))).toContain(
      "it does not wait for the pause (Paused)",
    );
  });

  it("[G13] a rollback has as many out as rollback.maxUnavailable says, whatever the way forward may have", async () => {
    const story = await Story.begin({ nodes: 4, pop: { strategy: { maxUnavailable: 3 }, rollback: { maxUnavailable: 1 } } });
    await story.want("2.0.0");
    await story.untilPassed("2.0.0");
    await story.request("takeBack");
    let most = 0;
    await story.untilTrue("the rollback", () => {
      most = Math.max(most, 4 - story.serving().length);
      return story.outcomes().includes("2.0.0 RolledBack");
    });
    expect(most).toBe(1);
  });

  it("[G15] a pause is obeyed at once and acknowledged ten seconds after it: then nothing new starts, and the node in hand has finished or was given back", async () => {
    const story = await Story.begin({ nodes: 4 });
    await story.want("2.0.0");
    await story.untilStep("Soaking");
    await story.edit((spec) => ({ ...spec, paused: true }));
    const since = story.now;
    await story.until("the request", (status) => status.conditions?.some((one) => one.reason === "PauseRequested") ?? false, 5 * SECOND);
    await story.until(
      "the acknowledgement",
      (status) => status.conditions?.some((one) => one.type === "Paused" && one.status === "True") ?? false,
      MINUTE,
    );
    expect(story.now - since).toBeGreaterThanOrEqual(10 * SECOND);
    expect(story.now - since).toBeLessThan(12 * SECOND);
    const stood = story.versions();
    await story.pass(30 * MINUTE);
    expect(story.versions()).toEqual(stood);
    expect(story.claimed()).toEqual([]);
    expect(story.holds()).toContain("Paused");
    expect(story.status().grant?.state).toBe("Returned");
    await story.edit((spec) => ({ ...spec, paused: false }));
    await story.untilRolled("2.0.0");
    expect(story.condition("Paused")).toMatchObject({ status: "False", reason: "NotPaused" });
  });

  it("[G13] a paused Fleet holds every roll and lets a node in hand finish; a first version waits too", async () => {
    const story = await Story.begin({ nodes: 4 });
    await story.want("2.0.0");
    await story.untilStep("Updating");
    await story.editFleet({ paused: true, reason: "carrier works" });
    await story.untilHold("FleetPaused");
    await story.pass(10 * MINUTE);
    expect(story.claimed()).toEqual([]);
    expect(story.status().holds?.[0]?.message).toBe("Fleet is paused: carrier works; spec.paused of the Fleet lifts it");
    await story.editFleet({ paused: false });
    await story.untilRolled("2.0.0");
  });

  it("[W7] a window that is taken away in mid-roll holds, WindowInvalid, naming it; it goes on when it is back", async () => {
    const story = await Story.begin({ nodes: 4 });
    await story.want("2.0.0");
    await story.untilStep("Soaking");
    await story.world.while(story.world.kubectl.delete(MAINTENANCE_WINDOW, "pop-sunday", "fleet"));
    await story.untilHold("WindowInvalid");
    await story.pass(10 * MINUTE);
    expect(story.claimed()).toEqual([]);
    expect(story.condition("Accepted")).toMatchObject({ status: "False", reason: "WindowInvalid" });
    expect(story.condition("Accepted")?.message).toContain(
      "MaintenanceWindow pop-sunday does not exist in namespace fleet; create it or name another",
    );
  });
});
