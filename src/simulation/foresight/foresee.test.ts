import { describe, expect, it } from "vitest";
import type { Approval } from "../../api/approval.ts";
import { popRolloutStatus } from "../../api/pop-rollout-status.ts";
import { foresee } from "./foresee.ts";
import {
  completePartners,
  example,
  fleetObject,
  FRIDAY,
  type PopExample,
  popObject,
  rolloutObject,
  windowObject,
  worldwide,
} from "./foresight.examples.ts";
import type { FleetForecast } from "./types.ts";

const MINUTE = 60_000;
const TWO_WAVES = {
  waves: [
    { name: "canary", pops: { count: 1 }, bake: "4h" },
    { name: "rest", pops: { percent: 100 }, bake: "24h" },
  ],
  stages: [],
};

/** Forty regions around the globe; the windows of some still run when a wave is picked. */
const ZONES = [
  "Pacific/Auckland",
  "Australia/Brisbane",
  "Asia/Seoul",
  "Australia/Perth",
  "Asia/Bangkok",
  "Asia/Kolkata",
  "Asia/Dubai",
  "Europe/Moscow",
  "Europe/Istanbul",
  "Europe/Berlin",
  "Europe/London",
  "America/Sao_Paulo",
  "America/New_York",
  "America/Chicago",
  "America/Denver",
  "America/Los_Angeles",
  "Pacific/Honolulu",
];
const samplePops = () =>
  worldwide(200, (index): PopExample => ({ timeZone: ZONES[index % ZONES.length]!, region: `r${index % 40}`, nodes: 2 + (index % 7) }));

const only = ({ rollouts }: FleetForecast) => rollouts[0]!;
const said = ({ conflicts }: FleetForecast, kind: string) =>
  conflicts.filter((one) => one.kind === kind).map(({ severity, message }) => `${severity}: ${message}`);

describe("[F7] the plan says what will happen", () => {
  it("[F7] the release of the samples finishes on its second Sunday, 2026-11-29", () => {
    const forecast = foresee(example({ pops: samplePops(), fleet: fleetObject({ capacityFloorPercent: 90 }) }));
    const plan = only(forecast);
    expect(plan.message).toBe("fits two Sundays: 200 PoPs begin on 2026-11-22 (20 PoPs), 2026-11-29 (180 PoPs)");
    expect(plan.finishAt).toMatch(/^2026-11-29T/);
    expect(plan.outcome).toBe("Completed");
    expect(forecast.fits).toBe(true);
    for (const pop of plan.pops)
      for (const window of pop.windows) expect(window.begins >= window.start && window.ends <= window.end, pop.pop).toBe(true);
  });

  it("[F7] [W8] with everyWeeks 2 on the window it does not fit, and says which PoPs, why, and how many Sundays it would need", () => {
    const weekly = [{ day: "Sunday", start: "01:00", duration: "4h" }];
    const windows = [windowObject({ schedule: { weekly, everyWeeks: 2, anchor: "2026-11-22" } })];
    const forecast = foresee(example({ pops: samplePops(), windows, thorough: true }));
    expect(forecast.fits).toBe(false);
    expect(only(forecast).message).toMatch(
      /^does not fit two Sundays by 180 PoPs \(by region: .*: Sunday 2026-11-29 is lost to MaintenanceWindow pop-sunday, which occurs every 2 weeks; it needs one more date after its train \(2026-12-06\) and would be done at 2026-12-06T/,
    );
    expect(only(forecast)).toMatchObject({ needsDates: 2, moreDates: 1, wouldFinishAt: expect.stringMatching(/^2026-12-06T/) });
    expect(only(forecast).finishAt).toBeUndefined();
    expect(only(forecast).pops.filter(({ fits }) => !fits)).toHaveLength(180);
  });

  it("[F7] the same input gives the same answer and digest; another instant another answer of the same digest", () => {
    const pops = worldwide(12);
    const one = foresee(example({ pops }));
    expect(foresee(example({ pops: pops.toReversed() }))).toEqual(one);
    expect(foresee(example({ pops, now: FRIDAY + MINUTE })).digest).toBe(one.digest);
    expect(foresee(example({ pops: pops.slice(1) })).digest).not.toBe(one.digest);
    expect(foresee(example({ pops, fleet: fleetObject({ maxConcurrentPoPs: 19 }) })).digest).not.toBe(one.digest);
  });

  it("[F7] [W4] nodes are taken up one after the other until the last start; the rest of them follow in the next window", () => {
    // 4 h hold 26 pieces of 9 minutes that start by 04:52.
    const pops = [popObject("fra1", { nodes: 30 })];
    const plan = only(foresee(example({ pops, rollouts: [rolloutObject({ ...TWO_WAVES, waves: [TWO_WAVES.waves[1]] })] })));
    expect(plan.pops[0]!.windows.map(({ date, begins, nodes }) => [date, begins, nodes])).toEqual([
      ["2026-11-22", "2026-11-22T00:00:00Z", 26],
      ["2026-11-29", "2026-11-29T00:00:00Z", 4],
    ]);
    expect(plan.pops[0]!.end).toBe("2026-11-29T00:36:00Z");
    expect(plan.fits).toBe(true);
  });

  it("[F7] [F3] the limit of a region sends PoPs to the second Sunday, and beyond it they do not fit", () => {
    const four = Array.from({ length: 6 }, (_, index) => popObject(`p${index}`, { nodes: 12 }));
    const rollouts = [rolloutObject({ ...TWO_WAVES, waves: [TWO_WAVES.waves[1]] })];
    const fleet = fleetObject({ maxConcurrentPerRegion: 1 });
    const forecast = foresee(example({ pops: four, rollouts, fleet, thorough: true }));
    // 4 h hold two PoPs of 108 minutes and 2 nodes of a third one, which comes first a week later.
    expect(only(forecast).dates).toEqual([
      { date: "2026-11-22", pops: 3 },
      { date: "2026-11-29", pops: 2 },
    ]);
    expect(said(forecast, "Region").join()).toContain("Conflict: ");
    expect(only(forecast).fits).toBe(false);
    expect(only(forecast).forcedBy).toContain("forced by maxConcurrentPerRegion; last come the regions eu-central");
  });

  it("[F7] [W6] a freeze over the second Sunday: the plan does not fit and names the freeze", () => {
    const fleet = fleetObject({ freezes: [{ name: "peak", from: "2026-11-28", to: "2026-11-30" }] });
    const forecast = foresee(example({ pops: worldwide(4), rollouts: [rolloutObject(TWO_WAVES)], fleet }));
    expect(only(forecast).fits).toBe(false);
    expect(said(forecast, "Freeze")).toContain("Conflict: freeze peak takes out the windows of 2026-11-29");
  });

  it("[F7] [W1] a night on which clocks go forward is told, with what it does to the window", () => {
    const weekly = [{ day: "Sunday", start: "02:30", duration: "4h" }];
    const spec = { ...TWO_WAVES, startNotBefore: "2027-03-28", announcedAt: "2027-03-20T12:00:00Z", waves: [TWO_WAVES.waves[1]] };
    const forecast = foresee(
      example({
        now: Date.UTC(2027, 2, 20, 12),
        pops: [popObject("fra1")],
        windows: [windowObject({ schedule: { weekly } })],
        rollouts: [rolloutObject(spec)],
        fleet: fleetObject({ train: { everyWeeks: 2, anchor: "2027-03-28", length: "336h" } }),
      }),
    );
    expect(said(forecast, "DST")).toEqual(["Note: Europe/Berlin, 2027-03-28: clocks go forward, there is no 02:30: it starts at 03:00"]);
    expect(only(forecast).pops[0]!.start).toBe("2027-03-28T01:00:00Z");
    expect(forecast.fits).toBe(true);
  });

  it("[F7] [W3] a notice that takes out the first Sunday is told", () => {
    const forecast = foresee(
      example({
        pops: [popObject("fra1")],
        windows: [windowObject({ notice: "240h" })],
        rollouts: [rolloutObject({ ...TWO_WAVES, waves: [TWO_WAVES.waves[1]] })],
      }),
    );
    expect(said(forecast, "Notice")).toEqual([
      "Note: the notice of 240h takes out the windows of 2026-11-22, which come too soon after the announcement",
    ]);
    expect(only(forecast).dates).toEqual([{ date: "2026-11-29", pops: 1 }]);
  });
});

describe("[F7] [F2] two-tunnel sites", () => {
  it("[F2] partners never roll together, and others do", () => {
    const pops = ["a1", "a2", "b1"].map((name) => popObject(name, { region: name }));
    const partners = new Map([
      ["a1", new Map([["a2", 3]])],
      ["a2", new Map([["a1", 3]])],
    ]);
    const plan = only(foresee(example({ pops, partners, rollouts: [rolloutObject({ ...TWO_WAVES, waves: [TWO_WAVES.waves[1]] })] })));
    const of = (name: string) => plan.pops.find(({ pop }) => pop === name)!;
    expect(of("b1").start).toBe("2026-11-22T00:00:00Z");
    const [first, second] = [of("a1"), of("a2")].toSorted((a, b) => (a.start! < b.start! ? -1 : 1));
    expect(second!.start! >= first!.end!).toBe(true);
  });

  it("[F2] 200 PoPs of which every one shares sites with every other: how many Sundays, what forces it, where; within 5 s", () => {
    const pops = worldwide(200);
    const began = performance.now();
    const forecast = foresee(example({ pops, partners: completePartners(pops), thorough: true }));
    expect(performance.now() - began).toBeLessThan(15_000);
    const plan = only(forecast);
    expect(plan.fits).toBe(false);
    expect(plan.needsDates).toBeGreaterThan(4);
    expect(plan.message).toMatch(
      /^does not fit two Sundays by \d+ PoPs .*forced by sites with tunnels to two PoPs; last come the regions /,
    );
    const rolls = plan.pops
      .flatMap(({ windows }) => windows.map(({ begins, ends }) => ({ begins, ends })))
      .toSorted((a, b) => (a.begins < b.begins ? -1 : 1));
    for (const [index, { begins }] of rolls.entries()) if (index > 0) expect(begins >= rolls[index - 1]!.ends).toBe(true);
  });

  it("[F2] whose sites are touched: seconds where another tunnel is reported, else minutes", () => {
    const site = (name: string, tunnels: readonly string[]) => ({
      apiVersion: "rollward.dev/v1alpha1",
      kind: "TunnelSite" as const,
      metadata: { name, namespace: "acme", uid: name, resourceVersion: "1" },
      spec: { type: "IPsec" as const, primaryPoP: "fra1" },
      status: { tunnels: tunnels.map((pop) => ({ pop, up: "True" as const, seenAt: "2026-11-01T00:00:00Z" })) },
    });
    const sites = [site("plant-1", ["fra1", "ams1"]), site("plant-2", ["fra1"]), site("plant-3", [])];
    const plan = only(foresee(example({ pops: [popObject("fra1"), popObject("ams1")], sites, rollouts: [rolloutObject(TWO_WAVES)] })));
    expect(plan.pops.find(({ pop }) => pop === "fra1")!.sites).toEqual({
      seconds: 1,
      minutes: 2,
      names: ["acme/plant-2", "acme/plant-3", "acme/plant-1"],
    });
    expect(plan.pops.find(({ pop }) => pop === "ams1")!.sites).toEqual({ seconds: 1, minutes: 0, names: ["acme/plant-1"] });
  });
});

describe("[F7] from where things stand", () => {
  const LATE = Date.UTC(2026, 10, 22, 0, 20);
  const members = ["n1", "n2", "n3", "n4"].map((name) => ({ name, uid: name }));
  const rolling = (nodes: readonly object[]) =>
    popObject("fra1", {
      status: {
        grant: { id: 1, kind: "Roll", state: "Asked" },
        runs: 1,
        run: {
          id: 1,
          kind: "Roll",
          revision: "rev2",
          version: "2026.11.2",
          back: "rev1",
          startedAt: "2026-11-22T00:00:00.000Z",
          state: "Rolling",
          frozen: { members: [...members], order: [] },
          timers: {},
          rollout: { name: "r-2026-11-2", uid: "uid-r-2026-11-2" },
          class: "Regular",
        },
        nodes: nodes as never,
      },
    });
  const node = (name: string, step: string, since: string) => ({
    name,
    uid: name,
    step,
    since: `2026-11-22T${since}Z`,
    attempt: 1,
    revision: "rev2",
    token: "t",
  });
  const begun = (pop: ReturnType<typeof rolling>, now = LATE) => {
    const rollout = rolloutObject({ ...TWO_WAVES, waves: [TWO_WAVES.waves[1]] });
    const before = only(foresee(example({ pops: [popObject("fra1")], rollouts: [rollout] })));
    expect(before.pops[0]!.end).toBe("2026-11-22T00:36:00Z");
    const at = "2026-11-21T12:00:00.000Z";
    const assignment = {
      pop: "fra1",
      uid: "uid-fra1",
      wave: "rest",
      version: "2026.11.2",
      class: "Regular" as const,
      announcedAt: at,
      from: "2026-11-22",
      to: "2026-12-06",
      order: "Go" as const,
      state: "Rolling" as const,
      since: at,
    };
    const status = {
      seenAt: at,
      startDate: "2026-11-22",
      endDate: "2026-12-06",
      waves: [{ name: "rest", state: "Open" as const, pops: ["fra1"], openedAt: at }],
      assignments: [assignment],
    };
    const disruptions = [
      { pop: "fra1", uid: "uid-fra1", id: 1, kind: "Roll" as const, region: "eu-central", since: "2026-11-22T00:00:00Z" },
    ];
    return only(
      foresee(example({ now, pops: [pop], rollouts: [{ ...rollout, status }], fleet: { ...fleetObject(), status: { disruptions } } })),
    );
  };

  it("[F7] a roll in hand goes on from its ledger: two nodes are done, one soaks, one is to come", () => {
    const pop = rolling([
      node("n1", "Done", "00:09:00"),
      node("n2", "Done", "00:18:00"),
      node("n3", "Soaking", "00:19:50"),
      node("n4", "Pending", "00:00:00"),
    ]);
    expect(begun(pop).pops[0]!.end).toBe("2026-11-22T00:29:50Z");
  });

  it("[F7] nodes that take three times what was expected: after the first one the plan knows", () => {
    const pop = rolling([
      node("n1", "Done", "00:25:00"),
      node("n2", "Pending", "00:00:00"),
      node("n3", "Pending", "00:00:00"),
      node("n4", "Pending", "00:00:00"),
    ]);
    expect(begun(pop, Date.UTC(2026, 10, 22, 0, 25)).pops[0]!.end).toBe("2026-11-22T01:40:00Z");
  });

  it("[F7] [P1] nodes that others took out fill the budget: the PoP does not begin, and the plan says so", () => {
    const forecast = foresee(
      example({
        pops: [popObject("fra1", { status: { members: { total: 4, out: 1 } } })],
        rollouts: [rolloutObject({ ...TWO_WAVES, waves: [TWO_WAVES.waves[1]] })],
      }),
    );
    expect(only(forecast).fits).toBe(false);
    expect(said(forecast, "Capacity").join()).toContain("1 nodes that others took out fill maxUnavailable 1");
  });
});

describe("[F7] [F8] what people have to decide", () => {
  const DIGEST = /^sha256:[0-9a-f]{64}$/;

  it("[F8] an Approval that is missing is taken as given at once, and until when it has to come is told", () => {
    const plan = only(foresee(example({ pops: samplePops(), thorough: true })));
    expect(plan.approvals).toEqual([
      { action: "Promote", wave: "rest", digest: expect.stringMatching(DIGEST), from: expect.any(String), by: expect.any(String) },
    ]);
    expect(plan.approvals[0]!.by! > "2026-11-28T12:00:00Z" && plan.approvals[0]!.by! < "2026-11-28T17:00:00Z").toBe(true);
    const begins = plan.pops.filter(({ wave }) => wave === "rest").map(({ start }) => start!);
    expect(begins.toSorted()[0]).toBe("2026-11-28T12:00:02Z");
  });

  it("[F8] a refusal stays a refusal: the wave never opens, and it does not fit", () => {
    const pops = samplePops();
    const rollout = rolloutObject();
    const { approvals } = only(foresee(example({ pops })));
    const refusal: Approval = {
      apiVersion: "rollward.dev/v1alpha1",
      kind: "Approval",
      metadata: { name: "no", namespace: "fleet", uid: "no", resourceVersion: "1", creationTimestamp: "2026-11-20T00:00:00Z" },
      spec: {
        for: { kind: "PoPRollout", name: rollout.metadata.name, uid: rollout.metadata.uid, digest: approvals[0]!.digest! },
        actions: ["Promote"],
        decision: "Refuse",
        reason: "not before Christmas",
        approvedBy: "boss@example.com",
        expiresAt: "2027-01-01T00:00:00Z",
      },
    };
    const forecast = foresee(example({ pops, approvals: [refusal] }));
    expect(only(forecast).fits).toBe(false);
    expect(said(forecast, "Approval").join()).toContain("not before Christmas");
  });

  it("[F8] an emergency: canary first, on any day, on an Approval by a second person", () => {
    const spec = {
      version: "2026.11.1.1",
      class: "Emergency",
      reason: "CVE-2026-0001",
      startNotBefore: undefined,
      stages: [],
      waves: [
        { name: "canary", pops: { count: 1 }, bake: "10m" },
        { name: "rest", pops: { percent: 100 }, bake: "0s" },
      ],
    };
    const plan = only(foresee(example({ pops: worldwide(6), rollouts: [rolloutObject(spec)] })));
    expect(plan.approvals[0]).toMatchObject({ action: "Emergency" });
    expect(plan.fits).toBe(true);
    expect(plan.finishAt).toMatch(/^2026-11-13T/);
  });

  it("[P15] content is loaded wave by wave, in no window", () => {
    const content = { spec: { content: { load: { http: { port: 8080, path: "/content" } } } } };
    const spec = {
      version: undefined,
      content: { version: "sig.418" },
      startNotBefore: undefined,
      stages: [],
      waves: [
        { name: "canary", pops: { count: 1 }, bake: "10m" },
        { name: "rest", pops: { percent: 100 }, bake: "10m" },
      ],
    };
    const plan = only(foresee(example({ pops: worldwide(4, () => content), rollouts: [rolloutObject(spec)] })));
    expect(plan.message).toBe("fits: 4 PoPs, begun on 2026-11-13 (3 PoPs), 2026-11-14 (1 PoP)");
    expect(Date.parse(plan.finishAt!) - FRIDAY).toBeLessThan(30 * MINUTE);
  });

  it("[P15] of content that every PoP has, nothing more is said to begin", () => {
    const content = {
      spec: { content: { load: { http: { port: 8080, path: "/content" } } } },
      status: { content: { current: "sig.418" } },
    };
    const spec = {
      version: undefined,
      content: { version: "sig.418" },
      startNotBefore: undefined,
      stages: [],
      waves: [{ name: "all", pops: { percent: 100 }, bake: "10m" }],
    };
    const at = "2026-11-12T00:00:00Z";
    const begun = { state: "Passed", version: "sig.418", wave: "all", class: "Regular", order: "Go", announcedAt: at, since: at };
    const assignments = ["fra1", "ams1"].map((pop) => ({ ...begun, pop, uid: `uid-${pop}` }));
    const rollout = { ...rolloutObject(spec), status: popRolloutStatus.parse({ assignments }) };
    const plan = only(foresee(example({ pops: [popObject("fra1", content), popObject("ams1", content)], rollouts: [rollout] })));
    expect(plan.message).toBe("fits: nothing more is to begin on its 2 PoPs");
  });

  it("[V3] [P12] PoPs that a person pinned, or that run a newer version, are no members and are named", () => {
    const pops = [popObject("fra1"), popObject("ams1", { spec: { version: "2026.11.1" } }), popObject("lon1", { version: "2026.12.0" })];
    const forecast = foresee(example({ pops, rollouts: [rolloutObject({ ...TWO_WAVES, waves: [TWO_WAVES.waves[1]] })] }));
    expect(only(forecast).pops.map(({ pop }) => pop)).toEqual(["fra1"]);
    expect(said(forecast, "Pinned").join()).toContain("ams1");
    expect(said(forecast, "OtherBase").join()).toContain("lon1");
    expect(forecast.fits).toBe(true);
  });
});
