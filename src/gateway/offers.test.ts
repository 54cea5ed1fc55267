import { afterEach, beforeEach, expect, it } from "vitest";
import { END, GatewayWorld, START } from "./gateway.examples.ts";

let world: GatewayWorld;
beforeEach(async () => {
  world = await new GatewayWorld().start();
});
afterEach(() => world.stop());

const deployment = () => world.fetch(`deploymentBase/${world.row.action}`);
/** Enrolled, reported, its row inserted. */
const ready = async () => {
  await world.inventory.insertCommand(world.row);
  expect(await world.report()).toBe(200);
};

it("[S13] its attributes are as old as a poll allows: what the poll offered it can fetch a minute later, at its shorter hint", async () => {
  await ready();
  const { serial } = world.row;
  await world.inventory.planPolls({ serials: [serial], from: START, until: END, first: START });
  world.real += 14_000;
  expect((await world.poll())._links.deploymentBase).toBeDefined();
  world.real += 60_000;
  expect((await deployment()).status).toBe(200);
});

it("[S12] feedback that says closed without a result is a 400 with what to write, and the row stays as it was", async () => {
  await ready();
  await deployment();
  const body = { id: world.row.action, status: { execution: "closed" } };
  const answer = await world.send(`deploymentBase/${world.row.action}/feedback`, body);
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain('"finished"');
  expect(await world.command()).toMatchObject({ state: "Given" });
});

it("a rollout whose artifact cannot be described is told of once, not at each poll", async () => {
  await ready();
  world.views.rolloutForDevices = { ...world.views.rolloutForDevices!, artifact: { url: "gone.swu", sha256: "a".repeat(64), size: 1 } };
  for (let poll = 0; poll < 3; poll += 1) expect((await deployment()).status).toBe(404);
  expect(world.said.filter((line) => line.includes("offered to nobody"))).toHaveLength(1);
  world.views.rolloutForDevices = {
    ...world.views.rolloutForDevices,
    artifact: { url: "gone-too.swu", sha256: "a".repeat(64), size: 1 },
  };
  await deployment();
  expect(
    world.said.filter((line) => line.includes("offered to nobody")),
    "another reason is news",
  ).toHaveLength(2);
});
