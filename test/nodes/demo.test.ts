import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { DemoProcess } from "../demo-process.ts";
import { describeWithNodes } from "./available.ts";

const MINUTE = 60_000;
const NODES = ["tyo1-n1", "tyo1-n2", "tyo1-n3", "tyo1-n4"];

/** What there is of a running demo on the machine, to be looked for when it has ended. */
interface Traces {
  readonly processes: readonly number[];
  readonly cgroups: readonly string[];
  readonly namespaces: ReadonlySet<string>;
}

/** With a temporary folder of its own, so that whatever it leaves there is its. */
class Demo extends DemoProcess {
  readonly folder: string;

  constructor(...args: string[]) {
    const folder = mkdtempSync(join(tmpdir(), "rw-"));
    super(args, { TMPDIR: folder });
    this.folder = folder;
  }

  until(sentence: string): Promise<void> {
    return vi.waitFor(() => expect(this.text).toContain(sentence), { timeout: MINUTE, interval: 50 });
  }

  /** By the claims that lie in its folders, by what names the folders, and by the children of both. */
  traces(): Traces {
    const claims = globSync("rollward-servers-*/owner.json", { cwd: this.folder }).map(
      (file) => JSON.parse(readFileSync(join(this.folder, file), "utf8")) as { owner: { pid: number }; cgroups: string[] },
    );
    const cgroups = claims.flatMap((claim) => claim.cgroups);
    const inCgroups = cgroups.flatMap((tree) =>
      globSync("**/cgroup.procs", { cwd: tree }).flatMap((file) => readFileSync(join(tree, file), "utf8").split("\n")),
    );
    const processes = [...new Set([...inCgroups.filter((line) => line !== "").map(Number), ...processesOf(this.folder)])];
    const namespaces = new Set(processes.flatMap((pid) => namespacesOf(pid)).filter((name) => !namespacesOf("self").includes(name)));
    return { processes, cgroups, namespaces };
  }
}

const everybody = (): string[] => readdirSync("/proc").filter((name) => /^\d+$/.test(name));

const readOr = (path: string, read: (path: string) => string): string => {
  try {
    return read(path);
  } catch {
    return "";
  }
};

const processesOf = (folder: string): number[] =>
  everybody()
    .filter((pid) => readOr(`/proc/${pid}/cmdline`, (path) => readFileSync(path, "utf8")).includes(folder))
    .map(Number);

const namespacesOf = (pid: number | string): string[] =>
  ["mnt", "net", "uts", "ipc", "pid", "cgroup"]
    .map((kind) => readOr(`/proc/${pid}/ns/${kind}`, readlinkSync))
    .filter((name) => name !== "");

describeWithNodes("[T4] rollward demo --real-nodes", () => {
  let demo: Demo | undefined;
  afterEach(async () => {
    demo?.child.kill("SIGTERM");
    await demo?.ended();
    if (demo) rmSync(demo.folder, { recursive: true, force: true });
  });

  /** Nothing of it runs, no cgroup is there, nobody is in one of its namespaces, no mount or link or file names it. */
  const expectNothing = ({ folder }: Demo, { processes, cgroups, namespaces }: Traces): Promise<void> =>
    vi.waitFor(
      () => {
        expect([...processes.filter((pid) => existsSync(`/proc/${pid}/ns/net`)), ...processesOf(folder)]).toEqual([]);
        expect(cgroups.filter((path) => existsSync(path))).toEqual([]);
        expect(everybody().flatMap((pid) => namespacesOf(pid).filter((name) => namespaces.has(name)))).toEqual([]);
        expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(folder);
        expect(readFileSync("/proc/net/dev", "utf8")).not.toMatch(/^\s*(to-\S+|bridge):/m);
        expect(readdirSync(folder)).toEqual([]);
      },
      { timeout: 20_000, interval: 200 },
    );

  it(
    "--fast rolls four real nodes to a good version, takes two bad images back, outlives the loss of a node, hears the witnesses, ends with 0 and leaves nothing",
    async () => {
      demo = new Demo("--real-nodes", "--fast");
      await demo.until("✓ all 4 nodes of Tokyo run 1.0.0");
      const traces = demo.traces();
      // Four kubelets and four containerds, each node in six namespaces of its own.
      expect(traces.cgroups.length).toBeGreaterThan(0);
      expect(traces.processes.length).toBeGreaterThan(8);
      expect(traces.namespaces.size).toBeGreaterThan(4 * 6);
      const code = await demo.ended();
      expect(code, demo.text.slice(-4_000)).toBe(0);
      for (const name of NODES) expect(demo.text).toMatch(new RegExp(`^  ${name} is Ready after `, "m"));
      for (const claim of [
        "all 4 nodes of Tokyo run 2.0.0",
        "9.9.9 is taken back by itself, for the right reason",
        "3.0.0-crash-loop is taken back by itself, for the right reason",
        "nobody but tyo1-n",
        "each kubelet, asked itself, runs 2.1.0 and nothing else of ours",
        "by the logs of the four containerds one alone was ever told to pull 9.9.9",
        "by the API server's audit log each node was taken in hand, never two at once, and all were given back",
        "who asked every node five times a second never found two out of service before the power was lost",
      ])
        expect(demo.text).toContain(`✓ ${claim}`);
      expect(demo.text).toMatch(/^\d+ claims, each read from the API server and its audit log, the nodes' kubelets and containerd/m);
      await expectNothing(demo, traces);
    },
    5 * MINUTE,
  );

  it.each([
    ["while the nodes start", "tyo1-n", "SIGINT", 130],
    ["in the middle of the play", "joins with 1.0.0", "SIGINT", 130],
    ["in the middle of the play", "joins with 1.0.0", "SIGKILL", null],
    ["in the middle of the play", "joins with 1.0.0", "| head", 141],
  ] as const)("ended %s (%s) by %s it leaves nothing", async (_, sentence, by, code) => {
    demo = new Demo("--real-nodes", "--fast");
    await demo.until(sentence);
    const traces = demo.traces();
    expect(traces.processes).not.toEqual([]);
    if (by === "| head") demo.child.stdout?.destroy();
    else demo.child.kill(by);
    expect(await demo.ended()).toBe(code);
    await expectNothing(demo, traces);
  });
});
