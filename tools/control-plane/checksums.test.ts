import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RELEASED_FOR } from "./release.ts";
import { BINARIES, ETCD_VERSION, KUBERNETES_BINARIES, KUBERNETES_VERSION, PINNED_SHA256 } from "./versions.ts";

const ARCHITECTURES = Object.values(RELEASED_FOR);
const PINNED = `v${KUBERNETES_VERSION}/bin/linux/amd64/kubectl`;
const OTHER = "c".repeat(64);

/** What the publishers' server on loopback has, by path; the pinned files have their pinned checksums. */
let published: Map<string, string>;
let server: Server;

beforeEach(async () => {
  published = new Map();
  for (const architecture of ARCHITECTURES) {
    for (const binary of KUBERNETES_BINARIES) {
      const path = `v${KUBERNETES_VERSION}/bin/linux/${architecture}/${binary}`;
      published.set(`/${path}.sha256`, PINNED_SHA256[path] ?? "a".repeat(64));
    }
  }
  const archives = ARCHITECTURES.map((architecture) => `${"b".repeat(64)}  etcd-v${ETCD_VERSION}-linux-${architecture}.tar.gz`);
  published.set(`/v${ETCD_VERSION}/SHA256SUMS`, `${archives.join("\n")}\n`);
  server = createServer((request, response) => {
    const text = published.get(request.url ?? "");
    response.writeHead(text === undefined ? 404 : 200).end(text);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** The command, without the bootstrap before it. */
function checksums(): Promise<{ code: number; lines: string[]; stderr: string }> {
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const env = { ...process.env, ROLLWARD_KUBERNETES_DOWNLOAD_BASE: base, ROLLWARD_ETCD_DOWNLOAD_BASE: base };
  return new Promise((done) => {
    execFile(process.execPath, [join(import.meta.dirname, "checksums.ts")], { env }, (error, stdout, stderr) =>
      done({ code: Number(error?.code ?? 0), lines: stdout.split("\n").slice(0, -1), stderr }),
    );
  });
}

describe("npm run control-plane:checksums", () => {
  test("prints a line for each of 5 binaries on 4 platforms, as it stands in versions.ts, and ends with 0", async () => {
    const { code, lines, stderr } = await checksums();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(lines).toHaveLength(BINARIES.length * ARCHITECTURES.length);
    expect(lines).toContain(`  "${PINNED}": "${PINNED_SHA256[PINNED]}",`);
    expect(lines).toContain(`  "v${ETCD_VERSION}/etcd-v${ETCD_VERSION}-linux-s390x.tar.gz": "${"b".repeat(64)}",`);
  });

  test("says which pinned checksum the publisher contradicts, and ends with 1", async () => {
    published.set(`/${PINNED}.sha256`, OTHER);
    const { code, stderr } = await checksums();
    expect(code).toBe(1);
    expect(stderr).toBe(
      `${PINNED} is pinned as ${PINNED_SHA256[PINNED]}, and its publisher says ${OTHER}: one of them is not the file that was released.\n`,
    );
  });

  test("says what cannot be read, prints the rest, and ends with 1", async () => {
    published.set(`/v${ETCD_VERSION}/SHA256SUMS`, "nothing of the kind");
    published.delete(`/${PINNED}.sha256`);
    const { code, lines, stderr } = await checksums();
    expect(code).toBe(1);
    expect(lines).toHaveLength(KUBERNETES_BINARIES.length * ARCHITECTURES.length - 1);
    expect(stderr).toMatch(/kubectl\.sha256 answered 404\.\n/);
    expect(stderr).toMatch(/no sha256 published for v\S+-linux-arm64\.tar\.gz/);
  });
});

describe("the pinned checksums", () => {
  test("are of files of the pinned versions, so that a new version does not meet an old checksum", () => {
    const files = ARCHITECTURES.flatMap((architecture) =>
      KUBERNETES_BINARIES.map((binary) => `v${KUBERNETES_VERSION}/bin/linux/${architecture}/${binary}`),
    );
    expect(Object.keys(PINNED_SHA256).filter((path) => !files.includes(path))).toEqual([]);
    expect(Object.values(PINNED_SHA256).filter((sha256) => !/^[0-9a-f]{64}$/.test(sha256))).toEqual([]);
  });
});
