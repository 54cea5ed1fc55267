import { describe, expect, test } from "vitest";
import {
  PAGED,
  answer,
  bench,
  bookmark,
  line,
  list,
  refuse,
  send,
  sendAndEnd,
  settled,
  thing,
  type Step,
} from "../../test/kubernetes/cache-bench.ts";
import { reset, status } from "../../test/kubernetes/fake-api-server.ts";

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
    const { server, cache, log, asked } = await bench(
      { ...PAGED, lists: [first], watches: [bookmarked, send()] },
      { idleMilliseconds: 300 },
    );
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
