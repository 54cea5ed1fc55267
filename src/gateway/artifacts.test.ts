import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GatewayWorld, START } from "./gateway.examples.ts";

const content = Buffer.from(Array.from({ length: 1_000 }, (_, index) => index % 251));
const FILE = "socket-18.3.3.swu";
const hash = (name: string) => createHash(name).update(content).digest("hex");

let folder: string;
let world: GatewayWorld;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "artifacts-"));
  writeFileSync(join(folder, FILE), content);
  writeFileSync(join(folder, "secret.swu"), "of another rollout");
  world = await new GatewayWorld({ url: FILE, content }).start({ artifacts: folder });
  await world.inventory.insertCommand(world.row);
  await world.report();
});
afterEach(async () => {
  await world.stop();
  rmSync(folder, { recursive: true });
});

const deployment = () => world.fetch(`deploymentBase/${world.row.action}`);
const file = (init: Parameters<GatewayWorld["fetch"]>[1] = {}, name = FILE) =>
  world.fetch(`softwaremodules/${world.row.action}/artifacts/${name}`, init);

describe("artifacts that the gateway serves itself", () => {
  it("are told with size and all checksums, of which it computes those that the rollout leaves out", async () => {
    const { deployment: told } = (await (await deployment()).json()) as { deployment: { chunks: { artifacts: unknown[] }[] } };
    const url = `http://127.0.0.1:${world.port}/acme/controller/v1/S-2002/softwaremodules/${world.row.action}/artifacts/${FILE}`;
    const expected = {
      filename: FILE,
      size: 1_000,
      hashes: { sha256: hash("sha256"), sha1: hash("sha1"), md5: hash("md5") },
      _links: { "download-http": { href: url }, "md5sum-http": { href: `${url}.MD5SUM` } },
    };
    expect(told.chunks[0]?.artifacts).toEqual([expected]);
    expect(await (await world.fetch(`softwaremodules/${world.row.action}/artifacts`)).json()).toEqual([expected]);
    expect(await (await file({}, `${FILE}.MD5SUM`)).text()).toBe(`${hash("md5")}  ${FILE}\n`);
  });

  it.each<[string, Record<string, string>, number, number, number]>([
    ["everything", {}, 200, 0, 1_000],
    ["what is left of an interrupted download", { range: "bytes=400-" }, 206, 400, 1_000],
    ["a part", { range: "bytes=1-9" }, 206, 1, 10],
    ["the last bytes", { range: "bytes=-10" }, 206, 990, 1_000],
    ["a part that ends behind the file", { range: "bytes=990-99999" }, 206, 990, 1_000],
    ["several parts: everything", { range: "bytes=0-1,5-6" }, 200, 0, 1_000],
    ["a part of another file: everything", { range: "bytes=400-", "if-range": '"other"' }, 200, 0, 1_000],
  ])("asked for %s", async (_what, headers, status, start, end) => {
    await deployment();
    const reply = await file({ headers });
    expect([reply.status, reply.headers.get("etag"), reply.headers.get("accept-ranges")]).toEqual([status, `"${hash("sha256")}"`, "bytes"]);
    expect(reply.headers.get("content-range")).toBe(status === 206 ? `bytes ${start}-${end - 1}/1000` : null);
    expect(Buffer.from(await reply.arrayBuffer()).equals(content.subarray(start, end))).toBe(true);
  });

  it("HEAD tells the size, an ETag that is known a 304, a part behind the end a 416", async () => {
    await deployment();
    const head = await file({ method: "HEAD" });
    expect([head.status, head.headers.get("content-length"), (await head.arrayBuffer()).byteLength]).toEqual([200, "1000", 0]);
    expect((await file({ headers: { "if-none-match": `"${hash("sha256")}"` } })).status).toBe(304);
    const outside = await file({ headers: { range: "bytes=1000-" } });
    expect([outside.status, outside.headers.get("content-range")]).toEqual([416, "bytes */1000"]);
  });

  it("[I15] are fetched only by a device that has the command in hand, and only the file of it", async () => {
    expect((await file()).status, "not given yet").toBe(404);
    await deployment();
    expect((await file()).status).toBe(200);
    expect((await file({}, "secret.swu")).status).toBe(404);
    const partner = await world.enroll("S-2001", "acme");
    const stolen = `/acme/controller/v1/S-2001/softwaremodules/${world.row.action}/artifacts/${FILE}`;
    expect((await world.fetch(stolen, { headers: { authorization: `TargetToken ${partner}` } })).status).toBe(404);
    const old = `softwaremodules/${world.row.action + 1}/artifacts/${FILE}`;
    expect((await world.fetch(old)).status, "the number of another command").toBe(404);
    await world.feedback("closed", "failure");
    expect((await file()).status, "it is over").toBe(404);
  });

  it("a file that is not what its rollout says is offered to nobody; put right, it is", async () => {
    writeFileSync(join(folder, FILE), Buffer.concat([content.subarray(0, 999), Buffer.from("x")]));
    expect((await deployment()).status).toBe(404);
    expect((await world.command())?.state, "and nothing is in hand").toBe("Open");
    expect(world.said.join("\n")).toContain("put the right file there");
    writeFileSync(join(folder, FILE), content);
    expect((await deployment()).status).toBe(200);
    expect(await world.command()).toMatchObject({ state: "Given", givenAt: START });
  });

  it("a file that is missing, or no folder for it: a sentence says what to do", async () => {
    rmSync(join(folder, FILE));
    expect((await deployment()).status).toBe(404);
    expect(world.said.join("\n")).toContain("put the file there");
  });
});
