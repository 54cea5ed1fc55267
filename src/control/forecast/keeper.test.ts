import { beforeEach, describe, expect, it } from "vitest";
import type { RolloutForecast } from "../../api/pop-rollout.ts";
import { VirtualClock } from "../../simulation/clock.ts";
import { example, fleetObject, popObject, rolloutObject } from "../../simulation/foresight/foresight.examples.ts";
import type { Forecast, ForecastInput } from "../ports.ts";
import { ForecastKeeper } from "./keeper.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Answers what a test says, and counts how often it was asked. */
class Answers implements Forecast {
  asked = 0;
  answer: RolloutForecast = {
    digest: "d",
    at: "2026-11-13T12:00:00Z",
    fits: true,
    message: "fits",
    finishAt: "2026-11-29T15:00:00Z",
    windows: [],
  };
  fails = false;

  lookAhead({ rollouts }: ForecastInput): Promise<ReadonlyMap<string, RolloutForecast>> {
    this.asked += 1;
    return this.fails
      ? Promise.reject(new Error("no thread"))
      : Promise.resolve(new Map(rollouts.map(({ metadata }) => [metadata.uid, this.answer])));
  }
}

describe("[F7] the forecast that stands in status", () => {
  let clock: VirtualClock;
  let answers: Answers;
  let world: Omit<ForecastInput, "now">;
  let changed: number;
  let errors: string[];
  let keeper: ForecastKeeper;

  beforeEach(() => {
    clock = new VirtualClock(Date.parse("2026-11-13T12:00:00Z"));
    answers = new Answers();
    world = example({ pops: [popObject("fra1")] });
    [changed, errors] = [0, []];
    keeper = new ForecastKeeper({
      clock,
      forecast: answers,
      input: () => world,
      onChange: () => (changed += 1),
      onError: (message) => errors.push(message),
    });
  });

  const uid = "uid-r-2026-11-2";
  const changeWorld = (index: number) => {
    world = { ...world, pops: [popObject("fra1", { nodes: index + 1 })] };
    keeper.look();
  };

  it("[F7] a hundred changes in a minute are one look, and one more a minute later", async () => {
    for (let index = 0; index < 100; index++) {
      changeWorld(index);
      await clock.advance(600);
    }
    expect(answers.asked).toBe(1);
    await clock.advance(2 * MINUTE);
    expect(answers.asked).toBe(2);
  });

  it("[F7] the same facts are not looked at again, but once an hour", async () => {
    keeper.look();
    await clock.advance(2 * MINUTE);
    keeper.look();
    await clock.advance(2 * MINUTE);
    expect(answers.asked).toBe(1);
    await clock.advance(HOUR);
    expect(answers.asked).toBe(2);
  });

  it("[G11] what says the same is not handed out anew, whatever its digest and time; another end is", async () => {
    keeper.look();
    await clock.advance(2 * MINUTE);
    const before = keeper.of(uid);
    expect([changed, before?.digest]).toEqual([1, "d"]);
    answers.answer = { ...answers.answer, digest: "e", at: "2026-11-13T13:00:00Z", message: "fits, in other words" };
    changeWorld(4);
    await clock.advance(2 * MINUTE);
    expect([answers.asked, changed]).toEqual([2, 1]);
    expect(keeper.of(uid)).toBe(before);
    answers.answer = { ...answers.answer, finishAt: "2026-11-29T15:15:00Z" };
    changeWorld(5);
    await clock.advance(2 * MINUTE);
    expect([changed, keeper.of(uid)?.digest]).toEqual([2, "e"]);
  });

  it("[F7] no answer: the last one stands, it is told, and the next change asks again", async () => {
    keeper.look();
    await clock.advance(2 * MINUTE);
    answers.fails = true;
    changeWorld(4);
    await clock.advance(2 * MINUTE);
    expect(errors).toHaveLength(1);
    expect(keeper.of(uid)?.fits).toBe(true);
    answers.fails = false;
    keeper.look();
    await clock.advance(2 * MINUTE);
    expect(answers.asked).toBe(3);
  });

  it("[F7] a fleet whose rollouts are over costs nothing; nor does one that is stopped", async () => {
    world = { ...world, rollouts: [{ ...rolloutObject(), status: { outcome: "Completed" } }], fleet: fleetObject() };
    keeper.look();
    await clock.advance(3 * HOUR);
    expect(answers.asked).toBe(0);
    world = example({ pops: [popObject("fra1")] });
    keeper.look();
    keeper.stop();
    await clock.advance(3 * HOUR);
    expect(answers.asked).toBe(0);
  });
});
