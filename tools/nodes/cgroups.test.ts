import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CGROUP_PREFIX, removeCgroupTrees } from "../cgroup-tree.ts";
import { hierarchies } from "./cgroups.ts";

const mount = (folder: string, options = folder): string => `cgroup /sys/fs/cgroup/${folder} cgroup rw,nosuid,${options} 0 0`;
const SINGLE = ["cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids"];

test("each hierarchy has the caller's own cgroup in it, so that nodes are counted with whoever started them", () => {
  const mounts = SINGLE.map((name) => mount(name)).join("\n");
  const membership = SINGLE.map((name, index) => `${index + 2}:${name}:${name === "memory" ? "/jobs/7" : "/"}`).join("\n");
  const found = hierarchies(mounts, membership);
  expect(found).toContainEqual({ controllers: "memory", own: "/sys/fs/cgroup/memory/jobs/7" });
  expect(found).toContainEqual({ controllers: "pids", own: "/sys/fs/cgroup/pids" });
  expect(found).toHaveLength(SINGLE.length);
});

test("controllers that are mounted together are one hierarchy; systemd's is taken too, and one that nodes do not need is not", () => {
  const together = [
    mount("cpu,cpuacct"),
    mount("net_cls"),
    mount("systemd", "xattr,name=systemd"),
    "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0",
  ];
  const mounts = [...together, ...SINGLE.slice(2).map((name) => mount(name))].join("\n");
  const lines = [
    "3:cpu,cpuacct:/",
    "4:net_cls:/",
    "1:name=systemd:/session",
    "0::/",
    ...SINGLE.slice(2).map((name, index) => `${index + 5}:${name}:/`),
  ];
  const found = hierarchies(mounts, lines.join("\n"));
  if (typeof found === "string") throw new Error(found);
  const names = found.map(({ controllers }) => controllers);
  expect(names).toContain("cpu,cpuacct");
  expect(names).toContain("name=systemd");
  expect(names).not.toContain("net_cls");
  expect(names).toHaveLength(SINGLE.length);
});

test("a machine of cgroups version 2 alone is refused in words, and one without a controller with its name", () => {
  expect(hierarchies("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0", "0::/user.slice")).toBe(
    "this machine has cgroups of version 2 alone, and the nodes are made for version 1",
  );
  const [, ...without] = SINGLE;
  const membership = without.map((name, index) => `${index}:${name}:/`).join("\n");
  expect(hierarchies(without.map((name) => mount(name)).join("\n"), membership)).toBe(
    "the cgroup hierarchies (version 1) of cpu are not mounted here",
  );
});

test("trees are removed from the inside, and nothing that is not named as ours is touched, whatever a claim says", () => {
  const root = mkdtempSync(join(tmpdir(), "rollward-cgroups-"));
  const [ours, other] = [join(root, `${CGROUP_PREFIX}1`), join(root, "of-somebody")];
  for (const tree of [ours, other]) mkdirSync(join(tree, "a", "b"), { recursive: true });
  expect(removeCgroupTrees([ours, other])).toEqual([]);
  expect([existsSync(ours), existsSync(other)]).toEqual([false, true]);
  rmSync(root, { recursive: true });
});
