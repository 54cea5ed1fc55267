import { describe, expect, it } from "vitest";
import { clientPolicy } from "../../api/client-policy.ts";
import type { ClientRollout, ClientRolloutStatus } from "../../api/client-rollout.ts";
import { clientRollout } from "../client/client.examples.ts";
import { cohortOf, phaseOf } from "../client/cohort.ts";
import { clientViews } from "../client/rollout-view.ts";
import { counted, RolloutWorld } from "../client-rollout/rollout-world.examples.ts";
import { type ExplainedClient, type ExplainedDevice, explainClient } from "./client.ts";

const MONDAY = Date.parse("2026-11-02T09:00:00Z");
const DAY = 86_400_000;
const device = (more: Partial<ExplainedDevice> = {}): ExplainedDevice => ({
  os: "Windows",
  version: "5.11.0",
  user: "anna@acme.example",
  groups: [],
  firstSeenAt: MONDAY - 30 * DAY,
  seenAt: MONDAY + DAY,
  attempts: [],
  ...more,
});
const automatic = clientPolicy.parse({ upgrade: "Automatic", pilotGroup: { groups: ["it"] } });
const seen = (rollout: ClientRollout, more: Partial<ExplainedClient> = {}): ExplainedClient => ({
  account: "acme",
  device: "d-1",
  known: device(),
  labels: { "rollward.dev/account": "acme" },
  policies: { windows: automatic },
  rollouts: [rollout],
  fleetPaused: false,
  zone: "Europe/Berlin",
  ...more,
});
const lines = (given: ExplainedClient, title: string, now = MONDAY + 2 * DAY): readonly string[] =>
  explainClient(given, now).sections.find((section) => section.title === title)?.lines ?? [];

/** 5.12.3 with its pilots, all well: the forecast names three phases. */
function piloting(): ClientRollout {
  const world = new RolloutWorld();
  world.numbers = new Map([["pilot", counted(80)]]);
  world.look(MONDAY);
  return world.rollout;
}
const rolling = (phase: number, accountsPercent: number, usersPercent: number): ClientRollout => {
  const status: ClientRolloutStatus = { reached: { stage: "Phase", phase, accountsPercent, usersPercent, timer: { accumulated: 0 } } };
  return clientRollout({ status });
};

describe("what is said of one Client", () => {
  it("[C3] [F7] the instant at which the phase opens that reaches its user, in the zone that was asked for and in UTC", () => {
    const rollout = piloting();
    const phase = phaseOf(cohortOf({ account: "acme", user: "anna@acme.example", device: "d-1" }, rollout.spec), rollout.spec.phases)!;
    const at = rollout.status!.forecast!.phases[phase - 1]!.at;
    const given = seen(rollout);
    expect(explainClient(given, MONDAY + 2 * DAY).summary).toBe(
      "Client acme/d-1 (Windows) runs 5.11.0; nothing is offered to it (NoticeNotElapsed)",
    );
    expect(lines(given, "Comes")).toEqual([
      expect.stringContaining(`5.12.3 by ClientRollout windows-5-12-3: phase ${phase} reaches this user`),
    ]);
    expect(lines(given, "Comes")[0]).toContain(`Europe/Berlin (${at}), if nothing fails and nobody pauses it.`);
    expect(lines(given, "Why not yet")[0]).toMatch(/^NoticeNotElapsed: pilots have 5\.12\.3; .*Monday 2026-11-23 10:00 Europe\/Berlin/);
    // What the rollout itself waits for stands below.
    expect(lines(given, "Why not yet").slice(1)).toEqual([
      "What ClientRollout windows-5-12-3 itself waits for:",
      expect.stringMatching(/^1\. NoticeNotElapsed \(rule C2\)/),
    ]);
  });

  it("[C2] until when the pilots have it for their minimum is said of phase 1 alike in the answer and in the forecast", () => {
    const world = new RolloutWorld({ spec: { pilot: { minimumDays: 28 } } });
    world.numbers = new Map([["pilot", counted(80)]]);
    world.look(MONDAY);
    expect(world.status.forecast!.phases[0]!.at).toBe("2026-11-30T09:00:00Z");
    expect(lines(seen(world.rollout), "Why not yet")[0]).toBe(
      "AwaitingEvidence: pilots have 5.12.3, and their time is not over; until Monday 2026-11-30 10:00 Europe/Berlin (2026-11-30T09:00:00Z).",
    );
  });

  it("[C2] a pilot is offered it at once, and told why; another account is not spoken of", () => {
    const given = seen(piloting(), { known: device({ groups: ["it"] }) });
    expect(explainClient(given, MONDAY + 2 * DAY).summary).toBe(
      "Client acme/d-1 (Windows) runs 5.11.0; its next check-in is offered 5.12.3",
    );
    expect(lines(given, "Comes")).toEqual(["5.12.3 by ClientRollout windows-5-12-3, in stage pilot, at its next check-in."]);
    expect(lines(given, "Who comes when")[0]).toBe("Its user is in the account's pilot group: it gets 5.12.3 from the announcement on.");
    expect(lines(given, "Why not yet")).toEqual([]);
  });

  it("[C3] a fixed version that takes over phase 2 names the phase in which a user of the first one gets it", () => {
    const status: ClientRolloutStatus = {
      reached: { stage: "Exposed", accountsPercent: 0, usersPercent: 0, timer: { accumulated: 0 } },
      inherited: { from: "old", versions: ["5.12.2"], accountsPercent: 25, usersPercent: 50, pilotPassed: true, pilotElapsed: 0 },
    };
    const rollout = clientRollout({ status });
    const [view] = clientViews([rollout]);
    expect(view!.firstPhase).toBe(2);
    const account = accountOfPhase1(rollout);
    expect(lines(seen(rollout, { account, known: device({ user: "u1" }) }), "Comes")[0]).toContain("phase 2 reaches this user");
  });

  it("[C2] a version that is announced for later is told with the instant, to its own pilots too", () => {
    const world = new RolloutWorld();
    world.look(MONDAY - 2 * DAY);
    const given = seen(world.rollout, { known: device({ groups: ["it"] }) });
    expect(lines(given, "Why not yet", MONDAY - DAY)[0]).toBe(
      "NoticeNotElapsed: 5.12.3 is announced for later; until Monday 2026-11-02 10:00 Europe/Berlin (2026-11-02T09:00:00Z).",
    );
    expect(lines(given, "Comes", MONDAY - DAY)[0]).toMatch(/it is announced Monday 2026-11-02 10:00 .*; phase \d reaches this user/);
    const pause = { version: "5.12.3", reason: "audit", until: "2026-12-01T00:00:00Z" };
    expect(lines({ ...given, policies: { windows: { ...automatic, pause } } }, "Why not yet", MONDAY - DAY)[0]).toMatch(
      /^PausedByAccount: the account paused 5\.12\.3: audit; until Tuesday 2026-12-01/,
    );
  });

  it("[C7] a file that no gateway can read: not offered, with what the operator was told; one that some gateway has is", () => {
    const rollout = rolling(3, 100, 100);
    const hold = { rule: "C7", reason: "ArtifactMissing", message: "gateway gateway-1 offers it to nobody: put the file there" };
    const held = { ...rollout, status: { ...rollout.status!, holds: [hold] } };
    const given = seen(held, { missing: new Set([rollout.metadata.uid]) });
    expect(explainClient(given, MONDAY + 2 * DAY).summary).toMatch(/nothing is offered to it \(ArtifactMissing\)$/);
    expect(lines(given, "Comes")[0]).toMatch(/its turn has come, and it is offered as soon as a gateway can read the file\.$/);
    expect(lines(given, "Why not yet")[2]).toMatch(/^1\. ArtifactMissing \(rule C7\): gateway gateway-1 offers it to nobody/);
    const elsewhere = seen(held, { missing: new Set() });
    expect(explainClient(elsewhere, MONDAY + 2 * DAY).summary).toMatch(/its next check-in is offered 5\.12\.3$/);
    expect(lines(elsewhere, "Attention")).toEqual(["gateway gateway-1 offers it to nobody: put the file there."]);
  });

  it.each([
    [
      "its account's pause",
      { policies: { windows: { ...automatic, pause: { version: "5.12.3", reason: "audit" } } } },
      "PausedByAccount: the account paused 5.12.3: audit.",
    ],
    ["a managed account", { policies: {} }, "PolicyManaged: the account manages Clients on Windows itself."],
    ["the Fleet's pause", { fleetPaused: true }, "FleetPaused: the Fleet is paused."],
    [
      "a newer version",
      { known: device({ version: "5.13.0" }) },
      "OlderVersion: it runs a newer version than 5.12.3, and nobody is taken back.",
    ],
  ])("[C7] %s is the reason", (_, more, sentence) => {
    expect(lines(seen(rolling(3, 100, 100), more as Partial<ExplainedClient>), "Why not yet")[0]).toBe(sentence);
  });

  it("[C2] the account's own failed pilots hold it, by what its AccountPolicy tells", () => {
    const rollout = rolling(3, 100, 100);
    const { uid, name } = rollout.metadata;
    const clients = [
      { rollout: name, uid, os: "Windows", version: "5.12.3", inPhase: true, effective: "Run" as const, pilot: counted(4, 1) },
    ];
    expect(lines(seen(rollout, { status: { clients } }), "Why not yet")[0]).toMatch(
      /^PilotFailed: the account's own pilots of 5\.12\.3 failed/,
    );
    expect(lines(seen(rollout, { status: { clients: [{ ...clients[0]!, uid: "older" }] } }), "Why not yet")).toEqual([]);
  });

  it("[G8] three failed check-ins are its verdict, with the error code and the moments", () => {
    const rollout = rolling(3, 100, 100);
    const { revision } = clientViews([rollout])[0]!;
    const attempt = { rollout: rollout.metadata.uid, revision, stage: "phase-1", pilot: false, reachedAt: MONDAY, offeredAt: MONDAY };
    const known = device({ attempts: [{ ...attempt, attemptedAt: MONDAY, failedAt: MONDAY + DAY, errorCode: 1603, failures: 3 }] });
    const given = seen(rollout, { known });
    expect(lines(given, "Why not yet")[0]).toBe("FailedBefore: 5.12.3 failed on this device at 3 check-ins; it is not tried again.");
    expect(lines(given, "Attempts")[0]).toMatch(
      /^5\.12\.3 \(ClientRollout windows-5-12-3\), stage phase-1: offered .*; failed .* with error code 1603, at 3 check-ins\.$/,
    );
  });

  it("without an inventory it says what is not known, and when the account's first users are reached", () => {
    const { known: _, ...given } = seen(piloting());
    expect(explainClient(given, MONDAY).summary).toBe("Client acme/d-1: only what the cluster tells of its account is known");
    expect(lines(given, "Not known")[1]).toContain("--inventory");
    expect(lines(given, "Policy of the account")).toEqual(["Windows: Automatic, macOS: Managed, Linux: Managed."]);
    expect(lines(given, "Comes to the account")[0]).toMatch(
      /^Windows 5\.12\.3 by ClientRollout windows-5-12-3: phase \d reaches the first of its users, Monday|Thursday|Tuesday/,
    );
  });

  it("[G12] what a device calls itself cannot repaint a terminal", () => {
    const given = seen(piloting(), { device: "d\u001b[31m", known: device({ user: "an\u202ena" }) });
    const { summary, sections } = explainClient(given, MONDAY);
    const text = [summary, ...sections.flatMap((section) => section.lines)].join("\n");
    expect([text.includes("\u001b"), text.includes("\u202e")]).toEqual([false, false]);
  });
});

/** An account whose user u1 the first phase reaches. */
function accountOfPhase1({ spec }: ClientRollout): string {
  return Array.from({ length: 2_000 }, (_, index) => `account-${index}`).find(
    (account) => phaseOf(cohortOf({ account, user: "u1", device: "d-1" }, spec), spec.phases) === 1,
  )!;
}
