// Makes sure of a control plane, from the first of four sources that has one: KUBEBUILDER_ASSETS, the project's cache, the
// official release binaries, a Go build. KUBECONFIG is never read: a test must not reach somebody's cluster.
import { accessSync, constants, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { findOrInstall } from "../find-or-install.ts";
import { DownloadFailed } from "./download.ts";
import { buildWithGo, GoBuildFailed } from "./go-build.ts";
import type { Progress } from "./progress.ts";
import { downloadReleases } from "./release.ts";
import {
  BINARIES,
  cacheDirectory,
  ETCD_VERSION,
  KUBERNETES_BINARIES,
  KUBERNETES_VERSION,
  PINNED_SHA256,
  ROOT,
  type Binary,
} from "./versions.ts";

type Source = "KUBEBUILDER_ASSETS" | "cache" | "download" | "go build";

export interface ControlPlaneBinaries {
  readonly source: Source;
  readonly directory: string;
  /** Absolute path of each binary. */
  readonly binaries: Readonly<Record<Binary, string>>;
}

export interface EnsureOptions {
  readonly root?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
  /** Checksums that are known beforehand, by file address; those of versions.ts if not given. */
  readonly pinned?: Readonly<Record<string, string>>;
}

/** No source has a control plane; `reasons` holds a sentence for each. */
export class ControlPlaneUnavailable extends Error {
  override readonly name = "ControlPlaneUnavailable";
  readonly reasons: readonly string[];
  constructor(reasons: readonly string[]) {
    super(`No control plane is to be had. ${reasons.join(" ")}`);
    this.reasons = reasons;
  }
}

/** The control plane that is already there, or a sentence for each place that was looked at. Installs nothing. */
export function findControlPlane(options: EnsureOptions = {}): ControlPlaneBinaries | readonly string[] {
  const env = options.env ?? process.env;
  const reasons: string[] = [];
  const assets = env["KUBEBUILDER_ASSETS"];
  if (assets === undefined || assets === "") reasons.push("KUBEBUILDER_ASSETS is not set.");
  else {
    const missing = missingIn(assets);
    if (missing.length === 0) return found("KUBEBUILDER_ASSETS", assets);
    reasons.push(`KUBEBUILDER_ASSETS (${assets}) lacks ${missing.join(", ")}.`);
  }
  const cache = cacheDirectory(options.root);
  const missing = missingIn(cache);
  if (missing.length === 0) return found("cache", cache);
  reasons.push(missing.length === BINARIES.length ? `${cache} is empty.` : `${cache} lacks ${missing.join(", ")}.`);
  return reasons;
}

/**
 * The control plane, installed into the project's cache if it is nowhere yet. Can be interrupted at any moment and run again: it
 * goes on where it was. Throws ControlPlaneUnavailable with every source's sentence.
 */
export async function ensureControlPlane(options: EnsureOptions = {}): Promise<ControlPlaneBinaries> {
  return findOrInstall({
    what: "the control plane",
    directory: cacheDirectory(options.root),
    progress: options.progress,
    find: () => {
      const there = findControlPlane(options);
      return "source" in there ? there : undefined;
    },
    install: (progress, directory) => install({ ...options, progress }, directory),
  });
}

async function install(options: EnsureOptions & { progress: Progress }, directory: string): Promise<ControlPlaneBinaries> {
  const there = findControlPlane(options);
  if ("source" in there) return there;
  const reasons = [...there];
  const { progress, signal, pinned = PINNED_SHA256 } = options;
  const env = options.env ?? process.env;
  progress.say(
    `The control plane (Kubernetes ${KUBERNETES_VERSION}, etcd ${ETCD_VERSION}) is not installed yet; it goes into ${directory}.`,
  );
  removeUnfinished(directory);
  const sources: [Source, () => Promise<void>][] = [
    ["download", () => downloadReleases({ binaries: missingIn(directory), directory, env, progress, signal, pinned })],
    ["go build", () => buildMissing(options, env, directory)],
  ];
  for (const [source, attempt] of sources) {
    try {
      await attempt();
      return found(source, directory);
    } catch (error) {
      if (!(error instanceof DownloadFailed || error instanceof GoBuildFailed)) throw error;
      reasons.push(source === "download" ? `No download: ${error.message}` : `No Go build: ${error.message}`);
      if (signal?.aborted === true) break;
      progress.say(reasons.at(-1) ?? "");
    }
  }
  throw new ControlPlaneUnavailable(reasons);
}

/** Work folders of an installation that was killed; `.part` files stay, they are continued. Called under the lock only. */
function removeUnfinished(directory: string): void {
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory).filter((entry) => entry.startsWith("."))) {
    rmSync(join(directory, name), { recursive: true, force: true });
  }
}

async function buildMissing(options: EnsureOptions & { progress: Progress }, env: NodeJS.ProcessEnv, directory: string): Promise<void> {
  const tools = join(options.root ?? ROOT, "tools");
  const common = { directory, env, progress: options.progress, signal: options.signal };
  const missing = missingIn(directory);
  if (missing.includes("etcd")) {
    const commands = { etcd: "go.etcd.io/etcd/server/v3" };
    await buildWithGo({ ...common, title: `etcd ${ETCD_VERSION}`, module: join(tools, "etcd"), commands, ldflags: "-s -w" });
  }
  const wanted = KUBERNETES_BINARIES.filter((binary) => missing.includes(binary));
  if (wanted.length === 0) return;
  await buildWithGo({
    ...common,
    title: `Kubernetes ${KUBERNETES_VERSION}`,
    module: join(tools, "kubernetes"),
    commands: Object.fromEntries(wanted.map((binary) => [binary, `k8s.io/kubernetes/cmd/${binary}`])),
    ldflags: versionStamp(),
  });
}

/** Without these a plain build calls itself v0.0.0-master, and whoever compares versions (kubectl, conformance) stumbles. */
export function versionStamp(): string {
  const [major, minor] = KUBERNETES_VERSION.split(".");
  const stamp = (name: string, value: string | undefined): string => `-X k8s.io/component-base/version.${name}=${value ?? ""}`;
  return ["-s -w", stamp("gitVersion", `v${KUBERNETES_VERSION}`), stamp("gitMajor", major), stamp("gitMinor", minor)].join(" ");
}

function found(source: Source, directory: string): ControlPlaneBinaries {
  const binaries = Object.fromEntries(BINARIES.map((binary) => [binary, join(directory, binary)]));
  return { source, directory, binaries: binaries as Record<Binary, string> };
}

function missingIn(directory: string): Binary[] {
  return BINARIES.filter((binary) => {
    try {
      accessSync(join(directory, binary), constants.X_OK);
      return false;
    } catch {
      return true;
    }
  });
}
