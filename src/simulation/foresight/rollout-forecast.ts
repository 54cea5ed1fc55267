import type { RolloutForecast } from "../../api/pop-rollout.ts";
import type { ForecastInput } from "../../control/ports.ts";
import { cleanText } from "../../core/text.ts";
import { MINUTE } from "../../core/time/civil.ts";
import { formatInstant } from "../../core/time/instant.ts";
import { foresee } from "./foresee.ts";

/** An end is told to the quarter of an hour: seconds that move with every node are nothing to write (rule G11). */
const TOLD_TO = 15 * MINUTE;
const MOST_DATES = 60;
const MOST_TEXT = 1024;

/** What of the forecast stands in the status of each rollout that is not over, by UID. */
export function rolloutForecasts(input: ForecastInput): ReadonlyMap<string, RolloutForecast> {
  const { digest, from, rollouts } = foresee(input);
  return new Map(
    rollouts.map(({ uid, finishAt, fits, message, dates }): [string, RolloutForecast] => [
      uid,
      {
        digest,
        at: from,
        ...(finishAt === undefined ? {} : { finishAt: formatInstant(Math.ceil(Date.parse(finishAt) / TOLD_TO) * TOLD_TO) }),
        fits,
        message: cleanText(message, MOST_TEXT),
        windows: dates.slice(0, MOST_DATES).map(({ date, pops }) => ({ date, pops })),
      },
    ]),
  );
}
