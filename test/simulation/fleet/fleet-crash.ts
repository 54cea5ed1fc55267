import type { PopRollout } from "../../../src/api/pop-rollout.ts";
import type { Effect, Mishap } from "../effect.ts";
import type { FaultyOperator } from "../faulty-operator.ts";
import { DAY, FleetScenario, HOUR, MINUTE, SECOND } from "./fleet-scenario.ts";
import { ask } from "./people.ts";
import { imageOf } from "./pops.ts";

const START = "2026-11-20T10:00:00Z";
const VERSION = "2.0.0";

export interface SmallRun {
  readonly scenario: FleetScenario;
  readonly first: FaultyOperator;
}

/**
 * Three PoPs of a node each: `akl` is the canary, `ber` and `par` share a site and are the rest; the registry has lost the image for
 * `par`, which goes back within the failure budget. `first` has the mishap; another operator that believes it leads is there all the while.
 */
export async function smallRollout(mishap?: (effect: Effect) => Mishap | undefined, others = 1): Promise<SmallRun> {
  const scenario = await FleetScenario.create({
    start: START,
    pops: [
      { name: "akl", timeZone: "Pacific/Auckland", region: "pacific" },
      { name: "ber", timeZone: "Europe/Berlin", region: "europe" },
      { name: "par", timeZone: "Europe/Paris", region: "europe" },
    ],
    fleet: { maxConcurrentPoPs: 2, maxConcurrentPerRegion: 2, train: { everyWeeks: 2, anchor: "2026-11-22", length: "336h" } },
  });
  const { clock } = scenario.world;
  scenario.world.registry.missing.add(imageOf("par", VERSION));
  await scenario.done(scenario.site("office", "ber", "par"));
  const first = scenario.operator({ name: "a", ...(mishap ? { mishap } : {}) });
  for (let index = 0; index < others; index++) scenario.operator({ name: `b${index}`, seed: 7 + index, lagMilliseconds: 40 });
  // Both tunnels are reported before the first window.
  await clock.advance(3 * MINUTE);
  const waves = [
    { name: "canary", pops: { count: 1 }, bake: "10m" },
    { name: "rest", pops: { percent: 100 }, bake: "10m" },
  ];
  await scenario.done(ask(scenario, "r1", { version: VERSION, waves, failureBudget: { pops: 1 } }));
  const replacing = replacement(scenario, first);
  await scenario.live(() => (replacing(), isOver(scenario.rollout("r1"))), 3 * DAY, "the end of the rollout");
  await scenario.liveUntil(clock.now() + 6 * HOUR);
  return { scenario, first };
}

/** Who dies comes back after a few seconds. */
function replacement(scenario: FleetScenario, first: FaultyOperator): () => void {
  let replaced = false;
  return () => {
    if (first.alive || replaced) return;
    replaced = true;
    scenario.world.clock.after(3 * SECOND, () => void scenario.operator({ name: "c", seed: 3 }));
  };
}

const isOver = (rollout: PopRollout | undefined): boolean => rollout?.status?.outcome !== undefined;

/** What may not differ from an undisturbed run. */
export function endOf({ scenario }: SmallRun): object {
  const { status } = scenario.rollout("r1")!;
  return {
    rollout: [status?.outcome, status?.standing],
    waves: status?.waves?.map(({ name, state, pops }) => [name, state, pops?.toSorted()]),
    shares: status?.assignments?.map(({ pop, state }) => `${pop} ${state}`).toSorted(),
    pops: scenario.pops().map(({ metadata, status: pop = {} }) => ({
      name: metadata.name,
      version: pop.version,
      run: pop.run && [pop.run.kind, pop.run.version, pop.run.state],
      history: pop.history?.map(({ version, outcome }) => `${version} ${outcome}`),
      failed: pop.revisions?.failed?.map(({ version }) => version),
      grant: pop.grant?.state,
      steps: pop.nodes?.map(({ name, step }) => `${name} ${step}`),
    })),
    ledger: scenario.fleet().status?.disruptions ?? [],
  };
}
