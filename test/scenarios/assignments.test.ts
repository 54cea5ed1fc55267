import { describe, expect, it } from "vitest";
import { assign, rollout, say, withdraw, writeStatus } from "./rollouts.ts";
import { DAY, HOUR, MINUTE, RARELY, SECOND, Story, type StoryOptions } from "./story.ts";

/** Two weeks from Sunday 2026-11-22. */
const TRAIN = { from: "2026-11-22", to: "2026-12-06" };
/** Tuesday noon in Berlin: no window is near. */
const TUESDAY = "2026-11-24T12:00:00Z";
const NIGHTS = "2026-11-10T12:00:00Z";
/** Weeks with few looks at the nodes. */
const slowly = (options: StoryOptions = {}): Promise<Story> =>
  Story.begin({ ...options, pop: { health: RARELY, ...options.pop, strategy: { watch: "336h", ...options.pop?.strategy } } });
const versionsOf = (story: Story, version: string) => story.versions().filter((one) => one === version).length;

describe("the dates of a train", () => {
  it.each([
    ["Pacific/Auckland", "2026-11-21T12:00:00Z"],
    ["Europe/Berlin", "2026-11-22T00:00:00Z"],
    ["Pacific/Honolulu", "2026-11-22T11:00:00Z"],
  ])("[F1] in %s it starts on the place's own Sunday %s, not on the Sunday before", async (timeZone, sunday) => {
    const story = await slowly({ start: NIGHTS, pop: { timeZone } });
    await assign(story, "r2", "2.0.0", TRAIN);
    await story.untilHold("OutsideWindow");
    expect(story.status().holds?.[0]).toMatchObject({
      rule: "F1",
      until: new Date(sunday).toISOString(),
      message: `PoPRollout r2 departs on Sunday 2026-11-22; the next usable start is Sunday 2026-11-22 01:00 ${timeZone}`,
    });
    expect(story.status().next, "all windows are shown").toHaveLength(5);
    expect(Date.parse(story.status().next![0]!.start)).toBeLessThan(Date.parse(sunday) - 6 * DAY);
    await story.until("the roll", (status) => status.run?.version === "2.0.0", 20 * DAY);
    expect(story.now - Date.parse(sunday)).toBeLessThan(MINUTE);
    expect(story.now).toBeGreaterThanOrEqual(Date.parse(sunday));
    await story.untilRolled("2.0.0");
  });

  it("[F1] [W5] when the train is over nodes that were not started stay, and the hold says so; the PoP stays mixed and watched", async () => {
    const story = await slowly({
      nodes: 4,
      window: { schedule: { weekly: [{ day: "Sunday", start: "01:00", duration: "2m" }] }, timeZone: "Local" },
      start: "2026-11-21T20:00:00Z",
      pop: { strategy: { watch: "336h", perNode: { expected: "90s", deadline: "5m", soak: "30s", retries: 1 } } },
    });
    await assign(story, "r2", "2.0.0", { from: "2026-11-22", to: "2026-11-29" });
    await story.pass(DAY);
    const mixed = story.versions();
    expect(new Set(mixed)).toEqual(new Set(["1.0.0", "2.0.0"]));
    await story.pass(9 * DAY);
    expect(story.versions()).toEqual(mixed);
    expect(story.status().holds?.[0]).toMatchObject({
      rule: "F1",
      reason: "OutsideWindow",
      message: "PoPRollout r2: its train ended on Saturday 2026-11-28; nothing starts until its turn as a late joiner, or a newer rollout",
    });
    expect(story.status().holds?.[0]?.until).toBeUndefined();
    expect(story.status().grant?.state).toBe("Returned");
    await say(story, "r2", { from: "2026-12-06", to: "2026-12-13", late: true });
    const before = versionsOf(story, "2.0.0");
    await story.until("a further node in its turn as a late joiner", () => versionsOf(story, "2.0.0") > before, 10 * DAY);
    expect(new Date(story.now).toISOString()).toMatch(/^2026-12-06T00:0/);
  });

  it("[W3] a notice counts from what the rollout says, not from when the PoP hears of it; nor from before the operator saw the rollout", async () => {
    const notice = { schedule: { weekly: [{ day: "Sunday", start: "01:00", duration: "4h" }] }, timeZone: "Local", notice: "48h" };
    const story = await slowly({ start: "2026-11-20T20:00:00Z", window: notice });
    await rollout(story, "r2", { version: "2.0.0" }, "2.0.0", { ...TRAIN, announcedAt: "2026-11-16T09:00:00Z" });
    await story.edit(({ version: _, ...spec }) => spec);
    await story.untilHold("NoticeNotElapsed");
    expect(story.status().announcedAt, "the operator saw it on Friday evening").toMatch(/^2026-11-20T2/);
    expect(story.status().holds?.[0]?.until).toBe("2026-11-29T00:00:00.000Z");
    const known = await slowly({ start: "2026-11-20T20:00:00Z", window: notice });
    await rollout(known, "r2", { version: "2.0.0" }, "2.0.0", { ...TRAIN, announcedAt: "2026-11-16T09:00:00Z" });
    await writeStatus(known, "r2", (status) => ({ ...status, seenAt: "2026-11-16T08:00:00Z" }));
    await known.edit(({ version: _, ...spec }) => spec);
    await known.untilRolled("2.0.0", 2 * DAY);
    expect(known.now).toBeLessThan(Date.parse("2026-11-22T04:00:00Z"));
  });
});

describe("who decides", () => {
  it("[P12] a person's pin wins over every assignment; taken away, the rollout's version follows", async () => {
    const story = await Story.begin();
    await rollout(story, "r2", { version: "2.0.0" }, "2.0.0", TRAIN);
    await story.pass(10 * MINUTE);
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
    expect(story.status().assigned).toBeUndefined();
    await story.edit(({ version: _, ...spec }) => spec);
    await story.untilPassed("2.0.0");
    expect(story.status().assigned).toMatchObject({ rollout: "r2", wave: "general", version: "2.0.0", order: "Go" });
    expect(story.status().run).toMatchObject({ rollout: { name: "r2" }, class: "Regular" });
  });

  it("[P12] a PoP whose rollout is gone goes on with what it runs: it says so, and nothing has to be corrected", async () => {
    const story = await Story.begin();
    await assign(story, "r2", "2.0.0", TRAIN);
    await story.untilPassed("2.0.0");
    await withdraw(story, "r2");
    await story.untilHold("VersionUnassigned");
    expect(story.condition("Ready")).toMatchObject({ status: "True", reason: "Serving" });
    expect(story.condition("Accepted")).toMatchObject({ status: "True" });
    expect(story.versions()).toEqual(["2.0.0", "2.0.0", "2.0.0"]);
  });

  it("[P12] withdrawn in mid-roll nobody else starts: the node in hand finishes, the others stay; assigned again, it goes on", async () => {
    const story = await Story.begin({ nodes: 4 });
    await assign(story, "r2", "2.0.0", TRAIN);
    await story.untilStep("Soaking");
    await withdraw(story, "r2");
    await story.until("the end of the run's right", (status) => status.run?.ending === "Superseded");
    await story.pass(20 * MINUTE);
    expect(new Set(story.versions())).toEqual(new Set(["1.0.0", "2.0.0"]));
    expect(story.claimed()).toEqual([]);
    expect(story.status().grant?.state).toBe("Returned");
    expect(story.narration().join("\n")).toContain("PoPRollout r2, which assigned it, is gone or leaves this PoP out");
    await rollout(story, "r3", { version: "2.0.0" }, "2.0.0", TRAIN);
    await story.untilPassed("2.0.0");
  });

  it("[I14] an assignment of an older PoP of the same name counts for nothing", async () => {
    const story = await Story.begin();
    await assign(story, "r2", "2.0.0", { ...TRAIN, uid: "uid-of-before" });
    await story.untilHold("VersionUnassigned");
    await story.pass(10 * MINUTE);
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
  });
});

describe("what a rollout orders", () => {
  it("[G13] Hold gives back a node that only drains, and finishes one that was changed; Go lets it go on", async () => {
    const story = await Story.begin({ nodes: 4, pop: { version: "1.0.0-ignores-drain" } });
    await story.sessions(20);
    await assign(story, "r2", "2.0.0", TRAIN);
    const node = await story.untilStep("Claimed");
    await story.until("the drain", () => story.plane(node)?.drainToken !== undefined);
    await say(story, "r2", { order: "Hold", because: "paused by a person: pager storm" });
    await story.until("the give-back", (status) => status.nodes?.every((entry) => entry.step !== "Claimed") ?? false);
    expect(story.status().holds).toContainEqual(
      expect.objectContaining({ rule: "G13", reason: "Paused", message: "PoPRollout r2: paused by a person: pager storm" }),
    );
    await story.pass(10 * MINUTE);
    expect(story.claimed()).toEqual([]);
    expect(versionsOf(story, "2.0.0")).toBe(0);
    expect(story.status().grant?.state).toBe("Returned");
    await say(story, "r2", { order: "Go" });
    await story.until("a node whose label has left", (status) => status.nodes?.some((entry) => entry.step === "Updating") ?? false);
    await story.untilTrue("its label off", () => story.nodes().some(({ metadata }) => story.label(metadata.name) === undefined));
    await say(story, "r2", { order: "Hold" });
    await story.pass(10 * MINUTE);
    expect(versionsOf(story, "2.0.0")).toBe(1);
    expect(story.claimed()).toEqual([]);
  });

  it("[P12] [F4] Stop leaves the PoP mixed; a retry of the rollout lets it go on; each is carried out once and recorded", async () => {
    const story = await Story.begin({ nodes: 4 });
    await assign(story, "r2", "2.0.0", TRAIN);
    await story.untilStep("Soaking");
    const stoppedAt = new Date(story.now).toISOString();
    await say(story, "r2", { order: "Stop", orderedAt: stoppedAt, because: "stopped by a person" });
    await story.pass(20 * MINUTE);
    expect(new Set(story.versions())).toEqual(new Set(["1.0.0", "2.0.0"]));
    expect(story.status().run?.ending).toBe("Stopped");
    expect(story.status().handled).toMatchObject({ assignedStop: stoppedAt });
    const retryAt = new Date(story.now).toISOString();
    await say(story, "r2", { order: "Go", retryAt });
    await story.untilPassed("2.0.0");
    expect(story.status().handled).toMatchObject({ assignedStop: stoppedAt, assignedRetry: retryAt });
  });

  it("[F4] a PoP that a stopped rollout has not reached starts nothing, and is told of nothing", async () => {
    const story = await Story.begin({ start: TUESDAY });
    await assign(story, "r2", "2.0.0", { ...TRAIN, order: "Stop", orderedAt: TUESDAY, because: "halted: ams1 failed" });
    await story.untilHold("Stopped");
    await story.pass(8 * DAY);
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
    expect(story.reasons()).not.toContain("RequestIgnored");
    expect(story.status().handled?.assignedStop).toBe(TUESDAY);
  });

  it("[F4] [P8] TakeBack while it is watched, outside the window: every node goes back, the revision has its verdict, and the order is not carried out again", async () => {
    const story = await slowly();
    await assign(story, "r2", "2.0.0", TRAIN);
    await story.untilPassed("2.0.0");
    await story.pass(2 * DAY);
    await say(story, "r2", { order: "TakeBack", orderedAt: new Date(story.now).toISOString(), because: "halted: ams1 failed" });
    await story.untilOutcome("2.0.0 RolledBack");
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
    expect(story.status().revisions?.failed?.[0]?.evidence).toMatch(/^taken back by PoPRollout r2 \(halted: ams1 failed\) at 2026-11-24T/);
    const runs = story.status().runs;
    await story.pass(8 * DAY);
    expect(story.status().runs).toBe(runs);
    await say(story, "r2", { order: "Go", retryAt: new Date(story.now).toISOString(), from: "2026-12-06", to: "2026-12-13", late: true });
    await story.untilRolled("2.0.0", 8 * DAY);
  });

  it("[P7] TakeBack of a version that was promoted: it goes back to what the PoP ran when the run began, as the history has it", async () => {
    const story = await slowly({ pop: { strategy: { watch: "24h" } } });
    await assign(story, "r2", "2.0.0", TRAIN);
    await story.untilOutcome("2.0.0 Promoted", 3 * DAY);
    await say(story, "r2", { order: "TakeBack", orderedAt: new Date(story.now).toISOString() });
    await story.untilOutcome("2.0.0 RolledBack");
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
    await story.pass(8 * DAY);
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
    expect(story.holds()).toContain("FailedBefore");
  });

  it("[P7] TakeBack of a first version that was promoted cannot be: nothing is touched, and it says why", async () => {
    const story = await slowly({ pop: { strategy: { watch: "24h" } } });
    await story.untilOutcome("1.0.0 Promoted", 3 * DAY);
    await assign(story, "r1", "1.0.0", { order: "TakeBack", orderedAt: new Date(story.now).toISOString() });
    await story.until("the order to be recorded", (status) => status.handled?.assignedTakeBack !== undefined);
    await story.pass(SECOND);
    expect(story.narration().at(-1)).toMatch(
      /^RequestIgnored: the order of PoPRollout r1 of .*: 1\.0\.0 cannot be taken back: the ledger does not say what the PoP ran before it/,
    );
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
  });
});

describe("an emergency", () => {
  const FREEZE = { name: "peak", from: "2026-11-20", to: "2026-12-01", timeZone: "Europe/Berlin", reason: "peak season", allow: [] };

  it("[F8] starts on a Tuesday, without window, notice and dates; the end of a window is no reason to give back", async () => {
    const notice = { schedule: { weekly: [{ day: "Sunday", start: "01:00", duration: "4h" }] }, timeZone: "Local", notice: "48h" };
    const story = await Story.begin({ start: TUESDAY, window: notice });
    await assign(story, "r2", "2.0.0", { class: "Emergency" });
    await story.untilPassed("2.0.0", 2 * HOUR);
    expect(story.now).toBeLessThan(Date.parse(TUESDAY) + 2 * HOUR);
    expect(story.status().run?.class).toBe("Emergency");
    expect(story.status().grant).toMatchObject({ class: "Emergency", state: "Returned" });
  });

  it("[F6] [F8] a PoP that it took in mid-release follows to the release afterwards, in the release's own window", async () => {
    const story = await slowly({ start: "2026-11-20T12:00:00Z" });
    await assign(story, "r3", "3.0.0", TRAIN);
    await story.untilHold("OutsideWindow");
    await rollout(story, "em", { version: "2.0.1", class: "Emergency", reason: "CVE" }, "2.0.1", { class: "Emergency" });
    await story.untilPassed("2.0.1", 2 * HOUR);
    await say(story, "em", { state: "Passed" });
    await story.pass(12 * HOUR);
    expect(new Set(story.versions()), "the train has not departed").toEqual(new Set(["2.0.1"]));
    await story.untilPassed("3.0.0", 14 * DAY);
    expect(new Date(story.now).toISOString()).toMatch(/^2026-11-22T00:/);
  });

  it("[F8] [W6] obeys a freeze, also in mid-roll, until an Approval lifts it by name", async () => {
    const story = await Story.begin({ start: TUESDAY, nodes: 4 });
    await assign(story, "r2", "2.0.0", { class: "Emergency" });
    await story.untilStep("Soaking");
    await story.editFleet({ freezes: [FREEZE] as never });
    await story.untilHold("Frozen");
    await story.pass(HOUR);
    const mixed = story.versions();
    expect(new Set(mixed)).toEqual(new Set(["1.0.0", "2.0.0"]));
    expect(story.status().holds?.[0]?.message).toContain("obeys a freeze until an Approval lifts it by name");
    await say(story, "r2", { liftedFreezes: ["christmas"] });
    await story.pass(HOUR);
    expect(story.versions()).toEqual(mixed);
    await say(story, "r2", { liftedFreezes: ["peak"] });
    await story.untilPassed("2.0.0");
  });
});

describe("bake and watch", () => {
  it("[P8] [G4] the bake of the wave and the rollout's last day take the place of the PoP's own, frozen when the run begins", async () => {
    const story = await slowly({ pop: { strategy: { bake: "20s", watch: "24h" } } });
    await assign(story, "r2", "2.0.0", { ...TRAIN, bake: "2h", watchUntil: "2026-11-25T00:00:00Z" });
    await story.until("it to bake", (status) => status.run?.version === "2.0.0" && status.run.state === "Baking");
    const since = story.now;
    await say(story, "r2", { bake: "10s", watchUntil: "2026-11-22T12:00:00Z" });
    await story.untilPassed("2.0.0", 3 * HOUR);
    expect(story.now - since).toBeGreaterThanOrEqual(2 * HOUR - MINUTE);
    await story.untilOutcome("2.0.0 Promoted", 4 * DAY);
    expect(story.now).toBeGreaterThanOrEqual(Date.parse("2026-11-25T00:00:00Z"));
    expect(story.narration().join("\n")).toContain("2.0.0 was watched until 2026-11-25T00:00:00Z and is promoted");
  });

  it("[P8] it is watched for 24 h at least, however near the rollout's last day is", async () => {
    const story = await slowly();
    await assign(story, "r2", "2.0.0", { ...TRAIN, watchUntil: "2026-11-22T03:00:00Z" });
    await story.untilRolled("2.0.0");
    const since = story.now;
    await story.untilOutcome("2.0.0 Promoted", 3 * DAY);
    expect(story.now - since).toBeGreaterThanOrEqual(DAY - MINUTE);
  });
});

describe("content from a rollout", () => {
  const LOAD = {
    load: { http: { port: 8080, path: "/content" } },
    health: [{ name: "content", http: { port: 8080, path: "/healthz?content" }, successes: 2, failures: 2, interval: "1s", timeout: "1s" }],
  };
  const source = (version: string) => ({ ociArtifact: `registry.example/signatures:${version}` });
  const loads = (story: Story, name: string, version: string, says = {}) =>
    rollout(story, name, { content: { version, source: source(version) } }, version, says);
  const begin = () => Story.begin({ start: TUESDAY, pop: { spec: { content: LOAD } } });
  const loaded = (story: Story) => story.nodes().map((node) => story.plane(node.metadata.name)?.contentVersion);

  it("[P15] spec.content says how, the rollout which: loaded with its source, taken back to the content before", async () => {
    const story = await begin();
    await loads(story, "sig418", "sig.418");
    await story.until("sig.418", (status) => status.content?.current === "sig.418");
    expect(story.status().content?.source).toEqual(source("sig.418"));
    await story.pass(SECOND);
    await loads(story, "sig419", "sig.419");
    await story.until("sig.419", (status) => status.content?.current === "sig.419");
    expect(story.status().assignedContent).toMatchObject({ rollout: "sig419", version: "sig.419" });
    await say(story, "sig419", { order: "TakeBack", orderedAt: new Date(story.now).toISOString() });
    await story.untilTrue("the way back", () => loaded(story).every((version) => version === "sig.418"));
    await story.until("it to be written", (status) => status.content?.state === "Loaded" && status.content.current === "sig.418");
    await story.pass(10 * MINUTE);
    expect(loaded(story)).toEqual(["sig.418", "sig.418", "sig.418"]);
    await say(story, "sig419", { order: "Go", retryAt: new Date(story.now).toISOString() });
    await story.until("sig.419 again", (status) => status.content?.current === "sig.419");
  });

  it("[P15] Hold stops it after the node in hand; withdrawn, what has been loaded stays on its nodes", async () => {
    const story = await begin();
    await loads(story, "sig418", "sig.418");
    await story.untilTrue("the canary", () => loaded(story).includes("sig.418"));
    await say(story, "sig418", { order: "Hold", because: "paused" });
    await story.untilHold("Paused");
    await story.pass(HOUR);
    expect(loaded(story).filter((version) => version === "sig.418")).toHaveLength(1);
    await withdraw(story, "sig418");
    await story.pass(HOUR);
    expect(loaded(story).filter((version) => version === "sig.418")).toHaveLength(1);
  });
});
