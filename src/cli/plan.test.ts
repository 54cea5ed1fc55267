import { readFileSync } from "node:fs";
import { Command } from "commander";
import { parse } from "yaml";
import { beforeEach, describe, expect, it } from "vitest";
import { APPROVAL, FLEET, MAINTENANCE_WINDOW, POP_CLUSTER, POP_ROLLOUT, TUNNEL_SITE } from "../api/resources.ts";
import { VirtualClock } from "../simulation/clock.ts";
import { customKind } from "../simulation/cluster/custom-kind.ts";
import { InMemoryCluster } from "../simulation/cluster/in-memory-cluster.ts";
import { Store } from "../simulation/cluster/store.ts";
import type { CliIo } from "./io.ts";
import { registerPlan } from "./plan.ts";

const NOW = Date.parse("2026-11-13T12:00:00Z");
const FLEET_FILE = `
apiVersion: rollward.dev/v1alpha1
kind: Fleet
metadata: {namespace: fleet, name: fleet}
spec: {train: {everyWeeks: 2, anchor: 2026-11-22, length: 336h}, maxConcurrentPoPs: 4, maxConcurrentPerRegion: 2}
---
apiVersion: rollward.dev/v1alpha1
kind: MaintenanceWindow
metadata: {namespace: fleet, name: pop-sunday}
spec: {schedule: {weekly: [{day: Sunday, start: "01:00", duration: 4h}]}, timeZone: Local, notice: 0s}
`;
const POPS = ["fra1 Europe/Berlin", "nyc1 America/New_York"].map((text) => {
  const [name, timeZone] = text.split(" ");
  return `---
apiVersion: rollward.dev/v1alpha1
kind: PoPCluster
metadata: {namespace: fleet, name: ${name}, annotations: {rollward.dev/plan-nodes: "3"}}
spec:
  timeZone: ${timeZone}
  region: ${name}
  nodeSelector: {matchLabels: {rollward.dev/pop: ${name}}}
  windowRef: {name: pop-sunday}
  template: {spec: {containers: [{name: pop, image: pop}]}}
`;
});
const ROLLOUT = `---
apiVersion: rollward.dev/v1alpha1
kind: PoPRollout
metadata: {namespace: fleet, name: r-2}
spec:
  version: 2.0.0
  requestedBy: release
  startNotBefore: 2026-11-22
  waves: [{name: canary, pops: {count: 1}, bake: 1h}, {name: rest, pops: {percent: 100}, bake: 1h, approval: Required}]
`;

let cluster: InMemoryCluster;
let store: Store;
let clock: VirtualClock;
let files: Record<string, string>;
let [printed, complaint, code]: [string, string, number | undefined] = ["", "", undefined];

beforeEach(() => {
  clock = new VirtualClock(NOW);
  store = new Store({
    clock,
    kinds: [FLEET, MAINTENANCE_WINDOW, POP_CLUSTER, POP_ROLLOUT, APPROVAL, TUNNEL_SITE].map((resource) => customKind(resource)),
  });
  cluster = new InMemoryCluster(store, { clock });
  files = {
    "fleet.yaml": FLEET_FILE,
    "pops.yaml": POPS.join(""),
    "release.yaml": ROLLOUT,
    "all.yaml": FLEET_FILE + POPS.join("") + ROLLOUT,
  };
});

async function plan(line: string): Promise<void> {
  [printed, complaint, code] = ["", "", undefined];
  const io: CliIo = {
    out: (text) => void (printed += text),
    error: (text) => void (complaint += text),
    isTerminal: false,
    connect: async () => new InMemoryCluster(store, { clock }),
    now: () => NOW,
    readFile: async (path) => files[path] ?? Promise.reject(new Error("no such file")),
    exit: (given) => void (code = given),
  };
  const program = new Command("rollward").exitOverride();
  registerPlan(program, io);
  await program.parseAsync(["plan", ...line.split(" ").filter((word) => word !== "")], { from: "user" });
}

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
    const { rollouts, fits } = JSON.parse(printed);
    expect(fits, printed).toBe(true);
    expect(rollouts[0].dates).toEqual([
      { date: "2026-11-22", pops: 20 },
      { date: "2026-11-29", pops: 180 },
    ]);
    expect(rollouts[0].finishAt).toMatch(/^2026-11-29T/);
    expect(code).toBe(0);
  });

  it("[F7] with everyWeeks: 2 on the window it does not fit, and the plan says why", async () => {
    files["window"] = files["window"]!.replace(/duration: 4h\}\]/, 'duration: 4h}]\n    everyWeeks: 2\n    anchor: "2026-11-22"');
    expect(files["window"]).toContain("everyWeeks: 2");
    await plan(SAMPLES);
    expect(code).toBe(5);
    expect(printed).toMatch(/does not fit two Sundays by 180 PoPs .* it would need two.*MaintenanceWindow pop-sunday occurs every 2 weeks/);
  });
});

describe("[F7] rollward plan", () => {
  it("[F7] says which PoP, in which window and local time, when it ends, and ends with 0 when all fits", async () => {
    await plan("-f fleet.yaml -f pops.yaml -f release.yaml");
    expect(code).toBe(0);
    expect(printed).toContain("r-2 (2.0.0) fits two Sundays: 2 PoPs begin on 2026-11-22 (2 PoPs)");
    expect(printed).toMatch(
      /fra1 +canary +fra1 +3 +2026-11-22T01:00\+01:00\[Europe\/Berlin\] +2026-11-22T00:00:00Z +2026-11-22T00:27:00Z +2026-11-22T01:27\+01:00\[Europe\/Berlin\]/,
    );
    expect(printed).toMatch(/nyc1 +rest +nyc1 +3 +2026-11-22T01:00-05:00\[America\/New_York\] +2026-11-22T06:00:00Z/);
    expect(printed).toMatch(/rest +1 .* known once it is created/);
    expect(printed).toContain("assumed: 2 of 2 PoPs are taken to run 0.0.0; --running says which version, or --cluster");
  });

  it("[F7] with 5 when it does not fit, and says why", async () => {
    files["fleet.yaml"] = FLEET_FILE.replace("duration: 4h}]}", 'duration: 4h}], everyWeeks: 3, anchor: "2026-12-06"}');
    await plan("-f fleet.yaml -f pops.yaml -f release.yaml");
    expect(code).toBe(5);
    expect(printed).toMatch(/does not fit two Sundays by 2 PoPs .*MaintenanceWindow pop-sunday occurs every 3 weeks/);
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

  it("[F7] html is one page that loads nothing, with PoPs drawn against their windows; names are text and nothing else", async () => {
    files["all.yaml"] = files["all.yaml"]!.replace("region: fra1", 'region: "<script>alert(1)</script>"');
    await plan("-f all.yaml -o html");
    expect(printed).toMatch(/^<!doctype html>[^]*<svg[^]*class="window"[^]*class="roll"[^]*<\/html>\n$/);
    expect(printed).not.toMatch(/<script|src=|href=|@import|url\(/);
  });

  it("[F7] [F8] --cluster begins with what stands there, --diff tells what differs, and the wave's digest is the one that is approved", async () => {
    const documents = files["all.yaml"]!.split("---").map((text) => parse(text) as { kind: string });
    const kinds = { Fleet: FLEET, MaintenanceWindow: MAINTENANCE_WINDOW, PoPCluster: POP_CLUSTER, PoPRollout: POP_ROLLOUT };
    const made = documents.map((object) => cluster.create(kinds[object.kind as keyof typeof kinds] as typeof FLEET, object as never));
    await clock.advance(1_000);
    await Promise.all(made);
    await plan("--cluster -o json");
    const [running] = JSON.parse(printed).rollouts;
    expect(running.approvals[0]).toMatchObject({ wave: "rest", digest: expect.stringMatching(/^sha256:/), by: expect.any(String) });
    files["fleet.yaml"] = FLEET_FILE.replace('start: "01:00"', 'start: "02:00"');
    const found = (await cluster.list(POP_ROLLOUT, { namespace: "fleet" }))[0]!;
    const forecast = {
      digest: "d",
      at: "2026-11-13T12:00:00Z",
      fits: true,
      finishAt: running.finishAt,
      message: "",
      windows: [
        { date: "2026-11-22", pops: 1 },
        { date: "2026-11-29", pops: 1 },
      ],
    };
    const wrote = cluster.updateStatus(POP_ROLLOUT, { ...found, status: { forecast } });
    await clock.advance(1_000);
    await wrote;
    await plan("-f fleet.yaml --cluster --diff");
    expect(printed).toMatch(/2026-11-22 +1 +2\n/);
    expect(printed).toMatch(/2026-11-29 +1 +0\n/);
    expect(printed).toContain("2026-11-22T02:00+01:00[Europe/Berlin]");
  });

  it.each([
    ["", "there is nothing to plan; give -f manifests.yaml, or --cluster"],
    ["-f none.yaml", "none.yaml cannot be read (no such file); name a file that holds manifests"],
    ["-f fleet.yaml", "there is no PoPRollout to plan in namespace fleet; give its manifest with -f"],
    ["-f all.yaml -f fleet.yaml", "Fleet fleet is given twice; give each object once"],
    ["-f all.yaml --until yesterday", "or a date, for example 2026-12-31"],
    ["-f all.yaml --until 2026-01-01", "--until is 2026-01-01, which is over; write a date to come, or a length such as 840h"],
    ["-f all.yaml --from now", '--from is "now", which is no instant; write date, time and offset, for example 2026-11-13T12:00Z'],
    ["-f all.yaml --nodes-per-pop 0", '--nodes-per-pop is "0"; write a whole number from 1 to 1000'],
    ["-f all.yaml --diff", "--diff compares with the plan that runs in a cluster; give --cluster too"],
  ])("[F7] bad input %j: a sentence that says what to write, and 2", async (line, sentence) => {
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
    ["a: [", "is no YAML"],
  ])("[F7] bad manifest %j", async (text, sentence) => {
    files["bad.yaml"] = text;
    await plan("-f bad.yaml");
    expect(complaint).toContain(sentence);
    expect(code).toBe(2);
  });
});
