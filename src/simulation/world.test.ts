import { describe, expect, test } from "vitest";
import { NODE } from "../control/kinds.ts";
import { World } from "./world.ts";

const create = () => World.create({ start: "2026-11-22T00:00:00Z" });

describe("a call that the world waits for", () => {
  test("is answered while the clock runs: two nodes boot", async () => {
    const world = await create();
    await world.bootNodes("fra1", 2);
    expect(world.store.list(NODE)).toHaveLength(2);
  });

  test("that is never answered ends after 60 s of virtual time with a sentence, not with a test that hangs", async () => {
    const world = await create();
    await expect(world.while(new Promise(() => {}), 60_000)).rejects.toThrow(
      /^A call to the simulated world was not answered within 60 s of virtual time; the clock stands at 2026-11-22T00:01:00\.000Z\./,
    );
  });

  test("that fails fails with its own error", async () => {
    const world = await create();
    await expect(world.while(Promise.reject(new Error("refused")))).rejects.toThrow("refused");
  });
});
