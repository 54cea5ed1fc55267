import { describe, expect, it } from "vitest";
import { ApiError } from "../../../src/control/ports.ts";
import type { Mishap } from "../effect.ts";
import { endOf, smallRollout } from "./fleet-crash.ts";

/** Writes of ledgers: each claim of the fleet, of a rollout and of a PoP is one of them. */
const CLAIMS: ReadonlySet<string> = new Set(["grants", "status of PoPRollout", "status"]);

const WAYS: Readonly<Record<string, Mishap>> = {
  "dies before it": { crash: "before" },
  "dies when it is done": { crash: "after" },
  "hears a time-out although it is done": { error: new ApiError(0, "Timeout", "no answer within the deadline"), commits: true },
};

/** Quick: every third write for each way, so that all three together meet each of them. */
const EVERY = process.env["ROLLWARD_FLEET_CRASHES"] === "all" ? 1 : 3;

describe("[I2 I8 G14] a rollout through two partners and a canary, one of which goes back, ends as if undisturbed", () => {
  it.each(Object.entries(WAYS).map(([way, mishap], index) => [way, mishap, index] as const))(
    "when an operator, at a write of the Fleet's, the rollout's or a PoP's ledger, %s",
    { timeout: 600_000 },
    async (way, mishap, offset) => {
      const undisturbed = await smallRollout();
      undisturbed.scenario.invariants.check();
      const expected = endOf(undisturbed);
      const claims = undisturbed.first.effects.filter(({ name }) => CLAIMS.has(name)).map(({ index }) => index);
      expect(claims.length).toBeGreaterThan(20);
      const failures: string[] = [];
      for (const [nth, index] of claims.entries()) {
        if ((nth + offset) % EVERY !== 0) continue;
        try {
          const run = await smallRollout((effect) => (effect.index === index ? mishap : undefined));
          run.scenario.invariants.check();
          expect(endOf(run)).toEqual(expected);
        } catch (error) {
          const { name, target, detail } = undisturbed.first.effects[index]!;
          failures.push(`effect ${index} (${name} ${target} ${detail}) ${way}: ${(error as Error).message.slice(0, 3_000)}`);
        }
      }
      expect(failures.slice(0, 3).join("\n\n"), failures.map((one) => one.slice(0, 90)).join(" | ")).toBe("");
    },
  );
});
