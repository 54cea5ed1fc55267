import { describe, expect, it } from "vitest";
import { FleetStorm } from "./fleet-storm.ts";

/**
 * ROLLWARD_FLEET_SEEDS: how many seeds (`5`), a range (`100-140`) or one (`17-17`). ROLLWARD_FLEET_POPS: how many PoPs (10; 200 take six to
 * eight minutes of one processor a seed). ROLLWARD_FLEET_TRACE=1 prints every effect. A seed that fails is played again by the line that it
 * prints; what it found becomes a named test.
 */
const { ROLLWARD_FLEET_SEEDS: asked, ROLLWARD_FLEET_POPS: pops, ROLLWARD_FLEET_TRACE: traced } = process.env;
const trace = traced ? (line: string) => void process.stdout.write(`${line}\n`) : undefined;

/** Many small fleets, and one in which regions, limits and waves are of several PoPs each. */
const RUNS: readonly (readonly [seeds: string, pops: number])[] =
  asked === undefined && pops === undefined
    ? [
        ["1-5", 10],
        ["6-6", 40],
      ]
    : [[asked ?? "5", Number(pops ?? "10")]];

describe("[I1 I2 I5 I6 I7 I11 I12 I13 I14 I20 L1 L2 L3] five weeks of a fleet, then calm", () => {
  it.each(RUNS)(
    "seeds %s of %d PoPs: nothing is violated at any event, and the calm comes to its end",
    { timeout: 3_600_000 },
    async (seeds, count) => {
      const [first, last] = seeds.includes("-") ? seeds.split("-").map(Number) : [1, Number(seeds)];
      const failures: string[] = [];
      for (let seed = first!; seed <= last!; seed++) {
        try {
          await FleetStorm.run(seed, { pops: count, ...(trace ? { trace } : {}) });
        } catch (error) {
          const replay = `ROLLWARD_FLEET_SEEDS=${seed}-${seed} ROLLWARD_FLEET_POPS=${count} ROLLWARD_FLEET_TRACE=1 npx vitest run --project simulation test/simulation/fleet/fleet-storm.test.ts`;
          failures.push(`seed ${seed}: ${replay}\n${(error as Error).message.slice(0, 4_000)}`);
        }
      }
      expect(failures.join("\n\n"), failures.map((one) => one.split("\n")[0]).join("\n")).toBe("");
    },
  );
});
