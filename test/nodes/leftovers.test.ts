import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, expect, it, vi } from "vitest";
import { sweepLeftovers } from "../../tools/control-plane/leftovers.ts";
import { describeWithNodes } from "./available.ts";

interface Claim {
  readonly owner: { readonly pid: number };
  readonly servers: readonly { readonly pid: number }[];
  readonly cgroups: readonly string[];
}

/** A node as its guard sees it: what there is of it on the machine, to be looked for afterwards. */
interface Node {
  readonly runner: ChildProcess;
  readonly folder: string;
  readonly claim: Claim;
  /** Of every process on the node, as the machine numbers them. */
  readonly processes: readonly number[];
}

const processesIn = (trees: readonly string[]): number[] => {
  const files = trees.flatMap((tree) => globSync("**/cgroup.procs", { cwd: tree }).map((file) => join(tree, file)));
  const lines = files.flatMap((file) => readFileSync(file, "utf8").split("\n"));
  return [...new Set(lines.filter((line) => line !== "").map(Number))];
};
const runs = (pid: number): boolean => existsSync(`/proc/${pid}/ns/net`);
const networksOf = (): string[] => readFileSync("/proc/net/dev", "utf8").match(/^\s*(to-\S+|bridge|eth0):/gm) ?? [];

describeWithNodes("[T4] of a node nothing is left", () => {
  let last: Node | undefined;
  afterEach(() => {
    last?.runner.kill("SIGKILL");
    sweepLeftovers();
  });

  const startNode = async (): Promise<Node> => {
    const runner = spawn(process.execPath, [join(import.meta.dirname, "runner.ts")], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(createInterface(runner.stdout), "line")) as [string];
    const { folder } = JSON.parse(line) as { folder: string };
    const claim = JSON.parse(readFileSync(join(folder, "owner.json"), "utf8")) as Claim;
    const processes = [...processesIn(claim.cgroups), ...claim.servers.map(({ pid }) => pid)];
    last = { runner, folder, claim, processes };
    return last;
  };

  const expectNothing = ({ folder, claim, processes }: Node): Promise<void> =>
    vi.waitFor(
      () => {
        expect(processes.filter(runs)).toEqual([]);
        expect(claim.cgroups.filter(existsSync)).toEqual([]);
        expect(existsSync(folder)).toBe(false);
        expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(folder);
      },
      { timeout: 20_000, interval: 100 },
    );

  it("it runs in namespaces and cgroups of its own, below those of whoever started it, and the machine's stay as they were", async () => {
    const before = networksOf();
    const settings = ["vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops"].map((name) =>
      readFileSync(`/proc/sys/${name}`, "utf8"),
    );
    const node = await startNode();
    expect(node.processes.length).toBeGreaterThan(5);
    for (const line of readFileSync("/proc/self/cgroup", "utf8")
      .split("\n")
      .filter((one) => /:(memory|pids):/.test(one))) {
      const [, controllers = "", own = ""] = line.split(":");
      expect(node.claim.cgroups.some((tree) => tree.startsWith(join("/sys/fs/cgroup", controllers, own)))).toBe(true);
    }
    const inside = processesIn(node.claim.cgroups).filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("--hostname-override"),
    );
    expect(inside).toHaveLength(1);
    for (const kind of ["mnt", "net", "uts", "ipc", "pid", "cgroup"])
      expect(readlinkSync(`/proc/${inside[0]}/ns/${kind}`)).not.toBe(readlinkSync(`/proc/self/ns/${kind}`));
    expect(networksOf()).toEqual(before);
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(node.folder);
    expect(settings).toEqual(
      ["vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops"].map((name) => readFileSync(`/proc/sys/${name}`, "utf8")),
    );
    node.runner.kill("SIGTERM");
    await expectNothing(node);
  });

  it("when its runner is killed, the guard ends the node and removes its cgroups", async () => {
    const node = await startNode();
    node.runner.kill("SIGKILL");
    await expectNothing(node);
  });

  it("when runner and guard are killed at once, the kernel ends the node, and the next start removes the cgroups and the folder", async () => {
    const node = await startNode();
    process.kill(node.claim.owner.pid, "SIGKILL");
    node.runner.kill("SIGKILL");
    await vi.waitFor(() => expect(node.processes.filter(runs)).toEqual([]), { timeout: 20_000, interval: 100 });
    sweepLeftovers();
    await expectNothing(node);
  });

  it("when the guard alone is killed, the runner removes what was the guard's to remove", async () => {
    const node = await startNode();
    process.kill(node.claim.owner.pid, "SIGKILL");
    await vi.waitFor(() => expect(node.processes.filter(runs)).toEqual([]), { timeout: 20_000, interval: 100 });
    node.runner.kill("SIGTERM");
    await expectNothing(node);
  });
});
