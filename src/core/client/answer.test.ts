import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareVersions, isDowngrade, parseVersion } from "../../api/version.ts";
import { HOUR, WEEK } from "../time/civil.ts";
import { answer } from "./answer.ts";
import { account, ANNOUNCED, checkIn, clientRollout, inPhase, inStage } from "./client.examples.ts";
import type { AccountView, CheckIn } from "./check-in.ts";
import type { ClientRollout } from "../../api/client-rollout.ts";
import { clientViews } from "./rollout-view.ts";

const NOW = Date.parse(ANNOUNCED) + 4 * WEEK;
const FRESH = { fresh: true, paused: false };

const ask = (rollouts: readonly ClientRollout[], device: Partial<CheckIn> = {}, of: AccountView = account(), fleet = FRESH, now = NOW) =>
  answer(checkIn(device), of, clientViews(rollouts), fleet, now);
/** `5.12.3 by phase-1`, or the reason. */
const said = (...asked: Parameters<typeof ask>): string => {
  const given = ask(...asked);
  return given.kind === "Offer" ? `${given.rollout.version} by ${given.stage}` : given.reason;
};
const everybody = clientRollout({ status: inPhase(3, 100, 100) });
const piloting = clientRollout({ status: inStage("Pilot") });
const FAULTY = { ...inPhase(2, 25, 50), stopped: { at: ANNOUNCED, by: "Person" as const, message: "crash on resume from sleep" } };
const fixed = (status = inStage("Exposed")) =>
  clientRollout({
    name: "windows-5-12-4",
    spec: { version: "5.12.4", supersedes: { name: "windows-5-12-3" } },
    status: {
      ...status,
      inherited: {
        from: "windows-5-12-3",
        versions: ["5.12.3"],
        accountsPercent: 25,
        usersPercent: 50,
        pilotPassed: true,
        pilotElapsed: 0,
      },
    },
  });

describe("a check-in", () => {
  it("is offered the version that a phase brought to the user, with the account's experience", () => {
    const offer = ask([everybody], {}, account({ experience: "Notify" }));
    expect(offer).toMatchObject({
      kind: "Offer",
      experience: "Notify",
      rollout: { version: "5.12.3", revision: "5.12.3-9f86d0819f86d081" },
    });
    expect(said([everybody])).toMatch(/^5\.12\.3 by phase-[123]$/);
  });

  it.each<[string, string, Parameters<typeof ask>]>([
    ["the account manages the system itself", "PolicyManaged", [[everybody], {}, account({ upgrade: "Managed" })]],
    ["the account says nothing of the system", "PolicyManaged", [[everybody], {}, { labels: {}, failedPilots: new Set() }]],
    ["it runs the version", "UpToDate", [[everybody], { version: "5.12.3.0" }]],
    ["it runs a newer one", "OlderVersion", [[everybody], { version: "6.0" }]],
    ["it says something that is no version", "VersionUnreadable", [[everybody], { version: "5.x-beta/../" }]],
    ["nothing is announced for its system", "NothingAnnounced", [[everybody], { os: "Linux" }]],
    ["the provider paused it", "Paused", [[clientRollout({ spec: { requested: "Paused", reason: "r" }, status: inPhase(3, 100, 100) })]]],
    [
      "the provider stopped it",
      "Stopped",
      [[clientRollout({ spec: { requested: "Stopped", reason: "r" }, status: inPhase(3, 100, 100) })]],
    ],
    ["the Fleet is paused", "FleetPaused", [[everybody], {}, account(), { fresh: true, paused: true }]],
    ["the gateway's view is too old", "ViewTooOld", [[everybody], {}, account(), { fresh: false, paused: false }]],
    [
      "monitoring paused it",
      "PausedByMonitoring",
      [
        [
          clientRollout({
            status: {
              ...inPhase(3, 100, 100),
              monitoring: { paused: { at: ANNOUNCED, by: "Failures", message: "32 of 400 devices failed" } },
            },
          }),
        ],
      ],
    ],
    ["the account paused it", "PausedByAccount", [[everybody], {}, account({ pause: { version: "5.12.3", reason: "audit" } })]],
    ["the account's own pilots failed", "PilotFailed", [[everybody], {}, account({}, { failedPilots: new Set(["uid-windows-5-12-3"]) })]],
    ["no phase has reached the user", "NotInPhase", [[clientRollout({ status: inPhase(1, 0, 0) })]]],
    ["pilots have it, and the notice runs", "NoticeNotElapsed", [[piloting], {}, account(), FRESH, Date.parse(ANNOUNCED) + WEEK]],
    ["pilots have it, and their evidence is missing", "AwaitingEvidence", [[piloting]]],
    ["devices on the faulty version come first", "NotInPhase", [[clientRollout({ status: FAULTY }), fixed()]]],
    ["it failed here at three check-ins", "FailedBefore", [[everybody], { failures: new Map([["5.12.3-9f86d0819f86d081", 3]]) }]],
    ["it wants another branch", "RefusedByClient", [[everybody], { targetVersionPrefix: "5.11." }]],
    ["its own administrator switched updates off", "RefusedByClient", [[everybody], { updatesDisabled: true }]],
    [
      "it is below a floor",
      "BelowFloor",
      [[clientRollout({ spec: { floors: [{ version: "5.10" }] }, status: inPhase(3, 100, 100) })], { version: "5.9" }],
    ],
    ["the operator has not seen the rollout", "NothingAnnounced", [[clientRollout()]]],
  ])("is offered nothing where %s: %s", (_, reason, asked) => {
    const given = ask(...asked);
    expect(said(...asked)).toBe(reason);
    expect(given.kind === "NoUpdate" && given.message).toMatch(/\w{2,} \w{2,}/);
  });

  it("[I15] the answer to one account tells nothing of the others: why a rollout paused itself is counted over all of them", () => {
    const paused = { at: ANNOUNCED, by: "Failures" as const, message: "32 of 400 devices failed" };
    const given = ask([clientRollout({ status: { ...inPhase(3, 100, 100), monitoring: { paused } } })]);
    expect(given.kind === "NoUpdate" && given.message).toBe("5.12.3 paused itself: too many failures, or a figure of monitoring");
  });

  it("[C2] pilots get it from the announcement: by name, by group, and all users of the provider's own accounts", () => {
    expect(said([piloting], { groups: ["it"] })).toBe("5.12.3 by pilot");
    expect(said([piloting], {}, account({ pilotGroup: { users: ["Anna@ACME.example"] } }))).toBe("5.12.3 by pilot");
    const own = clientRollout({ spec: { pilot: { accounts: { matchLabels: { internal: "true" } } } }, status: inStage("Pilot") });
    expect(said([own], {}, account({}, { labels: { internal: "true" } }))).toBe("5.12.3 by pilot");
    expect(said([own])).toBe("AwaitingEvidence");
    const nobody = clientRollout({ spec: { pilot: { accounts: {} } }, status: inStage("Pilot") });
    expect(said([nobody])).toBe("AwaitingEvidence");
  });

  it("[C7] a file that is not to be had is a reason of its own, for whose turn it is alone; the older version that stands is offered meanwhile", () => {
    const missing = { ...FRESH, missing: new Set(["uid-windows-5-12-3"]) };
    expect(ask([everybody], {}, account(), missing)).toMatchObject({
      reason: "ArtifactMissing",
      message: "the file of 5.12.3 is not to be had at this moment",
    });
    expect(said([piloting], { groups: ["it"] }, account(), missing)).toBe("ArtifactMissing");
    expect(said([piloting], {}, account(), missing, Date.parse(ANNOUNCED) + WEEK)).toBe("NoticeNotElapsed");
    const older = clientRollout({ name: "older", spec: { version: "5.12.2" }, status: inPhase(3, 100, 100) });
    expect(said([everybody, older], {}, account(), missing)).toMatch(/^5\.12\.2 by/);
  });

  it("[C7] a version that was paused before its first opening is told as paused, with the reason, by rollout or Fleet", () => {
    const paused = clientRollout({ spec: { requested: "Paused", reason: "a printer driver is looked at" } });
    expect(ask([paused])).toMatchObject({ reason: "Paused", message: "5.12.3 is paused: a printer driver is looked at" });
    expect(said([clientRollout()], {}, account(), { fresh: true, paused: true })).toBe("FleetPaused");
    const older = clientRollout({ name: "older", spec: { version: "5.12.2" }, status: inPhase(3, 100, 100) });
    expect(said([paused, older]), "what stands is offered meanwhile").toMatch(/^5\.12\.2 by/);
  });

  it("[C2] a version that is announced for later is told with the instant, unless the account has a stronger word", () => {
    const later = clientRollout();
    const [before, until] = [Date.parse(ANNOUNCED) - 1, Date.parse(ANNOUNCED)];
    const told = { reason: "NoticeNotElapsed", message: "5.12.3 is announced for later", until };
    expect(ask([later], {}, account(), FRESH, before)).toMatchObject(told);
    expect(ask([later], { groups: ["it"] }, account(), FRESH, before), "a pilot waits for it too").toMatchObject(told);
    expect(said([later], {}, account(), FRESH, until), "then the operator opens it").toBe("NothingAnnounced");
    const wanting = (policy: Parameters<typeof account>[0], device: Partial<CheckIn> = {}) =>
      said([later], device, account(policy), FRESH, before);
    expect(wanting({ upgrade: "Managed" })).toBe("PolicyManaged");
    expect(wanting({ pause: { version: "5.12.3", reason: "audit" } })).toBe("PausedByAccount");
    expect([wanting({}, { version: "5.12.3" }), wanting({}, { version: "6.0" })]).toEqual(["UpToDate", "OlderVersion"]);
    const stands = clientRollout({ name: "older", spec: { version: "5.12.2" }, status: inPhase(3, 100, 100) });
    expect(said([later, stands], { version: "5.12.2" }, account(), FRESH, before), "it runs what there is").toBe("UpToDate");
    const fix = fixed({});
    const early = { ...fix, spec: { ...fix.spec, announcedAt: "2026-12-24T09:00:00Z" } };
    expect(said([early], { version: "5.12.3" }), "nor is a fix offered before its announcement").toBe("NoticeNotElapsed");
  });

  it("[C2] who waits for the pilots is told the later of notice and their minimum, as the forecast has it", () => {
    const opened = "2026-11-20T09:00:00Z";
    const status = { reached: { ...inStage("Pilot").reached!, timer: { since: opened, accumulated: 0 } } };
    const of = (minimumDays: number) => clientRollout({ spec: { pilot: { minimumDays } }, status });
    const now = Date.parse("2026-11-21T00:00:00Z");
    expect(ask([of(14)], {}, account(), FRESH, now)).toMatchObject({
      reason: "AwaitingEvidence",
      message: "pilots have 5.12.3, and their time is not over",
      until: Date.parse("2026-12-04T09:00:00Z"),
    });
    expect(ask([of(2)], {}, account(), FRESH, now)).toMatchObject({
      reason: "NoticeNotElapsed",
      until: Date.parse("2026-11-23T09:00:00Z"),
    });
    const over = ask([of(14)], {}, account(), FRESH, Date.parse("2026-12-04T09:00:00Z"));
    expect([over.kind === "NoUpdate" && over.reason, "until" in over]).toEqual(["AwaitingEvidence", false]);
  });

  it("[C2] an account overrules its failed pilots for one version", () => {
    const failedPilots = new Set(["uid-windows-5-12-3"]);
    const overrule = (version: string) => account({ overrulePilot: { version, reason: "known" } }, { failedPilots });
    expect(said([everybody], {}, overrule("5.12.3"))).toMatch(/^5\.12\.3/);
    expect(said([everybody], {}, overrule("5.12.4"))).toBe("PilotFailed");
  });

  it("[C5] the account's pause ends at its until, to the millisecond, and holds no newer version", () => {
    const until = account({ pause: { version: "5.12.3", reason: "audit", until: "2026-12-01T00:00:00Z" } });
    const at = Date.parse("2026-12-01T00:00:00Z");
    expect(ask([everybody], {}, until, FRESH, at - 1)).toMatchObject({ reason: "PausedByAccount", until: at });
    expect(said([everybody], {}, until, FRESH, at)).toMatch(/^5\.12\.3/);
    const newer = clientRollout({ name: "n", spec: { version: "5.13.0" }, status: inPhase(3, 100, 100) });
    expect(said([everybody, newer], {}, until, FRESH, at - HOUR)).toMatch(/^5\.13\.0/);
  });

  it("[C6] devices on the faulty version come first, of the whole chain and whatever the phase; nobody gets the faulty one any more", () => {
    const faulty = clientRollout({ status: FAULTY });
    expect(said([faulty, fixed()], { version: "5.12.3" })).toBe("5.12.4 by exposed");
    expect(said([faulty, fixed()], { groups: ["it"] })).toBe("NotInPhase");
    const running = clientRollout({ status: inPhase(3, 100, 100) });
    expect(said([running, fixed()], { version: "5.11.0" }), "superseded the moment the new one is seen").toBe("NotInPhase");
    expect(said([running, clientRollout({ name: "f", spec: { version: "5.12.4", supersedes: { name: "other" } } })])).toMatch(/^5\.12\.3/);
  });

  it("[C8] an older version that stands is the step below a floor, and what is left where the newest is paused", () => {
    const step = clientRollout({ name: "windows-5-10", spec: { version: "5.10.0" }, status: inPhase(3, 100, 100) });
    const target = clientRollout({ spec: { floors: [{ version: "5.10.0" }, { version: "5.8.0" }] }, status: inPhase(3, 100, 100) });
    expect(said([target, step], { version: "5.9.9" })).toMatch(/^5\.10\.0/);
    expect(said([target, step], { version: "5.10.0" })).toMatch(/^5\.12\.3/);
    expect(said([target, step], { version: undefined as never })).toMatch(/^5\.12\.3/);
    expect(ask([target], { version: "5.9.9" })).toMatchObject({ message: "it has to go to 5.10.0 or a newer version before 5.12.3" });
    const paused = clientRollout({ spec: { requested: "Paused", reason: "r" }, status: inPhase(3, 100, 100) });
    expect(said([paused, step], { version: "5.9.9" })).toMatch(/^5\.10\.0/);
    expect(said([paused, step], { version: "5.11.0" })).toBe("Paused");
  });

  it("[C8] a new installation has no version, an empty one or zeros", () => {
    for (const version of ["", "0.0.0.0", "0.0"]) expect(said([everybody], { version })).toMatch(/^5\.12\.3/);
  });

  it("[G8] two failed check-ins are tried again, another artifact is another revision", () => {
    expect(said([everybody], { failures: new Map([["5.12.3-9f86d0819f86d081", 2]]) })).toMatch(/^5\.12\.3/);
    expect(said([everybody], { failures: new Map([["5.12.3-other", 9]]) })).toMatch(/^5\.12\.3/);
  });

  it("a rollout that cannot be carried out counts for nothing: an unknown one to mend, a floor that is too new, announced twice", () => {
    const given = (spec: Record<string, unknown>, name = "x") => clientRollout({ name, spec, status: inPhase(3, 100, 100) });
    expect(said([given({ version: "5.13.0", supersedes: { name: "nobody" } }), everybody])).toMatch(/^5\.12\.3/);
    expect(said([given({ version: "5.13.0", floors: [{ version: "5.13" }] }), everybody])).toMatch(/^5\.12\.3/);
    expect(said([given({ version: "5.12.3.0", requested: "Paused", reason: "r" }, "z"), everybody])).toMatch(/^5\.12\.3/);
    // Whoever reports zeros has nothing installed, so it would be offered again after each installation.
    for (const version of ["0.0", "0.0.0.0"]) expect(said([given({ version })], { version })).toBe("NothingAnnounced");
  });
});

describe("whatever comes", () => {
  const version = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)).map((parts) => parts.join("."));
  const reported = fc.oneof(version, fc.constant(""), fc.string({ maxLength: 12 }));
  const status = fc.oneof(
    fc.constant(inStage("Pilot")),
    fc.tuple(fc.nat(100), fc.nat(100)).map(([accounts, users]) => inPhase(1, accounts, users)),
  );
  const world = fc.record({
    versions: fc.uniqueArray(version, { minLength: 1, maxLength: 4 }),
    statuses: fc.array(status, { minLength: 4, maxLength: 4 }),
    requested: fc.array(fc.constantFrom("Run", "Paused", "Stopped"), { minLength: 4, maxLength: 4 }),
    floor: fc.option(version),
    reported,
    user: fc.string({ minLength: 1 }).filter((name) => name.trim() !== ""),
    groups: fc.constantFrom([], ["it"]),
  });
  const rolloutsOf = ({
    versions,
    statuses,
    requested,
    floor,
  }: {
    versions: string[];
    statuses: ReturnType<typeof inPhase>[];
    requested: string[];
    floor: string | null;
  }) =>
    versions.map((one, index) => {
      const fits = floor !== null && compareVersions(parseVersion(floor)!, parseVersion(one)!) < 0;
      const spec = { version: one, requested: requested[index], reason: "r", ...(fits ? { floors: [{ version: floor }] } : {}) };
      return clientRollout({ name: `r-${index}`, spec, status: statuses[index]! });
    });

  it("[C8] nobody is downgraded, nor offered what he runs, nor taken over a floor", () => {
    fc.assert(
      fc.property(world, (given) => {
        const offered = ask(rolloutsOf(given), { version: given.reported, user: given.user, groups: given.groups });
        if (offered.kind !== "Offer" || given.reported.trim() === "") return;
        const [runs, target] = [parseVersion(given.reported.trim())!, parseVersion(offered.rollout.version)!];
        expect(runs).toBeDefined();
        expect(isDowngrade(runs, target) || compareVersions(runs, target) === 0).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it("[C1] a managed account is never offered anything", () => {
    fc.assert(
      fc.property(world, (given) => {
        const device = { version: given.reported, user: given.user, groups: given.groups };
        expect(said(rolloutsOf(given), device, account({ upgrade: "Managed" }))).toBe("PolicyManaged");
      }),
    );
  });

  it("[C3] a user's two computers are answered alike; raising a share takes no offer away", () => {
    fc.assert(
      fc.property(world, fc.nat(100), fc.nat(100), fc.nat(100), fc.nat(100), (given, accounts, users, more, moreUsers) => {
        const of = (rollouts: readonly ClientRollout[], device: string) =>
          said(rollouts, { device, version: given.reported, user: given.user, groups: given.groups });
        const before = clientRollout({ status: inPhase(1, accounts, users) });
        const after = clientRollout({ status: inPhase(1, Math.max(accounts, more), Math.max(users, moreUsers)) });
        expect(of([before], "one")).toBe(of([before], "other"));
        expect(of([before], "one").startsWith("5.12.3") && !of([after], "one").startsWith("5.12.3")).toBe(false);
      }),
    );
  });
});
