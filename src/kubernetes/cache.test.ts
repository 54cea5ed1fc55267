import { describe, expect, test } from "vitest";
import {
  PAGED,
  PATH,
  answer,
  bench,
  bookmark,
  line,
  list,
  refuse,
  send,
  settled,
  thing,
  type Step,
} from "../../test/kubernetes/cache-bench.ts";
import { json, type Received } from "../../test/kubernetes/fake-api-server.ts";

/** What crosses a socket comes when the machine gets to it. */
const SOON = { timeout: 20_000 };

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
    await expect.poll(() => running.heard.length, SOON).toBeGreaterThan(3);
    const { promise: stopped, resolve: letGo } = Promise.withResolvers<void>();
    const slow: Step = (request) => void stopped.then(() => send(line("MODIFIED", thing("a", 6)))(request));
    const opening = await bench({ ...PAGED, lists: [answer(list(5, thing("a", 4)))], watches: [slow] });
    await expect.poll(() => opening.asked.watches, SOON).toBe(1);
    const listing = await bench({ ...PAGED, lists: [(request) => void stopped.then(() => answer(list(5, thing("a", 4)))(request))] });
    await expect.poll(() => listing.asked.lists, SOON).toBe(1);

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
      await expect.poll(() => server.open, { ...SOON, message: "the watches' connections are closed" }).toBeLessThanOrEqual(1);
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
    await expect.poll(() => response !== undefined, SOON).toBe(true);
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
