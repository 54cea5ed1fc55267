import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { beforeEach, describe, expect, it } from "vitest";
import { FLEET, MAINTENANCE_WINDOW, POP_CLUSTER, POP_ROLLOUT } from "../api/resources.ts";
import type { CliIo } from "./io.ts";
import { FLEET_FILE, NOW, PlanRun, POPS, ROLLOUT } from "./plan/plan.examples.ts";

let run: PlanRun;
let files: Record<string, string>;
let [printed, complaint, code]: [string, string, number | undefined] = ["", "", undefined];

beforeEach(() => {
  run = new PlanRun();
  ({ files } = run);
});

async function plan(line: string, more: Partial<CliIo> = {}): Promise<void> {
  run.files = files;
  await run.plan(line, more);
  ({ printed, complaint, code } = run);
}
const unfolded = (): string => run.unfolded;

describe("[F7] [W8] the shipped sample, with 200 PoPs of 2 to 8 nodes in ten zones", () => {
  const sample = (path: string) => readFileSync(new URL(`../../config/samples/${path}`, import.meta.url), "utf8");
  const ZONES =
    "Pacific/Auckland Asia/Dubai Europe/Istanbul Europe/Berlin Europe/London America/Sao_Paulo America/New_York America/Denver America/Los_Angeles Pacific/Honolulu".split(
      " ",
    );
  const SAMPLES = "-f fleet -f window -f release -f pops";

  beforeEach(() => {
    const pops = Array.from({ length: 200 }, (_, index) =>
      POPS[0]!
        .replaceAll("fra1", `p${index}`)
        .replace("Europe/Berlin", ZONES[index % 10]!)
        .replace(`region: p${index}`, `region: r${index % 40}`)
        .replace('"3"', `"${2 + (index % 7)}"`),
    );
    files = {
      fleet: sample("fleet.yaml"),
      window: sample("maintenance-window-pop-sunday.yaml"),
      release: sample("release/poprollout-regular.yaml"),
      pops: pops.join(""),
    };
  });

  it("[F7] finishes on its second Sunday, 2026-11-29", async () => {
    await plan(`${SAMPLES} -o json`);
    const { rollouts, fits, conflicts } = JSON.parse(printed);
    expect(fits, printed).toBe(true);
    expect(rollouts[0].dates).toEqual([
      { date: "2026-11-22", pops: 20 },
      { date: "2026-11-29", pops: 180 },
    ]);
    expect(rollouts[0].finishAt).toMatch(/^2026-11-29T/);
    // What nobody reports on is not taken for what has not come yet.
    expect(conflicts.map(({ message }: { message: string }) => message)).toEqual(
      expect.arrayContaining([
        "evidence ci is not there yet; the forecast goes on as if it passed at once",
        expect.stringMatching(
          /^evidence early-availability \(dlp-v2 in early availability\) has no source .* before an Approval goes on without it/,
        ),
      ]),
    );
    expect(code).toBe(0);
  });

  it("[F7] with everyWeeks: 2 on the window it does not fit, and the plan says why", async () => {
    files["window"] = files["window"]!.replace(/duration: 4h\}\]/, 'duration: 4h}]\n    everyWeeks: 2\n    anchor: "2026-11-22"');
    expect(files["window"]).toContain("everyWeeks: 2");
    await plan(SAMPLES);
    expect(code).toBe(5);
    expect(unfolded()).toMatch(
      /does not fit two Sundays by 180 PoPs .*: Sunday 2026-11-29 is lost to MaintenanceWindow pop-sunday, which occurs every 2 weeks; it needs one more date after its train \(2026-12-06\)/,
    );
  });
});

describe("[F7] [F3] the samples to begin with", () => {
  const sample = (path: string) => readFileSync(new URL(`../../config/samples/${path}`, import.meta.url), "utf8");

  it("[F3] their capacity floor lets one of a few nodes go: the release over the PoP of the quick start and a second one fits", async () => {
    files = {
      fleet: sample("fleet.yaml"),
      window: sample("maintenance-window-pop-sunday.yaml"),
      fra1: sample("popcluster-fra1.yaml"),
      ams1: sample("release/popcluster-ams1.yaml"),
      release: sample("release/poprollout-regular.yaml"),
    };
    await plan("-f fleet -f window -f fra1 -f ams1 -f release --nodes-per-pop 4 -o json");
    const { rollouts } = JSON.parse(printed);
    expect(rollouts[0], printed).toMatchObject({ fits: true, finishAt: "2026-11-22T00:36:00Z" });
    expect(code).toBe(0);
  });
});

describe("[F7] rollward plan", () => {
  it("[F7] says which PoP, in which window and local time, when it ends, and ends with 0 when all fits", async () => {
    await plan("-f fleet.yaml -f pops.yaml -f release.yaml");
    expect(code).toBe(0);
    expect(printed).toContain("r-2 (2.0.0) fits two Sundays: 2 PoPs begin on 2026-11-22 (2 PoPs)");
    expect(printed).toMatch(/fra1 +canary +fra1 +3 +2026-11-22T01:00\+01:00 +01:27\+01:00 +Europe\/Berlin/);
    expect(printed).toMatch(/nyc1 +rest +nyc1 +3 +2026-11-22T01:00-05:00 +01:27-05:00 +America\/New_York/);
    expect(printed).toContain("wave rest opens on an Approval for digest that is known once it is created");
    expect(printed).toContain("assumed: 2 of 2 PoPs are taken to run 0.0.0; --running says which version, or --cluster");
  });

  it("[F7] with 5 when it does not fit, and says why", async () => {
    files["fleet.yaml"] = FLEET_FILE.replace("duration: 4h}]}", 'duration: 4h}], everyWeeks: 3, anchor: "2026-12-06"}');
    await plan("-f fleet.yaml -f pops.yaml -f release.yaml");
    expect(code).toBe(5);
    expect(unfolded()).toMatch(/does not fit two Sundays by 2 PoPs .*lost to MaintenanceWindow pop-sunday, which occurs every 3 weeks/);
  });

  it("[F7] json and yaml hold the same plan, with the same digest every time", async () => {
    await plan("-f all.yaml -o json");
    const json = JSON.parse(printed);
    await plan("-f all.yaml -o yaml");
    expect(parse(printed)).toEqual(json);
    expect(json).toMatchObject({
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      fits: true,
      rollouts: [{ finishAt: "2026-11-22T06:27:00Z" }],
    });
  });

  it("[F7] [F2] 40,000 sites with tunnels to two of 200 PoPs, every pair of PoPs among them: how many Sundays, what forces it and where, in 5 s", async () => {
    const names = Array.from({ length: 200 }, (_, index) => `p${index}`);
    const pairs = names.flatMap((one, index) => names.slice(index + 1).map((other) => [one, other] as const));
    const sites = Array.from({ length: 40_000 }, (_, index) => {
      const [primaryPoP, secondaryPoP] = pairs[index % pairs.length]!;
      const tunnels = [primaryPoP, secondaryPoP].map((pop) => ({ pop, up: "True", seenAt: "2026-11-13T11:00:00Z" }));
      return {
        apiVersion: "rollward.dev/v1alpha1",
        kind: "TunnelSite",
        metadata: { namespace: `account-${index % 500}`, name: `site-${index}` },
        spec: { type: "IPsec", primaryPoP, secondaryPoP },
        status: { tunnels },
      };
    });
    // As kubectl get tunnelsites -A -o json writes it.
    files["sites.json"] = JSON.stringify({ apiVersion: "v1", kind: "List", items: sites });
    files["many.yaml"] = names
      .map((name, index) => POPS[0]!.replaceAll("fra1", name).replace(`region: ${name}`, `region: r${index % 40}`))
      .join("");
    const began = process.cpuUsage();
    await plan("-f fleet.yaml -f many.yaml -f sites.json -f release.yaml");
    // Time of the processor: what others do on the machine meanwhile is not the plan's.
    const { user, system } = process.cpuUsage(began);
    expect(code).toBe(5);
    expect(unfolded()).toMatch(
      /does not fit two Sundays by \d+ PoPs \(by region: r\d+ .*it needs (?:[\w-]+|\d+) more dates after its train .*, forced by sites with tunnels to two PoPs; last come the regions r\d+/,
    );
    expect((user + system) / 1e6).toBeLessThan(5);
  });

  it("[F7] html is one page that loads nothing, with PoPs drawn against their windows; names are text and nothing else", async () => {
    files["all.yaml"] = files["all.yaml"]!.replace("region: fra1", 'region: "<script>alert(1)</script>"');
    await plan("-f all.yaml -o html");
    expect(printed).toMatch(/^<!DOCTYPE html>[^]*<svg[^]*class="bar open"[^]*class="bar working"[^]*<\/html>\n$/);
    expect(printed).not.toMatch(/<script|src=|href=|@import|url\((?!#)/);
  });

  it("[F7] [F8] --cluster begins with what stands there, --diff tells what differs, and the wave's digest is the one that is approved", async () => {
    const documents = files["all.yaml"]!.split("---").map((text) => parse(text) as { kind: string });
    const kinds = { Fleet: FLEET, MaintenanceWindow: MAINTENANCE_WINDOW, PoPCluster: POP_CLUSTER, PoPRollout: POP_ROLLOUT };
    const made = documents.map((object) => run.cluster.create(kinds[object.kind as keyof typeof kinds] as typeof FLEET, object as never));
    await run.clock.advance(1_000);
    await Promise.all(made);
    await plan("--cluster -o json");
    const [running] = JSON.parse(printed).rollouts;
    expect(running.approvals[0]).toMatchObject({ wave: "rest", digest: expect.stringMatching(/^sha256:/), by: expect.any(String) });
    files["fleet.yaml"] = FLEET_FILE.replace('start: "01:00"', 'start: "02:00"');
    await plan("-f fleet.yaml --cluster --diff");
    expect(code).toBe(6);
    expect(printed).toMatch(/fra1 .* 2026-11-22T02:00\+01:00 .* Europe\/Berlin/);
    expect(printed).toContain(
      [
        "The files change MaintenanceWindow pop-sunday.",
        "r-2: its last node is done 1 h later, at 2026-11-22T07:27:00Z instead of 2026-11-22T06:27:00Z.",
        "fra1 starts 1 h later, at 2026-11-22T01:00:00Z (Sunday 2026-11-22 02:00 Europe/Berlin) instead of 2026-11-22T00:00:00Z; " +
          "is done 1 h later, at 2026-11-22T01:27:00Z (Sunday 2026-11-22 02:27 Europe/Berlin) instead of 2026-11-22T00:27:00Z (its window opens 1 h later).",
      ].join("\n"),
    );
    await plan("-f fleet.yaml --cluster --diff -o json");
    expect(JSON.parse(printed).diff).toMatchObject({
      same: false,
      changed: ["MaintenanceWindow pop-sunday"],
      rollouts: [
        {
          rollout: "r-2",
          isNew: false,
          pops: [
            { pop: "fra1", startsLaterBySeconds: 3_600 },
            { pop: "nyc1", startsLaterBySeconds: 3_600 },
          ],
        },
      ],
    });
    await plan("-f fleet.yaml --cluster --diff -o html");
    expect(printed).toContain("Beside the plan that runs");
    // A file that says what stands there changes nothing, and the exit code says so.
    files["fleet.yaml"] = FLEET_FILE;
    await plan("-f fleet.yaml --cluster --diff");
    expect([code, printed.split("\n").at(-2)]).toEqual([0, "The plan is the one that runs."]);
    // A minute counts, and so does a PoP that is not there.
    files["fleet.yaml"] = FLEET_FILE.replace('start: "01:00"', 'start: "01:01"');
    await plan("-f fleet.yaml --cluster --diff");
    expect(printed).toContain("fra1 starts 1 min later, at 2026-11-22T00:01:00Z");
    files["more.yaml"] = POPS[0]!.replaceAll("fra1", "ber1");
    await plan("-f more.yaml --cluster --diff");
    expect(printed).toMatch(/The files change PoPCluster ber1\.\n[^]*ber1 is new, and starts at 2026-11-22T00:/);
    files["fleet.yaml"] = FLEET_FILE.replace("duration: 4h}]}", 'duration: 4h}], everyWeeks: 3, anchor: "2026-12-06"}');
    await plan("-f fleet.yaml --cluster --diff");
    expect([code, printed]).toEqual([
      5,
      expect.stringMatching(/r-2 does not fit any more\.\n[^]*fra1 starts not at all, instead of 2026-11-22T00:00:00Z/),
    ]);
  });

  it("[F7] on a terminal a plan that takes long says how far it has come, and takes the line away; elsewhere it says nothing", async () => {
    const lines: string[] = [];
    let clockNow = NOW;
    await plan("-f all.yaml", { now: () => (clockNow += 300), progress: (line) => void lines.push(line) });
    expect(lines[0]).toMatch(/^planning: the fleet at 2026-11-\d\dT[\d:]+Z, at most until 2026-12-18T12:00:00Z, 1 s$/);
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.at(-1)).toBe("");
    lines.length = 0;
    await plan("-f all.yaml", { progress: (line) => void lines.push(line) });
    expect(lines).toEqual([]);
  });

  it.each([
    ["", "there is nothing to plan; give -f manifests.yaml, or --cluster"],
    ["-f none.yaml", "none.yaml cannot be read (no such file); name a file that holds manifests"],
    ["-f empty.yaml", "empty.yaml holds no object; write manifests with kind, metadata and spec"],
    ["-f comment.yaml", "comment.yaml holds no object; write manifests"],
    [
      "-f foo.yaml",
      "foo.yaml: a foo without apiVersion is nothing; write apiVersion: rollward.dev/v1alpha1 and one of Fleet, MaintenanceWindow, PoPCluster,",
    ],
    [
      "-f all.yaml -f flet.yaml",
      "PoPCluster ber1 is in namespace flet, and the plan is of namespace fleet; write namespace: fleet, or give -n flet",
    ],
    ["-f fleet.yaml", "there is no PoPRollout to plan in namespace fleet; give its manifest with -f"],
    ["-f all.yaml -f fleet.yaml", "Fleet fleet is given twice; give each object once"],
    ["-f all.yaml --until yesterday", "or a date, for example 2026-12-31"],
    ["-f all.yaml --until 2026-01-01", "--until is 2026-01-01, which is over; write a date to come, or a length such as 840h"],
    ["-f all.yaml --from now", '--from is "now", which is no instant; write date, time and offset, for example 2026-11-13T12:00Z'],
    ["-f all.yaml --nodes-per-pop 0", '--nodes-per-pop is "0"; write a whole number from 1 to 1000'],
    ["-f all.yaml --diff", "--diff compares with the plan that runs in a cluster; give --cluster too"],
  ])("[F7] bad input %j: a sentence that says what to write, and 2", async (line, sentence) => {
    files["empty.yaml"] = "";
    files["comment.yaml"] = "# nothing\n---\n";
    files["foo.yaml"] = "kind: foo\n";
    files["flet.yaml"] = POPS[0]!.replaceAll("fra1", "ber1").replace("namespace: fleet", "namespace: flet");
    await plan(line);
    expect(complaint).toContain(sentence);
    expect([printed, code]).toEqual(["", 2]);
  });

  it.each([
    ["{kind: PoPRolout, apiVersion: rollward.dev/v1alpha1}", "there is no kind PoPRolout; write PoPRollout"],
    ["{kind: Fleet, metadata: {name: fleet}, spec: {maxConcurrentPops: 4}}", "spec.maxConcurrentPops is no field; write maxConcurrentPoPs"],
    [
      "{kind: MaintenanceWindow, metadata: {name: w}, spec: {schedule: {weekly: [{day: Sun, start: 1:00, duration: 4h}]}}}",
      'MaintenanceWindow w: spec.schedule.weekly[0].day is "Sun", which is no day of the week; write Sunday',
    ],
    [
      "{kind: MaintenanceWindow, metadata: {name: w}, spec: {schedule: {weekly: [{day: Sonday, start: '01:00', duration: 4h}]}}}",
      'MaintenanceWindow w: spec.schedule.weekly[0].day is "Sonday", which is no day of the week; write Sunday',
    ],
    ["a: [", "is no YAML"],
    [
      "{kind: Fleet, metadata: {name: fleet}, spec: {freezes: [{name: year-end, from: 2026-12-19}]}}",
      'Fleet fleet: spec.freezes[0].to is missing; write a date, for example "2026-11-22"',
    ],
    [
      "{kind: MaintenanceWindow, metadata: {name: w}, spec: {schedule: {weekly: [{day: Sunday, start: '01:00', duration: 4h}]}, freezes: [{name: x, from: 2026-12-19}]}}",
      "MaintenanceWindow w: spec.freezes[0].to is nothing, which is no date of the calendar; write it as 2026-11-22",
    ],
    [
      "{kind: PoPRollout, metadata: {name: r}, spec: {version: 2, requestedBy: a, waves: []}}",
      'spec.version is 2, which is not a text; write a text in quotation marks, "2"',
    ],
    [
      "{kind: PoPRollout, metadata: {name: r}, spec: {version: 2.0.0, requestedBy: a, waves: []}}",
      "spec.waves has 0 entries; write at least 1",
    ],
    [
      "{kind: PoPRollout, metadata: {name: r}, spec: {version: 2.0.0, requestedBy: a, waves: [{name: canary, pops: {count: 0}}]}}",
      "spec.waves[0].pops.count is 0; write at least 1",
    ],
    [
      "{kind: TunnelSite, metadata: {name: s}, spec: {type: GRE, primaryPoP: fra1}}",
      'spec.type is "GRE"; write one of IPsec, CloudInterconnect',
    ],
  ])("[F7] bad manifest %j", async (text, sentence) => {
    files["bad.yaml"] = text;
    await plan("-f bad.yaml");
    expect(complaint).toContain(sentence);
    expect(code).toBe(2);
  });

  it("[F7] one fault is told in one sentence: a percent above 100, weeks without an anchor", async () => {
    files["bad.yaml"] =
      `{apiVersion: rollward.dev/v1alpha1, kind: MaintenanceWindow, metadata: {name: w}, spec: {schedule: {everyWeeks: 2, weekly: [{day: Sunday, start: "01:00", duration: 4h}]}}}
---
{apiVersion: rollward.dev/v1alpha1, kind: PoPRollout, metadata: {name: r}, spec: {version: 2.0.0, requestedBy: a, waves: [{name: all, pops: {percent: 101}}]}}`;
    await plan("-f bad.yaml");
    expect(complaint.trim().split("\n")).toEqual([
      expect.stringMatching(/^bad\.yaml: MaintenanceWindow w: spec\.schedule\.anchor: everyWeeks above 1 needs an anchor: write a date/),
      "bad.yaml: PoPRollout r: spec.waves[0].pops.percent is 101; write at most 100",
    ]);
  });

  const rollout = (spec: string): string => ROLLOUT.replace(/ {2}waves: .*\n/, `${spec}\n`);
  it.each([
    [
      "a wave of nobody",
      rollout("  waves: [{name: labs, pops: {matchLabels: {stage: lab}}}, {name: rest, pops: {percent: 100}}]"),
      "wave labs covers nobody",
    ],
    [
      "the same PoPs twice",
      rollout("  waves: [{name: both, pops: {count: 2}}, {name: rest, pops: {percent: 100}}]"),
      "wave rest covers nobody: the waves before it take all 2 PoPs",
    ],
    [
      "a percentage that adds nobody",
      rollout("  waves: [{name: canary, pops: {count: 1}}, {name: half, pops: {percent: 50}}, {name: rest, pops: {percent: 100}}]"),
      "wave half covers nobody: 50 % of 2 PoPs are 1, and the waves before it have 1 already",
    ],
    ["a start in the past", ROLLOUT.replace("2026-11-22", "2026-11-08"), "is in the past everywhere; write a date to come"],
    ["a start off the train", ROLLOUT.replace("2026-11-22", "2026-11-29"), "write 2026-11-22 or 2026-12-06"],
  ])("[F1] [F7] %s is in conflict before anything is applied: 5, with what to write", async (_, text, sentence) => {
    files["release.yaml"] = text;
    await plan("-f fleet.yaml -f pops.yaml -f release.yaml -o json");
    const { conflicts } = JSON.parse(printed) as { conflicts: { kind: string; severity: string; message: string }[] };
    expect(conflicts.find(({ kind }) => kind === "Invalid")).toMatchObject({
      severity: "Conflict",
      message: expect.stringContaining(sentence),
    });
    expect(code).toBe(5);
  });

  it("[F2] [I19] 20,000 sites with which one account claims all PoPs change nothing; tunnels to no PoP are named, and twice to one refused", async () => {
    await plan("-f all.yaml -o json");
    const { rollouts } = JSON.parse(printed) as { rollouts: { dates: unknown }[] };
    const claim = (name: string, primaryPoP: string, secondaryPoP: string) => ({
      apiVersion: "rollward.dev/v1alpha1",
      kind: "TunnelSite",
      metadata: { namespace: "mallory", name },
      spec: { type: "IPsec", primaryPoP, secondaryPoP },
    });
    const claims = Array.from({ length: 20_000 }, (__, index) => claim(`claim-${index}`, "fra1", "nyc1"));
    const odd = [claim("nowhere", "fra1", "fra9")];
    files["claims.json"] = JSON.stringify({ kind: "List", items: [...claims, ...odd] });
    await plan("-f all.yaml -f claims.json -o json");
    const claimed = JSON.parse(printed) as { rollouts: { dates: unknown; pops: { start: string }[] }[]; assumed: string[] };
    expect(claimed.rollouts[0]!.dates).toEqual(rollouts[0]!.dates);
    expect(claimed.rollouts[0]!.pops.map(({ start }) => start)).toEqual(["2026-11-22T00:00:00Z", "2026-11-22T06:00:00Z"]);
    expect(claimed.assumed).toEqual(
      expect.arrayContaining([
        "20001 sites name two PoPs that have not reported their tunnels: they limit nothing (F2)",
        'tunnels that end in no PoP limit nothing; write names of PoPs: TunnelSite mallory/nowhere ("fra9")',
      ]),
    );
    files["claims.json"] = JSON.stringify({ kind: "List", items: [claim("all", "*", "nyc1"), claim("twice", "fra1", "fra1")] });
    await plan("-f all.yaml -f claims.json");
    expect([code, printed]).toEqual([2, ""]);
    expect(complaint).toContain('TunnelSite all: spec.primaryPoP is "*": a tunnel ends in one PoP: write its name');
    expect(complaint).toContain("TunnelSite twice: spec.secondaryPoP: both tunnels end in one PoP, so its maintenance takes both");
  });
});
