import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { getOnce } from "./door.ts";
import { HttpNodeDirectory } from "./node-directory.ts";
import { TcpTransport } from "./tcp-transport.ts";

const NODE = { name: "n1", pop: "tyo1", address: "192.0.2.1", started: 0 };
let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "rollward-door-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const doorOf = (_: unknown, port: number) => ({ path: join(folder, `${port}.sock`) });

it("a node behind a socket in a folder is asked, and holds sessions, at none of its addresses", async () => {
  const health = createServer((_, response) => void response.end('{"version":"1.0.0","started":7,"draining":false}'));
  const sessions = createTcpServer((socket) => void socket.on("error", () => {}).write("ok n1 started=7\n"));
  health.listen(doorOf(NODE, 8080));
  sessions.listen(doorOf(NODE, 7000));
  await Promise.all([once(health, "listening"), once(sessions, "listening")]);
  try {
    const directory = new HttpNodeDirectory(() => Promise.resolve([NODE]), 8080, doorOf);
    expect(await directory.serving()).toEqual([{ ...NODE, started: 7 }]);
    const lost = Promise.withResolvers<unknown>();
    const offer = { id: "tyo1-0", from: "-", lostMilliseconds: 0 };
    const held = await new TcpTransport(7000, doorOf).connect(NODE, offer, lost.resolve);
    expect(held).toHaveProperty("close");
    if ("close" in held) held.close();
    await lost.promise;
  } finally {
    health.close();
    sessions.close();
  }
});

it("where nobody listens nobody answers, and that is no error", async () => {
  expect(await getOnce({ path: join(folder, "none.sock") }, "/healthz", 1_000)).toBeUndefined();
});
