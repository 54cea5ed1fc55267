import { UPDATING_TAINT } from "../../../src/api/names.ts";
import { DAY, type FleetScenario, HOUR, MINUTE } from "./fleet-scenario.ts";
import { isClaimed } from "./fleet-truth.ts";
import { ask } from "./people.ts";
import { sicknessQuery } from "./pops.ts";

const LAST = "9.0.0";

/** What waits for a person is no unrest: holds that only somebody lifts. */
const OPEN_STATES: readonly string[] = ["Preflight", "Rolling", "RollingBack"];

/**
 * Faults end and specs rest: what is in hand has to come to its end (L1), and a good version, asked for as ever, has to reach every PoP in
 * its train without anybody deleting or repairing an object by hand (L2, L3). Then nothing is written any more (I18).
 */
export async function calmDown(scenario: FleetScenario, operators: () => readonly string[]): Promise<void> {
  const { world } = scenario;
  await world.clock.advance(5 * MINUTE);
  await scenario.done(rest(scenario));
  await scenario.liveUntil(world.clock.now() + 8 * DAY);
  const inHand = scenario.pops().filter(({ status }) => status?.run?.kind === "Rollback" && status.run.state === "RollingBack");
  if (inHand.length > 0)
    throw new Error(`I6: ${inHand.map(({ metadata }) => metadata.name).join(", ")} still go back; ${scenario.describe()}`);
  expectNothingInHand(scenario, "L1");

  // What is still under way would be waited for (F6): a person stops it.
  const at = new Date(world.clock.now()).toISOString();
  for (const { metadata, status } of scenario.rollouts())
    if (!status?.outcome)
      await scenario.done(scenario.editRollout(metadata.name, (spec) => ({ ...spec, requests: { ...spec.requests, stop: { at } } })));
  await scenario.done(ask(scenario, "last", { version: LAST }));
  const reached = () =>
    scenario.rollout("last")?.status?.outcome === "Completed" &&
    scenario.pops().every(({ status }) => status?.version === LAST && !OPEN_STATES.includes(status.run?.state ?? ""));
  await scenario.live(reached, 42 * DAY, `${LAST} on every PoP (L2, L3)`);
  await scenario.liveUntil(world.clock.now() + 2 * DAY);
  expectNothingInHand(scenario, "L2");
  await isQuiet(scenario, operators());
}

/** Everybody takes back what was for a while. */
async function rest(scenario: FleetScenario): Promise<void> {
  const { world } = scenario;
  world.prometheus.up = true;
  for (const { metadata } of scenario.pops()) {
    world.prometheus.replies.set(sicknessQuery(metadata.name), 0);
    await scenario.edit(metadata.name, ({ version: _, ...spec }) => ({ ...spec, paused: false }));
  }
  for (const { metadata } of scenario.rollouts()) await scenario.editRollout(metadata.name, (spec) => ({ ...spec, paused: false }));
  await scenario.editFleet((spec) => ({ ...spec, paused: false, freezes: [] }));
  for (const { name, pop } of world.nodes.directory()) await world.nodes.start([{ name, pop }]);
}

function expectNothingInHand(scenario: FleetScenario, rule: string): void {
  const claimed = scenario.nodes().filter((node) => isClaimed(node) || node.spec?.taints?.some(({ key }) => key === UPDATING_TAINT));
  const entries = scenario.fleet().status?.disruptions ?? [];
  if (claimed.length === 0 && entries.length === 0) return;
  const names = [...claimed.map(({ metadata }) => metadata.name), ...entries.map(({ pop, id }) => `grant ${id} of ${pop}`)];
  throw new Error(`${rule}: in hand after all is calm: ${names.join(", ")}; ${scenario.describe()}`);
}

/** I18: two hours of the calendar and a minute of time without a write; no window opens or closes meanwhile. */
async function isQuiet(scenario: FleetScenario, operators: readonly string[]): Promise<void> {
  const { clock, store } = scenario.world;
  const edge = scenario.invariants.calendar.nextEdge(clock.now());
  if (edge < clock.now() + 3 * HOUR) await scenario.liveUntil(edge + MINUTE);
  const from = store.audit.length;
  await clock.advance(MINUTE);
  const writes = store.audit.slice(from).filter(({ user, dryRun }) => operators.includes(user) && !dryRun);
  if (writes.length > 0)
    throw new Error(`I18: ${writes.length} writes in a minute of calm: ${JSON.stringify(writes.slice(0, 5))}; ${scenario.describe()}`);
}
