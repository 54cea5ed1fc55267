import { expect, it } from "vitest";
import { observation, OPEN } from "../../../test/builders/observation.ts";
import { decide } from "./decide.ts";

it("[F2] a PoP whose cluster does not answer, or is another one, says so in its status, and no longer when it answers again", () => {
  const silent = observation({ site: { state: "Unreachable", message: "no answer", ageMilliseconds: 5_000 } });
  const { status } = decide(silent, OPEN);
  expect(status?.unreachable).toBe(true);
  const other = observation({ site: { state: "Reachable", uid: "another", ageMilliseconds: 5_000, watchedMilliseconds: 0 } });
  expect(decide(other, OPEN).status?.unreachable).toBe(true);
  const back = observation({ status: status! });
  expect(decide(back, OPEN).status).toBeDefined();
  expect(decide(back, OPEN).status).not.toHaveProperty("unreachable");
});
