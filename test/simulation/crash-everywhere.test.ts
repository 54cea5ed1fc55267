import { describe, expect, it } from "vitest";
import { ApiError } from "../../src/control/ports.ts";
import type { Effect, Mishap } from "./effect.ts";
import type { FaultyOperator } from "./faulty-operator.ts";
import { HOUR, MINUTE, Scenario, SECOND } from "./scenario.ts";

/**
 * Exhaustive on a roll of three nodes: every effect of the operator, in turn, is the one that goes wrong, in every way. The world must
 * end as it does undisturbed, with the same history and as many restarts of each data plane, and nothing is violated on the way.
 */

const timeout = new ApiError(0, "Timeout", "no answer within the deadline");

/** The ways in which one effect goes wrong; a process that died is replaced after `downFor`. */
const WAYS: Readonly<Record<string, { readonly mishap: Mishap; readonly downFor?: number }>> = {
  "dies before it": { mishap: { crash: "before" }, downFor: 2 * SECOND },
  "dies when it is done, before the answer": { mishap: { crash: "after" }, downFor: 2 * SECOND },
  "dies when it is done, and nobody is there for longer than a drain lasts": { mishap: { crash: "after" }, downFor: 90 * SECOND },
  "hears a time-out although it is done": { mishap: { error: timeout, commits: true } },
};

interface Run {
  readonly scenario: Scenario;
  readonly first: FaultyOperator;
}

async function roll(version: string, mishap?: (effect: Effect) => Mishap | undefined, downFor = 0): Promise<Run> {
  const scenario = await Scenario.create();
  await scenario.want(version);
  const first = scenario.operator({ name: "a", ...(mishap ? { mishap } : {}) });
  if (downFor > 0) {
    await scenario.until(() => !first.alive, HOUR, "the crash");
    await scenario.world.clock.advance(downFor);
    scenario.operator({ name: "b" });
  }
  await scenario.until(
    () => scenario.isFinal() && scenario.pop()?.status?.run?.state !== "Baking",
    HOUR,
    `the end of the run to ${version}`,
  );
  return { scenario, first };
}

/** The world at its end, and what an undisturbed one may not differ in. */
async function ended({ scenario }: Run): Promise<object> {
  // The verdict is written on the record after the run; then nothing more (I18).
  await scenario.world.clock.advance(MINUTE);
  const writes = await scenario.writesDuring(2 * MINUTE, ["a", "b"]);
  scenario.invariants.check();
  expect(writes).toEqual([]);
  return { state: scenario.finalState(), restarts: scenario.restarts() };
}

/** Every way with a good version; with a bad one those that can lose what only the dead process knew. */
const CASES = [
  ...Object.keys(WAYS).map((way) => ["a good version", "2.0.0", way] as const),
  ...["dies before it", "dies when it is done, before the answer"].map(
    (way) => ["a version that never becomes healthy", "2.0.0-bad-health", way] as const,
  ),
];

describe("[I8] a roll ends as if undisturbed", () => {
  it.each(CASES)("to %s (%s) when the operator, at any one effect, %s", { timeout: 120_000 }, async (_, version, way) => {
    const { mishap, downFor } = WAYS[way]!;
    const undisturbed = await roll(version);
    const expected = await ended(undisturbed);
    const effects = undisturbed.first.effects.length;
    expect(effects).toBeGreaterThan(20);
    const failures: string[] = [];
    for (let index = 0; index < effects; index++) {
      try {
        const run = await roll(version, (effect) => (effect.index === index ? mishap : undefined), downFor);
        expect(await ended(run)).toEqual(expected);
      } catch (error) {
        const { name, target, detail } = undisturbed.first.effects[index]!;
        failures.push(`effect ${index} (${name} ${target} ${detail}) ${way}: ${(error as Error).message.slice(0, 3_000)}`);
      }
    }
    expect(
      failures.slice(0, 3).join("\n\n"),
      `${failures.length} of ${effects} effects: ${failures.map((one) => one.slice(0, 90)).join(" | ")}`,
    ).toBe("");
  });
});
