import { parseArgs } from "node:util";
import { nodesFromFile } from "./node-directory.ts";
import { boundedRun, printLine } from "./run-bounded.ts";
import { ServingWatcher } from "./watch-serving.ts";

/**
 * The independent watcher as a process of its own: asks every node of the directory file `--nodes` each `--interval` ms whether it serves.
 * Prints a JSON line for each change and `{type: "summary", maximumOut, …}` at the end: after `--seconds`, on a signal, or when standard
 * input closes.
 */
const { values } = parseArgs({
  options: {
    nodes: { type: "string" },
    interval: { type: "string", default: "200" },
    seconds: { type: "string", default: "600" },
    "http-port": { type: "string", default: "8080" },
  },
});
if (values.nodes === undefined) throw new Error("--nodes is missing; write --nodes <directory file> [--interval 200] [--seconds 600]");

const watcher = new ServingWatcher(nodesFromFile(values.nodes), Number(values["http-port"]), printLine);
const end = boundedRun(Number(values.seconds));
printLine({ type: "summary", final: true, ...(await watcher.run(Number(values.interval), end)) });
