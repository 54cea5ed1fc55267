// The official release binaries. Kubernetes publishes each server binary by itself with a `.sha256` beside it; etcd publishes a
// tar file and one list of checksums.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { download, DownloadFailed, fetchText } from "./download.ts";
import type { Progress } from "./progress.ts";
import { ETCD_VERSION, KUBERNETES_VERSION, type Binary } from "./versions.ts";

export const RELEASED_FOR: Readonly<Record<string, string>> = {
  "linux-x64": "amd64",
  "linux-arm64": "arm64",
  "linux-ppc64le": "ppc64le",
  "linux-s390x": "s390x",
};

/** One file as its publisher offers it. */
interface ReleaseFile {
  /** Below the download base; under it a checksum is pinned. */
  readonly path: string;
  readonly url: string;
  /** What the publisher says its sha256 is, in lower-case hex. Throws DownloadFailed when nothing is to be read there. */
  readonly published: (signal?: AbortSignal) => Promise<string>;
}

/** Where the binary is released; of etcd the archive that it is in. `architecture` as its publisher calls it: `amd64`. */
export function releaseFile(binary: Binary, architecture: string, env: NodeJS.ProcessEnv): ReleaseFile {
  if (binary === "etcd") {
    const base = env["ROLLWARD_ETCD_DOWNLOAD_BASE"] ?? "https://github.com/etcd-io/etcd/releases/download";
    const path = `v${ETCD_VERSION}/${etcdFolder(architecture)}.tar.gz`;
    const published = async (signal?: AbortSignal): Promise<string> => {
      const list = await fetchText(`${base}/v${ETCD_VERSION}/SHA256SUMS`, signal);
      return sha256In(list.split("\n").find((line) => line.trim().endsWith(`${etcdFolder(architecture)}.tar.gz`)) ?? "", path);
    };
    return { path, url: `${base}/${path}`, published };
  }
  const base = env["ROLLWARD_KUBERNETES_DOWNLOAD_BASE"] ?? "https://dl.k8s.io";
  const path = `v${KUBERNETES_VERSION}/bin/linux/${architecture}/${binary}`;
  const url = `${base}/${path}`;
  return { path, url, published: async (signal) => sha256In(await fetchText(`${url}.sha256`, signal), url) };
}

const etcdFolder = (architecture: string): string => `etcd-v${ETCD_VERSION}-linux-${architecture}`;

function sha256In(text: string, of: string): string {
  const found = /\b[0-9a-f]{64}\b/.exec(text.toLowerCase())?.[0];
  if (found === undefined) throw new DownloadFailed(`There is no sha256 published for ${of}; without one it is not used.`);
  return found;
}

export interface ReleaseRequest {
  readonly binaries: readonly Binary[];
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
  readonly platform?: string;
  readonly pinned: Readonly<Record<string, string>>;
}

/** Fetches the wanted binaries into the directory, each whole or not at all. Throws DownloadFailed with what failed first. */
export async function downloadReleases(request: ReleaseRequest): Promise<void> {
  const platform = request.platform ?? `${process.platform}-${process.arch}`;
  const architecture = RELEASED_FOR[platform];
  if (architecture === undefined) throw new DownloadFailed(`There are no official server binaries for ${platform}.`);
  mkdirSync(request.directory, { recursive: true });
  for (const binary of request.binaries) {
    const file = releaseFile(binary, architecture, request.env);
    if (binary === "etcd") await downloadEtcd(request, file, etcdFolder(architecture));
    else await fetchChecked(request, binary, file, join(request.directory, binary));
  }
}

async function downloadEtcd(request: ReleaseRequest, file: ReleaseFile, folder: string): Promise<void> {
  const archive = join(request.directory, `${folder}.tar.gz`);
  await fetchChecked(request, "etcd", file, archive);
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

async function fetchChecked(request: ReleaseRequest, name: string, file: ReleaseFile, to: string): Promise<void> {
  const { path, url } = file;
  const sha256 = request.pinned[path] ?? (await file.published(request.signal));
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
