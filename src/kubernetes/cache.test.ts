import { afterEach, describe, expect, test } from "vitest";
import { FakeApiServer, json, type Received, reset, status } from "../../test/kubernetes/fake-api-server.ts";
import type { ObjectMeta } from "../api/common.ts";
import { RealClock } from "../control/clock/real-clock.ts";
import type { Kind, KubernetesObject, ListOptions } from "../control/ports.ts";
import { ObjectCache } from "./cache.ts";
import type { ReflectorTimings } from "./reflector.ts";
import { Transport } from "./transport.ts";

interface Thing extends KubernetesObject {
  readonly value?: string;
}
const THING: Kind<Thing> = { apiVersion: "example.dev/v1", kind: "Thing", plural: "things", namespaced: true };
const PATH = "/apis/example.dev/v1/things";

/** Everything a hundred times faster than in earnest. */
const FAST: ReflectorTimings = {
  idleMilliseconds: 300,
  syncMilliseconds: 1_000,
  healthyMilliseconds: 10_000,
  instantMilliseconds: 50,
  backoffMinimumMilliseconds: 10,
  backoffMaximumMilliseconds: 50,
  watchSeconds: 300,
};

const thing = (name: string, version: number, value = "x", uid = `uid-${name}`): Thing => ({
  apiVersion: THING.apiVersion,
  kind: THING.kind,
  metadata: { name, namespace: "ns", uid, resourceVersion: String(version), managedFields: [{ manager: "m" }] } as ObjectMeta,
  value,
});
const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;
const bookmark = (version: number, initial = false): string =>
  line("BOOKMARK", {
    kind: "Thing",
    metadata: { resourceVersion: String(version), ...(initial ? { annotations: { "k8s.io/initial-events-end": "true" } } : {}) },
  });
const list = (version: number, ...items: Thing[]): unknown => ({
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
type Step = (request: Received) => void;

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

async function bench(script: Script, timings: Partial<ReflectorTimings> = {}, options: ListOptions = {}): Promise<Bench> {
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
const send =
  (...parts: readonly string[]): Step =>
  ({ response }) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    for (const part of parts) response.write(part);
  };
const refuse =
  (code: number, reason = "", headers: Record<string, string> = {}): Step =>
  ({ response }) =>
    json(response, code, status(code, reason, "refused by test"), headers);
const sendAndEnd =
  (...parts: readonly string[]): Step =>
  ({ response }) =>
    void response.writeHead(200).end(parts.join(""));
const answer =
  (body: unknown): Step =>
  ({ response }) =>
    json(response, 200, body);

/** Most scripts begin with a paged list: the server has no streaming lists. */
const PAGED = { streams: [refuse(422, "Invalid")] };
const settled = (what: () => unknown, expected: unknown): Promise<void> =>
  expect.poll(what, { timeout: 5_000, interval: 5 }).toEqual(expected);

describe("the first view", () => {
  test("a streaming list is collected aside and published whole at its last bookmark; the same stream goes on as the watch", async () => {
    const { server, cache, heard, asked } = await bench({
      streams: [
        ({ response }) => {
          send(line("ADDED", thing("a", 3)), line("ADDED", thing("b", 4)), line("DELETED", thing("b", 6)))({ response } as Received);
          setTimeout(() => response.write(bookmark(7, true) + line("MODIFIED", thing("a", 8))), 100);
        },
      ],
    });
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect([cache.synced, heard]).toEqual([false, []]);
    await settled(() => heard, ["+a@3", "+a@8"]);
    await cache.whenSynced();
    expect(asked).toEqual({ streams: 1, lists: 0, watches: 0 });
    const query = Object.fromEntries(server.received[0]!.query);
    expect(query).toMatchObject({
      watch: "1",
      sendInitialEvents: "true",
      resourceVersionMatch: "NotOlderThan",
      allowWatchBookmarks: "true",
      timeoutSeconds: "450",
    });
    expect(query["resourceVersion"]).toBeUndefined();
  });

  test("a server that refuses the streaming list (422 or 400) is read in pages, and is not asked again", async () => {
    for (const code of [422, 400]) {
      const { server, cache, asked } = await bench({
        streams: [refuse(code, "Invalid")],
        lists: [
          answer({ metadata: { resourceVersion: "9", continue: "next" }, items: [{ ...thing("a", 1), kind: undefined }] }),
          answer({ metadata: { resourceVersion: "9" }, items: [thing("b", 2)] }),
        ],
        watches: [refuse(410, "Expired"), send()],
      });
      await cache.whenSynced();
      expect(cache.list().map((object) => `${object.kind} ${object.metadata.name}`)).toEqual(["Thing a", "Thing b"]);
      expect(server.received[2]!.query.get("continue")).toBe("next");
      await settled(() => asked.watches, 2);
      expect(asked.streams).toBe(1);
      expect(server.received.find((request) => request.query.get("resourceVersion"))?.query.get("resourceVersion")).toBe("9");
    }
  });

  test("a page that expired (410) begins the list again; nothing of the first try is kept", async () => {
    const { cache, asked } = await bench({
      ...PAGED,
      lists: [
        answer({ metadata: { resourceVersion: "5", continue: "next" }, items: [thing("gone", 1)] }),
        refuse(410, "Expired"),
        answer(list(9, thing("a", 8))),
      ],
    });
    await cache.whenSynced();
    expect(cache.list().map((object) => object.metadata.name)).toEqual(["a"]);
    expect(asked.lists).toBe(3);
  });

  test("a streaming list that is never completed gives way to the paged list", async () => {
    const { cache, asked } = await bench(
      { streams: [send(line("ADDED", thing("a", 1)), bookmark(2))], lists: [answer(list(5, thing("b", 4)))] },
      { syncMilliseconds: 100 },
    );
    await cache.whenSynced();
    expect(cache.list().map((object) => object.metadata.name)).toEqual(["b"]);
    expect(asked.streams).toBe(2);
  });

  test("managedFields never enter the cache, and the projection of the kind is applied", async () => {
    const { cache } = await bench({ ...PAGED, lists: [answer(list(5, thing("a", 4)))], watches: [send(line("MODIFIED", thing("a", 6)))] });
    await settled(() => cache.get("a", "ns")?.metadata, { name: "a", namespace: "ns", uid: "uid-a", resourceVersion: "6" });
  });
});

describe("what a watch survives", () => {
  const first = answer(list(5, thing("a", 4)));
  const good = send(line("MODIFIED", thing("a", 6)));

  for (const code of [429, 500, 503, 504]) {
    test(`${code} at its beginning: it is tried again from the same version`, async () => {
      const { server, heard, asked } = await bench({ ...PAGED, lists: [first], watches: [refuse(code), refuse(code), good] });
      await settled(() => heard, ["+a@4", "+a@6"]);
      expect(asked).toEqual({ streams: 1, lists: 1, watches: 3 });
      expect(server.received.at(-1)!.query.get("resourceVersion")).toBe("5");
    });
  }

  test("Retry-After of 1 second at its beginning is honoured", async () => {
    const { heard } = await bench({ ...PAGED, lists: [first], watches: [refuse(429, "TooManyRequests", { "retry-after": "1" }), good] });
    const started = performance.now();
    await settled(() => heard.at(-1), "+a@6");
    expect(performance.now() - started).toBeGreaterThanOrEqual(950);
  });

  test("a reset connection, and one that is cut in the middle of a line: it goes on at the last whole event", async () => {
    const half = line("MODIFIED", thing("a", 9)).slice(0, 40);
    const cut: Step = (request) => {
      send(line("MODIFIED", thing("a", 6)), half)(request);
      setTimeout(() => reset(request.response), 30);
    };
    const { server, heard, asked } = await bench({
      ...PAGED,
      lists: [first],
      watches: [cut, sendAndEnd(half), send(line("MODIFIED", thing("a", 9)))],
    });
    await settled(() => heard, ["+a@4", "+a@6", "+a@9"]);
    expect(asked.lists).toBe(1);
    expect(server.received.slice(-2).map((request) => request.query.get("resourceVersion"))).toEqual(["6", "6"]);
  });

  test("a black hole: without event or bookmark for the idle time it is dialled anew; a bookmark is a sign of life", async () => {
    const bookmarked: Step = (request) => {
      send()(request);
      let version = 5;
      const timer = setInterval(() => request.response.write(bookmark(++version)), 100);
      request.response.on("close", () => clearInterval(timer));
      setTimeout(() => clearInterval(timer), 750);
    };
    const { server, cache, log, asked } = await bench({ ...PAGED, lists: [first], watches: [bookmarked, send()] });
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(asked.watches).toBe(1);
    expect(cache.age).toBeLessThan(250);
    await settled(() => asked.watches, 2);
    expect(Number(server.received.at(-1)!.query.get("resourceVersion")), "the bookmark moved the version").toBeGreaterThan(9);
    expect(log.join()).toContain("no event or bookmark for");
  });

  test("410, as an answer and as an event: everything is read anew and what was missed is told, deletions included", async () => {
    const expired = line("ERROR", status(410, "Expired", "too old resource version"));
    for (const gone of [refuse(410, "Expired"), sendAndEnd(expired)]) {
      const { heard, cache, asked } = await bench({
        ...PAGED,
        lists: [answer(list(5, thing("a", 4), thing("b", 3))), answer(list(20, thing("b", 12), thing("c", 15)))],
        watches: [gone, send()],
      });
      await settled(() => heard, ["+a@4", "+b@3", "-a@4", "+b@12", "+c@15"]);
      await settled(() => asked, { streams: 1, lists: 2, watches: 2 });
      expect(cache.list().map((object) => object.metadata.name)).toEqual(["b", "c"]);
    }
  });

  test("an object deleted and made again under its name while we looked away is told as two: identity is the UID", async () => {
    const { heard } = await bench({
      ...PAGED,
      lists: [answer(list(5, thing("a", 4))), answer(list(20, thing("a", 12, "x", "another")))],
      watches: [refuse(410, "Expired"), send()],
    });
    await settled(() => heard, ["+a@4", "-a@4", "+a@12"]);
  });

  test("three instant clean ends without a word: the version is taken for lost and everything is read anew", async () => {
    const { heard, asked, log } = await bench({
      ...PAGED,
      lists: [first, answer(list(30, thing("a", 29)))],
      watches: [sendAndEnd(), sendAndEnd(), sendAndEnd(), send()],
    });
    await settled(() => heard, ["+a@4", "+a@29"]);
    expect(asked.lists).toBe(2);
    expect(log.join()).toContain("ended at once without a word");
  });

  test("clean ends of watches that lived or spoke are ordinary: no list", async () => {
    let version = 5;
    const spoke: Step = (request) => sendAndEnd(bookmark(++version))(request);
    const { asked } = await bench({ ...PAGED, lists: [first], watches: [spoke] });
    await expect.poll(() => asked.watches, { timeout: 5_000 }).toBeGreaterThan(6);
    expect(asked.lists).toBe(1);
  });

  test("a line that is no event, and an event of an unknown type: told, and everything is read anew", async () => {
    for (const bad of ['{"type":"MODIFIED","object":{"meta\n', line("SURPRISE", thing("a", 7)), '{"type":"MODIFIED"}\n']) {
      const { heard, log } = await bench({ ...PAGED, lists: [first, answer(list(30, thing("a", 29)))], watches: [send(bad), send()] });
      await settled(() => heard, ["+a@4", "+a@29"]);
      expect(log.join()).toContain("everything is read anew");
    }
  });

  test("U+2028 in an event is text, not the end of a line; an event may come in many pieces", async () => {
    const bytes = Buffer.from(line("MODIFIED", thing("a", 6, "one\u2028two é")));
    const pieces: Step = (request) => {
      send()(request);
      for (let index = 0; index < bytes.length; index += 7)
        setTimeout(() => request.response.write(bytes.subarray(index, index + 7)), index / 7);
    };
    const { cache } = await bench({ ...PAGED, lists: [first], watches: [pieces] });
    await settled(() => cache.get("a", "ns")?.value, "one\u2028two é");
  });

  test("a server restored from an older backup: a version that goes back means everything is read anew", async () => {
    const { heard, cache } = await bench({
      ...PAGED,
      lists: [answer(list(500, thing("a", 400), thing("later", 450))), answer(list(120, thing("a", 100)))],
      watches: [send(bookmark(110)), send()],
    });
    await settled(() => heard, ["+a@400", "+later@450", "-later@450", "+a@100"]);
    expect(cache.list()).toHaveLength(1);
  });

  test("a server that is away for a while: the view stays, its age tells, and who asks is told at once that nobody answers", async () => {
    const silences: boolean[] = [];
    const { server, cache, heard, asked } = await bench(
      { ...PAGED, lists: [first], watches: [refuse(500), refuse(500), refuse(500), refuse(500), refuse(500), good] },
      { backoffMinimumMilliseconds: 40 },
    );
    cache.onSilence((silent) => void silences.push(silent));
    await settled(() => asked.watches, 5);
    expect([cache.silent, silences]).toEqual([true, [true]]);
    expect([cache.synced, cache.list().length]).toEqual([true, 1]);
    expect(cache.age).toBeGreaterThan(100);
    await settled(() => heard.at(-1), "+a@6");
    expect([cache.silent, silences]).toEqual([false, [true, false]]);
    expect(server.received.length).toBeLessThan(12);
  });

  test("a watch that the server ends, or that breaks while it is open, is no silence: it is opened again first", async () => {
    const silences: boolean[] = [];
    const broken: Step = ({ response }) => {
      response.writeHead(200).flushHeaders();
      response.write(line("MODIFIED", thing("a", 5)));
      setTimeout(() => response.destroy(), 5);
    };
    const { cache, heard } = await bench({ ...PAGED, lists: [first], watches: [broken, sendAndEnd(), good] });
    cache.onSilence((silent) => void silences.push(silent));
    await settled(() => heard.at(-1), "+a@6");
    expect(silences).toEqual([]);
  });

  test("410 after an absence: the server is there again, and everything is read anew after the shortest wait", async () => {
    const away = Array.from({ length: 6 }, () => refuse(500));
    const { log, heard } = await bench(
      { ...PAGED, lists: [first, answer(list(30, thing("a", 29)))], watches: [...away, refuse(410, "Expired"), send()] },
      { backoffMinimumMilliseconds: 4, backoffMaximumMilliseconds: 10_000 },
    );
    await settled(() => heard, ["+a@4", "+a@29"]);
    const wait = /read anew in (\d+) ms/.exec(log.join("\n"))?.[1];
    expect(Number(wait)).toBeLessThanOrEqual(4);
  });
});

describe("listeners", () => {
  test("one that throws does not stop the others or the stream", async () => {
    const { cache, heard, log } = await bench({
      ...PAGED,
      lists: [answer(list(5, thing("a", 4)))],
      watches: [
        (request) => {
          send()(request);
          setTimeout(() => request.response.write(line("MODIFIED", thing("a", 6)) + line("ADDED", thing("b", 7))), 50);
        },
      ],
    });
    await cache.whenSynced();
    let calls = 0;
    cache.onChange(() => {
      calls++;
      throw new Error("a bug");
    });
    await settled(() => heard, ["+a@4", "+a@6", "+b@7"]);
    expect(calls).toBe(2);
    expect(log.join()).toContain("a listener of things threw");
  });

  test("no event after stop: while the watch runs, while it is being opened, and while a list is under way", async () => {
    const chatty: Step = (request) => {
      send()(request);
      let version = 5;
      const timer = setInterval(() => request.response.write(line("MODIFIED", thing("a", ++version))), 5);
      request.response.on("close", () => clearInterval(timer));
    };
    const running = await bench({ ...PAGED, lists: [answer(list(5, thing("a", 4)))], watches: [chatty] });
    await expect.poll(() => running.heard.length).toBeGreaterThan(3);
    const { promise: stopped, resolve: letGo } = Promise.withResolvers<void>();
    const slow: Step = (request) => void stopped.then(() => send(line("MODIFIED", thing("a", 6)))(request));
    const opening = await bench({ ...PAGED, lists: [answer(list(5, thing("a", 4)))], watches: [slow] });
    await expect.poll(() => opening.asked.watches).toBe(1);
    const listing = await bench({ ...PAGED, lists: [(request) => void stopped.then(() => answer(list(5, thing("a", 4)))(request))] });
    await expect.poll(() => listing.asked.lists).toBe(1);

    const all = [running, opening, listing];
    for (const { cache } of all) cache.stop();
    letGo();
    const before = all.map(({ heard }) => heard.length);
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(all.map(({ heard }) => heard.length)).toEqual(before);
    expect(
      all.map(({ asked }) => asked.watches),
      "and no further watch",
    ).toEqual([1, 1, 0]);
    expect([opening.cache.get("a", "ns")?.metadata.resourceVersion, listing.cache.synced], "nor does the view change").toEqual([
      "4",
      false,
    ]);
    for (const { server } of all)
      await expect.poll(() => server.open, { message: "the watches' connections are closed" }).toBeLessThanOrEqual(1);
    await expect(listing.cache.whenSynced()).rejects.toThrow("stopped before it was synced");
  });

  test("whenSynced rejects when its signal aborts, and the cache goes on", async () => {
    const { cache } = await bench({
      ...PAGED,
      lists: [({ response }) => void setTimeout(() => json(response, 200, list(5, thing("a", 4))), 100)],
    });
    const abort = new AbortController();
    const waiting = cache.whenSynced(abort.signal);
    abort.abort(new Error("too long"));
    await expect(waiting).rejects.toThrow("too long");
    await cache.whenSynced();
  });
});

describe("what we wrote ourselves", () => {
  test("an offered object is seen at once and told once; the watch's older event does not bring back the past", async () => {
    let response: Received["response"] | undefined;
    const { cache, heard } = await bench({
      ...PAGED,
      lists: [answer(list(5, thing("a", 4)))],
      watches: [(request) => (send()(request), (response = request.response))],
    });
    await expect.poll(() => response !== undefined).toBe(true);
    cache.offer(thing("a", 9, "ours"));
    expect(cache.get("a", "ns")?.value).toBe("ours");
    response!.write(
      line("MODIFIED", thing("a", 7, "older")) + line("MODIFIED", thing("a", 9, "ours")) + line("MODIFIED", thing("a", 11, "newer")),
    );
    await settled(() => heard, ["+a@4", "+a@9", "+a@11"]);
  });

  test("an offer older than what is known is ignored, as is one that the watch has passed: it may be deleted", async () => {
    const { cache, heard } = await bench({ ...PAGED, lists: [answer(list(10, thing("a", 8)))] });
    await cache.whenSynced();
    cache.offer(thing("a", 6));
    cache.offer(thing("deleted-since", 9));
    expect(heard).toEqual(["+a@8"]);
    cache.offer(thing("created", 12));
    expect(cache.get("created", "ns")).toBeDefined();
  });

  test("what was offered while a list was under way is not undone by it", async () => {
    const slow: Step = ({ response }) => void setTimeout(() => json(response, 200, list(20, thing("a", 8))), 100);
    const { cache, asked, heard } = await bench({
      ...PAGED,
      lists: [answer(list(10, thing("a", 8))), slow],
      watches: [refuse(410, "Expired"), send()],
    });
    await settled(() => asked.lists, 2);
    cache.offer(thing("created", 25));
    await settled(() => asked.watches, 2);
    expect(cache.list().map((object) => object.metadata.name)).toEqual(["a", "created"]);
    expect(heard).toEqual(["+a@8", "+created@25"]);
  });

  test("a cache with a selector, or of another namespace, takes no stranger in", async () => {
    const selected = await bench({ ...PAGED, lists: [answer(list(10))] }, {}, { labelSelector: "app=x" });
    const elsewhere = await bench({ ...PAGED, lists: [answer(list(10))] }, {}, { namespace: "other" });
    for (const { cache } of [selected, elsewhere]) {
      await cache.whenSynced();
      cache.offer(thing("a", 30));
      expect(cache.list()).toEqual([]);
    }
    expect(selected.server.received[0]!.query.get("labelSelector")).toBe("app=x");
    expect(elsewhere.server.received[0]!.path).toBe("/apis/example.dev/v1/namespaces/other/things");
    expect(PATH.endsWith("things")).toBe(true);
  });
});
