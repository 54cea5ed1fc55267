import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { RealClock } from "../../control/clock/real-clock.ts";
import { HttpNodeDirectory, type NodeList } from "../load/node-directory.ts";
import type { SessionBreak } from "../load/session-client.ts";
import { SessionLoad } from "../load/session-load.ts";
import { TcpTransport } from "../load/tcp-transport.ts";
import { ServingWatcher, type ServingEvent } from "../load/watch-serving.ts";
import { type ReservedAddress, reserveAddress } from "./addresses.ts";
import { readImage } from "./behaviour.ts";
import type { ContainerInstance } from "./container-runtime.ts";
import { HttpRuntime } from "./http-runtime.ts";

const clock = new RealClock();
const runtime = new HttpRuntime(clock);
const ports = [
  { name: "http", containerPort: 8080 },
  { name: "session", containerPort: 7000 },
];
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface Node extends ReservedAddress {
  readonly name: string;
  readonly instance: ContainerInstance;
}

let instances = 0;
async function run(address: string, node: string, tag: string): Promise<ContainerInstance> {
  const { behaviour, version } = readImage(`registry.example/pop:${tag}`);
  const id = String(++instances);
  const identity = { node, pop: "tyo", podUID: `pod-${id}`, containerID: `containerd://${id}`, version };
  const instance = await runtime.start({ identity, behaviour, address, container: { name: "pop", image: "", ports } });
  ends.push(() => instance.kill());
  return instance;
}

async function node(name: string, tag = "1.0.0"): Promise<Node> {
  const reserved = await reserveAddress(runtime, "tyo", name);
  ends.push(() => reserved.release());
  const instance = await run(reserved.address, name, tag);
  await vi.waitFor(() => expect(instance.plane.health).not.toBe("Starting"), { timeout: 5_000, interval: 20 });
  return { name, instance, ...reserved };
}

const listOf =
  (nodes: readonly Node[]): NodeList =>
  () =>
    Promise.resolve(nodes.map(({ name, address }) => ({ name, pop: "tyo", address })));

async function drain({ instance, address }: Node, token: string): Promise<number> {
  const { podUID, containerID } = instance.plane.identity;
  const body = JSON.stringify({ token, podUID, containerID, lease: "1m", sequence: 1 });
  return (await fetch(`http://${address}:8080/drain`, { method: "POST", body })).status;
}

describe("containers on loopback sockets", () => {
  test("two nodes of one name find different addresses, and an address comes back when it is released", async () => {
    const first = await reserveAddress(runtime, "tyo", "same");
    const second = await reserveAddress(runtime, "tyo", "same");
    expect(second.address).not.toBe(first.address);
    await first.release();
    const third = await reserveAddress(runtime, "tyo", "same");
    expect(third.address).toBe(first.address);
    await Promise.all([second.release(), third.release()]);
  });

  test("answers HTTP on the node's address, and a second container finds the port taken until the first is gone", async () => {
    const { address, instance, name } = await node("n1");
    expect((await fetch(`http://${address}:8080/healthz`)).status).toBe(200);
    await expect(run(address, name, "2.0.0")).rejects.toThrow(/EADDRINUSE/);
    await instance.terminate();
    const next = await run(address, name, "2.0.0");
    expect(next.plane.identity.version).toBe("2.0.0");
  });

  test("a body that is too long is a 413, a half line on the session port ends that connection only", async () => {
    const { address } = await node("n1");
    const long = await fetch(`http://${address}:8080/drain`, { method: "POST", body: "x".repeat(100_000) }).then(
      ({ status }) => status,
      () => 413,
    );
    expect(long).toBe(413);
    const socket = connect({ host: address, port: 7000 });
    socket.write("nonsense\n");
    const [answer] = (await once(socket.setEncoding("utf8"), "data")) as [string];
    expect(answer).toMatch(/^error: expected one line/);
    await once(socket, "close");
    expect((await fetch(`http://${address}:8080/healthz`)).status).toBe(200);
  });

  test("a frozen container keeps its connections and answers when it thaws", async () => {
    const { address, instance } = await node("n1");
    instance.freeze(true);
    const signal = AbortSignal.timeout(300);
    await expect(fetch(`http://${address}:8080/healthz`, { signal })).rejects.toThrow(/timeout|aborted/);
    const late = fetch(`http://${address}:8080/healthz`);
    instance.freeze(false);
    expect((await late).status).toBe(200);
  });
});

describe("[P11] sessions over TCP", () => {
  async function held(nodes: readonly Node[], sessions: number) {
    const breaks: SessionBreak[] = [];
    const load = new SessionLoad({
      pop: "tyo",
      sessions,
      clock,
      wallClock: Date.now,
      directory: new HttpNodeDirectory(listOf(nodes), 8080),
      transport: new TcpTransport(7000),
      onBreak: (broken) => breaks.push(broken),
    });
    ends.push(() => load.stop());
    load.start();
    await vi.waitFor(() => expect(load.held).toBe(sessions), { timeout: 5_000, interval: 20 });
    return { load, breaks };
  }

  test("begin spread over the nodes; those of a drained node come back within a second or two on the node that started last", async () => {
    const nodes = [await node("n1"), await node("n2"), await node("n3")];
    const { load, breaks } = await held(nodes, 30);
    expect(nodes.map(({ instance }) => instance.plane.sessions.length)).toEqual([10, 10, 10]);
    expect(await drain(nodes[0]!, "a")).toBe(200);
    await vi.waitFor(() => expect(breaks).toHaveLength(10), { timeout: 5_000, interval: 20 });
    expect(new Set(breaks.map(({ node: from, backNode }) => `${from}>${backNode}`))).toEqual(new Set(["n1>n3"]));
    const summary = await load.stop();
    expect(summary).toMatchObject({ held: 30, sessionsByBreaks: { 0: 20, 1: 10 }, wentElsewhere: 0, neverBack: 0 });
    expect(summary.longestOutage).toBeLessThan(2_000);
    expect(summary.maximumBroken).toBeLessThanOrEqual(10);
    expect(nodes[2]!.instance.plane.returns.lines("r", "")).toContain(`r_count{,from="n1"} 10`);
  });

  test("those of a node that dies without a word come back too", async () => {
    const nodes = [await node("n1"), await node("n2")];
    const { breaks } = await held(nodes, 10);
    await nodes[0]!.instance.kill();
    await vi.waitFor(() => expect(breaks).toHaveLength(5), { timeout: 5_000, interval: 20 });
    expect(breaks.every(({ backNode, outage }) => backNode === "n2" && outage! < 2_000)).toBe(true);
  });

  test("a tenth of those that `elsewhere` hands back goes to another PoP and is not back", async () => {
    const nodes = [await node("n1", "1.0.0-elsewhere"), await node("n2")];
    const { load, breaks } = await held(nodes, 40);
    await drain(nodes[0]!, "a");
    await vi.waitFor(() => expect(breaks).toHaveLength(18), { timeout: 5_000, interval: 20 });
    expect(await load.stop()).toMatchObject({ held: 38, neverBack: 2, breaks: 20 });
  });
});

test("[I1] the watcher counts a draining, a dead and a starting node as out, and a node that never served not at all", async () => {
  const nodes = [await node("n1"), await node("n2")];
  const never = { ...nodes[0]!, name: "n3", address: "127.16.255.254" };
  const events: ServingEvent[] = [];
  const watcher = new ServingWatcher(listOf([...nodes, never]), 8080, (event) => events.push(event));
  const end = new AbortController();
  const summary = watcher.run(50, end.signal);
  const sees = (name: string, serving: boolean) =>
    vi.waitFor(() => expect(events.findLast((event) => event.type === "node" && event.node === name)).toMatchObject({ serving }), {
      timeout: 5_000,
      interval: 20,
    });
  await Promise.all([sees("n1", true), sees("n2", true)]);
  await drain(nodes[0]!, "a");
  await sees("n1", false);
  await nodes[1]!.instance.kill();
  await sees("n2", false);
  await run(nodes[1]!.address, "n2", "2.0.0");
  await sees("n2", true);
  end.abort();
  expect(await summary).toMatchObject({ served: ["n1", "n2"], maximumOut: { tyo: { count: 2, nodes: ["n1", "n2"] } } });
});

test("[I1] nodes that all say nothing for two seconds, as on a machine that stops for so long, are not out", async () => {
  const nodes = [await node("n1"), await node("n2")];
  const events: ServingEvent[] = [];
  const watcher = new ServingWatcher(listOf(nodes), 8080, (event) => events.push(event));
  const end = new AbortController();
  const summary = watcher.run(50, end.signal);
  await vi.waitFor(() => expect(events).toHaveLength(2), { timeout: 5_000, interval: 20 });
  for (const { instance } of nodes) instance.freeze(true);
  await sleep(2_000);
  for (const { instance } of nodes) instance.freeze(false);
  // It hears of what comes after them, so it had their answers.
  await drain(nodes[0]!, "a");
  await vi.waitFor(() => expect(events.at(-1)).toMatchObject({ type: "out", nodes: ["n1"] }), { timeout: 5_000, interval: 20 });
  end.abort();
  expect(await summary).toMatchObject({ maximumOut: { tyo: { count: 1, nodes: ["n1"] } } });
});
