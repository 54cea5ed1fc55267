import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ControlPlaneUnavailable, ensureControlPlane, findControlPlane } from "./ensure.ts";
import { silent } from "./progress.ts";
import { downloadReleases } from "./release.ts";
import { BINARIES, cacheDirectory, ETCD_VERSION, KUBERNETES_VERSION, ROOT } from "./versions.ts";

let root: string;
let server: Server;
let base: string;
/** What the release server has, by path. */
let released: Map<string, Buffer>;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "rollward-ensure-"));
  released = new Map();
  server = createServer((request, response) => {
    const file = released.get(request.url ?? "");
    if (file === undefined) response.writeHead(404).end();
    else response.end(file);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(root, { recursive: true });
});

/** No Go, no KUBEBUILDER_ASSETS, and the release server on loopback. */
function environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { PATH: join(root, "no-programs"), ROLLWARD_KUBERNETES_DOWNLOAD_BASE: base, ROLLWARD_ETCD_DOWNLOAD_BASE: base, ...more };
}

function putBinaries(directory: string, names: readonly string[]): void {
  mkdirSync(directory, { recursive: true });
  for (const name of names) {
    writeFileSync(join(directory, name), "");
    chmodSync(join(directory, name), 0o755);
  }
}

function release(path: string, content: Buffer): void {
  released.set(path, content);
  released.set(`${path}.sha256`, Buffer.from(sha256(content)));
}

function releaseEverything(): void {
  for (const name of BINARIES) release(`/v${KUBERNETES_VERSION}/bin/linux/amd64/${name}`, Buffer.from(`the program ${name}`));
  const folder = `etcd-v${ETCD_VERSION}-linux-amd64`;
  putBinaries(join(root, "tar", folder), ["etcd", "etcdctl"]);
  execFileSync("tar", ["-czf", join(root, "etcd.tar.gz"), "-C", join(root, "tar"), folder]);
  const archive = readFileSync(join(root, "etcd.tar.gz"));
  released.set(`/v${ETCD_VERSION}/${folder}.tar.gz`, archive);
  released.set(`/v${ETCD_VERSION}/SHA256SUMS`, Buffer.from(`${"1".repeat(64)}  another.tar.gz\n${sha256(archive)}  ${folder}.tar.gz\n`));
}

function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

const onLinuxX64 = test.runIf(process.platform === "linux" && process.arch === "x64");

describe("the control plane is taken from", () => {
  test("KUBEBUILDER_ASSETS, if every binary is there", async () => {
    const assets = join(root, "assets");
    putBinaries(assets, BINARIES);
    const found = await ensureControlPlane({ root, env: environment({ KUBEBUILDER_ASSETS: assets }) });
    expect(found).toMatchObject({ source: "KUBEBUILDER_ASSETS", directory: assets });
    expect(found.binaries["kube-apiserver"]).toBe(join(assets, "kube-apiserver"));
  });

  test("the cache, if KUBEBUILDER_ASSETS lacks one binary, and says which", () => {
    const assets = join(root, "assets");
    putBinaries(assets, ["etcd", "kube-apiserver", "kubectl"]);
    const env = environment({ KUBEBUILDER_ASSETS: assets });
    expect(findControlPlane({ root, env })).toContain(`KUBEBUILDER_ASSETS (${assets}) lacks kube-controller-manager, kube-scheduler.`);
    putBinaries(cacheDirectory(root), BINARIES);
    expect(findControlPlane({ root, env })).toMatchObject({ source: "cache" });
  });

  test("no cluster of somebody's: a KUBECONFIG in the environment changes nothing", () => {
    expect(findControlPlane({ root, env: environment({ KUBECONFIG: "/somebody/config" }) })).toEqual(
      findControlPlane({ root, env: environment() }),
    );
  });

  onLinuxX64("the official releases, checked against the checksums beside them", async () => {
    releaseEverything();
    const env = environment({ PATH: process.env["PATH"] });
    const found = await ensureControlPlane({ root, env, progress: silent, pinned: {} });
    expect(found).toMatchObject({ source: "download", directory: cacheDirectory(root) });
    expect(readdirSync(found.directory).sort()).toEqual([...BINARIES].sort());
    expect(readFileSync(found.binaries.kubectl, "utf8")).toBe("the program kubectl");
  });

  onLinuxX64("nowhere, with every source's sentence, when there is no release and no Go", async () => {
    const failure = await ensureControlPlane({ root, env: environment(), progress: silent, pinned: {} }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ControlPlaneUnavailable);
    expect((failure as ControlPlaneUnavailable).reasons).toEqual([
      "KUBEBUILDER_ASSETS is not set.",
      `${cacheDirectory(root)} is empty.`,
      `No download: ${base}/v${KUBERNETES_VERSION}/bin/linux/amd64/kube-apiserver.sha256 answered 404.`,
      "No Go build: There is no Go on the PATH.",
    ]);
  });

  onLinuxX64("the releases, but never a binary whose checksum differs; what was right before it stays", async () => {
    releaseEverything();
    released.set(`/v${KUBERNETES_VERSION}/bin/linux/amd64/kube-scheduler`, Buffer.from("something else"));
    await expect(ensureControlPlane({ root, env: environment(), progress: silent, pinned: {} })).rejects.toThrow(
      /kube-scheduler does not have the sha256/,
    );
    expect(readdirSync(cacheDirectory(root)).sort()).toEqual(["kube-apiserver", "kube-controller-manager"]);
    expect(findControlPlane({ root, env: environment() })).not.toHaveProperty("source");
  });
});

describe("a release", () => {
  test("with a pinned checksum is held to it, whatever stands beside the file", async () => {
    releaseEverything();
    const path = `v${KUBERNETES_VERSION}/bin/linux/amd64/kubectl`;
    const request = {
      binaries: ["kubectl"] as const,
      directory: join(root, "out"),
      env: environment(),
      progress: silent,
      platform: "linux-x64",
    };
    await expect(downloadReleases({ ...request, pinned: { [path]: "2".repeat(64) } })).rejects.toThrow(/sha256 2{64}/);
    expect(existsSync(join(root, "out", "kubectl"))).toBe(false);
  });

  test("for a platform without official server binaries is refused in a sentence", async () => {
    const request = {
      binaries: BINARIES,
      directory: join(root, "out"),
      env: environment(),
      progress: silent,
      pinned: {},
      platform: "darwin-arm64",
    };
    await expect(downloadReleases(request)).rejects.toThrow("There are no official server binaries for darwin-arm64.");
  });

  test("has the version that the Go modules have", () => {
    const kubernetes = readFileSync(join(ROOT, "tools", "kubernetes", "go.mod"), "utf8");
    expect(/k8s\.io\/kubernetes v(\S+)/.exec(kubernetes)?.[1]).toBe(KUBERNETES_VERSION);
    const etcd = readFileSync(join(ROOT, "tools", "etcd", "go.mod"), "utf8");
    expect(/go\.etcd\.io\/etcd\/server\/v3 v(\S+)/.exec(etcd)?.[1]).toBe(ETCD_VERSION);
    const staged = [...kubernetes.matchAll(/=> k8s\.io\/\S+ v0\.(\S+)/g)].map((match) => `1.${match[1]}`);
    expect(new Set(staged)).toEqual(new Set([KUBERNETES_VERSION]));
  });
});
