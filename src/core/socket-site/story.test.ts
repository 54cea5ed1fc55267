import { describe, expect, it } from "vitest";
import { rolloutView } from "../socket/rollout-view.examples.ts";
import { HOUR, MINUTE } from "../time/civil.ts";
import { parseInstant } from "../time/instant.ts";
import { SiteWorld } from "./site-world.examples.ts";
import { berlin, device, inventoryOf } from "./socket-site.examples.ts";

const TUESDAY = "2026-11-24T12:00:00Z";
const rollout = (version: string, given: Parameters<typeof rolloutView>[0] = {}) =>
  rolloutView({
    name: `socket-${version}`,
    uid: `rollout-${version}`,
    revision: `${version}-1`,
    spec: { ...rolloutView().spec, version, from: ">=15.0.0" },
    ...given,
  });

/** A pair on these two versions, S-2001 active. */
const pairOn = (first: string, second: string, given: ConstructorParameters<typeof SiteWorld>[1] = {}) =>
  new SiteWorld(TUESDAY, {
    inventory: inventoryOf([
      device("S-2001", { version: first }),
      device("S-2002", { version: second, ha: { state: "Standby", keepalive: true } }),
    ]),
    ...given,
  });

describe("HA Status is not ready", () => {
  it("[S6] 18.0 beside 15.0: the story names both, the majors missing, and its features; AtRisk while the higher one is active", () => {
    const features = [
      { key: "tls-inspection", needs: ">=16.0" },
      { key: "ipv6", needs: ">=14.0" },
      { key: "far-away", needs: ">=19.0" },
    ];
    const world = pairOn("18.0", "15.0", { rollouts: [rollout("18.0")], features });
    world.look();
    expect(world.status.ha).toMatchObject({
      status: "NotReady",
      checks: [
        { name: "Keepalive" },
        { name: "Connectivity" },
        { name: "SameModel" },
        { status: "NotReady", reason: "IncompatibleMajorVersions" },
      ],
      story: {
        title: "HA Status is not ready",
        severity: "AtRisk",
        lower: { serial: "S-2002", version: "15.0" },
        higher: { serial: "S-2001", version: "18.0" },
        missingMajors: [16, 17, 18],
        features: ["tls-inspection"],
        remedy: { action: "Upgrade", serial: "S-2002", version: "18.0" },
      },
    });
    expect(world.status.conditions!.find(({ type }) => type === "HAReady")).toMatchObject({
      status: "False",
      reason: "IncompatibleMajorVersions",
    });
    const { id } = world.status.ha!.story!;
    world.report("S-2001", { ha: { state: "Standby", keepalive: true } });
    world.report("S-2002", { ha: { state: "Active", keepalive: true } });
    world.look();
    expect(world.status.ha!.story).toMatchObject({ severity: "Degraded", id });
  });

  it("[S6] minors may differ", () => {
    const world = pairOn("18.3.3", "18.0", { rollouts: [] });
    world.look();
    expect(world.status.ha).toMatchObject({ status: "Ready" });
    expect(world.status.ha!.story).toBeUndefined();
  });

  it("[S7] the lower goes to the other's exact version in the next window with notice; it closes by itself and keeps its history", () => {
    const world = pairOn("18.0", "15.0", { rollouts: [rollout("18.0"), rollout("18.3.3")], hasNoticeChannel: true });
    world.look();
    expect(world.upgrade).toMatchObject({ version: "18.0", cause: "Remedy" });
    expect(world.status.ha!.story!.remedy!.at).toBe(world.upgrade!.start);
    world.until("2026-11-29T02:00:00Z");
    expect(world.told).toMatchObject([{ serial: "S-2002", version: "18.0" }]);
    expect(world.status.ha).toMatchObject({ status: "Ready", history: [{ severity: "AtRisk", missingMajors: [16, 17, 18] }] });
    expect(world.status.ha!.story).toBeUndefined();
    // The pair then goes on to 18.3.3 with an announcement of its own.
    expect(world.upgrade).toMatchObject({ version: "18.3.3", cause: "Rollout" });
    expect(world.notices.map(({ kind, version }) => [kind, version])).toEqual([
      ["Planned", "18.0"],
      ["StoryOpened", undefined],
      ["StoryResolved", undefined],
      ["Planned", "18.3.3"],
    ]);
  });

  it("[S7] where the exact version is not served any more: the newest of that major, within maximumVersion; the ramp does not count", () => {
    const { site } = berlin();
    const outside = { ramp: { step: 0, percent: 0, opened: [] } };
    const world = pairOn("18.0", "15.0", {
      rollouts: [rollout("18.2", outside), rollout("18.3.3", outside), rollout("17.9")],
      site: { ...site, spec: { ...site.spec, maximumVersion: "18.3" } },
    });
    world.look();
    expect(world.upgrade).toMatchObject({ version: "18.2", cause: "Remedy" });
    world.until("2026-11-29T02:00:00Z");
    expect(world.told.map(({ serial, version }) => `${serial} ${version}`)).toEqual(["S-2002 18.2"]);
    expect(world.status.sockets![0]!.version, "the higher one is never lowered").toBe("18.0");
  });

  it("[S7] never to a revision that failed there: both wait for the fixed version, and the story says so", () => {
    const world = pairOn("18.0", "15.0", { rollouts: [rollout("18.0")] });
    world.seen = {
      ...world.seen,
      site: {
        ...world.seen.site,
        status: {
          verdicts: [
            { serial: "S-2002", revision: "18.0-1", failedWindows: 2, failed: true, at: "2026-11-01T00:00:00Z", reason: "InstallFailed" },
          ],
        },
      },
    };
    world.look();
    expect(world.upgrade).toBeUndefined();
    expect(world.status.ha!.story).toMatchObject({ remedy: { action: "AwaitFixedVersion", serial: "S-2002" } });
    expect(world.status.ha!.story!.steps[0]).toContain("Wait for a fixed version");
    world.seen = { ...world.seen, rollouts: [rollout("18.0"), rollout("18.0.1")] };
    world.look();
    expect(world.upgrade).toMatchObject({ version: "18.0.1", cause: "Remedy" });
  });

  it("[S7] Manual: nothing is planned, and the story says what to ask for", () => {
    const world = pairOn("18.0", "15.0", {
      rollouts: [rollout("18.0", { ramp: { step: 0, percent: 0, opened: [] } })],
      policy: { order: "StandbyFirst", haRemediation: "Manual" },
    });
    world.until("2026-11-29T02:00:00Z");
    expect(world.told).toEqual([]);
    expect(world.status.ha!.story!.steps.join(" ")).toContain("upgradeNow with serial S-2002 and version 18.0");
    expect(world.status.ha!.story!.remedy).not.toHaveProperty("at");
  });

  it("[S8] the second Socket unplugged after the first is done: the story opens when its last start has passed, and closes a week later", () => {
    const world = new SiteWorld(TUESDAY, { hasNoticeChannel: true });
    world.until("2026-11-29T00:00:00Z");
    world.until(parseInstant(world.upgrade!.start!)! + 20 * MINUTE);
    world.report("S-2001", { polledMilliseconds: 3_600_000 });
    world.until("2026-11-29T01:24:59Z");
    expect(world.status.ha!.status).toBe("NotReady");
    expect(world.status.ha!.story, "its last start is 01:25").toBeUndefined();
    world.until("2026-11-29T02:00:00Z");
    expect(world.upgrade).toMatchObject({
      step: "Skipped",
      reason: "NotConnected",
      done: ["S-2002"],
      planned: { start: "2026-12-06T00:00:00Z" },
    });
    expect(world.status.ha!.story).toMatchObject({
      lower: { serial: "S-2001", version: "17.2" },
      higher: { serial: "S-2002", version: "18.3.3" },
    });
    expect(world.status.ha!.story!.remedy).toMatchObject({
      action: "Upgrade",
      serial: "S-2001",
      version: "18.3.3",
      at: world.upgrade!.start,
    });
    expect(world.notices.map(({ kind }) => kind)).toEqual(["Planned", "Skipped", "StoryOpened"]);
    world.report("S-2001", { polledMilliseconds: 1, ha: { state: "Standby", keepalive: true } });
    world.report("S-2002", { ha: { state: "Active", keepalive: true } });
    world.until("2026-12-06T02:00:00Z");
    expect(world.told.map(({ serial }) => serial)).toEqual(["S-2002", "S-2001"]);
    expect(world.status.ha).toMatchObject({ status: "Ready", history: [{ resolvedAt: expect.any(String) }] });
    expect(world.upgrade?.step).toBe("Completed");
  });

  it("[S6] at most five stories are kept, the newest first", () => {
    const world = pairOn("18.0", "18.0", { rollouts: [] });
    for (let turn = 0; turn < 7; turn += 1) {
      world.report("S-2002", { version: `1${turn}.0` });
      world.now += HOUR;
      world.look();
      world.report("S-2002", { version: "18.0" });
      world.now += HOUR;
      world.look();
    }
    expect(world.status.ha!.history!.map(({ lower }) => lower.version)).toEqual(["16.0", "15.0", "14.0", "13.0", "12.0"]);
  });

  it("[I19] majors far apart fill no status: the highest 64 are told", () => {
    const world = pairOn("999.0", "15.0", { rollouts: [] });
    world.look();
    expect(world.status.ha!.story!.missingMajors).toHaveLength(64);
    expect(world.status.ha!.story!.missingMajors.at(-1)).toBe(999);
  });
});
