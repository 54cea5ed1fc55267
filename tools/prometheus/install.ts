// Makes sure of a real Prometheus for the tests: one on the PATH, the project's cache, Debian's package unpacked without being
// installed, or a Go build.
import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { buildWithGo, GoBuildFailed } from "../control-plane/go-build.ts";
import { progressOn, type Progress } from "../control-plane/progress.ts";
import { ROOT } from "../control-plane/versions.ts";
import { withLock } from "../folder-lock.mjs";

const run = promisify(execFile);
const APT_WITHIN_MS = 120_000;

export interface PrometheusBinary {
  readonly source: "PATH" | "cache" | "debian package" | "go build";
  readonly path: string;
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
  const onPath = path.split(delimiter).map((folder) => join(folder, "prometheus"));
  const first = onPath.find(isProgram);
  if (first !== undefined) return { source: "PATH", path: first };
  const cached = join(cacheDirectory(options), "prometheus");
  return isProgram(cached) ? { source: "cache", path: cached } : undefined;
}

/** A Prometheus, installed into the project's cache if there is none yet. Throws PrometheusUnavailable. */
export async function ensurePrometheus(options: PrometheusOptions = {}): Promise<PrometheusBinary> {
  const there = findPrometheus(options);
  if (there !== undefined) return there;
  const progress = options.progress ?? progressOn();
  const directory = cacheDirectory(options);
  const sayWaiting = (owner: { pid: number }): void => progress.say(`Process ${owner.pid} is installing Prometheus: waiting for it …`);
  return withLock(`${directory}.lock`, sayWaiting, () => install({ ...options, progress }, directory));
}

async function install(options: PrometheusOptions & { progress: Progress }, directory: string): Promise<PrometheusBinary> {
  const there = findPrometheus(options);
  if (there !== undefined) return there;
  mkdirSync(directory, { recursive: true });
  options.progress.say(`Prometheus is not installed yet; it goes into ${directory}.`);
  const path = join(directory, "prometheus");
  const reasons = ["There is none on the PATH.", `${directory} has none.`];
  try {
    await unpackDebianPackage(directory, options);
    return { source: "debian package", path };
  } catch (error) {
    reasons.push(`No Debian package: ${firstLine(error)}.`);
    options.progress.say(reasons.at(-1) ?? "");
  }
  try {
    await buildPrometheus(directory, options);
    return { source: "go build", path };
  } catch (error) {
    if (!(error instanceof GoBuildFailed)) throw error;
    throw new PrometheusUnavailable([...reasons, `No Go build: ${error.message}`]);
  }
}

async function unpackDebianPackage(directory: string, options: PrometheusOptions & { progress: Progress }): Promise<void> {
  const folder = mkdtempSync(join(directory, ".package-"));
  // Messages are read by people; a translated one would be of no use in a report.
  const settings = { cwd: folder, env: { ...(options.env ?? process.env), LC_ALL: "C" }, timeout: APT_WITHIN_MS, signal: options.signal };
  const download = (): Promise<unknown> => run("apt-get", ["download", "prometheus"], settings);
  try {
    // An image of a distribution comes without package lists: then nothing is known before the first update.
    await download().catch(async () => {
      await run("apt-get", ["update"], settings);
      await download();
    });
    const archive = readdirSync(folder).find((name) => name.endsWith(".deb"));
    if (archive === undefined) throw new Error("apt-get download fetched nothing");
    await run("dpkg-deb", ["-x", archive, "unpacked"], settings);
    const program = join(folder, "unpacked", "usr", "bin", "prometheus");
    await run(program, ["--version"], settings);
    renameSync(program, join(directory, "prometheus"));
    options.progress.say(`Unpacked ${archive}.`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function buildPrometheus(directory: string, options: PrometheusOptions & { progress: Progress }): Promise<void> {
  return buildWithGo({
    title: "Prometheus",
    module: join(options.root ?? ROOT, "tools", "prometheus"),
    commands: { prometheus: "github.com/prometheus/prometheus/cmd/prometheus" },
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

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return existsSync(path);
  } catch {
    return false;
  }
}

function firstLine(error: unknown): string {
  const said = (error as { stderr?: string }).stderr ?? "";
  const line = said.split("\n").find((text) => text.startsWith("E: ")) ?? (error instanceof Error ? error.message : String(error));
  return line.split("\n")[0]?.replace(/\.$/, "") ?? "";
}
