// A process of its own between the project and the servers that it starts: their parent. When the process that asked for them
// ends, in whatever way, SIGKILL included, the kernel closes the channel between the two; then the guard ends the servers
// and removes their folder. It leads a session of its own, so Ctrl-C in a terminal reaches it only through that channel.
//
// argv: the folder to remove.
import { spawn, type ChildProcess } from "node:child_process";
import { accessSync, constants, openSync, closeSync, rmSync } from "node:fs";
import { join } from "node:path";
import { removeCgroupTrees } from "../cgroup-tree.ts";
import { startOf } from "../folder-lock.mjs";
import type { FromGuard, ToGuard } from "./guard-messages.ts";
import { claimFolder } from "./leftovers.ts";

const folder = process.argv[2] ?? "";
const children = new Map<string, ChildProcess>();
const cgroups: string[] = [];
const prefix = dieWithParent();
let ending = false;

process.on("message", (message: ToGuard) => {
  if (message.type === "start") start(message);
  else if (message.type === "signal") children.get(message.name)?.kill(message.signal);
  else if (message.type === "own") own(message.cgroups);
  else end();
});
process.on("disconnect", end);
process.on("SIGTERM", end);
if (process.connected) recordOwner();
else end(); // the parent died before we could listen
tell({ type: "ready" });

function start(message: Extract<ToGuard, { type: "start" }>): void {
  const { name } = message;
  const log = openSync(join(folder, `${name}.log`), "a");
  const [command = "", ...args] = [...prefix, message.command, ...message.args];
  const child = spawn(command, args, { stdio: ["ignore", log, log], cwd: folder });
  closeSync(log);
  children.set(name, child);
  child.on("error", (error) => {
    children.delete(name);
    tell({ type: "exited", name, how: error.message });
  });
  child.on("exit", (code, signal) => {
    children.delete(name);
    if (ending) return endWhenAllAreGone();
    recordOwner();
    tell({ type: "exited", name, how: signal ?? `code ${code}` });
  });
  if (child.pid === undefined) return;
  recordOwner();
  tell({ type: "started", name, pid: child.pid });
}

function own(more: readonly string[]): void {
  cgroups.push(...more);
  recordOwner();
}

function recordOwner(): void {
  const pids = [...children.values()].flatMap((child) => (child.pid === undefined ? [] : [child.pid]));
  claimFolder(
    folder,
    process.pid,
    pids.map((pid) => ({ pid, start: startOf(pid) })),
    cgroups,
  );
}

/** The servers' data go away with them, so there is nothing that a gentle end would save. */
function end(): void {
  if (ending) return;
  ending = true;
  for (const child of children.values()) child.kill("SIGKILL");
  endWhenAllAreGone();
}

function endWhenAllAreGone(): void {
  if (children.size > 0) return;
  // What a server left running in its cgroup still writes into the folder.
  removeCgroupTrees(cgroups);
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
}

function tell(message: FromGuard): void {
  if (process.connected) process.send?.(message, () => {});
}

/** On Linux the kernel can end the servers even if the guard itself is killed. Without setpriv the sweep at the next start does it. */
function dieWithParent(): string[] {
  for (const path of ["/usr/bin/setpriv", "/bin/setpriv"]) {
    try {
      accessSync(path, constants.X_OK);
      return process.platform === "linux" ? [path, "--pdeathsig", "SIGKILL", "--"] : [];
    } catch {
      // not here
    }
  }
  return [];
}
