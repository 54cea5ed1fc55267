// Makes sure of what real nodes are made of: a kubelet and a kube-proxy, built from the module of the control plane; containerd, runc, CNI
// plugins and nft, out of Debian's packages, unpacked into the project's cache and not installed; and the images of what runs on them.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { versionStamp } from "../control-plane/ensure.ts";
import { buildWithGo, GoBuildFailed } from "../control-plane/go-build.ts";
import type { Progress } from "../control-plane/progress.ts";
import { KUBERNETES_VERSION, ROOT } from "../control-plane/versions.ts";
import { firstLine, keepUnpackedPackages, withUnpackedPackages } from "../debian-packages.ts";
import { findOrInstall } from "../find-or-install.ts";
import { isProgram } from "../is-program.ts";
import { whyNoNodes } from "./ability.ts";
import { readTags, tagsPath, type Tags, writeImages } from "./images.ts";

const run = promisify(execFile);
const PACKAGES = ["containerd", "runc", "containernetworking-plugins"];
/** What the data plane's image has, by its tag; how each behaves stands in its name (programs/data-plane). */
const VERSIONS = ["1.0.0", "2.0.0", "2.1.0", "2.2.0", "2.3.0", "2.4.0", "3.0.0-crash-loop", "3.1.0-bad-health"] as const;
const PAUSE = "pause";
const PAUSE_TAG = "1";
/** Whom the images are asked of; the nodes' containerd is told where that is. */
export const REGISTRY = "registry.example";
export const PAUSE_IMAGE = `${REGISTRY}/${PAUSE}:${PAUSE_TAG}`;

export interface NodeTools {
  readonly kubelet: string;
  readonly containerd: string;
  readonly runc: string;
  /** The folder with the CNI plugins. */
  readonly cni: string;
  readonly kubeProxy: string;
  /** What kube-proxy tells the kernel by; it needs `nftLibraries` as LD_LIBRARY_PATH. */
  readonly nft: string;
  readonly nftLibraries: string;
  /** The folder with the images, as the registry serves them. */
  readonly images: string;
  /** The manifest's digest by `repository:tag`. */
  readonly tags: Tags;
}

export interface NodeToolsOptions {
  readonly root?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

/** This machine cannot run real nodes, or what they are made of is not to be had; the message says why. */
export class NodesUnavailable extends Error {
  override readonly name = "NodesUnavailable";
}

/** What is already there, if everything is. Installs nothing. */
export function findNodeTools(options: NodeToolsOptions = {}): NodeTools | undefined {
  const { kubelet, runtime, nftables, images } = places(options);
  const found = {
    kubelet: join(kubelet, "kubelet"),
    containerd: join(runtime, "usr", "bin", "containerd"),
    runc: join(runtime, "usr", "sbin", "runc"),
    cni: join(runtime, "usr", "lib", "cni"),
    kubeProxy: join(kubelet, "kube-proxy"),
    ...nftIn(join(nftables, "root")),
  };
  const tags = readTags(images);
  const programs = [found.kubelet, found.kubeProxy, found.containerd, found.runc, found.nft, join(found.cni, "ptp")];
  const complete = programs.every(isProgram);
  return complete && tags !== undefined ? { ...found, images, tags } : undefined;
}

/**
 * What real nodes are made of, made and fetched if it is not there yet (docs/testing.md has the times). Throws NodesUnavailable,
 * at once where this machine could not run them anyway.
 */
export async function ensureNodeTools(options: NodeToolsOptions = {}): Promise<NodeTools> {
  const reason = whyNoNodes();
  if (reason !== undefined) throw new NodesUnavailable(`No real nodes here: ${reason}.`);
  return findOrInstall({
    what: "what nodes are made of",
    directory: places(options).cache,
    progress: options.progress,
    find: () => findNodeTools(options),
    install: (progress) => install({ ...options, progress }),
  });
}

async function install(options: NodeToolsOptions & { progress: Progress }): Promise<NodeTools> {
  const { cache } = places(options);
  options.progress.say(`What real nodes are made of is not installed yet; it goes into ${cache}.`);
  try {
    await buildImages(options);
    await unpackRuntime(options);
    await unpackNft(options);
    await buildKubelet(options);
  } catch (error) {
    if (options.signal?.aborted === true || !(error instanceof Error)) throw error;
    const what = error instanceof GoBuildFailed ? error.message : firstLine(error);
    throw new NodesUnavailable(`No real nodes here, because what they are made of is not to be had: ${what}`);
  }
  const found = findNodeTools(options);
  if (found === undefined) throw new NodesUnavailable(`No real nodes here: ${cache} lacks something after everything was made.`);
  return found;
}

async function buildKubelet(options: NodeToolsOptions & { progress: Progress }): Promise<void> {
  const { kubelet } = places(options);
  const missing = ["kubelet", "kube-proxy"].filter((name) => !isProgram(join(kubelet, name)));
  if (missing.length === 0) return;
  await buildWithGo({
    ...goSettings(options),
    title: `${missing.join(" and ")} ${KUBERNETES_VERSION}`,
    module: join(options.root ?? ROOT, "tools", "kubernetes"),
    commands: Object.fromEntries(missing.map((name) => [name, `k8s.io/kubernetes/cmd/${name}`])),
    ldflags: versionStamp(),
    directory: kubelet,
  });
}

/** Debian's own runc and containerd belong together; those of the machine are left alone, for they may be in use. */
async function unpackRuntime(options: NodeToolsOptions & { progress: Progress }): Promise<void> {
  const { cache, runtime } = places(options);
  if (existsSync(runtime)) return;
  options.progress.say("Fetching containerd, runc and CNI plugins (35 MB) …");
  const settings = { ...(options.env ? { env: options.env } : {}), ...(options.signal ? { signal: options.signal } : {}) };
  await withUnpackedPackages(PACKAGES, cache, settings, async (unpacked, archives) => {
    for (const program of ["usr/bin/containerd", "usr/sbin/runc"]) await run(join(unpacked, program), ["--version"]);
    renameSync(unpacked, runtime);
    options.progress.say(`Unpacked ${archives.join(", ")}.`);
  });
}

/** With its libraries, of which a machine has few. */
async function unpackNft(options: NodeToolsOptions & { progress: Progress }): Promise<void> {
  const { nftables } = places(options);
  if (isProgram(nftIn(join(nftables, "root")).nft)) return;
  const settings = { ...(options.env ? { env: options.env } : {}), ...(options.signal ? { signal: options.signal } : {}) };
  const find = (root: string) => (isProgram(nftIn(root).nft) ? nftIn(root) : undefined);
  const start = ({ nft, nftLibraries }: ReturnType<typeof nftIn>) =>
    run(nft, ["--version"], { env: { ...process.env, LD_LIBRARY_PATH: nftLibraries } });
  const { archives } = await keepUnpackedPackages(["nftables"], nftables, settings, find, start);
  options.progress.say(`Unpacked ${archives.join(", ")}.`);
}

function nftIn(root: string): Pick<NodeTools, "nft" | "nftLibraries"> {
  const lib = join(root, "usr", "lib");
  const libraries = existsSync(lib) ? readdirSync(lib).filter((name) => name.includes("-linux-")) : [];
  return { nft: join(root, "usr", "sbin", "nft"), nftLibraries: libraries.map((name) => join(lib, name)).join(delimiter) };
}

/** Two versions are two builds, so their digests truly differ. */
async function buildImages(options: NodeToolsOptions & { progress: Progress }): Promise<void> {
  const { cache, images } = places(options);
  if (existsSync(tagsPath(images))) return;
  const built = join(cache, "programs");
  const build = (command: string, directory: string, ldflags: string): Promise<void> =>
    buildWithGo({
      ...goSettings(options),
      title: `${command} ${directory.slice(built.length + 1)}`,
      module: sources(options),
      commands: { [command]: `rollward/tools/nodes/programs/${command}` },
      ldflags: `-s -w ${ldflags}`,
      directory,
    });
  await build(PAUSE, built, "");
  for (const version of VERSIONS) await build("data-plane", join(built, version), `-X main.version=${version}`);
  writeImages(images, [
    { name: `${PAUSE}:${PAUSE_TAG}`, path: join(built, PAUSE), entrypoint: "/pause" },
    ...VERSIONS.map((version) => ({ name: `pop:${version}`, path: join(built, version, "data-plane"), entrypoint: "/data-plane" })),
  ]);
  rmSync(built, { recursive: true, force: true });
}

const goSettings = (options: NodeToolsOptions & { progress: Progress }) => ({
  env: options.env ?? process.env,
  progress: options.progress,
  signal: options.signal,
});

const sources = (options: NodeToolsOptions): string => join(options.root ?? ROOT, "tools", "nodes", "programs");

/** Everything lies under what it was made from: another version, or an edited program, never meets an old one. */
function places(options: NodeToolsOptions): Readonly<Record<"cache" | "kubelet" | "runtime" | "nftables" | "images", string>> {
  const cache = join(options.root ?? ROOT, ".cache", "nodes");
  return {
    cache,
    kubelet: join(cache, `kubelet-${KUBERNETES_VERSION}`),
    runtime: join(cache, "runtime"),
    nftables: join(cache, "nftables"),
    images: join(cache, `images-${hashOfSources(options)}`),
  };
}

function hashOfSources(options: NodeToolsOptions): string {
  const hash = createHash("sha256").update(VERSIONS.join(" "));
  for (const name of globSync("**/*.go", { cwd: sources(options) }).toSorted())
    hash.update(`${name}\0`).update(readFileSync(join(sources(options), name)));
  return hash.digest("hex").slice(0, 12);
}
