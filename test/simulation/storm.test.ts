import { describe, expect, it } from "vitest";
import { Storm } from "./storm.ts";

/**
 * ROLLWARD_STORM_SEEDS: how many seeds (`25`), a range (`100-400`) or single ones (`17,23`). ROLLWARD_STORM_TRACE=1 prints every
 * effect. A seed that fails is played again by the line that it prints; what it found becomes a named test.
 */
const asked = process.env["ROLLWARD_STORM_SEEDS"] ?? "25";
const trace = process.env["ROLLWARD_STORM_TRACE"] ? (line: string) => void process.stdout.write(`${line}\n`) : undefined;

function seeds(text: string): number[] {
  if (text.includes(","))
    return text
      .split(",")
      .map(Number)
      .filter((seed) => seed > 0);
  const [from, to] = text.includes("-") ? text.split("-").map(Number) : [1, Number(text)];
  return Array.from({ length: to! - from! + 1 }, (_, index) => from! + index);
}

describe("[I1 I5 I7 I8 I9 I10 I14 I16 I17 I18 L1 L2] a storm, then calm", () => {
  it(`seeds ${asked}: nothing is violated in the storm, and the calm comes to its end`, { timeout: 3_600_000 }, async () => {
    const failures: string[] = [];
    for (const seed of seeds(asked)) {
      try {
        await Storm.run(seed, trace ? { trace } : {});
      } catch (error) {
        const replay = `ROLLWARD_STORM_SEEDS=${seed}-${seed} ROLLWARD_STORM_TRACE=1 npx vitest run --project simulation test/simulation/storm.test.ts`;
        failures.push(`seed ${seed}: ${replay}\n${(error as Error).message.slice(0, 4_000)}`);
      }
    }
    expect(failures.join("\n\n"), failures.map((one) => one.split("\n")[0]).join("\n")).toBe("");
  });
});
