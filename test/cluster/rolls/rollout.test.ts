import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { API_VERSION } from "../../../src/api/common.ts";
import type { PopRollout } from "../../../src/api/pop-rollout.ts";
import { POP_ROLLOUT } from "../../../src/api/resources.ts";
import type { Draft } from "../../../src/control/ports.ts";
import { FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { eventually, firstVersions, IMPATIENT, openFleet, passed, servedVersions } from "./pops.ts";
import { RealWorld } from "./real-world.ts";

const POPS = ["fra1", "ber1", "muc1"] as const;
const ROOT = join(import.meta.dirname, "../../..");
/** 01:10 in Berlin on the Sunday of a departure. */
const FIRST_SUNDAY = Date.parse("2026-11-22T00:10:00Z");
const NEXT_DEPARTURE = Date.parse("2026-12-06T00:10:00Z");

describeWithControlPlane("[T3] a release through a fleet of three PoPs", () => {
  let world: RealWorld;

  beforeAll(async () => {
    world = await RealWorld.start({ start: "2026-11-21T02:00:00Z", pops: Object.fromEntries(POPS.map((pop) => [pop, 2])) });
    await world.startOperator();
    await openFleet(world, { train: { everyWeeks: 2, anchor: "2026-11-22", length: "336h" } });
    await firstVersions(world, Object.fromEntries(POPS.map((pop) => [pop, { strategy: IMPATIENT }])));
    // From here on rollouts say what runs.
    for (const pop of POPS) await world.editPop(pop, ({ version: _, ...spec }) => spec);
  }, 120_000);
  afterAll(() => world?.stop());

  const release = (name: string, spec: object): Promise<PopRollout> =>
    world.apply<PopRollout>(POP_ROLLOUT, {
      apiVersion: API_VERSION,
      kind: "PoPRollout",
      metadata: { name, namespace: FLEET_NAMESPACE },
      spec: { requestedBy: "release-engineer@example.com", announcedAt: "2026-11-13T12:00:00Z", ...spec },
    } as unknown as Draft<PopRollout>);
  const read = async (name: string): Promise<PopRollout> => (await world.cluster.get<PopRollout>(POP_ROLLOUT, name, FLEET_NAMESPACE))!;
  const rollward = async (...words: string[]): Promise<string> => {
    const flags = ["--kubeconfig", world.controlPlane.kubeconfig("admin")];
    const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, "src/main.ts"), ...words, ...flags], { cwd: ROOT });
    return stdout;
  };
  const versions = async (): Promise<string[]> =>
    (await Promise.all(POPS.map((pop) => servedVersions(world, pop)))).flatMap((nodes) => Object.values(nodes).map(String));

  it("[F1] [F8] one canary in its window; the others only after its bake and an Approval by somebody else, bound to their digest", async () => {
    await release("r2", {
      version: "2.0.0",
      waves: [
        { name: "canary", pops: { count: 1 }, bake: "1s" },
        { name: "rest", pops: { percent: 100 }, bake: "1s", approval: "Required" },
      ],
    });
    await eventually(
      () => read("r2"),
      ({ status }) => expect(status?.waves?.[0]?.state).toBe("Open"),
    );
    expect(await versions()).toEqual(Array.from({ length: 6 }, () => "1.0.0"));

    await world.calendar.jumpTo(FIRST_SUNDAY);
    await eventually(
      () => read("r2"),
      ({ status }) => expect(status?.holds?.[0]?.reason).toBe("AwaitingApproval"),
    );
    expect((await versions()).toSorted()).toEqual(["1.0.0", "1.0.0", "1.0.0", "1.0.0", "2.0.0", "2.0.0"]);
    expect(await rollward("explain", "popro/r2")).toContain("AwaitingApproval (rule F8)");

    expect(await rollward("approve", "popro/r2", "--reason", "the canary is quiet")).toContain(
      "approves Promote of PoPRollout r2, wave rest",
    );
    await eventually(
      () => read("r2"),
      ({ status }) => expect([status?.outcome, status?.standing]).toEqual(["Completed", true]),
      90_000,
    );
    expect(await versions()).toEqual(Array.from({ length: 6 }, () => "2.0.0"));
    expect((await read("r2")).status?.waves?.[1]?.approval?.reason).toBe("the canary is quiet");
  });

  it("[F4] a version that is bad on the canary halts there, goes back by itself, and reaches no other PoP", async () => {
    await release("r3", {
      version: "3.0.0-bad-health",
      startNotBefore: "2026-12-06",
      waves: [
        { name: "canary", pops: { count: 1 }, bake: "1s" },
        { name: "rest", pops: { percent: 100 }, bake: "1s" },
      ],
      failureBudget: { pops: 2 },
    });
    await world.calendar.jumpTo(NEXT_DEPARTURE);
    await eventually(
      () => read("r3"),
      ({ status }) => expect(status?.halted?.because).toContain("of the first wave canary, whose failure budget is 0"),
      150_000,
    );
    const [canary] = (await read("r3")).status!.waves![0]!.pops!;
    await world.until(canary!, "the way back", (status) => status.history?.at(-1)?.outcome === "RolledBack" && status.run === undefined);
    expect(await versions()).toEqual(Array.from({ length: 6 }, () => "2.0.0"));
    expect((await read("r3")).status?.waves?.map(({ state }) => state)).toEqual(["Open", "Pending"]);
    expect(await rollward("status", "popro/r3")).toContain("r3 is over (RolledBack): it failed on PoP");
  }, 300_000);

  it("[F5] the version that mends it goes to the PoPs at once, in their window, without waiting for a train", async () => {
    await release("r4", {
      version: "3.0.1",
      supersedes: { name: "r3" },
      waves: [
        { name: "canary", pops: { count: 1 }, bake: "1s" },
        { name: "rest", pops: { percent: 100 }, bake: "1s" },
      ],
    });
    await eventually(
      () => read("r4"),
      ({ status }) => expect(status?.outcome).toBe("Completed"),
      120_000,
    );
    for (const pop of POPS) expect(passed("3.0.1")((await world.pop(pop)).status!)).toBe(true);
    expect(await versions()).toEqual(Array.from({ length: 6 }, () => "3.0.1"));
    expect((await read("r3")).status).toMatchObject({ outcome: "Superseded", supersededBy: { name: "r4" } });
  });
});
