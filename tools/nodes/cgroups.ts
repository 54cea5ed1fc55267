// Where the cgroups of real nodes go: below the caller's own cgroup in each hierarchy of version 1, so that everything that runs on the
// nodes is counted, and limited, with whoever started them.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

export interface Hierarchy {
  /** What it is mounted with: `memory`, `cpu,cpuacct`, `name=systemd`. */
  readonly controllers: string;
  /** The caller's own cgroup in it, as an absolute path. */
  readonly own: string;
}

/** Without these the kubelet or runc does not start. */
const NEEDED = ["cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids"];
/** Four nodes with their pods need a quarter of it; a leak of ours ends in our cgroup and not in the machine's memory. */
const MOST_MEMORY = 6 * 1024 ** 3;

/**
 * The version 1 hierarchies that nodes need, by the texts of /proc/self/mounts and /proc/self/cgroup; or the sentence that says which are
 * missing.
 */
export function hierarchies(mounts: string, membership: string): readonly Hierarchy[] | string {
  const memberships = membership.split("\n").map((line) => line.split(":"));
  const found = mounts.split("\n").flatMap((line): Hierarchy[] => {
    const [, mountpoint = "", type, options = ""] = line.split(" ");
    if (type !== "cgroup") return [];
    const mounted = new Set(options.split(","));
    const member = memberships.find(
      ([, controllers = ""]) => controllers !== "" && controllers.split(",").every((one) => mounted.has(one)),
    );
    const [, controllers = "", path = ""] = member ?? [];
    return member === undefined ? [] : [{ controllers, own: resolve(mountpoint, `.${path}`) }];
  });
  const there = new Set(found.flatMap(({ controllers }) => controllers.split(",")));
  const missing = NEEDED.filter((controller) => !there.has(controller));
  if (missing.length === 0) return found.filter(({ controllers }) => isWanted(controllers));
  const two = mounts.includes(" cgroup2 ") && found.length === 0;
  return two
    ? "this machine has cgroups of version 2 alone, and the nodes are made for version 1"
    : `the cgroup hierarchies (version 1) of ${missing.join(", ")} are not mounted here`;
}

const isWanted = (controllers: string): boolean =>
  controllers === "name=systemd" || controllers.split(",").some((controller) => NEEDED.includes(controller));

/** As this process sees them. */
export const ownHierarchies = (): readonly Hierarchy[] | string =>
  hierarchies(readFileSync("/proc/self/mounts", "utf8"), readFileSync("/proc/self/cgroup", "utf8"));

/** Makes the cgroup of a group of nodes, or of one of them, in each hierarchy; `name` may have two parts. */
export function makeCgroups(all: readonly Hierarchy[], name: string): void {
  for (const { controllers, own } of all) {
    const path = join(own, name);
    mkdirSync(path, { recursive: true });
    // A new cpuset is empty, and takes no process before it has cores and memory.
    if (controllers.split(",").includes("cpuset")) fillCpuset(own, name);
  }
}

function fillCpuset(own: string, name: string): void {
  let path = own;
  for (const part of name.split("/")) {
    const parent = path;
    path = join(path, part);
    for (const file of ["cpuset.cpus", "cpuset.mems"]) writeFileSync(join(path, file), readFileSync(join(parent, file)));
  }
}

export function limitMemory(all: readonly Hierarchy[], name: string): void {
  const memory = all.find(({ controllers }) => controllers.split(",").includes("memory"));
  if (memory) writeFileSync(join(memory.own, name, "memory.limit_in_bytes"), String(MOST_MEMORY));
}
