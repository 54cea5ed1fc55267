// The thread that looks ahead: it is handed the fleet, answers once, and ends.
import { parentPort, workerData } from "node:worker_threads";
import type { ForecastInput } from "../control/ports.ts";
import { rolloutForecasts } from "../simulation/foresight/rollout-forecast.ts";

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread of Node, not a window: it has no origin
parentPort?.postMessage(rolloutForecasts(workerData as ForecastInput));
