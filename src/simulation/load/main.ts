import { parseArgs } from "node:util";
import { RealClock } from "../../control/clock/real-clock.ts";
import { HttpNodeDirectory, nodesFromFile } from "./node-directory.ts";
import { boundedRun, printLine } from "./run-bounded.ts";
import { SessionLoad } from "./session-load.ts";
import { TcpTransport } from "./tcp-transport.ts";

/**
 * The load generator as a process of its own: holds `--sessions` TCP sessions to the nodes of `--pop` found in the directory file
 * `--nodes`. Prints JSON lines: `{type: "held"}` once when all are there, `{type: "break", …}` each time one is over,
 * `{type: "summary", …}` at the end: after `--seconds`, on a signal, or when standard input closes.
 * A line `summary` on standard input prints one meanwhile.
 */
const { values } = parseArgs({
  options: {
    nodes: { type: "string" },
    pop: { type: "string" },
    sessions: { type: "string", default: "200" },
    seconds: { type: "string", default: "600" },
    "http-port": { type: "string", default: "8080" },
    "session-port": { type: "string", default: "7000" },
  },
});
if (values.nodes === undefined || values.pop === undefined) {
  throw new Error("--nodes or --pop is missing; write --nodes <directory file> --pop <name> [--sessions 200] [--seconds 600]");
}

const load = new SessionLoad({
  pop: values.pop,
  sessions: Number(values.sessions),
  clock: new RealClock(),
  directory: new HttpNodeDirectory(nodesFromFile(values.nodes), Number(values["http-port"])),
  transport: new TcpTransport(Number(values["session-port"])),
  onBreak: (broken) => printLine({ type: "break", ...broken }),
});
const end = boundedRun(Number(values.seconds), (line) => {
  if (line === "summary") printLine({ type: "summary", final: false, ...load.summary() });
});
load.start();
const whenAllHeld = setInterval(() => {
  if (load.held < Number(values.sessions)) return;
  clearInterval(whenAllHeld);
  printLine({ type: "held", at: Date.now(), sessions: load.held });
}, 50);
end.addEventListener("abort", () => {
  clearInterval(whenAllHeld);
  void load.stop().then((summary) => printLine({ type: "summary", final: true, ...summary }));
});
