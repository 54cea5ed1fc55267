// B8, B10 and B11: the fleet's decisions by themselves, on the clock of the forecast. No API server, no network: what is measured is
// what deciding costs. The inside of a PoP is the model of the forecast (docs/decisions/0014); for B11 the whole virtual world beside it.
import type { PopCluster } from "../src/api/pop-cluster.ts";
import { FLEET, MAINTENANCE_WINDOW, POP_CLUSTER } from "../src/api/resources.ts";
import { FleetModel } from "../src/simulation/foresight/fleet-model.ts";
import { foresee, modelOf } from "../src/simulation/foresight/foresee.ts";
import {
  completePartners,
  example,
  fleetObject,
  popObject,
  rolloutObject,
  windowObject,
  worldwide,
} from "../src/simulation/foresight/foresight.examples.ts";
import type { ForesightInput } from "../src/simulation/foresight/types.ts";
import { fleetDraft, popDraft, sundayWindow, World } from "../src/simulation/world.ts";
import { FleetStorm, START } from "../test/simulation/fleet/fleet-storm.ts";
import type { Figures, Row } from "./figures.ts";
import { median, spread } from "./figures.ts";

const RUNS = 5;
const DAY = 24 * 3_600_000;
const WEEK = 7 * DAY;
const WATCHED_DAYS = 10;
const STORM_POPS = 40;
const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

const timed = (work: () => void): number => {
  const began = performance.now();
  work();
  return performance.now() - began;
};

const seconds = (what: string, times: readonly number[], limit: number): Row => ({
  what,
  value: spread(
    times.map((ms) => ms / 1000),
    "s",
    2,
  ),
  target: `≤ ${limit} s`,
  met: median(times) <= limit * 1000,
});

/** PoPs that answer at once, windows that are always open: three waves, of which only deciding takes time. */
function atOnce(count: number, name: string): ForesightInput {
  const strategy = { perNode: { expected: "1s", soak: "0s", deadline: "1m" }, bake: "0s" };
  const pops: PopCluster[] = Array.from({ length: count }, (_, index) =>
    popObject(`${name}-${index}`, { nodes: 1, region: `r${index % 20}`, strategy }),
  );
  const weekly = DAYS.map((day) => ({ day, start: "00:00", duration: "24h" }));
  const waves = [
    { name: "canary", pops: { count: 2 }, bake: "0s" },
    { name: "small", pops: { percent: 10 }, bake: "0s" },
    { name: "rest", pops: { percent: 100 }, bake: "0s" },
  ];
  return example({
    pops,
    fleet: fleetObject({ maxConcurrentPoPs: 1000, maxConcurrentPerRegion: 1000, freezes: [] }),
    windows: [windowObject({ schedule: { weekly } })],
    rollouts: [rolloutObject({ waves, stages: [] }, name)],
  });
}

function rollOut(input: ForesightInput): void {
  const { model } = modelOf(input, input.now + 4 * WEEK);
  for (const { metadata, status } of model.rollouts.values())
    if (status?.outcome !== "Completed") throw new Error(`${metadata.name} ended ${status?.outcome}: the benchmark measured nothing`);
}

/** B8. */
function stagedRollout(): Figures {
  const hundred = atOnce(100, "r");
  const ten = Array.from({ length: 10 }, (_, index) => atOnce(1000, `r${index}`));
  rollOut(hundred);
  return {
    title: "Staged rollout, targets answering at once (B8)",
    how: "all decisions of PoPRollout, Fleet and windows for three waves until Completed, PoPs of one node that are done a second later; the ten rollouts in ten fleets of 1,000, one after the other. Published for other hardware, and with an API server: KubeFleet, 96 s for 100 clusters",
    rows: [
      seconds(
        "100 PoPs in three waves",
        Array.from({ length: RUNS }, () => timed(() => rollOut(hundred))),
        3,
      ),
      seconds("10,000 PoPs as ten PoPRollouts", [timed(() => ten.forEach(rollOut))], 60),
    ],
  };
}

/** B10. */
function wholeFleet(): Figures {
  const pops = worldwide(200);
  const input = example({ pops });
  const tied = example({ pops, partners: completePartners(pops, 2) });
  const look = (of: ForesightInput) => Array.from({ length: RUNS }, () => timed(() => void foresee(of)));
  foresee(input);
  return {
    title: "Forecast of the whole fleet (B10)",
    how: "200 PoPs of 2 to 8 nodes in forty regions, the release of three waves, five weeks; sites and Clients are not built yet. Thorough: as `rollward plan` looks, with how many Sundays it would take and until when people may approve",
    rows: [
      seconds("as in the operator", look(input), 5),
      seconds("every PoP shares sites with every other (39,800 sites)", look(tied), 5),
      seconds("the same, thorough", look({ ...tied, thorough: true }), 5),
    ],
  };
}

/** B11. */
async function simulatedWeeks(): Promise<Figures> {
  const pops = worldwide(200);
  const weeks = 5;
  const model = timed(() => new FleetModel(example({ pops })).run(example({ pops }).now + weeks * WEEK));
  const rate = (200 * weeks) / (model / 1000);
  const watched: number[] = [];
  for (let run = 0; run < RUNS; run++) watched.push(await watchedRate());
  const storm = await stormRate();
  const row = (what: string, value: number): Row => ({
    what,
    value: `${value.toFixed(value < 10 ? 2 : 0)} PoP-weeks/s`,
    target: "≥ 500",
    met: value >= 500,
  });
  return {
    title: "Simulated time (B11)",
    how: `PoP-weeks a second of one thread: 200 PoPs for five weeks on the forecast's model; one PoP of two nodes for ten days in the whole virtual world, where the real PoP controller asks each node twice a minute all the while; and a seeded storm of ${STORM_POPS} PoPs over eight weeks with two operators, faults and every oracle, as test/simulation/fleet runs it (what only the calendar brings is skipped to)`,
    rows: [
      row("the forecast's model", rate),
      row("the whole virtual world, asked all the while", median(watched)),
      row(`the whole virtual world, a storm of ${STORM_POPS} PoPs`, storm),
    ],
  };
}

async function stormRate(): Promise<number> {
  const began = performance.now();
  const { world } = (await FleetStorm.run(6, { pops: STORM_POPS })).scenario;
  const took = (performance.now() - began) / 1000;
  return (STORM_POPS * (world.clock.now() - Date.parse(START))) / WEEK / took;
}

async function watchedRate(): Promise<number> {
  const world = await World.create({ start: "2026-11-22T00:00:30Z" });
  await world.bootNodes("fra1", 2);
  await world.apply(FLEET, fleetDraft());
  await world.apply(MAINTENANCE_WINDOW, sundayWindow());
  const node = [{ name: "ready", http: { port: 8080, path: "/healthz" }, successes: 2, failures: 2, interval: "30s", timeout: "1s" }];
  await world.apply(POP_CLUSTER, popDraft("fra1", { health: { node }, strategy: { watch: "336h" } }));
  world.startOperator();
  await world.until("fra1", ({ run }) => run?.state === "Passed", 3_600_000, "the first version");
  const began = performance.now();
  await world.clock.advance(WATCHED_DAYS * DAY);
  const took = (performance.now() - began) / 1000;
  for (const operator of world.operators) operator.crash();
  return WATCHED_DAYS / 7 / took;
}

export const foresight = async (): Promise<readonly Figures[]> => [stagedRollout(), wholeFleet(), await simulatedWeeks()];
