import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { freePorts } from "../control-plane/ports.ts";
import { addImage, blobPath, MANIFEST_TYPE, readTags, tarOf, writeImages } from "./images.ts";

let root: string;
let running: ChildProcess[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "rollward-images-"));
  running = [];
});
afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(root, { recursive: true });
});

const program = (name: string, text: string) => {
  const path = join(root, `program-${name}`);
  writeFileSync(path, `#!/bin/sh\necho ${text}\n`);
  return { name: `pop:${name}`, path, entrypoint: "/data-plane" };
};
const start = (script: string, args: readonly string[]): void => {
  running.push(spawn(process.execPath, [join(import.meta.dirname, script), ...args], { stdio: "ignore" }));
};

test("a layer is an archive that tar reads: one program, owned by root, to be run by everybody", () => {
  const content = Buffer.alloc(1_000, "x");
  writeFileSync(join(root, "layer.tar"), tarOf("data-plane", content));
  const listed = execFileSync("tar", ["-tvf", join(root, "layer.tar"), "--numeric-owner"], { encoding: "utf8" });
  expect(listed).toMatch(/^-rwxr-xr-x 0\/0\s+1000 1970-01-01 \S+ data-plane\n$/);
  execFileSync("tar", ["-xf", join(root, "layer.tar"), "-C", root]);
  expect(readFileSync(join(root, "data-plane"))).toEqual(content);
  expect(statSync(join(root, "data-plane")).mode & 0o777).toBe(0o755);
  chmodSync(join(root, "data-plane"), 0o600);
});

test("the same program gives the same digest, another one another; a digest is that of its content", () => {
  const store = join(root, "store");
  const tags = writeImages(store, [program("1.0.0", "one"), program("2.0.0", "two"), program("1.0.1", "one")]);
  expect(readTags(store)).toEqual(tags);
  expect(tags["pop:1.0.0"]).toBe(tags["pop:1.0.1"]);
  expect(tags["pop:1.0.0"]).not.toBe(tags["pop:2.0.0"]);
  for (const digest of Object.values(tags))
    expect(
      `sha256:${createHash("sha256")
        .update(readFileSync(blobPath(store, digest)))
        .digest("hex")}`,
    ).toBe(digest);
});

test("the registry serves manifests by tag and digest and layers by digest; what it does not have is 404 with the code of the protocol", async () => {
  const store = join(root, "store");
  const tags = writeImages(store, [program("1.0.0", "one")]);
  const [port = 0] = await freePorts(1);
  start("registry.ts", [store, "127.0.0.1", String(port)]);
  const get = (path: string, method = "GET") => fetch(`http://127.0.0.1:${port}${path}`, { method });
  await vi.waitFor(async () => expect((await get("/v2/")).status).toBe(200), { timeout: 10_000, interval: 50 });
  const byTag = await get("/v2/pop/manifests/1.0.0");
  expect(byTag.headers.get("content-type")).toBe(MANIFEST_TYPE);
  expect(byTag.headers.get("docker-content-digest")).toBe(tags["pop:1.0.0"]);
  const manifest = (await byTag.json()) as { layers: { digest: string; size: number }[] };
  expect((await get(`/v2/pop/manifests/${tags["pop:1.0.0"]}`, "HEAD")).status).toBe(200);
  const layer = await get(`/v2/pop/blobs/${manifest.layers[0]?.digest}`);
  expect((await layer.arrayBuffer()).byteLength).toBe(manifest.layers[0]?.size);
  const missing = await get("/v2/pop/manifests/9.9.9");
  expect(missing.status).toBe(404);
  expect(await missing.json()).toMatchObject({ errors: [{ code: "MANIFEST_UNKNOWN" }] });
  expect((await get("/v2/pop/blobs/..%2f..%2ftags.json")).status).toBe(404);
  expect((await get("/v2/pop/blobs/uploads/", "POST")).status).toBe(405);
});

test("a relay carries both ways between a socket in a folder and a port, and a half-closed end still gets its answer", async () => {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let heard = "";
    socket.setEncoding("utf8").on("data", (text: string) => (heard += text));
    socket.on("end", () => socket.end(`heard ${heard.length}: ${"y".repeat(200_000)}`));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const path = join(root, "door.sock");
  start("relay.ts", [path, `127.0.0.1:${(server.address() as { port: number }).port}`]);
  const answer = await vi.waitFor(
    async () => {
      const socket = connect({ path, allowHalfOpen: true });
      await once(socket, "connect");
      socket.end("x".repeat(100_000));
      let text = "";
      for await (const chunk of socket.setEncoding("utf8")) text += String(chunk);
      return text;
    },
    { timeout: 10_000, interval: 50 },
  );
  expect(answer).toHaveLength("heard 100000: ".length + 200_000);
  server.close();
});

test("an image in the OCI layout is added under a name of ours, and what was there before stays", () => {
  const store = join(root, "store");
  const { "pop:1.0.0": before } = writeImages(store, [program("1.0.0", "one")]);
  const layout = join(root, "layout");
  const manifest = Buffer.from("{}");
  const hash = createHash("sha256").update(manifest).digest("hex");
  mkdirSync(join(layout, "blobs", "sha256"), { recursive: true });
  writeFileSync(join(layout, "blobs", "sha256", hash), manifest);
  writeFileSync(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [{ digest: `sha256:${hash}` }] }));
  expect(addImage(store, "rollward:test", layout)).toBe(`sha256:${hash}`);
  expect(readTags(store)).toEqual({ "pop:1.0.0": before, "rollward:test": `sha256:${hash}` });
  expect(readFileSync(blobPath(store, `sha256:${hash}`))).toEqual(manifest);
});
