// Makes sure of what the tests of the chart need: helm and kubeconform, built from their Go modules into the project's cache, and
// the kinds of the Prometheus operator, out of its Go module. A helm on the PATH is not used: what it renders and how it refuses
// differs from version to version, and config/install.yaml has to be the same everywhere.
import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildWithGo, GoBuildFailed } from "../control-plane/go-build.ts";
import type { Progress } from "../control-plane/progress.ts";
import { ROOT } from "../control-plane/versions.ts";
import { HELM_VERSION, KUBECONFORM_VERSION, MONITORING_KINDS } from "./versions.ts";
import { isProgram } from "../is-program.ts";
import { findOrInstall } from "../find-or-install.ts";

const run = promisify(execFile);
const PROGRAMS = { helm: "helm.sh/helm/v4/cmd/helm", kubeconform: "github.com/yannh/kubeconform/cmd/kubeconform" } as const;
const CRDS = ["podmonitors", "prometheusrules", "servicemonitors"].map((plural) => `monitoring.coreos.com_${plural}.yaml`);

export interface HelmTools {
  readonly helm: string;
  readonly kubeconform: string;
  /** Files of the kinds that the chart's monitoring is made of. */
  readonly monitoringKinds: readonly string[];
}

export interface HelmOptions {
  readonly root?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

/** There is no helm, and none can be built; the message says why. */
export class HelmUnavailable extends Error {
  override readonly name = "HelmUnavailable";
}

/** The tools that are already there, if all are. Installs nothing. */
export function findHelm(options: HelmOptions = {}): HelmTools | undefined {
  const directory = cacheDirectory(options);
  const found = {
    helm: join(directory, "helm"),
    kubeconform: join(directory, "kubeconform"),
    monitoringKinds: CRDS.map((name) => join(directory, name)),
  };
  return isProgram(found.helm) && isProgram(found.kubeconform) && found.monitoringKinds.every((path) => existsSync(path))
    ? found
    : undefined;
}

/** The tools, built into the project's cache if they are not there yet (2 minutes on 2 cores). Throws HelmUnavailable. */
export async function ensureHelm(options: HelmOptions = {}): Promise<HelmTools> {
  return findOrInstall({
    what: "helm",
    directory: cacheDirectory(options),
    progress: options.progress,
    find: () => findHelm(options),
    install: (progress, directory) => install(directory, { ...options, progress }),
  });
}

async function install(directory: string, options: HelmOptions & { progress: Progress }): Promise<HelmTools> {
  mkdirSync(directory, { recursive: true });
  options.progress.say(`helm is not installed yet; it goes into ${directory}.`);
  const env = options.env ?? process.env;
  try {
    await buildWithGo({
      title: `helm ${HELM_VERSION} and kubeconform ${KUBECONFORM_VERSION}`,
      module: join(options.root ?? ROOT, "tools", "helm"),
      commands: PROGRAMS,
      ldflags: `-s -w -X helm.sh/helm/v4/internal/version.version=v${HELM_VERSION}`,
      directory,
      env,
      progress: options.progress,
      signal: options.signal,
    });
    await copyMonitoringKinds(directory, env, options.signal);
  } catch (error) {
    if (error instanceof GoBuildFailed) throw new HelmUnavailable(`No helm is to be had: ${error.message}`);
    throw error;
  }
  const found = findHelm(options);
  if (found === undefined) throw new HelmUnavailable(`No helm is to be had: ${directory} lacks something after everything was built.`);
  return found;
}

/** Out of the module's archive, as Go's checksum database knows it; nothing of it is compiled. */
async function copyMonitoringKinds(directory: string, env: NodeJS.ProcessEnv, signal: AbortSignal | undefined): Promise<void> {
  const { module, version, sum } = MONITORING_KINDS;
  const settings = { cwd: directory, env: { ...env, GOTOOLCHAIN: "local", GOWORK: "off", GOFLAGS: "-mod=mod" }, signal };
  const { stdout } = await run("go", ["mod", "download", "-json", `${module}@${version}`], settings).catch((error: Error) => {
    throw new GoBuildFailed(`${module} ${version} could not be fetched: ${error.message}`);
  });
  const { Dir: fetched, Sum: found } = JSON.parse(stdout) as { Dir: string; Sum: string };
  if (found !== sum)
    throw new GoBuildFailed(`${module} ${version} has the checksum ${found}, and ${sum} is expected: it is another archive.`);
  for (const name of CRDS) {
    const unfinished = join(directory, `.${name}`);
    copyFileSync(join(fetched, "example", "prometheus-operator-crd", name), unfinished);
    renameSync(unfinished, join(directory, name));
  }
}

function cacheDirectory(options: HelmOptions): string {
  return join(options.root ?? ROOT, ".cache", "helm", HELM_VERSION);
}
