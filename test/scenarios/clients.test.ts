import { describe, expect, it } from "vitest";
import { ACCOUNT_POLICY } from "../../src/api/account-policy.ts";
import { ClientStory, DAY, gate, HOUR, MINUTE, phase } from "./client-story.ts";

const AUTOMATIC = { windows: { upgrade: "Automatic", pilotGroup: { groups: ["it"] } } };
const ACME = { name: "acme", policies: AUTOMATIC, clients: 24, pilots: 4 };
const EMPORIO = { name: "emporio", policies: { windows: { upgrade: "Automatic" } }, clients: 16 };
const KEEPER = { name: "keeper", policies: { windows: { upgrade: "Managed" } }, clients: 6 };

describe("[C2] [C3] [C4] a version on its way through the Clients of all accounts", () => {
  it("goes to the pilots at its announcement, in phases after two weeks of evidence, to nobody who manages his own, and then stands", async () => {
    const story = await ClientStory.begin({ accounts: [ACME, EMPORIO, KEEPER] });
    const name = await story.rollout("5.12.3");
    await story.pass(2 * DAY);
    expect(story.versions("acme")).toEqual({ "5.11.0": 20, "5.12.3": 4 });
    expect(story.versions("emporio")).toEqual({ "5.11.0": 16 });
    const inPilot = story.status(name);
    expect(inPilot.stages).toMatchObject([{ name: "pilot", numbers: { eligible: 4, attempted: 4, confirmed: 4, failed: 0 } }]);
    // Whom no stage has reached yet nobody misses, though eligible are all (rule C4).
    expect([inPilot.numbers, story.view("emporio", name)?.numbers]).toMatchObject([
      { eligible: 40, attempted: 4, unreachable: 0 },
      { eligible: 16, attempted: 0, unreachable: 0 },
    ]);
    // Half of the users of all accounts that upgrade automatically, a hash says which, and the others.
    const opens = inPilot.forecast!.phases[0]!.at;
    // Two weeks after it opened, in whole seconds.
    expect(Date.parse(opens) - Date.parse(inPilot.stages![0]!.openedAt)).toBe(14 * DAY);
    await story.until("phase 1", () => story.status(name).reached?.stage === "Phase", 15 * DAY);
    expect(story.status(name).stages!.at(-1)).toMatchObject({ name: "phase-1", openedAt: opens });
    await story.pass(2 * DAY);
    const one = story.status(name).stages!.find((stage) => stage.name === "phase-1")!.numbers!;
    expect(one.eligible).toBeGreaterThan(8);
    expect(one).toMatchObject({ attempted: one.eligible, confirmed: one.eligible, unreachable: 0 });
    await story.until("the end", () => story.status(name).standingSince !== undefined, 8 * DAY);
    expect(story.status(name).numbers).toMatchObject({ eligible: 40, confirmed: 40, failed: 0 });
    expect(story.versions()).toEqual({ "5.11.0": 6, "5.12.3": 40 });
    expect(story.events(name)).toEqual(["StageOpened", "StageOpened", "StageOpened", "Standing"]);
    expect(story.view("keeper", name)).toMatchObject({ reasons: [expect.stringContaining("upgrades Clients on Windows itself")] });
    expect(story.view("acme", name)).toMatchObject({
      inPhase: true,
      effective: "Run",
      pilot: { confirmed: 4 },
      numbers: { confirmed: 24 },
    });
  });

  it("[I18] stands without a write for a week", async () => {
    const story = await ClientStory.begin({ accounts: [EMPORIO, { ...ACME, pilots: 6 }] });
    const name = await story.rollout("5.12.3");
    await story.until("the end", () => story.status(name).standingSince !== undefined, 30 * DAY);
    await story.pass(DAY);
    const [writes, policies] = [story.writes(name), story.policyOf("acme").metadata.resourceVersion];
    await story.pass(7 * DAY);
    expect([story.writes(name), story.policyOf("acme").metadata.resourceVersion]).toEqual([writes, policies]);
  });

  it("[C4] eleven Linux users of accounts without a pilot are not stuck: a person decides on the pilots, and few are judged after the patience", async () => {
    const linux = { linux: { upgrade: "Automatic" } };
    const story = await ClientStory.begin({
      accounts: [
        { name: "acme", policies: linux, clients: 7, os: "Linux" },
        { name: "emporio", policies: linux, clients: 4, os: "Linux" },
      ],
    });
    const usual = { attemptedAtLeast: 200, failedPercentAtMost: 1, patience: "48h" };
    const phases = [phase(40, 40, 24), phase(100, 100, 24)].map((one) => ({ ...one, gate: usual }));
    const name = await story.rollout("5.12.3", { os: "Linux", phases });
    await story.until("the digest", () => story.status(name).digest !== undefined, 20 * DAY);
    expect(story.holds(name)).toEqual(["C2 AwaitingEvidence"]);
    expect(story.condition(name, "Progressing")).toBe("False AwaitingEvidence");
    await story.approve(name, "no-pilots");
    await story.pass(HOUR);
    expect(story.approval("no-pilots")).toBe("True Used");
    expect(story.status(name).stages![0]).toMatchObject({ name: "pilot", outcome: "Approved", approval: "no-pilots" });
    await story.until("the end", () => story.status(name).standingSince !== undefined, 10 * DAY);
    expect(story.versions()).toEqual({ "5.12.3": 11 });
  });

  it("[C4] [F8] an Approval of another digest, and one by somebody who is no approver, open nothing and say so", async () => {
    const story = await ClientStory.begin({ accounts: [EMPORIO] });
    await story.editFleet({ approvers: ["chief@example.com"] });
    const name = await story.rollout("5.12.3");
    await story.until("the digest", () => story.status(name).digest !== undefined, 20 * DAY);
    await story.approve(name, "by-nobody");
    await story.pass(HOUR);
    expect([story.approval("by-nobody"), story.status(name).reached!.stage]).toEqual(["False NotAnApprover", "Pilot"]);
    await story.editFleet({ approvers: ["chief@example.com", "second@example.com"] });
    await story.pass(HOUR);
    expect([story.approval("by-nobody"), story.status(name).reached!.stage]).toEqual(["True Used", "Phase"]);
  });
});

describe("[C5] who pauses it, and what is known of that", () => {
  it("the provider pauses in phase 1: nothing new is offered, its time stands still, and it goes on where it was", async () => {
    const story = await ClientStory.begin({ accounts: [ACME, EMPORIO] });
    const name = await story.rollout("5.12.3");
    await story.until("phase 1", () => story.status(name).reached?.stage === "Phase", 16 * DAY);
    await story.pass(2 * HOUR);
    await story.edit(name, { requested: "Paused", reason: "printers stop" });
    await story.pass(MINUTE);
    const [paused, before] = [story.now, story.versions()["5.12.3"]!];
    expect(story.status(name)).toMatchObject({ effective: "Paused", reasons: [{ by: "Provider", message: "printers stop" }] });
    expect(story.view("emporio", name)).toMatchObject({ effective: "Paused", reasons: ["printers stop"] });
    await story.pass(5 * DAY);
    expect(story.offers("5.12.3", { from: paused })).toBe(0);
    // What was being installed has finished.
    expect(story.versions()["5.12.3"]).toBeGreaterThanOrEqual(before);
    expect(story.status(name).reached).toMatchObject({ stage: "Phase", phase: 1 });
    await story.edit(name, { requested: "Run" });
    await story.until("phase 2", () => story.status(name).reached?.phase === 2, 4 * DAY);
    expect(story.offers("5.12.3", { from: paused })).toBeGreaterThan(0);
  });

  it("an account pauses the version: nothing of it is offered there, elsewhere it goes on; resumed, the account follows", async () => {
    const story = await ClientStory.begin({ accounts: [ACME, EMPORIO] });
    const name = await story.rollout("5.12.3");
    await story.until("phase 1", () => story.status(name).reached?.stage === "Phase", 16 * DAY);
    const pause = { version: "5.12.3", reason: "audit week" };
    await story.policy("emporio", { upgrade: "Automatic", pause });
    await story.pass(MINUTE);
    const paused = story.now;
    expect(story.view("emporio", name)).toMatchObject({ effective: "Paused", reasons: ["the account paused 5.12.3: audit week"] });
    expect(story.view("acme", name)).toMatchObject({ effective: "Run" });
    await story.pass(5 * DAY);
    expect([story.offers("5.12.3", { account: "emporio", from: paused }), story.versions("acme")]).toEqual([0, { "5.12.3": 24 }]);
    await story.policy("emporio", { upgrade: "Automatic" });
    await story.pass(2 * DAY);
    expect([story.view("emporio", name)!.effective, story.versions("emporio")]).toEqual(["Run", { "5.12.3": 16 }]);
  });

  it("[G15] a gateway that answers by the account's policy before, deleted and made anew, has not confirmed its pause", async () => {
    const story = await ClientStory.begin({ accounts: [ACME, EMPORIO] });
    const { world } = story;
    const name = await story.rollout("5.12.3");
    await story.until("phase 1", () => story.status(name).reached?.stage === "Phase", 16 * DAY);
    const before = story.policyOf("emporio").metadata.uid;
    const beats = async (policy: string): Promise<void> => {
      await world.clients.beat({ name: "gateway-1", pauses: new Map(), policies: new Map([[policy, 1]]) });
      await story.pass(5_000);
    };
    for (let beat = 0; beat < 6; beat += 1) await beats(before);
    const pause = { version: "5.12.3", reason: "audit week" };
    await world.while(world.kubectl.delete(ACCOUNT_POLICY, "account", "emporio"));
    await story.write(ACCOUNT_POLICY, "emporio", "account", { clients: { windows: { upgrade: "Automatic", pause } } });
    const { uid, generation } = story.policyOf("emporio").metadata;
    expect([uid === before, generation]).toEqual([false, 1]);
    for (let beat = 0; beat < 12; beat += 1) await beats(before);
    expect(story.view("emporio", name)?.effective).toBe("Run");
    for (let beat = 0; beat < 12; beat += 1) await beats(uid);
    expect(story.view("emporio", name)).toMatchObject({ effective: "Paused", reasons: ["the account paused 5.12.3: audit week"] });
  });

  it("[C7] a file that the gateway cannot read holds the rollout by name and is offered to nobody, until it is there", async () => {
    const story = await ClientStory.begin({ accounts: [ACME, EMPORIO] });
    const name = await story.rollout("5.12.3");
    const { uid } = story.read(name).metadata;
    const beats = async (): Promise<void> => {
      // Longer than the ten minutes between two readings of what gateways told.
      for (let beat = 0; beat < 132; beat += 1) {
        await story.world.clients.beat({ name: "gateway-1", pauses: new Map(), policies: new Map(), missing: story.missing });
        await story.pass(5_000);
      }
    };
    story.missing = new Map([[uid, "/files/client.msi could not be read (ENOENT); put the file there"]]);
    await beats();
    expect(story.status(name).holds![0]).toMatchObject({
      reason: "ArtifactMissing",
      message: "gateway gateway-1 offers it to nobody: /files/client.msi could not be read (ENOENT); put the file there",
    });
    expect(story.condition(name, "Progressing")).toBe("False ArtifactMissing");
    await story.pass(2 * DAY);
    expect(story.versions("acme")).toEqual({ "5.11.0": 24 });
    story.missing = new Map();
    await beats();
    expect([story.holds(name).includes("C7 ArtifactMissing"), story.condition(name, "Progressing")]).toEqual([false, "True Piloting"]);
    await story.pass(2 * DAY);
    expect(story.versions("acme")).toEqual({ "5.11.0": 20, "5.12.3": 4 });
  });

  it("[C2] an account whose own pilots fail is held alone, is told so, and goes on when it overrules them", async () => {
    const where = ({ account, device }: { account: string; device: string }) => account === "acme" && device === "pc-0";
    const story = await ClientStory.begin({
      accounts: [
        { ...ACME, pilots: 2 },
        { ...EMPORIO, policies: AUTOMATIC, pilots: 10 },
      ],
      faults: { "5.12.3": { fails: 1, where } },
    });
    const name = await story.rollout("5.12.3");
    await story.until("the end", () => story.status(name).standingSince !== undefined, 30 * DAY);
    expect(story.versions("emporio")).toEqual({ "5.12.3": 16 });
    // Its other pilot had it before; of all the others nobody.
    expect(story.versions("acme")).toEqual({ "5.11.0": 23, "5.12.3": 1 });
    const overrule = "1 of 2 own pilots failed; clients.windows.overrulePilot goes on all the same";
    expect(story.view("acme", name)).toMatchObject({ effective: "Paused", reasons: [overrule], pilot: { failed: 1, attempted: 2 } });
    await story.policy("acme", {
      upgrade: "Automatic",
      pilotGroup: { groups: ["it"] },
      overrulePilot: { version: "5.12.3", reason: "a broken disk" },
    });
    await story.pass(2 * DAY);
    expect(story.versions("acme")).toEqual({ "5.11.0": 1, "5.12.3": 23 });
    expect(story.view("acme", name)).toMatchObject({ effective: "Run" });
  });

  it("it pauses itself when more fail than may; a fixed version goes to those that have the faulty one, then on; the old object may go", async () => {
    const story = await ClientStory.begin({
      accounts: [
        { ...ACME, clients: 60 },
        { ...EMPORIO, clients: 60 },
      ],
      faults: { "5.12.3": { fails: 0.5, where: ({ device }) => Number(device.slice(3)) > 3 } },
    });
    const faulty = await story.rollout("5.12.3");
    await story.until("phase 1", () => story.status(faulty).reached?.stage === "Phase", 16 * DAY);
    await story.until("the automatic pause", () => story.status(faulty).monitoring?.paused !== undefined, 2 * DAY);
    await story.pass(MINUTE);
    expect(story.status(faulty)).toMatchObject({ effective: "Paused", monitoring: { paused: { by: "Failures" } } });
    expect(story.condition(faulty, "Paused")).toBe("True PausedByMonitoring");
    // An account hears that it paused itself, and no number of others (rule I15).
    const told = "it paused itself: too many failures, or a figure of monitoring";
    expect(story.view("acme", faulty)).toMatchObject({ effective: "Paused", reasons: [told] });
    const paused = story.now;
    await story.pass(DAY);
    expect(story.offers("5.12.3", { from: paused })).toBe(0);
    const exposed = story.versions()["5.12.3"]!;

    const fixed = await story.rollout("5.12.4", { supersedes: { name: faulty }, exposedGate: gate });
    await story.pass(MINUTE);
    expect(story.status(fixed)).toMatchObject({
      reached: { stage: "Exposed" },
      inherited: { from: faulty, versions: ["5.12.3"], usersPercent: 50 },
    });
    expect(story.status(faulty)).toMatchObject({ effective: "Stopped", stopped: { by: "Superseded" } });
    await story.until("the phase taken over", () => story.status(fixed).reached?.stage === "Phase", 3 * DAY);
    expect(story.status(fixed)).toMatchObject({ chain: [faulty, fixed], reached: { phase: 1, accountsPercent: 100, usersPercent: 50 } });
    expect(story.status(fixed).stages![0]).toMatchObject({ name: "exposed", outcome: "Passed" });
    await story.delete(faulty);
    await story.until("the end", () => story.status(fixed).standingSince !== undefined, 10 * DAY);
    expect(story.versions()).toEqual({ "5.12.4": 120 });
    expect(story.status(fixed).stages![0]!.numbers).toMatchObject({ eligible: exposed, confirmed: exposed });
    expect(story.offers("5.12.3", { from: paused })).toBe(0);
  });

  it("a figure of Prometheus that fails pauses it until a person resumes it; one that is not there promotes nothing", async () => {
    const story = await ClientStory.begin({ accounts: [ACME, EMPORIO] });
    const { prometheus } = story.world;
    const figure = { server: { url: prometheus.url }, query: "crash_ratio", passIf: "<= 0.01", failIf: "> 0.05" };
    prometheus.replies.set("crash_ratio", 0.001);
    const name = await story.rollout("5.12.3", { health: { failedPercentAtMost: 10, prometheus: figure } });
    await story.pass(13 * DAY);
    prometheus.up = false;
    await story.pass(2 * DAY);
    expect([story.holds(name), story.status(name).reached!.stage]).toEqual([["G9 HealthUnknown"], "Pilot"]);
    prometheus.up = true;
    await story.pass(HOUR);
    expect(story.status(name).reached!.stage).toBe("Phase");
    prometheus.replies.set("crash_ratio", 0.2);
    await story.pass(5 * MINUTE);
    expect(story.status(name)).toMatchObject({ effective: "Paused", monitoring: { paused: { by: "Query" } } });
    expect(story.events(name).at(-1)).toBe("PausedByMonitoring");
    const paused = story.now;
    prometheus.replies.set("crash_ratio", 0.001);
    await story.pass(DAY);
    expect([story.status(name).effective, story.offers("5.12.3", { from: paused })]).toEqual(["Paused", 0]);
    await story.edit(name, { requests: { resume: { at: new Date(story.now).toISOString() } } });
    await story.until("the end", () => story.status(name).standingSince !== undefined, 8 * DAY);
    expect(story.versions()).toEqual({ "5.12.3": 40 });
  });

  it("the Fleet is paused: every rollout stands, and its reason is the Fleet", async () => {
    const story = await ClientStory.begin({ accounts: [ACME] });
    const name = await story.rollout("5.12.3");
    await story.pass(HOUR);
    await story.editFleet({ paused: true, reason: "works" });
    await story.pass(MINUTE);
    expect(story.status(name)).toMatchObject({ effective: "Paused", reasons: [{ by: "Fleet" }] });
    const [paused, offered] = [story.now, story.offers("5.12.3")];
    await story.pass(DAY);
    expect(story.offers("5.12.3", { from: paused })).toBe(0);
    await story.editFleet({ paused: false });
    await story.pass(DAY);
    expect([story.status(name).effective, story.offers("5.12.3") >= offered]).toEqual(["Run", true]);
  });
});

describe("[G9] the inventory", () => {
  it("away when phase 1 is due: nothing opens and nothing is concluded; back, it opens at once", async () => {
    const story = await ClientStory.begin({ accounts: [ACME, EMPORIO] });
    const name = await story.rollout("5.12.3");
    await story.pass(13 * DAY);
    story.world.inventoryOutage = "Away";
    await story.pass(3 * DAY);
    expect(story.holds(name)).toEqual(["G9 InventoryUnavailable"]);
    expect(story.status(name).reached!.stage).toBe("Pilot");
    // What was told last stands, and nobody takes it for news.
    expect(story.status(name).stages![0]!.numbers).toMatchObject({ confirmed: 4 });
    expect(story.view("acme", name)!.pilot).toMatchObject({ confirmed: 4 });
    story.world.inventoryOutage = "None";
    await story.pass(HOUR);
    expect(story.status(name).reached).toMatchObject({ stage: "Phase", phase: 1 });
  });

  it("an operator that was started without one says so on every rollout, and promotes nothing", async () => {
    const story = await ClientStory.begin({ accounts: [ACME], operator: false });
    story.world.startOperator({ clients: false });
    const name = await story.rollout("5.12.3");
    await story.pass(30 * DAY);
    expect(story.holds(name)).toEqual(["G9 InventoryUnavailable"]);
    expect(story.status(name).reached!.stage).toBe("Pilot");
  });
});

describe("[I8] operators that die, and two at once", () => {
  it("an operator that dies every nine hours, and one beside it for a week, end as one alone does", async () => {
    const run = async (troubled: boolean) => {
      const story = await ClientStory.begin({ accounts: [ACME, EMPORIO, KEEPER] });
      const name = await story.rollout("5.12.3");
      for (let nth = 0; nth < 60; nth += 1) {
        await story.pass(9 * HOUR);
        if (!troubled) continue;
        story.world.operators.at(-1)!.crash();
        story.world.startOperator();
        if (nth === 20) story.world.startOperator();
      }
      const { stages, standingSince, numbers } = story.status(name);
      return {
        opened: stages!.map((stage) => [stage.name, stage.openedAt, stage.outcome]),
        standingSince,
        numbers,
        versions: story.versions(),
      };
    };
    expect(await run(true)).toEqual(await run(false));
  });
});
