import { afterEach, expect, test } from "vitest";
import { FakeApiServer, type Handler, json, status } from "../../test/kubernetes/fake-api-server.ts";
import { RealClock } from "../control/clock/real-clock.ts";
import type { ClusterEvent } from "../control/ports.ts";
import { type EventSettings, KubernetesEvents } from "./events.ts";
import { Transport } from "./transport.ts";

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function bench(
  handler: Handler,
  settings: Partial<EventSettings> = {},
): Promise<{ server: FakeApiServer; events: KubernetesEvents; log: string[] }> {
  const server = await FakeApiServer.start(handler);
  const clock = new RealClock();
  const log: string[] = [];
  const transport = new Transport({
    kubeconfig: server.kubeconfig(),
    name: "the fake",
    userAgent: "x/1",
    clock,
    deadlineMilliseconds: 1_000,
  });
  open.push(
    () => server.stop(),
    () => transport.close(),
  );
  const events = new KubernetesEvents({
    transport,
    clock,
    controller: "example.dev/x",
    instance: "pod-1",
    log: (_, message) => void log.push(message),
    ...settings,
  });
  return { server, events, log };
}

const event = (note: string, name = "fra1", namespace?: string): ClusterEvent => ({
  type: "Normal",
  reason: "NodeClaimed",
  action: "ClaimNode",
  note,
  regarding: { apiVersion: "v1", kind: "Node", name, uid: `uid-${name}`, ...(namespace === undefined ? {} : { namespace }) },
});
const ok: Handler = ({ response }) => json(response, 201, {});

test("the same event five times is one object with a series of 5; another note is another event", async () => {
  const { server, events } = await bench(ok);
  for (let time = 0; time < 5; time++) events.publish(event("claimed fra1-1"));
  events.publish(event("claimed fra1-2"));
  await events.flush();
  const creations = server.received.filter((request) => request.method === "POST").map((request) => JSON.parse(request.body));
  expect(creations.map((body) => [body.note, body.series?.count])).toEqual([
    ["claimed fra1-1", 5],
    ["claimed fra1-2", undefined],
  ]);
  for (let time = 0; time < 3; time++) events.publish(event("claimed fra1-1"));
  await events.flush();
  const [patch, ...more] = server.received.filter((request) => request.method === "PATCH");
  expect(more).toEqual([]);
  expect(JSON.parse(patch!.body).series.count).toBe(8);
  expect(patch!.headers["content-type"]).toBe("application/merge-patch+json");
  expect(patch!.path.endsWith(creations[0].metadata.name)).toBe(true);
});

test("repetitions are collected: a hundred within the series time are one write", async () => {
  const { server, events } = await bench(ok, { seriesMilliseconds: 200 });
  events.publish(event("again"));
  await events.flush();
  for (let time = 0; time < 100; time++) events.publish(event("again"));
  expect(server.received).toHaveLength(1);
  await expect.poll(() => server.received.length, { timeout: 2_000 }).toBe(2);
  expect(JSON.parse(server.received[1]!.body).series.count).toBe(101);
});

test("the fields that the API requires are there, cut to its limits in bytes, in the namespace of the object or `default`", async () => {
  const { server, events } = await bench(ok);
  events.publish({ ...event("ü".repeat(2_000)), reason: "R".repeat(200), action: "A".repeat(200) });
  events.publish(event("n", "a-pod", "rollward"));
  await events.flush();
  const [first, second] = server.received;
  expect(first!.path).toBe("/apis/events.k8s.io/v1/namespaces/default/events");
  expect(second!.path).toBe("/apis/events.k8s.io/v1/namespaces/rollward/events");
  const body = JSON.parse(first!.body);
  expect(Buffer.byteLength(body.note)).toBeLessThanOrEqual(1_024);
  expect(body.note).toMatch(/^ü+…$/);
  expect([body.reason.length, body.action.length].every((length) => length <= 128)).toBe(true);
  expect(body).toMatchObject({
    reportingController: "example.dev/x",
    reportingInstance: "pod-1",
    type: "Normal",
    regarding: { uid: "uid-fra1" },
  });
  expect(body.eventTime).toMatch(/\.\d{6}Z$/);
});

test("a lost answer to the creation makes no second event: the repetition finds it there", async () => {
  const { server, events } = await bench(({ response, time }) => {
    if (time === 1) response.destroy();
    else json(response, 409, status(409, "AlreadyExists", "there"));
  });
  events.publish(event("n"));
  await events.flush();
  const names = server.received.map((request) => JSON.parse(request.body).metadata.name);
  expect(names).toHaveLength(2);
  expect(new Set(names).size).toBe(1);
  expect(events.dropped).toBe(0);
});

test("a series whose event has expired at the server begins anew", async () => {
  const { server, events } = await bench((request) =>
    request.method === "PATCH" ? json(request.response, 404, status(404, "NotFound", "gone")) : ok(request),
  );
  events.publish(event("n"));
  await events.flush();
  events.publish(event("n"));
  await events.flush();
  expect(server.received.map((request) => request.method)).toEqual(["POST", "PATCH", "POST"]);
});

test("publish never throws and never waits; what is too much or refused is dropped, counted and logged", async () => {
  const { events, log } = await bench(({ response }) => json(response, 403, status(403, "Forbidden", "no")), { queued: 10 });
  for (let index = 0; index < 30; index++) events.publish(event(`n${index}`));
  events.publish(undefined as unknown as ClusterEvent);
  await events.flush();
  expect(events.dropped).toBe(30);
  expect(log.filter((message) => message.includes("queue of events is full"))).toHaveLength(20);
  expect(log.filter((message) => message.includes("403 Forbidden"))).toHaveLength(10);
});
