import { describe, expect, it } from "vitest";
import { DAY, HOUR, MINUTE, SECOND, WEEK } from "../time/civil.ts";
import { ALL_WELL, counted, MONDAY, well } from "./rollout-world.examples.ts";

describe("who holds it", () => {
  it("[G3] a phase counts only while nobody pauses it: two days of pause open the next one two days later", () => {
    const world = well();
    world.until(MONDAY, MONDAY + 3 * WEEK + DAY);
    world.look(MONDAY + 3 * WEEK + DAY);
    world.edit({ requested: "Paused", reason: "a report from the field" });
    world.look(MONDAY + 3 * WEEK + DAY);
    world.edit({ requested: "Run" });
    world.until(MONDAY + 3 * WEEK + 3 * DAY, MONDAY + 3 * WEEK + 5 * DAY);
    expect(world.opened.at(-1)).toEqual(["phase-2", "2026-11-28T09:00:00Z"]);
  });

  it("[C5] effective turns Paused when every live replica has confirmed this pause, or is silent for more than ten seconds", () => {
    const world = well();
    world.look(MONDAY);
    world.edit({ requested: "Paused", reason: "crash on resume" });
    const replicas = (confirmed: number, silentMilliseconds: number) => [
      { name: "gateway-a", confirmed: 1, silentMilliseconds: 100 },
      { name: "gateway-b", confirmed, silentMilliseconds },
    ];
    const after = (confirmed: number, silent: number, now: number) => {
      world.around = { replicas: replicas(confirmed, silent) };
      world.look(now);
      return [world.status.effective, world.condition("Paused")];
    };
    expect(after(1, 100, MONDAY + HOUR), "confirmed before it stood in status").toEqual(["Run", "False PauseRequested"]);
    expect(after(0, 10_000, MONDAY + HOUR + SECOND)).toEqual(["Run", "False PauseRequested"]);
    expect(world.status.conditions!.find(({ type }) => type === "Paused")!.message).toContain("not confirmed yet by gateway-b");
    expect(after(0, 10_001, MONDAY + HOUR + 2 * SECOND)).toEqual(["Paused", "True PausedByPerson"]);
    expect(after(1, 100, MONDAY + HOUR + 3 * SECOND)).toEqual(["Paused", "True PausedByPerson"]);
    world.edit({ requested: "Run" });
    world.look(MONDAY + 2 * HOUR);
    expect([world.status.effective, world.status.pause]).toEqual(["Run", { id: 1 }]);
    world.edit({ requested: "Paused" });
    world.look(MONDAY + 3 * HOUR);
    expect([world.status.effective, world.status.pause?.id], "the old confirmation is of another pause").toEqual(["Run", 2]);
  });

  it("[G15] without signs of replicas it is acknowledged ten seconds after it was seen", () => {
    const world = well();
    world.look(MONDAY);
    world.edit({ requested: "Paused", reason: "r" });
    expect(world.look(MONDAY + HOUR).wakeAt).toBe(MONDAY + HOUR + 10 * SECOND);
    world.look(MONDAY + HOUR + 10 * SECOND);
    expect(world.status).toMatchObject({ effective: "Paused", reasons: [{ by: "Provider", message: "r" }] });
  });

  it("[C7] a file that a gateway cannot read is a hold without an end, from before the announcement on; the stage's time goes on", () => {
    const world = well();
    const missing = [{ gateway: "gateway-1", problem: "/files/client-5.12.3.msi could not be read (ENOENT); put the file there" }];
    world.around = { missing };
    world.look(MONDAY - DAY);
    expect(world.holds()).toEqual(["C2 NoticeNotElapsed", "C7 ArtifactMissing"]);
    world.until(MONDAY, MONDAY + DAY);
    expect(world.status.holds![0]).toMatchObject({
      reason: "ArtifactMissing",
      message: "gateway gateway-1 offers it to nobody: /files/client-5.12.3.msi could not be read (ENOENT); put the file there",
    });
    expect([world.condition("Progressing"), world.status.effective]).toEqual(["False ArtifactMissing", "Run"]);
    expect(world.status.reached!.timer.since).toBe("2026-11-02T09:00:00.000Z");
    world.around = {};
    world.look(MONDAY + 2 * DAY);
    expect([world.holds(), world.condition("Progressing")]).toEqual([["C2 NoticeNotElapsed"], "True Piloting"]);
    world.edit({ requested: "Stopped", reason: "withdrawn" });
    world.around = { missing };
    world.look(MONDAY + 3 * DAY);
    expect(world.holds(), "nobody needs it any more").toEqual([]);
  });

  it("[C5] all who hold it are shown: provider, Fleet and monitoring", () => {
    const world = well({ spec: { requested: "Paused", reason: "a report" } });
    world.numbers = new Map([["pilot", counted(200, 20)]]);
    world.around = { fleetPaused: true };
    world.look(MONDAY);
    expect(world.status.reasons!.map(({ by }) => by)).toEqual(["Provider", "Fleet", "Monitoring"]);
    expect(world.holds()).toEqual(["C5 Paused", "C5 FleetPaused", "C5 PausedByMonitoring"]);
  });

  it("[C5] failures beyond chance pause it until a person lifts it; what failed until then is judged, and more pauses it again", () => {
    const world = well();
    world.until(MONDAY, MONDAY + 3 * WEEK + HOUR);
    const fails = (failed: number) => void (world.numbers = new Map([...ALL_WELL, ["phase-1", counted(300, failed)]]));
    fails(19);
    world.look(MONDAY + 3 * WEEK + 2 * HOUR);
    expect(world.status.monitoring).toBeUndefined();
    fails(30);
    world.numbers = new Map([
      ["pilot", counted(80)],
      ["phase-1", counted(300, 30)],
    ]);
    const { events } = world.look(MONDAY + 3 * WEEK + 3 * HOUR);
    expect(world.status.monitoring?.paused).toMatchObject({ by: "Failures", at: "2026-11-23T12:00:00Z" });
    expect(world.status.monitoring!.paused!.message).toContain("30 of 380 devices that attempted it failed (7.9 %)");
    expect(events.map(({ reason }) => reason)).toEqual(["PausedByMonitoring"]);
    world.numbers.set("phase-1", counted(300, 3));
    world.look(MONDAY + 3 * WEEK + 4 * HOUR);
    expect(world.status.monitoring?.paused, "it stays though devices recover").toBeDefined();
    world.numbers.set("phase-1", counted(300, 30));
    world.edit({ requests: { resume: { at: "2026-11-23T15:00:00+01:00" } } });
    world.look(MONDAY + 3 * WEEK + 5 * HOUR);
    expect(world.status).toMatchObject({
      handled: { resume: "2026-11-23T14:00:00Z" },
      monitoring: { countedFrom: { attempted: 380, failed: 30 } },
    });
    world.look(MONDAY + 3 * WEEK + 6 * HOUR);
    expect(world.status.monitoring?.paused).toBeUndefined();
    world.numbers.set("phase-1", counted(400, 60));
    world.look(MONDAY + 3 * WEEK + 7 * HOUR);
    expect(world.status.monitoring!.paused!.message).toContain("30 of 100 devices");
  });

  it("[G9] a figure of monitoring: failing pauses, no value promotes nothing, and it is asked while the rollout lives", () => {
    const prometheus = { query: 'crashes{version="${version}"}', passIf: "< 1", failIf: "> 5" };
    const world = well({ spec: { health: { failedPercentAtMost: 2, prometheus } } });
    world.around = { defaultPrometheus: "http://prometheus" };
    const [probe] = world.look(MONDAY).probes;
    expect(probe).toMatchObject({ kind: "prometheus", query: 'crashes{version="5.12.3"}' });
    const says = (value: number | undefined) =>
      (world.around = {
        defaultPrometheus: "http://prometheus",
        samples: new Map([
          [probe!.key, [{ ageMilliseconds: 0, result: { ok: true, values: value === undefined ? [] : [value], detail: "" } }]],
        ]),
      });
    says(undefined);
    world.until(MONDAY, MONDAY + 4 * WEEK);
    expect([world.status.reached?.stage, world.holds()]).toEqual(["Pilot", ["G9 HealthUnknown"]]);
    says(9);
    world.look(MONDAY + 4 * WEEK);
    expect(world.status.monitoring?.paused).toMatchObject({ by: "Query" });
    world.edit({ requests: { resume: { at: "2026-12-01T00:00:00Z" } } });
    world.look(MONDAY + 4 * WEEK + HOUR);
    expect(world.status.monitoring?.paused, "it fails still").toBeDefined();
    says(0);
    world.edit({ requests: { resume: { at: "2026-12-01T01:00:00Z" } } });
    world.until(MONDAY + 4 * WEEK + 2 * HOUR, MONDAY + 4 * WEEK + 3 * HOUR);
    expect(world.status.reached?.stage).toBe("Phase");
  });

  it("[C5] stopped it stays so, and says nothing more of what it waits for", () => {
    const world = well();
    world.look(MONDAY);
    world.edit({ requested: "Stopped", reason: "crash on resume from sleep" });
    world.look(MONDAY + HOUR);
    world.look(MONDAY + HOUR + 10 * SECOND);
    world.edit({ requested: "Run" });
    world.look(MONDAY + 5 * WEEK);
    world.look(MONDAY + 5 * WEEK + MINUTE);
    expect([world.status.effective, world.status.stopped?.message, world.holds()]).toEqual(["Stopped", "crash on resume from sleep", []]);
    expect([world.condition("Progressing"), world.condition("Succeeded")]).toEqual(["False Stopped", "False Failed"]);
  });

  it("[C5] obeyed by all once it stays so: a gateway that starts later reads what is now, until the spec is written anew", () => {
    const world = well();
    world.look(MONDAY);
    world.edit({ requested: "Paused", reason: "printers stop" });
    const replica = (confirmed: number) => ({ name: "g", silentMilliseconds: 1_000, confirmed });
    world.around = { replicas: [replica(0)] };
    world.look(MONDAY + HOUR);
    world.around = { replicas: [replica(world.status.pause!.id)] };
    world.look(MONDAY + HOUR + SECOND);
    expect(world.status.effective).toBe("Paused");
    world.around = { replicas: [replica(world.status.pause!.id), { ...replica(0), name: "new" }] };
    world.look(MONDAY + 2 * HOUR);
    expect(world.status.effective).toBe("Paused");
    world.edit({ reason: "printers stop, and scanners" });
    world.look(MONDAY + 3 * HOUR);
    expect(world.status.effective).toBe("Run");
  });
});
