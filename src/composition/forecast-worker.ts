// The thread that looks ahead: it is handed the fleet, answers once, and ends.
import { parentPort, workerData } from "node:worker_threads";
import type { ForecastInput } from "../control/ports.ts";
import { rolloutForecasts } from "../simulation/foresight/rollout-forecast.ts";

parentPort?.postMessage(rolloutForecasts(workerData as ForecastInput));
