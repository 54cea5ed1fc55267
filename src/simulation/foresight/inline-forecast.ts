import type { RolloutForecast } from "../../api/pop-rollout.ts";
import type { Forecast, ForecastInput } from "../../control/ports.ts";
import { rolloutForecasts } from "./rollout-forecast.ts";

/** The Forecast port where there are no threads: a world on a virtual clock, in which computing takes no time. */
export class InlineForecast implements Forecast {
  lookAhead(input: ForecastInput): Promise<ReadonlyMap<string, RolloutForecast>> {
    return Promise.resolve(rolloutForecasts(input));
  }
}
