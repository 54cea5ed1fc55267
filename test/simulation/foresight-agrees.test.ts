import { describe, expect, it } from "vitest";
import type { Approval } from "../../src/api/approval.ts";
import type { Fleet } from "../../src/api/fleet.ts";
import type { MaintenanceWindow } from "../../src/api/maintenance-window.ts";
import type { PopCluster } from "../../src/api/pop-cluster.ts";
import type { PopRollout } from "../../src/api/pop-rollout.ts";
import { APPROVAL, FLEET, MAINTENANCE_WINDOW, POP_CLUSTER, POP_ROLLOUT, TUNNEL_SITE } from "../../src/api/resources.ts";
import type { TunnelSite } from "../../src/api/tunnel-site.ts";
import type { Kind } from "../../src/control/ports.ts";
import { seededRandom } from "../../src/simulation/clock.ts";
import { foresee } from "../../src/simulation/foresight/foresee.ts";
import { partnersOf } from "../../src/simulation/foresight/partners.ts";
import type { ForesightInput } from "../../src/simulation/foresight/types.ts";
import { DRAIN, FLEET_NAMESPACE } from "../../src/simulation/world.ts";
import { Sites, TELLING } from "../scenarios/sites.ts";
import { DAY, MINUTE, SECOND, Story } from "../scenarios/story.ts";

/** The slowest of the operator's own rhythms: sites are read, and the forecast is computed, once a minute. */
const TICK = MINUTE;
/** What a virtual node takes from its claim until it soaks: drain, restart, two healthy answers. Its soak is four ticks long. */
const NODE_TAKES = 3 * SECOND;
const RARELY = [{ name: "ready", http: { port: 8080, path: "/healthz" }, successes: 2, failures: 2, interval: "2s", timeout: "1s" }];

interface Random {
  readonly pops: readonly {
    readonly name: string;
    readonly nodes: number;
    readonly opens: string;
    readonly zone: string;
    readonly atOnce: number;
  }[];
  readonly regional: number;
  readonly together: number;
  readonly partners: boolean;
}

/** Windows open minutes apart, or all in the same second: then only a hash says who goes first (rule G7). */
function randomFleet(seed: number, together: boolean): Random {
  const random = seededRandom(seed);
  const upTo = (most: number) => 1 + Math.floor(random() * most);
  const zones = together ? ["Europe/Berlin", "Europe/Berlin", "Europe/Berlin"] : ["Europe/Berlin", "Europe/London", "Asia/Dubai"];
  const count = 3 + upTo(2);
  const pops = Array.from({ length: count }, (_, index) => {
    const minute = together ? "00" : String(index * 4 + upTo(3)).padStart(2, "0");
    return { name: `p${index}`, nodes: upTo(3), opens: `01:${minute}`, zone: zones[upTo(3) - 1]!, atOnce: upTo(2) };
  });
  return { pops, regional: upTo(2), together: upTo(3), partners: random() < 0.5 };
}

/** The fleet as it stands in the store: what a planner would read. */
function stands(story: Story): ForesightInput {
  const list = <T>(kind: object): T[] => story.world.store.list(kind as Kind) as unknown as T[];
  return {
    now: story.now,
    namespace: FLEET_NAMESPACE,
    fleet: list<Fleet>(FLEET)[0]!,
    windows: list<MaintenanceWindow>(MAINTENANCE_WINDOW),
    pops: list<PopCluster>(POP_CLUSTER),
    rollouts: list<PopRollout>(POP_ROLLOUT),
    approvals: list<Approval>(APPROVAL),
    partners: partnersOf(list<TunnelSite>(TUNNEL_SITE)),
  };
}

async function begin({ pops, regional, together, partners }: Random): Promise<Story> {
  const [first, second] = pops;
  const story = await Story.begin({
    start: "2026-11-21T12:00:00Z",
    pops: pops.map(({ name }) => name),
    nodes: 0,
    firstVersion: false,
    fleet: {
      train: { everyWeeks: 2, anchor: "2026-11-22", length: "336h" },
      maxConcurrentPoPs: together,
      maxConcurrentPerRegion: regional,
    },
    pop: TELLING,
    before: async ({ world }) => {
      for (const { name, nodes } of pops) await world.bootNodes(name, nodes);
      for (const { name, opens } of pops)
        await world.apply(MAINTENANCE_WINDOW, {
          apiVersion: MAINTENANCE_WINDOW.apiVersion,
          kind: "MaintenanceWindow",
          metadata: { name: `w-${name}`, namespace: FLEET_NAMESPACE },
          spec: { schedule: { weekly: [{ day: "Sunday", start: opens, duration: "4h" }] }, timeZone: "Local", notice: "0s" },
        } as never);
    },
  });
  for (const { name, zone, atOnce } of pops)
    await story.edit(
      (spec) => ({
        ...spec,
        timeZone: zone,
        windowRef: { name: `w-${name}` },
        health: { ...spec.health, node: RARELY as never },
        strategy: {
          ...spec.strategy,
          maxUnavailable: atOnce,
          bake: "10m",
          drain: { ...spec.strategy.drain, timeout: "5s" },
          perNode: { ...spec.strategy.perNode, expected: `${NODE_TAKES / SECOND}s`, soak: "4m" },
        },
      }),
      name,
    );
  for (const { name } of pops) await story.until("the first version", ({ run }) => run?.state === "Passed", 60 * MINUTE, name);
  if (partners) await new Sites(story).dual("acme/plant", first!.name, second!.name);
  return story;
}

const TWO_WAVES = [
  { name: "canary", pops: { count: 1 }, bake: "10m" },
  { name: "rest", pops: { percent: 100 }, bake: "10m" },
];

async function release(story: Story, waves: readonly object[] = TWO_WAVES): Promise<void> {
  for (const { metadata } of stands(story).pops) await story.edit(({ version: _, ...spec }) => spec, metadata.name);
  await story.world.apply(POP_ROLLOUT, {
    apiVersion: POP_ROLLOUT.apiVersion,
    kind: "PoPRollout",
    metadata: { name: "r-2", namespace: FLEET_NAMESPACE },
    spec: {
      version: "2.0.0",
      requestedBy: "release@example.com",
      announcedAt: new Date(story.now).toISOString(),
      startNotBefore: "2026-11-22",
      waves,
    },
  } as never);
  await story.pass(2 * MINUTE);
}

interface Times {
  readonly wave: string;
  readonly start: number;
  readonly end: number;
  readonly passed: number;
}

/** What really happened, from the store's truth alone. */
function watched(story: Story): ReadonlyMap<string, Partial<Times>> {
  const found = new Map<string, Partial<Times>>();
  story.world.store.subscribe(({ kind, object }) => {
    if (kind.kind !== POP_CLUSTER.kind) return;
    const { metadata, status } = object as unknown as PopCluster;
    const run = status?.run;
    if (run?.version !== "2.0.0") return;
    const known = found.get(metadata.name) ?? {};
    found.set(metadata.name, {
      ...known,
      wave: status?.assigned?.wave ?? known.wave ?? "",
      start: known.start ?? story.now,
      ...(run.state === "Baking" || run.state === "Passed" ? { end: known.end ?? story.now } : {}),
      ...(run.state === "Passed" ? { passed: known.passed ?? story.now } : {}),
    });
  });
  return found;
}

describe("[F7] the forecast is no second implementation", () => {
  it.each([
    [1, "windows minutes apart"],
    [2, "windows minutes apart"],
    [3, "windows minutes apart"],
    [4, "windows minutes apart"],
    [5, "windows of the same second"],
    [6, "windows of the same second"],
    [7, "windows of the same second"],
  ])("seed %i, %s: what was foreseen is what happens, PoP by PoP within one tick", async (seed, windows) => {
    const fleet = randomFleet(seed, windows === "windows of the same second");
    const story = await begin(fleet);
    await release(story);
    const plan = foresee(stands(story)).rollouts[0]!;
    expect(plan.fits, plan.message).toBe(true);
    const history = watched(story);
    const rolling = () => stands(story).pops.find(({ status }) => status?.assigned?.wave === "rest" && status.run?.state === "Rolling");
    await story.untilTrue("a PoP of the last wave in mid-roll", () => rolling() !== undefined, 3 * DAY);
    await story.pass(MINUTE);
    const again = foresee(stands(story)).rollouts[0]!;
    const outcome = () => story.read<PopRollout>(POP_ROLLOUT, "r-2", FLEET_NAMESPACE)?.status?.outcome;
    await story.untilTrue("the rollout to be over", () => outcome() !== undefined, 3 * DAY);
    expect(outcome()).toBe("Completed");
    // From the middle of a roll on it agrees as well.
    for (const { pop, end } of again.pops) {
      if (end === undefined) continue;
      expect(Math.abs(Date.parse(end) - history.get(pop)!.end!), `${pop}, foreseen in mid-rollout`).toBeLessThanOrEqual(TICK);
    }
    expect(again.pops.some(({ end, state }) => end !== undefined && state === "Passed")).toBe(true);
    const { forecast } = story.read<PopRollout>(POP_ROLLOUT, "r-2", FLEET_NAMESPACE)!.status!;
    expect(forecast, "the operator foresaw the same, in status").toMatchObject({ fits: true, windows: plan.dates });
    expect(Date.parse(forecast!.finishAt!) - Date.parse(plan.finishAt!)).toBeLessThan(16 * MINUTE);
    const table = plan.pops.map(({ pop, wave, start, end, passed }) => {
      const real = history.get(pop)!;
      const off = [Date.parse(start!) - real.start!, Date.parse(end!) - real.end!, Date.parse(passed!) - real.passed!].map((ms) =>
        Math.round(ms / SECOND),
      );
      return { pop, foreseen: wave, wave: real.wave, start, off };
    });
    for (const row of table) {
      expect(row.foreseen, JSON.stringify(table)).toBe(row.wave);
      for (const seconds of row.off) expect(Math.abs(seconds) * SECOND, JSON.stringify(table, null, 1)).toBeLessThanOrEqual(TICK);
    }
  });
});

describe("[F7] the forecast in status", () => {
  it("nodes that take four times what was expected: by its next node it has converged, and it is written only when it says something else", async () => {
    const strategy = {
      bake: "10m",
      drain: { ...DRAIN, timeout: "20m" },
      perNode: { expected: "5m", deadline: "40m", soak: "5s", retries: 1 },
    };
    const story = await Story.begin({
      start: "2026-11-21T22:00:00Z",
      nodes: 4,
      fleet: { train: { everyWeeks: 2, anchor: "2026-11-22", length: "336h" } },
      pop: { version: "1.0.0-ignores-drain", strategy, health: { node: RARELY } },
    });
    await story.sessions(40);
    await release(story, [{ name: "all", pops: { percent: 100 }, bake: "10m" }]);
    const forecast = () => story.read<PopRollout>(POP_ROLLOUT, "r-2", FLEET_NAMESPACE)?.status?.forecast;
    const told = new Set<string>();
    story.world.store.subscribe(({ kind, object }) => {
      if (kind.kind === POP_ROLLOUT.kind) told.add(JSON.stringify((object as unknown as PopRollout).status?.forecast));
    });
    const done = () =>
      story.status().run?.version === "2.0.0" ? (story.status().nodes ?? []).filter(({ step }) => step === "Done").length : 0;
    await story.untilTrue(
      "the first node",
      () => story.status().run?.version === "2.0.0" && story.status().run?.state === "Rolling",
      6 * 60 * MINUTE,
    );
    const early = Date.parse(forecast()!.finishAt!);
    await story.untilTrue("a node to be done", () => done() === 1, 3 * 60 * MINUTE);
    await story.pass(3 * MINUTE);
    const converged = Date.parse(forecast()!.finishAt!);
    await story.untilTrue("all nodes", () => story.status().run?.state === "Baking", 3 * 60 * MINUTE);
    const end = story.now;
    expect(end - early, "what was expected was wrong").toBeGreaterThan(30 * MINUTE);
    expect(
      Math.abs(end - converged),
      `${new Date(converged).toISOString()} foreseen, ${new Date(end).toISOString()} in truth`,
    ).toBeLessThanOrEqual(16 * MINUTE);
    expect(told.size).toBeLessThanOrEqual(10);
  });
});
