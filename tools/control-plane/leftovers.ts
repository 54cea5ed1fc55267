// Folders of servers whose owner is gone, and the servers themselves if even their guard was killed: removed at the next start.
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeCgroupTrees } from "../cgroup-tree.ts";
import { startOf, stillRuns } from "../folder-lock.mjs";

const PREFIX = "rollward-servers-";
const OWNER = "owner.json";
const UNCLAIMED_IS_STALE_AFTER_MS = 60_000;
const GONE_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 10;

interface ProcessIdentity {
  readonly pid: number;
  /** Tells the process from a later one with the same number; empty where that is not known. */
  readonly start: string;
}

/** A new folder for servers, claimed by this process. */
export function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  claimFolder(folder, process.pid, []);
  return folder;
}

/** Writes who owns the folder, which servers run for it, and in which cgroups; in one step, so that a sweep never reads half of it. */
export function claimFolder(folder: string, owner: number, servers: readonly ProcessIdentity[], cgroups: readonly string[] = []): void {
  const next = join(folder, `${OWNER}.${process.pid}`);
  writeFileSync(next, JSON.stringify({ owner: { pid: owner, start: startOf(owner) }, servers, cgroups }));
  renameSync(next, join(folder, OWNER));
}

/** Removes every folder whose owner no longer runs, and ends the servers that it left; answers with the folders removed. */
export function sweepLeftovers(): string[] {
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => join(tmpdir(), name))
    .filter((folder) => sweep(folder));
}

function sweep(folder: string): boolean {
  const claim = readClaim(folder);
  if (claim === undefined) {
    const created = statSync(folder, { throwIfNoEntry: false });
    if (created === undefined || Date.now() - created.mtimeMs < UNCLAIMED_IS_STALE_AFTER_MS) return false;
  } else {
    if (stillRuns(claim.owner)) return false;
    for (const server of claim.servers) endIfSame(server);
    untilGone(claim.servers);
    removeCgroupTrees(claim.cgroups ?? []);
  }
  rmSync(folder, { recursive: true, force: true });
  return true;
}

function readClaim(folder: string): { owner: ProcessIdentity; servers: ProcessIdentity[]; cgroups?: string[] } | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, OWNER), "utf8"));
  } catch {
    return undefined;
  }
}

/** One that is still dying would write into the folder while it is removed, and leave it there. */
function untilGone(servers: readonly ProcessIdentity[]): void {
  const runs = ({ pid, start }: ProcessIdentity): boolean => start !== "" && startOf(pid) === start;
  const nobody = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; waited < GONE_WITHIN_MS && servers.some(runs); waited += LOOK_EVERY_MS) Atomics.wait(nobody, 0, 0, LOOK_EVERY_MS);
}

/** A number alone may have been given to a stranger since; without a start time nobody is ended. */
function endIfSame(server: ProcessIdentity): void {
  if (server.start === "" || startOf(server.pid) !== server.start) return;
  try {
    process.kill(server.pid, "SIGKILL");
  } catch {
    // ended by itself in this moment
  }
}
