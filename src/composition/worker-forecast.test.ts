import { expect, it } from "vitest";
import { forecastFacts } from "../control/forecast/facts.ts";
import { foresee } from "../simulation/foresight/foresee.ts";
import { completePartners, example, worldwide } from "../simulation/foresight/foresight.examples.ts";
import { WorkerForecast } from "./worker-forecast.ts";

it("[F7] the thread gives the same answer as the same look in this one, partners and all", async () => {
  const pops = worldwide(6);
  const input = example({ pops, partners: completePartners(pops) });
  const plan = foresee(input).rollouts[0]!;
  const answer = await new WorkerForecast().lookAhead(forecastFacts(input));
  expect(answer.get(plan.uid)).toMatchObject({ fits: plan.fits, windows: plan.dates, message: plan.message });
});

it("[F7] a thread that fails is a rejected promise with its words, not a hang", async () => {
  await expect(new WorkerForecast().lookAhead({} as never)).rejects.toThrow(/undefined/);
});
