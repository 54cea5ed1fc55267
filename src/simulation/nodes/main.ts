import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { KubeConfig } from "@kubernetes/client-node";
import { AcceleratedClock } from "../../control/clock/accelerated-clock.ts";
import { RealClock } from "../../control/clock/real-clock.ts";
import type { Cluster } from "../../control/ports.ts";
import type { Clock } from "../../runtime/clock.ts";
import { boundedRun, printLine } from "../load/run-bounded.ts";
import { HttpRuntime } from "./http-runtime.ts";
import { NodeFleet, nodeSpecs } from "./node-fleet.ts";

/**
 * Virtual nodes as a process of their own, on a real API server: `--pop tyo=4 --pop ber=4` with `--kubeconfig <file>`, or `--server <url>`,
 * `--token-file <file>` and `--ca-file <file>`. `--clock <file>`: follow the accelerated clock there. `--directory <file>`: write where the
 * nodes are, as `[{name, pop, address}]`, for load generators and watchers. `--heartbeat <ms>` between lease renewals (10000).
 * `--first-octet 10`: nodes at 10.<pop>.… of a network that somebody has made, instead of 127.….
 *
 * Each line on standard input is a command, answered by one JSON line on standard output when it is done: `kill NODE`, `reboot NODE`,
 * `freeze NODE`, `thaw NODE`, `remove NODE`, `recreate NODE`, `add POP COUNT`, `digest IMAGE SHA256` (the registry has another image under
 * that reference from now on), `list`. The process ends after `--seconds`, on a signal, or when standard input closes; the objects stay.
 */
const { values } = parseArgs({
  options: {
    kubeconfig: { type: "string" },
    server: { type: "string" },
    "token-file": { type: "string" },
    "ca-file": { type: "string" },
    pop: { type: "string", multiple: true, default: [] },
    clock: { type: "string" },
    directory: { type: "string" },
    heartbeat: { type: "string", default: "10000" },
    "first-octet": { type: "string", default: "127" },
    seconds: { type: "string", default: "3600" },
  },
});

const clock: Clock = values.clock === undefined ? new RealClock() : AcceleratedClock.open(values.clock);
const cluster = await connect(kubeconfig());
const digests = new Map<string, string>();
const fleet = new NodeFleet({
  cluster,
  clock,
  // The API server and its controllers live by the real time, whatever the calendar of the operator shows.
  wallClock: Date.now,
  runtime: new HttpRuntime(clock, { firstOctet: Number(values["first-octet"]) }),
  heartbeatMilliseconds: Number(values.heartbeat),
  digestOf: (image) => digests.get(image),
});
const end = boundedRun(Number(values.seconds), (line) => void obey(line.split(/\s+/)));
for (const pop of values.pop) await add(...countOf(pop));
printLine({ type: "ready", nodes: fleet.directory() });
await new Promise<void>((resolve) => (end.aborted ? resolve() : end.addEventListener("abort", () => resolve())));
await fleet.stop();
await cluster.close();
if (clock instanceof AcceleratedClock) clock.close();

function countOf(text: string): [string, number] {
  const [, pop, count] = /^([^=]+)=(\d+)$/.exec(text) ?? [];
  if (pop === undefined) throw new Error(`--pop is ${text}, write <name>=<number of nodes>, for example tyo=4`);
  return [pop, Number(count)];
}

async function add(pop: string, count: number): Promise<void> {
  await fleet.start(nodeSpecs(pop, count, { zone: `${pop}-a` }));
  writeDirectory();
}

/** Whole or not at all: a reader never sees half a file. */
function writeDirectory(): void {
  if (values.directory === undefined) return;
  const fresh = `${values.directory}.${process.pid}.new`;
  writeFileSync(fresh, JSON.stringify(fleet.directory()));
  renameSync(fresh, values.directory);
}

async function obey(words: readonly string[]): Promise<void> {
  const [verb = "", first = "", second = ""] = words;
  try {
    switch (verb) {
      case "kill":
      case "reboot":
      case "freeze":
      case "thaw":
      case "remove":
      case "recreate":
        await fleet[verb](first);
        writeDirectory();
        break;
      case "add":
        await add(first, Number(second));
        break;
      case "digest":
        digests.set(first, second);
        break;
      case "list":
        break;
      default:
        throw new Error(`${verb} is no command here; there are kill, reboot, freeze, thaw, remove, recreate, add, digest, list`);
    }
    printLine({ type: "done", command: words.join(" "), nodes: fleet.directory() });
  } catch (error) {
    printLine({ type: "failed", command: words.join(" "), message: (error as Error).message });
  }
}

function kubeconfig(): KubeConfig {
  const config = new KubeConfig();
  const { server, "token-file": tokenFile, "ca-file": caFile } = values;
  if (values.kubeconfig !== undefined) config.loadFromFile(values.kubeconfig);
  else if (server !== undefined && tokenFile !== undefined && caFile !== undefined) {
    config.loadFromOptions({
      clusters: [{ name: "cluster", server, caFile, skipTLSVerify: false }],
      users: [{ name: "virtual-nodes", token: readFileSync(tokenFile, "utf8").trim() }],
      contexts: [{ name: "cluster", cluster: "cluster", user: "virtual-nodes" }],
      currentContext: "cluster",
    });
  } else throw new Error("No API server is named; write --kubeconfig <file>, or --server <url> --token-file <file> --ca-file <file>");
  return config;
}

/** This entry is a composition root: only here do virtual nodes meet the real adapter. */
async function connect(config: KubeConfig): Promise<Cluster> {
  const { KubernetesCluster } = await import("../../kubernetes/cluster.ts");
  const { Transport } = await import("../../kubernetes/transport.ts");
  const real = new RealClock();
  const transport = new Transport({
    kubeconfig: config,
    name: "the cluster of the virtual nodes",
    userAgent: "rollward-virtual-nodes/1",
    clock: real,
  });
  return new KubernetesCluster({
    transport,
    clock: real,
    log: (level, message) => void (level === "error" && printLine({ type: "log", message })),
  });
}
