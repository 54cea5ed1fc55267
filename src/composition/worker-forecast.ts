import { Worker } from "node:worker_threads";
import type { RolloutForecast } from "../api/pop-rollout.ts";
import type { Forecast, ForecastInput } from "../control/ports.ts";

/** A fleet of any size is looked at in seconds; longer, and something is wrong. */
const DEADLINE = 120_000;
const MOST_MEMORY = 512;

/** Beside this file in the sources, beside the program in what is built from them. */
function workerUrl(): URL {
  const here = import.meta.url;
  if (here.endsWith(".ts")) return new URL("./forecast-worker.ts", here);
  return new URL(here.includes("/chunks/") ? "../forecast-worker.mjs" : "./forecast-worker.mjs", here);
}

/** Looks ahead in a thread of its own: one for each look, so that nothing of it stays in memory between two of them. */
export class WorkerForecast implements Forecast {
  lookAhead(input: ForecastInput): Promise<ReadonlyMap<string, RolloutForecast>> {
    return new Promise((resolve, reject) => {
      const worker = new Worker(workerUrl(), { workerData: input, resourceLimits: { maxOldGenerationSizeMb: MOST_MEMORY } });
      const deadline = setTimeout(() => {
        reject(new Error(`the forecast took longer than ${DEADLINE / 1000} s`));
        void worker.terminate();
      }, DEADLINE);
      deadline.unref();
      worker.once("message", (answer: ReadonlyMap<string, RolloutForecast>) => resolve(answer));
      worker.once("error", reject);
      worker.once("exit", (code) => {
        clearTimeout(deadline);
        // After an answer this says nothing any more.
        reject(new Error(`the forecast's thread ended without an answer (code ${code})`));
      });
      // Whoever stops does not wait for a forecast.
      worker.unref();
    });
  }
}
