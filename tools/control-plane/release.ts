// The official release binaries. Kubernetes publishes each server binary by itself with a `.sha256` beside it; etcd publishes a
// tar file and one list of checksums.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { download, DownloadFailed, fetchText } from "./download.ts";
import type { Progress } from "./progress.ts";
import { ETCD_VERSION, KUBERNETES_VERSION, PINNED_SHA256, type Binary } from "./versions.ts";

const RELEASED_FOR: Record<string, string> = {
  "linux-x64": "amd64",
  "linux-arm64": "arm64",
  "linux-ppc64le": "ppc64le",
  "linux-s390x": "s390x",
};

export interface ReleaseRequest {
  readonly binaries: readonly Binary[];
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
  readonly platform?: string;
  readonly pinned?: Readonly<Record<string, string>>;
}

/** Fetches the wanted binaries into the directory, each whole or not at all. Throws DownloadFailed with what failed first. */
export async function downloadReleases(request: ReleaseRequest): Promise<void> {
  const platform = request.platform ?? `${process.platform}-${process.arch}`;
  const architecture = RELEASED_FOR[platform];
  if (architecture === undefined) throw new DownloadFailed(`There are no official server binaries for ${platform}.`);
  mkdirSync(request.directory, { recursive: true });
  for (const binary of request.binaries) {
    await (binary === "etcd" ? downloadEtcd(request, architecture) : downloadKubernetes(request, binary, architecture));
  }
}

async function downloadKubernetes(request: ReleaseRequest, binary: Binary, architecture: string): Promise<void> {
  const base = request.env["ROLLWARD_KUBERNETES_DOWNLOAD_BASE"] ?? "https://dl.k8s.io";
  const path = `v${KUBERNETES_VERSION}/bin/linux/${architecture}/${binary}`;
  const url = `${base}/${path}`;
  const published = async (): Promise<string> => fetchText(`${url}.sha256`, request.signal);
  await fetchChecked(request, binary, url, path, published, join(request.directory, binary));
}

async function downloadEtcd(request: ReleaseRequest, architecture: string): Promise<void> {
  const base = request.env["ROLLWARD_ETCD_DOWNLOAD_BASE"] ?? "https://github.com/etcd-io/etcd/releases/download";
  const folder = `etcd-v${ETCD_VERSION}-linux-${architecture}`;
  const path = `v${ETCD_VERSION}/${folder}.tar.gz`;
  const published = async (): Promise<string> => {
    const list = await fetchText(`${base}/v${ETCD_VERSION}/SHA256SUMS`, request.signal);
    return list.split("\n").find((line) => line.trim().endsWith(`${folder}.tar.gz`)) ?? "";
  };
  const archive = join(request.directory, `${folder}.tar.gz`);
  await fetchChecked(request, "etcd", `${base}/${path}`, path, published, archive);
  const unpacked = mkdtempSync(join(request.directory, ".unpack-"));
  try {
    await promisify(execFile)("tar", ["-xzf", archive, "-C", unpacked, `${folder}/etcd`]);
    renameSync(join(unpacked, folder, "etcd"), join(request.directory, "etcd"));
    rmSync(archive);
  } catch (error) {
    throw new DownloadFailed(`${archive} cannot be unpacked: ${error instanceof Error ? error.message : String(error)}.`);
  } finally {
    rmSync(unpacked, { recursive: true, force: true });
  }
}

async function fetchChecked(
  request: ReleaseRequest,
  name: string,
  url: string,
  path: string,
  published: () => Promise<string>,
  to: string,
): Promise<void> {
  const sha256 = (request.pinned ?? PINNED_SHA256)[path] ?? /\b[0-9a-f]{64}\b/.exec((await published()).toLowerCase())?.[0];
  if (sha256 === undefined) throw new DownloadFailed(`There is no sha256 published for ${url}; without one it is not used.`);
  await download({
    url,
    to,
    sha256,
    signal: request.signal,
    onBytes: (done, total) => request.progress.step(`fetching ${name} (kB)`, kilo(done), kilo(total)),
  });
  request.progress.say(`Fetched ${name} from ${url}; its sha256 is right.`);
}

function kilo(bytes: number): number {
  return Math.round(bytes / 1000);
}
