import { describe, expect, it } from "vitest";
import { FleetStorm } from "./fleet-storm.ts";

/**
 * ROLLWARD_FLEET_SEEDS: how many seeds (`5`), a range (`100-140`) or one (`17-17`). ROLLWARD_FLEET_TRACE=1 prints every effect; ROLLWARD_FLEET_POPS:
 * how many PoPs (10; the number is 200, which takes tens of minutes). A seed
 * that fails is played again by the line that it prints; what it found becomes a named test.
 */
const asked = process.env["ROLLWARD_FLEET_SEEDS"] ?? "5";
const pops = Number(process.env["ROLLWARD_FLEET_POPS"] ?? "10");
const trace = process.env["ROLLWARD_FLEET_TRACE"] ? (line: string) => void process.stdout.write(`${line}\n`) : undefined;
const [first, last] = asked.includes("-") ? asked.split("-").map(Number) : [1, Number(asked)];

describe("[I1 I2 I5 I6 I7 I11 I12 I13 I14 I20 L1 L2 L3] five weeks of a fleet, then calm", () => {
  it(`seeds ${asked}: nothing is violated at any event, and the calm comes to its end`, { timeout: 3_600_000 }, async () => {
    const failures: string[] = [];
    for (let seed = first!; seed <= last!; seed++) {
      try {
        await FleetStorm.run(seed, { pops, ...(trace ? { trace } : {}) });
      } catch (error) {
        const replay = `ROLLWARD_FLEET_SEEDS=${seed}-${seed} ROLLWARD_FLEET_POPS=${pops} ROLLWARD_FLEET_TRACE=1 npx vitest run --project simulation test/simulation/fleet/fleet-storm.test.ts`;
        failures.push(`seed ${seed}: ${replay}\n${(error as Error).message.slice(0, 4_000)}`);
      }
    }
    expect(failures.join("\n\n"), failures.map((one) => one.split("\n")[0]).join("\n")).toBe("");
  });
});
