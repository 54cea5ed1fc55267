import { afterEach, expect } from "vitest";
import type { ObjectMeta } from "../../src/api/common.ts";
import { RealClock } from "../../src/control/clock/real-clock.ts";
import type { Kind, KubernetesObject, ListOptions } from "../../src/control/ports.ts";
import { ObjectCache } from "../../src/kubernetes/cache.ts";
import type { ReflectorTimings } from "../../src/kubernetes/reflector.ts";
import { Transport } from "../../src/kubernetes/transport.ts";
import { FakeApiServer, json, type Received, status } from "./fake-api-server.ts";

export interface Thing extends KubernetesObject {
  readonly value?: string;
}
export const THING: Kind<Thing> = { apiVersion: "example.dev/v1", kind: "Thing", plural: "things", namespaced: true };
export const PATH = "/apis/example.dev/v1/things";

/** Waits a hundred times shorter than in earnest; what a busy machine may be late for has seconds. */
const FAST: ReflectorTimings = {
  idleMilliseconds: 4_000,
  syncMilliseconds: 4_000,
  healthyMilliseconds: 10_000,
  instantMilliseconds: 50,
  backoffMinimumMilliseconds: 10,
  backoffMaximumMilliseconds: 50,
  watchSeconds: 300,
};

export const thing = (name: string, version: number, value = "x", uid = `uid-${name}`): Thing => ({
  apiVersion: THING.apiVersion,
  kind: THING.kind,
  metadata: { name, namespace: "ns", uid, resourceVersion: String(version), managedFields: [{ manager: "m" }] } as ObjectMeta,
  value,
});
export const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;
export const bookmark = (version: number, initial = false): string =>
  line("BOOKMARK", {
    kind: "Thing",
    metadata: { resourceVersion: String(version), ...(initial ? { annotations: { "k8s.io/initial-events-end": "true" } } : {}) },
  });
export const list = (version: number, ...items: Thing[]): unknown => ({
  kind: "ThingList",
  metadata: { resourceVersion: String(version) },
  items,
});

/** What the server does at each request: a step for each streaming list, paged list and watch, the last of each repeated. */
interface Script {
  readonly streams?: readonly Step[];
  readonly lists?: readonly Step[];
  readonly watches?: readonly Step[];
}
export type Step = (request: Received) => void;

interface Bench {
  readonly server: FakeApiServer;
  readonly cache: ObjectCache<Thing>;
  /** `+name@version` and `-name@version` in the order in which a listener heard of them. */
  readonly heard: string[];
  readonly log: string[];
  /** How often each step was asked for. */
  readonly asked: { streams: number; lists: number; watches: number };
}

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

export async function bench(script: Script, timings: Partial<ReflectorTimings> = {}, options: ListOptions = {}): Promise<Bench> {
  const asked = { streams: 0, lists: 0, watches: 0 };
  const server = await FakeApiServer.start((request) => {
    const { query } = request;
    const what = query.get("sendInitialEvents") === "true" ? "streams" : query.get("watch") ? "watches" : "lists";
    const steps = script[what] ?? [({ response }: Received) => response.writeHead(200).flushHeaders()];
    const step = steps[Math.min(asked[what]++, steps.length - 1)]!;
    step(request);
  });
  const clock = new RealClock();
  const log: string[] = [];
  const heard: string[] = [];
  const transport = new Transport({
    kubeconfig: server.kubeconfig(),
    name: "the fake",
    userAgent: "x/1",
    clock,
    random: () => 0,
    deadlineMilliseconds: 2_000,
  });
  const cache = new ObjectCache<Thing>({
    transport,
    clock,
    kind: THING,
    options,
    random: () => 0.5,
    log: (level, message) => void log.push(`${level} ${message}`),
    timings: { ...FAST, ...timings },
  });
  cache.onChange((object, deleted) => void heard.push(`${deleted ? "-" : "+"}${object.metadata.name}@${object.metadata.resourceVersion}`));
  open.push({ close: () => server.stop() }, { close: () => transport.close() }, { close: async () => cache.stop() });
  return { server, cache, heard, log, asked };
}

/** Writes the lines and leaves the watch open. */
export const send =
  (...parts: readonly string[]): Step =>
  ({ response }) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    for (const part of parts) response.write(part);
  };
export const refuse =
  (code: number, reason = "", headers: Record<string, string> = {}): Step =>
  ({ response }) =>
    json(response, code, status(code, reason, "refused by test"), headers);
export const sendAndEnd =
  (...parts: readonly string[]): Step =>
  ({ response }) =>
    void response.writeHead(200).end(parts.join(""));
export const answer =
  (body: unknown): Step =>
  ({ response }) =>
    json(response, 200, body);

/** Most scripts begin with a paged list: the server has no streaming lists. */
export const PAGED = { streams: [refuse(422, "Invalid")] };
export const settled = (what: () => unknown, expected: unknown): Promise<void> =>
  expect.poll(what, { timeout: 5_000, interval: 5 }).toEqual(expected);
