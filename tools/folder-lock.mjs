// A lock file between processes: two commands started at once on a fresh clone must not install into the same folder.
// Plain JavaScript for Node 18, because the bootstrap uses it before any newer Node is there.
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 200;
const BREAKING_IS_STALE_AFTER_MS = 10_000;

/**
 * What tells a process from a later one with the same number: its start in clock ticks (field 22 of /proc/PID/stat).
 * Empty where there is no /proc; then only the number counts.
 * @param {number} pid
 * @returns {string}
 */
export function startOf(pid) {
  return statOf(pid)[19] ?? "";
}

/**
 * The fields of /proc/PID/stat from the third on. The second is the command in brackets and may hold spaces, so the fields are
 * counted from the last bracket.
 * @param {number} pid
 * @returns {string[]}
 */
function statOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
}

/**
 * True if the process that said `{pid, start}` of itself still runs.
 * @param {{pid: number, start: string}} owner
 * @returns {boolean}
 */
export function stillRuns(owner) {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
  const [state] = statOf(owner.pid);
  // Ended, and its parent has not asked how: in a container without an init such a process stays for ever.
  if (state === "Z") return false;
  const start = startOf(owner.pid);
  return start === "" || owner.start === "" || start === owner.start;
}

/**
 * Runs `work` while holding the lock file `path`; waits for another holder, and takes over from one that has died.
 * @template T
 * @param {string} path
 * @param {(owner: {pid: number, start: string}) => void} onWait called once, if somebody else holds the lock
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(path, onWait, work) {
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  while (!take(path)) {
    const owner = ownerOf(path);
    if (owner !== undefined && !stillRuns(owner)) {
      breakStale(path);
      continue;
    }
    if (!told && owner !== undefined) {
      told = true;
      onWait(owner);
    }
    await sleep(POLL_MS);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/**
 * The lock appears with its content in one step (link), so no reader can find it empty.
 * @param {string} path
 */
function take(path) {
  const own = `${path}.${process.pid}`;
  writeFileSync(own, JSON.stringify({ pid: process.pid, start: startOf(process.pid) }));
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
    return false;
  } finally {
    unlinkSync(own);
  }
}

/**
 * @param {string} path
 * @returns {{pid: number, start: string} | undefined}
 */
function ownerOf(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined; // let go between our attempt and this look
  }
}

/**
 * Only one process at a time may remove a dead owner's lock: otherwise a slow one would remove the lock that a quick one
 * has just taken.
 * @param {string} path
 */
function breakStale(path) {
  const breaking = `${path}.breaking`;
  try {
    mkdirSync(breaking);
  } catch {
    try {
      if (Date.now() - statSync(breaking).mtimeMs > BREAKING_IS_STALE_AFTER_MS) rmSync(breaking, { recursive: true });
    } catch {
      // gone meanwhile: the next attempt sees it
    }
    return;
  }
  const owner = ownerOf(path);
  if (owner !== undefined && !stillRuns(owner)) rmSync(path, { force: true });
  rmSync(breaking, { recursive: true });
}
