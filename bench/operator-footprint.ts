// How long the bundled operator takes from its start to ready, and how much memory it holds when nothing is to be done: on a real API
// server, two PoPs of four nodes whose first version is on and watched. Start to ready: /readyz asked every 20 ms from the spawn on
// until its first 200. Memory: VmRSS of /proc/PID/status after 60 s, and VmHWM, its peak since the start.
import { readFileSync } from "node:fs";
import { isWrite } from "../tools/control-plane/audit-log.ts";
import { type Figures, spread } from "./figures.ts";
import type { BenchWorld, OperatorRun } from "./world.ts";

const IDLE_MILLISECONDS = 60_000;
const ASK_EVERY = 20;
const STARTS = 5;
const READY_TARGET = 2_000;
const MEMORY_TARGET = 120;

const settled = { strategy: { bake: "1s", perNode: { expected: "40s", deadline: "60s", soak: "0s", retries: 1 } } };

export async function operatorFootprint(world: BenchWorld, program: string): Promise<Figures> {
  const first = await world.startOperator(program);
  const pops = ["fra1", "tyo1"];
  for (const pop of pops) await world.createPop(pop, settled);
  for (const pop of pops) await world.until(pop, "the first version is on all nodes", ({ status }) => status?.run?.state === "Passed");
  await first.stop();
  const starts: number[] = [];
  let operator: OperatorRun;
  for (;;) {
    operator = await world.startOperator(program);
    starts.push(await startToReady(operator));
    if (starts.length === STARTS) break;
    await operator.stop();
  }
  await new Promise((resolve) => setTimeout(resolve, IDLE_MILLISECONDS));
  const writes = world.controlPlane
    .auditEntries()
    .filter(
      (entry) =>
        isWrite(entry) &&
        entry.userAgent.startsWith("rollward/") &&
        entry.objectRef?.resource !== "leases" &&
        Date.parse(entry.stageTimestamp) > Date.now() - IDLE_MILLISECONDS / 2,
    );
  const { resident, peak } = memoryOf(operator.child.pid!);
  await operator.stop();
  return {
    title: "Footprint of the operator: start to ready, and idle",
    how: `bundled, real API server, two PoPs of four nodes settled; ${STARTS} starts, /readyz asked every ${ASK_EVERY} ms; VmRSS after ${IDLE_MILLISECONDS / 1000} s, VmHWM since the start`,
    rows: [
      { what: "start to ready", value: spread(starts, "ms"), target: `≤ ${READY_TARGET} ms`, met: Math.max(...starts) <= READY_TARGET },
      {
        what: "resident memory, idle",
        value: `${resident.toFixed(1)} MB`,
        target: `≤ ${MEMORY_TARGET} MB`,
        met: resident <= MEMORY_TARGET,
      },
      { what: "resident memory, peak", value: `${peak.toFixed(1)} MB` },
      { what: "writes in the last 30 s idle, the lease apart", value: String(writes.length), target: "0", met: writes.length === 0 },
    ],
  };
}

/** Milliseconds until it is ready; `limit`: when it never will be. */
export async function startToReady({ port, spawnedAt, child, log }: OperatorRun, limit = 60_000): Promise<number> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the operator ended with ${child.exitCode} before it was ready: ${log()}`);
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
      await answer.arrayBuffer();
      if (answer.status === 200) return performance.now() - spawnedAt;
    } catch {
      // It does not listen yet.
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY));
    if (performance.now() - spawnedAt > limit) throw new Error(`the operator was not ready within ${limit / 1000} s: ${log()}`);
  }
}

/** In MB of 10^6 bytes; the kernel's kB are 1024 bytes. */
export function memoryOf(pid: number): { readonly resident: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const field = (name: string) => (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) * 1024) / 1e6;
  return { resident: field("VmRSS"), peak: field("VmHWM") };
}

if (import.meta.main) {
  const { build, DIST } = await import("../tools/build.ts");
  const { inWorld } = await import("./world.ts");
  const { printFigures } = await import("./figures.ts");
  const { program } = await build(DIST);
  printFigures(await inWorld({ fra1: 4, tyo1: 4 }, (world) => operatorFootprint(world, program)));
}
