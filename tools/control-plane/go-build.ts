// Builds commands from Go modules. Go's own build cache makes it resumable; what is unfinished never lies under its final name.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Progress } from "./progress.ts";

const LEAST_GO = 26;

export interface GoBuild {
  readonly title: string;
  /** The folder with go.mod and go.sum. */
  readonly module: string;
  /** Name of each binary → import path of its command. Several are named after their packages, so their names must be the same. */
  readonly commands: Readonly<Record<string, string>>;
  readonly ldflags: string;
  readonly tags?: string;
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
}

export class GoBuildFailed extends Error {
  override readonly name = "GoBuildFailed";
}

/** Builds the commands into the directory. Throws GoBuildFailed with a sentence and the compiler's last lines. */
export async function buildWithGo(build: GoBuild): Promise<void> {
  await refuseMissingOrOldGo(build);
  mkdirSync(build.directory, { recursive: true });
  const packages = Object.values(build.commands);
  const total = await countStale(build, packages);
  build.progress.say(`Building ${build.title} with Go: ${total} packages to compile …`);
  const unfinished = mkdtempSync(join(build.directory, ".building-"));
  try {
    let compiled = 0;
    // Linking comes after the last package and takes a while, so the bar is held just below its end.
    const onLine = (): void => build.progress.step(`compiling ${build.title}`, Math.min(++compiled, total - 1), total);
    const names = Object.keys(build.commands);
    // A folder as the target takes several commands at once, named after their packages; a file takes one and names it.
    const target = names.length === 1 ? join(unfinished, names[0] ?? "") : `${unfinished}/`;
    await go(build, ["build", "-v", ...sameCode(build), "-ldflags", build.ldflags, "-o", target, ...packages], onLine);
    for (const name of names) renameSync(join(unfinished, name), join(build.directory, name));
    build.progress.step(`compiling ${build.title}`, total, total);
    build.progress.say(`Built ${names.join(", ")}.`);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** What decides which entry of Go's build cache is used; the count of stale packages must say the same as the build. */
function sameCode(build: GoBuild): string[] {
  return ["-trimpath", "-buildvcs=false", `-tags=${build.tags ?? ""}`];
}

async function refuseMissingOrOldGo(build: GoBuild): Promise<void> {
  const version = await go(build, ["version"], () => {}).catch(() => undefined);
  if (version === undefined) throw new GoBuildFailed("There is no Go on the PATH.");
  const minor = Number(/go1\.(\d+)/.exec(version)?.[1] ?? Number.NaN);
  if (!(minor >= LEAST_GO)) throw new GoBuildFailed(`Go 1.${LEAST_GO} or newer is needed; "go version" says "${version.trim()}".`);
}

/** How many packages are not in the build cache; downloads the modules first if they are missing. */
async function countStale(build: GoBuild, packages: readonly string[]): Promise<number> {
  let downloads = 0;
  const onLine = (line: string): void => {
    if (line.startsWith("go: downloading")) build.progress.step(`fetching Go modules of ${build.title}`, ++downloads, 0);
  };
  build.progress.say(`Looking up the Go modules of ${build.title} …`);
  const listed = await go(build, ["list", ...sameCode(build), "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", ...packages], onLine);
  return listed.split("\n").filter((line) => line !== "").length;
}

/** Runs go; answers with its stdout, and hands each line of stderr (where -v prints) to `onLine`. */
function go(build: GoBuild, args: readonly string[], onLine: (line: string) => void): Promise<string> {
  return new Promise((done, fail) => {
    // The toolchain that is installed, no other downloaded silently; no cgo, so that the binaries run on any libc.
    const env = { ...build.env, GOTOOLCHAIN: "local", GOWORK: "off", CGO_ENABLED: "0", GOOS: "", GOARCH: "" };
    const child = spawn("go", args, { cwd: build.module, env, signal: build.signal, stdio: ["ignore", "pipe", "pipe"] });
    const last: string[] = [];
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    createInterface(child.stderr).on("line", (line) => {
      last.push(line);
      if (last.length > 20) last.shift();
      onLine(line);
    });
    child.on("error", (error) => fail(new GoBuildFailed(`go ${args[0]} of ${build.title} could not run: ${error.message}.`)));
    child.on("close", (code, signal) => {
      if (code === 0) return done(output);
      fail(new GoBuildFailed(`go ${args[0]} of ${build.title} ended with ${code ?? signal}: ${last.slice(-5).join(" | ")}`));
    });
  });
}
