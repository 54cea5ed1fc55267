// npm run bench: runs every benchmark on a control plane of its own, one after the other, and writes bench/results.md with the
// machine, the versions and the commit; what missed its target is written like what met it. `npm run bench -- NAME` runs one and
// prints it. Ends with 1 when a gated count is missed: times depend on the machine, counts do not.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { build, DIST, NODE_FLAGS } from "../tools/build.ts";
import { ETCD_VERSION, KUBERNETES_VERSION } from "../tools/control-plane/versions.ts";
import { badHealth } from "./bad-health.ts";
import { checkIns } from "./check-ins.ts";
import { clientsAtScale } from "./clients-at-scale.ts";
import { type Figures, markdown, median } from "./figures.ts";
import { foresight } from "./foresight.ts";
import { nodeRoll } from "./node-roll.ts";
import { operatorFootprint } from "./operator-footprint.ts";
import { socketSites } from "./socket-sites.ts";
import { socketWrites } from "./socket-writes.ts";
import { type BenchWorld, inWorld } from "./world.ts";

const RESULTS = join(import.meta.dirname, "results.md");
/** Above this the API server itself was too slow for a figure to mean anything (performance.md). */
const SERVER_LIMIT_MS = 1_000;

/** One that needs no control plane. */
interface Alone {
  readonly alone: () => Promise<readonly Figures[]>;
}

interface Benchmark {
  readonly pops: Readonly<Record<string, number>>;
  readonly run: (world: BenchWorld, program: string) => Promise<readonly Figures[]>;
}

const BENCHMARKS: Readonly<Record<string, Benchmark | Alone>> = {
  "node-roll": { pops: { fra1: 8 }, run: nodeRoll },
  "bad-health": { pops: { ber1: 1 }, run: async (world, program) => [await badHealth(world, program)] },
  foresight: { alone: foresight },
  "check-ins": { alone: checkIns },
  "clients-at-scale": { alone: clientsAtScale },
  "socket-writes": { alone: socketWrites },
  "socket-sites": { pops: { fra1: 1 }, run: socketSites },
  "operator-footprint": { pops: { fra1: 4, tyo1: 4 }, run: async (world, program) => [await operatorFootprint(world, program)] },
};

/** The API server's own answer times in the audit log, watches apart; the figures of a run beyond the limit are void. */
function serverTimes(world: BenchWorld): Figures {
  const times = world.controlPlane
    .auditEntries(({ verb }) => verb !== "watch" && verb !== "list" && verb !== "get")
    .map((entry) => Date.parse(entry.stageTimestamp) - Date.parse(entry.requestReceivedTimestamp))
    .sort((one, other) => one - other);
  const tail = times[Math.floor(times.length * 0.99)] ?? 0;
  return {
    title: "The API server meanwhile",
    how: "answer times of all writes, from its own audit log; beyond the limit the run is void",
    rows: [
      {
        what: "writes, p50 and p99",
        value: `${median(times).toFixed(0)} and ${tail.toFixed(0)} ms (n = ${times.length})`,
        target: `p99 ≤ ${SERVER_LIMIT_MS} ms`,
        met: tail <= SERVER_LIMIT_MS,
      },
    ],
  };
}

function commit(): string {
  const git = (...args: string[]) => execFileSync("git", args, { cwd: import.meta.dirname, encoding: "utf8" }).trim();
  try {
    const changed = git("status", "--porcelain", "--", "../src", "../tools", "../package-lock.json") !== "";
    return `${git("rev-parse", "--short=12", "HEAD")}${changed ? ", with changes that are not committed" : ""}`;
  } catch {
    return "unknown (no git here)";
  }
}

function machine(size: number): string {
  return [
    `- machine: ${cpus().length} cores of ${cpus()[0]?.model.trim() ?? "an unknown processor"}, ${(totalmem() / 1e9).toFixed(0)} GB, Linux; API server, controllers, virtual nodes, operator and benchmark share it`,
    `- versions: Node ${process.versions.node}, Kubernetes ${KUBERNETES_VERSION}, etcd ${ETCD_VERSION}`,
    `- the operator: one bundle of ${(size / 1e6).toFixed(1)} MB, run as its first line says (node ${NODE_FLAGS.join(" ")})`,
    `- commit: ${commit()}`,
    `- date: ${new Date().toISOString().slice(0, 10)}`,
  ].join("\n");
}

const INTRODUCTION = `# Measured

Written by \`npm run bench\`. Each figure stands beside its peer or its floor from the same run; medians with minimum and maximum.
Times of a shared machine vary from run to run; the ratios are what is compared. What missed its target is here too.
`;

const wanted = process.argv[2];
const names = wanted === undefined ? Object.keys(BENCHMARKS) : [wanted];
const unknown = names.find((name) => !(name in BENCHMARKS));
if (unknown !== undefined) {
  console.error(`There is no benchmark ${unknown}; there are ${Object.keys(BENCHMARKS).join(", ")}.`);
  process.exit(2);
}
const { program, sizes } = await build(DIST);
const figures: Figures[] = [];
for (const name of names) {
  console.error(`running ${name} …`);
  const benchmark = BENCHMARKS[name]!;
  const results =
    "alone" in benchmark
      ? await benchmark.alone()
      : await inWorld(benchmark.pops, async (world) => [...(await benchmark.run(world, program)), serverTimes(world)]);
  for (const result of results) console.log(markdown(result));
  figures.push(...results);
}
if (wanted === undefined) {
  const size = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  writeFileSync(RESULTS, [INTRODUCTION, machine(size), "", ...figures.map(markdown)].join("\n"));
  console.error(`written to ${RESULTS}`);
}
const missed = figures.flatMap(({ rows }) => rows).filter((row) => row.gated && !row.met);
for (const row of missed) console.error(`gated count missed: ${row.what} is ${row.value}, target ${row.target}`);
process.exitCode = missed.length === 0 ? 0 : 1;
