// The peers of socket-sites.ts, each in a process of its own: client-node's informer, and pepr's watch.
import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Synced } from "./informer-peer.ts";
import { memoryOf } from "./operator-footprint.ts";
import type { BenchWorld } from "./world.ts";

export type PeerName = "informer" | "pepr";

export interface PeerRun {
  readonly child: ChildProcess;
  /** Milliseconds from the start of its process until it had all objects. */
  readonly synced: number;
  readonly peak: number;
  readonly resident: number;
  stop(): void;
}

const PEPR = join(import.meta.dirname, "pepr");
const PEPR_INSTALLED = join(import.meta.dirname, "..", ".cache", "bench", "pepr");

/** pepr by its lock file, in the project's cache: 200 MB that nothing but this benchmark needs. */
export function installPepr(): void {
  const lock = "package-lock.json";
  const installed = join(PEPR_INSTALLED, "node_modules", "pepr");
  const isSame = () => readFileSync(join(PEPR_INSTALLED, lock), "utf8") === readFileSync(join(PEPR, lock), "utf8");
  if (existsSync(installed) && isSame()) return;
  mkdirSync(PEPR_INSTALLED, { recursive: true });
  for (const name of ["package.json", lock]) copyFileSync(join(PEPR, name), join(PEPR_INSTALLED, name));
  console.error("installing pepr …");
  execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: PEPR_INSTALLED,
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/** Starts the peer and waits until it has all `sites`; rejects when it ends before, or takes longer than `limit` milliseconds. */
export async function startPeer(who: PeerName, { controlPlane }: BenchWorld, sites: number, limit: number): Promise<PeerRun> {
  const kubeconfig = controlPlane.kubeconfig("admin");
  const args = who === "informer" ? [kubeconfig] : [PEPR_INSTALLED, String(sites)];
  const env = { ...process.env, KUBECONFIG: kubeconfig, NODE_EXTRA_CA_CERTS: controlPlane.caFile };
  const child = fork(join(import.meta.dirname, `${who}-peer.ts`), args, { execArgv: [], env });
  const gaveUp = new AbortController();
  try {
    const synced = await Promise.race([
      once(child, "message", { signal: gaveUp.signal }).then(([message]) => message as Synced),
      once(child, "exit", { signal: gaveUp.signal }).then(([code]) =>
        Promise.reject(new Error(`${who} ended with ${String(code)} before it had its objects`)),
      ),
      new Promise<never>((_, reject) =>
        setTimeout(() => reject(new Error(`${who} had not all ${sites} sites after ${limit} ms`)), limit).unref(),
      ),
    ]);
    if (synced.objects !== sites) throw new Error(`${who} has ${synced.objects} of ${sites} sites`);
    return { child, synced: synced.milliseconds, ...memoryOf(child.pid!), stop: () => void child.kill() };
  } catch (error) {
    child.kill();
    throw error;
  } finally {
    gaveUp.abort();
  }
}
