import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { isWrite } from "../../../tools/control-plane/audit-log.ts";
import { SERVERS, startControlPlane, type ControlPlane } from "../../../tools/control-plane/run.ts";
import { describeWithControlPlane } from "./available.ts";

// A folder of its own: what stands beside it in the machine's is of tests that run at the same time.
const own = mkdtempSync(join(tmpdir(), "rollward-control-plane-"));
const machines = process.env.TMPDIR;
beforeAll(() => void (process.env.TMPDIR = own));
afterAll(() => {
  if (machines === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = machines;
  rmSync(own, { recursive: true });
});

describeWithControlPlane("[T3] a real control plane", () => {
  let first: ControlPlane;
  let second: ControlPlane;

  beforeAll(async () => {
    [first, second] = await Promise.all([startControlPlane({ nodeMonitorGraceSeconds: 4 }), startControlPlane()]);
  });
  afterAll(async () => {
    await Promise.all([first?.stop(), second?.stop()]);
  });

  test("two run side by side, and what is created in one is not seen in the other", async () => {
    const created = await first.call("admin", "POST", "/api/v1/namespaces", { metadata: { name: "only-in-first" } });
    expect(created.status).toBe(201);
    expect((await first.call("watcher", "GET", "/api/v1/namespaces/only-in-first")).status).toBe(200);
    expect((await second.call("watcher", "GET", "/api/v1/namespaces/only-in-first")).status).toBe(404);
  });

  test("kubectl works with the kubeconfig of a user, and the server says the version that was asked for", async () => {
    const { stdout } = await promisify(execFile)(first.binaries.kubectl, [
      "--kubeconfig",
      first.kubeconfig("admin"),
      "version",
      "-o",
      "json",
    ]);
    expect(JSON.parse(stdout).serverVersion.gitVersion).toBe("v1.36.3");
  });

  test("the audit log has each write once, with its user and its user agent", async () => {
    await second.call("admin", "POST", "/api/v1/namespaces/default/configmaps", { metadata: { name: "written-once" } });
    const own = second.auditEntries().filter((entry) => isWrite(entry) && entry.userAgent === "rollward-control-plane");
    const writes = own.filter((entry) => entry.requestURI.endsWith("/default/configmaps"));
    expect(writes.map(({ verb, user, responseStatus }) => [verb, user.username, responseStatus?.code])).toEqual([["create", "admin", 201]]);
  });

  test("the watcher may read nodes and write nothing; the operator has no right before one is bound to it", async () => {
    expect((await first.call("watcher", "GET", "/api/v1/nodes")).status).toBe(200);
    expect((await first.call("watcher", "POST", "/api/v1/namespaces", { metadata: { name: "no" } })).status).toBe(403);
    expect((await first.call("operator", "GET", "/api/v1/nodes")).status).toBe(403);
  });

  test("controllers and scheduler work: a DaemonSet's pod is made and bound to a ready node", async () => {
    await registerNode(first, "lone");
    await first.call("admin", "POST", "/apis/apps/v1/namespaces/default/daemonsets", daemonSet("everywhere"));
    await vi.waitFor(async () => expect(await nodesOfPods(first)).toEqual(["lone"]), { timeout: 20_000, interval: 200 });
  });

  test("a node whose lease is not renewed becomes NotReady within the grace of 4 seconds and a few more", async () => {
    await registerNode(first, "silent");
    const ready = async (): Promise<string> => {
      const node = JSON.parse((await first.call("watcher", "GET", "/api/v1/nodes/silent")).body);
      return node.status.conditions.find((condition: { type: string }) => condition.type === "Ready").status;
    };
    await vi.waitFor(async () => expect(await ready()).toBe("Unknown"), { timeout: 20_000, interval: 200 });
  });

  test("the API server restarts on the same port with what it knew, gracefully and by SIGKILL", async () => {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const before = first.pid("kube-apiserver");
      await first.restartApiServer(signal);
      expect(first.pid("kube-apiserver")).not.toBe(before);
      expect((await first.call("admin", "GET", "/api/v1/namespaces/only-in-first")).status).toBe(200);
    }
  });

  test("a server that ends at once is reported with its own words, and nothing stays", async () => {
    const before = folders();
    await expect(startControlPlane({ apiServerFlags: ["--no-such-flag"] })).rejects.toThrow(
      /kube-apiserver ended .*unknown flag: --no-such-flag/s,
    );
    expect(folders()).toEqual(before);
  });

  test("after stop no process, no port and no folder is left", async () => {
    const pids = SERVERS.map((name) => second.pid(name));
    await second.stop();
    expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    expect(existsSync(second.folder)).toBe(false);
    expect(await answers(Number(new URL(second.url).port))).toBe(false);
  });
});

describeWithControlPlane("[T3] nothing is left by a process that started a control plane", () => {
  test.each(["SIGKILL", "SIGINT"] as const)("and was ended by %s", async (signal) => {
    const { child, folder, pids } = await startInAnotherProcess();
    child.kill(signal);
    await once(child, "exit");
    await vi.waitFor(() => expect(alive(pids)).toEqual([]), { timeout: 10_000, interval: 50 });
    await vi.waitFor(() => expect(existsSync(folder)).toBe(false), { timeout: 10_000, interval: 50 });
  });

  test("and lost its guard by SIGKILL: the servers end, the next start removes the folder", async () => {
    const { child, folder, pids, guard } = await startInAnotherProcess();
    process.kill(guard, "SIGKILL");
    child.kill("SIGKILL");
    await once(child, "exit");
    // A sweep leaves the folder of a guard that is still dying, and rightly: its end has to have come before the next start looks.
    await vi.waitFor(() => expect(alive([guard])).toEqual([]), { timeout: 10_000, interval: 10 });
    const next = await startControlPlane();
    await next.stop();
    expect(alive(pids)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });
});

interface Elsewhere {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly guard: number;
  readonly pids: readonly number[];
}

async function startInAnotherProcess(): Promise<Elsewhere> {
  const module = join(import.meta.dirname, "../../../tools/control-plane/run.ts");
  const script = `import { startControlPlane } from ${JSON.stringify(module)};
    const { folder } = await startControlPlane();
    console.log(folder);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
  if (child.stdout === null) throw new Error("no stdout");
  const [folder] = (await once(createInterface(child.stdout), "line")) as [string];
  const claim = JSON.parse(readFileSync(join(folder, "owner.json"), "utf8"));
  const pids = claim.servers.map((server: { pid: number }) => server.pid);
  expect(alive(pids)).toHaveLength(SERVERS.length);
  return { child, folder, guard: claim.owner.pid, pids };
}

/** A process that has ended but was not yet waited for (Z) is not alive. */
function alive(pids: readonly number[]): number[] {
  return pids.filter((pid) => {
    try {
      return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
    } catch {
      return false;
    }
  });
}

function folders(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith("rollward-servers-"));
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const connected = await Promise.race([once(socket, "connect").then(() => true), once(socket, "error").then(() => false)]).catch(
    () => false,
  );
  socket.destroy();
  return connected;
}

async function registerNode(controlPlane: ControlPlane, name: string): Promise<void> {
  const created = await controlPlane.call("virtual-nodes", "POST", "/api/v1/nodes", { metadata: { name } });
  expect(created.status).toBe(201);
  const now = new Date().toISOString();
  const ready = { type: "Ready", status: "True", reason: "KubeletReady", message: "", lastHeartbeatTime: now, lastTransitionTime: now };
  const capacity = { cpu: "4", memory: "8Gi", pods: "110" };
  const node = { ...JSON.parse(created.body), status: { conditions: [ready], capacity, allocatable: capacity } };
  await vi.waitFor(async () => {
    const latest = JSON.parse((await controlPlane.call("virtual-nodes", "GET", `/api/v1/nodes/${name}`)).body);
    const written = await controlPlane.call("virtual-nodes", "PUT", `/api/v1/nodes/${name}/status`, { ...latest, status: node.status });
    expect(written.status).toBe(200);
  }, 20_000);
}

function daemonSet(name: string): unknown {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: "server", image: "registry.example/server:1" }] } };
  return { metadata: { name }, spec: { selector: { matchLabels: labels }, template } };
}

async function nodesOfPods(controlPlane: ControlPlane): Promise<string[]> {
  const list = JSON.parse((await controlPlane.call("watcher", "GET", "/api/v1/namespaces/default/pods")).body);
  return list.items.map((pod: { spec: { nodeName?: string } }) => pod.spec.nodeName ?? "not bound");
}
