// Cgroups (version 1) of ours: a tree is ended and removed as a whole. Only trees that we made ourselves are handed in here.
import { type Dirent, existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { basename, join } from "node:path";

/** What a tree of ours is named; nothing else is touched, whatever a file that somebody left says. */
export const CGROUP_PREFIX = "rollward-nodes-";
const GONE_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 20;

/**
 * Ends every process in the trees and removes them; processes that are dying keep a cgroup busy for some milliseconds. Answers with the
 * trees that are still there after ten seconds.
 */
export function removeCgroupTrees(trees: readonly string[]): string[] {
  const ours = trees.filter((tree) => basename(tree).startsWith(CGROUP_PREFIX));
  const until = performance.now() + GONE_WITHIN_MS;
  for (;;) {
    const left = ours.filter((tree) => !removeTree(tree));
    if (left.length === 0 || performance.now() > until) return left;
    for (const tree of left) for (const group of groupsOf(tree)) endAll(group);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_EVERY_MS);
  }
}

function removeTree(tree: string): boolean {
  for (const group of groupsOf(tree)) {
    try {
      rmdirSync(group);
    } catch {
      // busy: a process in it has not ended yet
    }
  }
  return !existsSync(tree);
}

/** The innermost first: only an empty cgroup can be removed. */
function groupsOf(tree: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(tree, { withFileTypes: true });
  } catch {
    return [];
  }
  return [...entries.filter((entry) => entry.isDirectory()).flatMap((entry) => groupsOf(join(tree, entry.name))), tree];
}

function endAll(group: string): void {
  let listed = "";
  try {
    listed = readFileSync(join(group, "cgroup.procs"), "utf8");
  } catch {
    return; // removed meanwhile
  }
  for (const line of listed.split("\n").filter((text) => text !== "" && text !== "0")) {
    try {
      process.kill(Number(line), "SIGKILL");
    } catch {
      // ended by itself in this moment
    }
  }
}
