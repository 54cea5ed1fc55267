import { parse } from "yaml";
import { beforeEach, describe, expect, it } from "vitest";
import { POP_ROLLOUT } from "../../api/resources.ts";
import { FLEET_FILE, PlanRun, ROLLOUT } from "./plan.examples.ts";

let run: PlanRun;
beforeEach(() => {
  run = new PlanRun();
});

describe("[F7] manifests that the API server refuses are refused", () => {
  const over = (text: string, change: string): string => text.replace(/ {2}waves: .*\n/, `${change}\n`);
  const WAVES = "waves: [{name: a, pops: {count: 1}}, {name: b, pops: {percent: 100}}]";
  it.each([
    [
      "two waves of one name",
      over(ROLLOUT, "  waves: [{name: a, pops: {count: 1}}, {name: a, pops: {percent: 100}}]"),
      'name "a" stands in spec.waves[0] already',
    ],
    [
      "count together with percent",
      over(ROLLOUT, "  waves: [{name: a, pops: {count: 1, percent: 100}}]"),
      "spec.waves[0].pops: a wave names its PoPs in one way: write exactly one of count, percent and matchLabels",
    ],
    [
      "an emergency without a reason",
      over(ROLLOUT.replace(/ {2}startNotBefore: .*\n/, ""), `  class: Emergency\n  ${WAVES}`),
      "spec.reason: an emergency says why: write reason",
    ],
    [
      "version together with content",
      over(ROLLOUT, `  content: {version: sig.1}\n  ${WAVES}`),
      "spec: a rollout brings one thing: write exactly one of version and content",
    ],
    ["a name that is none", ROLLOUT.replace("name: r-2", "name: R_2"), 'metadata.name is "R_2"; write lower-case letters'],
    ["another apiVersion", ROLLOUT.replace("v1alpha1", "v1"), 'apiVersion is "rollward.dev/v1"; write rollward.dev/v1alpha1'],
    [
      "a freeze that ends before it begins",
      FLEET_FILE.replace("maxConcurrentPoPs: 4", "freezes: [{name: peak, from: 2026-12-20, to: 2026-12-01}]"),
      "Fleet fleet: spec.freezes[0].to: the freeze ends before it begins: write its last frozen day as to",
    ],
    [
      "an Approval for nothing",
      "{apiVersion: rollward.dev/v1alpha1, kind: Approval, metadata: {namespace: fleet, name: a}, spec: {for: {kind: PoPRollout, name: r-2, uid: u, digest: ''}, actions: [], decision: Approve, reason: x, approvedBy: bo, expiresAt: 2026-12-01T00:00:00Z}}",
      'spec.for.digest is ""; write the digest that rollward explain prints',
    ],
  ])("[F7] %s, which the API server refuses, is refused: 2, with its sentence", async (_, text, sentence) => {
    run.files["bad.yaml"] = text;
    const others = text.includes("kind: Fleet") ? "-f pops.yaml -f release.yaml" : "-f fleet.yaml -f pops.yaml";
    await run.plan(`${others} -f bad.yaml`);
    expect(run.complaint).toContain(sentence);
    expect([run.printed, run.code]).toEqual(["", 2]);
  });

  it("[F7] [F8] what may not change of an object that stands in the cluster is refused over it, and free to be created", async () => {
    const made = run.cluster.create(POP_ROLLOUT, parse(ROLLOUT.slice(4)) as never);
    await run.clock.advance(1_000);
    await made;
    run.files["release.yaml"] = ROLLOUT.replace("version: 2.0.0", "version: 2.0.1");
    await run.plan("-f all.yaml");
    expect(run.code).toBe(0);
    await run.plan("-f release.yaml --cluster");
    expect(run.complaint).toMatch(/PoPRollout r-2: spec\.version: .*create a new PoPRollout for another one/);
    expect(run.code).toBe(2);
  });
});
