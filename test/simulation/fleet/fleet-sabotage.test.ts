import { describe, expect, it } from "vitest";
import { ASSIGNED, type Case, CASES, MISSED, ONE_BY_ONE, small } from "./fleet-sabotage.ts";

describe("sabotage of the fleet", () => {
  it.each(Object.entries(CASES))(
    "an operator that %s is caught",
    { timeout: 180_000 },
    async (_name, { sabotage, hunt, caughtBy }: Case) => {
      const caught = await hunt(sabotage).then(
        () => "nobody noticed",
        (error: Error) => error.message,
      );
      expect(caught).toMatch(caughtBy);
    },
  );

  it("an honest operator is not: the same hunts find nothing", { timeout: 180_000 }, async () => {
    for (const told of [ASSIGNED, MISSED, ONE_BY_ONE]) await small(told)({});
  });
});
