import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeWithControlPlane } from "../cluster/control-plane/available.ts";
import { declaredTraces, Player, type Answer, type Trace } from "./trace.ts";
import { inMemoryWorld, realWorld, type RunningWorld } from "./worlds.ts";
import "./traces/writes.ts";
import "./traces/json-patch.ts";
import "./traces/custom-resources.ts";
import "./traces/deletion.ts";
import "./traces/lists-and-watches.ts";
import "./traces/evictions.ts";
import "./traces/daemon-sets.ts";

/*
 * The in-memory cluster proves nothing unless it answers as an API server does. Each trace says what it expects; both worlds must meet
 * that, and all that they answer besides (objects, named fields) must be the same.
 */

const cases = declaredTraces().map((trace, index) => ({ name: trace.name, trace, namespace: `trace-${index + 1}` }));

async function play(world: RunningWorld, trace: Trace, namespace: string): Promise<readonly Answer[]> {
  await world.createNamespace(namespace);
  const player = new Player(world, namespace);
  await trace.play(player);
  return player.answers;
}

async function playInMemory(trace: Trace, namespace: string): Promise<readonly Answer[]> {
  const world = inMemoryWorld();
  try {
    return await play(world, trace, namespace);
  } finally {
    await world.stop();
  }
}

describe("in memory", () => {
  test.each(cases)("$name", async ({ trace, namespace }) => {
    expect(await playInMemory(trace, namespace)).not.toHaveLength(0);
  });
});

describeWithControlPlane("[T3] a real API server gives the same answers", () => {
  let world: RunningWorld;
  beforeAll(async () => {
    world = await realWorld();
  });
  afterAll(() => world?.stop());

  test.each(cases)("$name", async ({ trace, namespace }) => {
    const real = await play(world, trace, namespace);
    expect(await playInMemory(trace, namespace)).toEqual(real);
  });
});
