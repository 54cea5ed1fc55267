import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { download, DownloadFailed } from "./download.ts";

const CONTENT = Buffer.from("a release binary, ".repeat(20_000));
const SHA256 = createHash("sha256").update(CONTENT).digest("hex");

let folder: string;
let server: Server | undefined;
/** The Range header of each request, in order. */
let ranges: (string | undefined)[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollward-download-"));
  ranges = [];
});
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  rmSync(folder, { recursive: true });
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  server = createServer((request, response) => {
    ranges.push(request.headers.range);
    answer(request, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/binary`;
}

/** A server that knows ranges, as release servers do. */
function withRanges(request: IncomingMessage, response: ServerResponse): void {
  const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
  if (from >= CONTENT.length) return void response.writeHead(416).end();
  const rest = CONTENT.subarray(from);
  response.writeHead(from > 0 ? 206 : 200, { "content-length": rest.length });
  response.end(rest);
}

interface Drip {
  readonly url: string;
  response?: ServerResponse;
  /** Sends the next bytes, or does `then` once some have reached the part file. */
  nextUntil(part: string, then: () => void): void;
}

/** A server that sends its first answer in drops, so that it can be cut when something of it surely lies on the disk. */
async function dripping(): Promise<Drip> {
  let sent = 0;
  const drop = (response: ServerResponse): void => void response.write(CONTENT.subarray(sent, (sent += 1000)));
  const url = await serve((request, response) => {
    if (ranges.length > 1) return withRanges(request, response);
    response.writeHead(200, { "content-length": CONTENT.length });
    drip.response = response;
    drop(response);
  });
  const drip: Drip = {
    url,
    nextUntil(part, then) {
      if (ranges.length > 1 || drip.response === undefined) return;
      if ((statSync(part, { throwIfNoEntry: false })?.size ?? 0) > 0) then();
      else drop(drip.response);
    },
  };
  return drip;
}

describe("a download", () => {
  test("ends as one whole, executable file, and no part is left", async () => {
    const to = join(folder, "binary");
    let last: [number, number] = [0, 0];
    await download({ url: await serve(withRanges), to, sha256: SHA256, onBytes: (done, total) => (last = [done, total]) });
    expect(readFileSync(to).equals(CONTENT)).toBe(true);
    expect(statSync(to).mode & 0o777).toBe(0o755);
    expect(readdirSync(folder)).toEqual(["binary"]);
    expect(last).toEqual([CONTENT.length, CONTENT.length]);
  });

  test("goes on where an earlier one was cut off", async () => {
    const to = join(folder, "binary");
    writeFileSync(`${to}.part`, CONTENT.subarray(0, 1000));
    await download({ url: await serve(withRanges), to, sha256: SHA256 });
    expect(ranges).toEqual(["bytes=1000-"]);
    expect(readFileSync(to).equals(CONTENT)).toBe(true);
  });

  test("is not asked for again when only the renaming was missed", async () => {
    const to = join(folder, "binary");
    writeFileSync(`${to}.part`, CONTENT);
    await download({ url: await serve(withRanges), to, sha256: SHA256 });
    expect(readFileSync(to).equals(CONTENT)).toBe(true);
  });

  test("starts anew on a server that knows no ranges, and the beginning is not doubled", async () => {
    const to = join(folder, "binary");
    writeFileSync(`${to}.part`, CONTENT.subarray(0, 1000));
    await download({ url: await serve((_request, response) => response.end(CONTENT)), to, sha256: SHA256 });
    expect(readFileSync(to).equals(CONTENT)).toBe(true);
  });

  test("that breaks in the middle goes on by itself from there", async () => {
    const to = join(folder, "binary");
    const drip = await dripping();
    await download({ url: drip.url, to, sha256: SHA256, onBytes: () => drip.nextUntil(`${to}.part`, () => drip.response?.destroy()) });
    expect(ranges[1]).toMatch(/^bytes=\d+-$/);
    expect(readFileSync(to).equals(CONTENT)).toBe(true);
  });

  test("with a wrong checksum is refused and deleted, and no binary lies there", async () => {
    const to = join(folder, "binary");
    const attempt = download({ url: await serve(withRanges), to, sha256: "0".repeat(64) });
    await expect(attempt).rejects.toThrow(/does not have the sha256 0{64}/);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("whose kept beginning belongs to something else is fetched once more from nothing", async () => {
    const to = join(folder, "binary");
    writeFileSync(`${to}.part`, "something else");
    await download({ url: await serve(withRanges), to, sha256: SHA256 });
    expect(ranges).toEqual(["bytes=14-", undefined]);
    expect(readFileSync(to).equals(CONTENT)).toBe(true);
  });

  test("given up in the middle leaves the part for the next attempt, and no binary", async () => {
    const to = join(folder, "binary");
    const giveUp = new AbortController();
    const drip = await dripping();
    const onBytes = (): void => drip.nextUntil(`${to}.part`, () => giveUp.abort());
    await expect(download({ url: drip.url, to, sha256: SHA256, signal: giveUp.signal, onBytes })).rejects.toThrow(/given up on request/);
    expect(readdirSync(folder)).toEqual(["binary.part"]);
  });

  test("is refused in one sentence by a server that answers 404, that is not there, or that does not answer in time", async () => {
    const to = join(folder, "binary");
    const missing = await serve((_request, response) => response.writeHead(404).end());
    await expect(download({ url: missing, to, sha256: SHA256 })).rejects.toThrow(/\/binary answered 404\.$/);
    server?.close();
    await expect(download({ url: "http://127.0.0.1:9/binary", to, sha256: SHA256 })).rejects.toThrow(DownloadFailed);
    const silent = await serve(() => {});
    await expect(download({ url: silent, to, sha256: SHA256, answerWithinMs: 20 })).rejects.toThrow(/nothing came for 0\.02 s\.$/);
    expect(readdirSync(folder)).toEqual([]);
  });
});
