import { beforeEach, describe, expect, it } from "vitest";
import { FLEET_FILE, PlanRun, POPS, ROLLOUT } from "./plan.examples.ts";

let run: PlanRun;
beforeEach(() => {
  run = new PlanRun();
});

describe("[F7] what a person reads of a plan", () => {
  it("[F7] no line is longer than 120 characters: long names, zones and reasons, sites, digests and conflicts", async () => {
    const long = POPS[0]!
      .replaceAll("fra1", "frankfurt-am-main-second-building-1")
      .replace("Europe/Berlin", "America/North_Dakota/New_Salem")
      .replace("region: frankfurt-am-main-second-building-1", "region: south-america-the-very-far-end")
      .replace("windowRef: {name: pop-sunday}", "windowRef: {name: pop-sonday}");
    const site = `---
apiVersion: rollward.dev/v1alpha1
kind: TunnelSite
metadata: {namespace: acme, name: s}
spec: {type: IPsec, primaryPoP: fra1}
`;
    const release = ROLLOUT.replaceAll("name: rest", `name: ${"r".repeat(60)}`);
    run.files["long.yaml"] = FLEET_FILE + POPS.join("") + long + site + release;
    await run.plan("-f long.yaml");
    expect(run.code).toBe(5);
    const lines = run.printed.split("\n");
    expect(lines.filter((line) => line.length > 120)).toEqual([]);
    // What has no room is cut or below, and stands whole in json.
    expect(run.unfolded).toContain("MaintenanceWindow pop-sonday does not exist in namespace fleet");
    await run.plan("-f long.yaml -o json");
    const [{ pops, waves }] = JSON.parse(run.printed).rollouts;
    expect(pops.at(-1)).toMatchObject({ pop: "frankfurt-am-main-second-building-1", region: "south-america-the-very-far-end" });
    expect(waves.at(-1).name).toHaveLength(60);
  });

  it("[F7] a look that ends before the train says that the rest is not known: 7, and another digest than the whole", async () => {
    await run.plan("-f all.yaml -o json");
    const whole = JSON.parse(run.printed);
    await run.plan("-f all.yaml --until 2026-11-21 -o json");
    const short = JSON.parse(run.printed);
    expect(run.code).toBe(7);
    expect([short.complete, short.fits, short.digest === whole.digest]).toEqual([false, false, false]);
    await run.plan("-f all.yaml --until 2026-11-21");
    expect(run.unfolded).toMatch(
      /digest of what was looked at alone sha256:[^]*r-2 \(2\.0\.0\) looked until 2026-11-22T00:00:00Z; the rest is not known/,
    );
    expect(run.printed).not.toContain("does not fit");
    await run.plan("-f all.yaml --until 2026-11-21 -o html");
    expect(run.printed).toContain("whether it fits is not known");
    // What is wrong however far one looks is no question of the look.
    run.files["pops.yaml"] = POPS.join("").replace("windowRef: {name: pop-sunday}", "windowRef: {name: pop-sonday}");
    await run.plan("-f fleet.yaml -f pops.yaml -f release.yaml --until 2026-11-21");
    expect(run.code).toBe(5);
  });

  it("[F8] an Approval of a file that is for no rollout that is here decides nothing, and that is said", async () => {
    run.files["approval.yaml"] = `apiVersion: rollward.dev/v1alpha1
kind: Approval
metadata: {namespace: fleet, name: go}
spec:
  for: {kind: PoPRollout, name: r-9, uid: u, digest: "sha256:${"0".repeat(64)}"}
  actions: [Promote]
  decision: Approve
  reason: quiet
  approvedBy: bo
  expiresAt: 2026-12-01T00:00:00Z
`;
    await run.plan("-f all.yaml -f approval.yaml");
    expect(run.unfolded).toContain("assumed: Approval go decides nothing: there is no PoPRollout r-9; create the rollout first");
  });
});
