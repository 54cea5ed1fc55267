// Makes sure of a real Prometheus for the tests, and of promtool, which checks rules: those on the PATH, the project's cache, Debian's
// package unpacked without being installed, or a Go build.
import { execFile } from "node:child_process";
import { mkdirSync, renameSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { buildWithGo, GoBuildFailed } from "../control-plane/go-build.ts";
import type { Progress } from "../control-plane/progress.ts";
import { ROOT } from "../control-plane/versions.ts";
import { firstLine, withUnpackedPackages } from "../debian-packages.ts";
import { isProgram } from "../is-program.ts";
import { findOrInstall } from "../find-or-install.ts";

const run = promisify(execFile);

const PROGRAMS = ["prometheus", "promtool"] as const;

export interface PrometheusBinary {
  readonly source: "PATH" | "cache" | "debian package" | "go build";
  readonly path: string;
  /** The promtool that came with it. */
  readonly promtool: string;
}

export interface PrometheusOptions {
  readonly root?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

/** No source has a Prometheus; `reasons` holds a sentence for each. */
export class PrometheusUnavailable extends Error {
  override readonly name = "PrometheusUnavailable";
  readonly reasons: readonly string[];
  constructor(reasons: readonly string[]) {
    super(`No Prometheus is to be had. ${reasons.join(" ")}`);
    this.reasons = reasons;
  }
}

/** The Prometheus that is already there, if any. Installs nothing. */
export function findPrometheus(options: PrometheusOptions = {}): PrometheusBinary | undefined {
  const path = (options.env ?? process.env)["PATH"] ?? "";
  const first = path.split(delimiter).find(hasBoth);
  if (first !== undefined) return binaryIn(first, "PATH");
  return hasBoth(cacheDirectory(options)) ? binaryIn(cacheDirectory(options), "cache") : undefined;
}

/** A Prometheus, installed into the project's cache if there is none yet. Throws PrometheusUnavailable. */
export async function ensurePrometheus(options: PrometheusOptions = {}): Promise<PrometheusBinary> {
  return findOrInstall({
    what: "Prometheus",
    directory: cacheDirectory(options),
    progress: options.progress,
    find: () => findPrometheus(options),
    install: (progress, directory) => install({ ...options, progress }, directory),
  });
}

async function install(options: PrometheusOptions & { progress: Progress }, directory: string): Promise<PrometheusBinary> {
  const there = findPrometheus(options);
  if (there !== undefined) return there;
  mkdirSync(directory, { recursive: true });
  options.progress.say(`Prometheus is not installed yet; it goes into ${directory}.`);
  const reasons = ["There is none on the PATH.", `${directory} has none.`];
  try {
    await unpackDebianPackage(directory, options);
    return binaryIn(directory, "debian package");
  } catch (error) {
    reasons.push(`No Debian package: ${firstLine(error)}.`);
    options.progress.say(reasons.at(-1) ?? "");
  }
  try {
    await buildPrometheus(directory, options);
    return binaryIn(directory, "go build");
  } catch (error) {
    if (!(error instanceof GoBuildFailed)) throw error;
    throw new PrometheusUnavailable([...reasons, `No Go build: ${error.message}`]);
  }
}

async function unpackDebianPackage(directory: string, options: PrometheusOptions & { progress: Progress }): Promise<void> {
  const { env, signal } = options;
  await withUnpackedPackages(
    ["prometheus"],
    directory,
    { ...(env ? { env } : {}), ...(signal ? { signal } : {}) },
    async (unpacked, [archive]) => {
      for (const name of PROGRAMS) await run(join(unpacked, "usr", "bin", name), ["--version"], { env: env ?? process.env });
      for (const name of PROGRAMS) renameSync(join(unpacked, "usr", "bin", name), join(directory, name));
      options.progress.say(`Unpacked ${archive}.`);
    },
  );
}

function buildPrometheus(directory: string, options: PrometheusOptions & { progress: Progress }): Promise<void> {
  return buildWithGo({
    title: "Prometheus",
    module: join(options.root ?? ROOT, "tools", "prometheus"),
    commands: Object.fromEntries(PROGRAMS.map((name) => [name, `github.com/prometheus/prometheus/cmd/${name}`])),
    ldflags: "-s -w",
    // The tests name their targets; discovery in twenty clouds would triple the build.
    tags: "remove_all_sd",
    directory,
    env: options.env ?? process.env,
    progress: options.progress,
    signal: options.signal,
  });
}

function cacheDirectory(options: PrometheusOptions): string {
  return join(options.root ?? ROOT, ".cache", "prometheus");
}

function binaryIn(directory: string, source: PrometheusBinary["source"]): PrometheusBinary {
  return { source, path: join(directory, "prometheus"), promtool: join(directory, "promtool") };
}

function hasBoth(directory: string): boolean {
  return PROGRAMS.every((name) => isProgram(join(directory, name)));
}
