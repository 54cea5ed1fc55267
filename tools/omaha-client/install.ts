// Makes sure of a Client that is not ours for the tests of the gateway: the published Rust library omaha_client with a small program
// around it (test/cluster/clients/rust), built with cargo into the project's cache.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Progress } from "../control-plane/progress.ts";
import { ROOT } from "../control-plane/versions.ts";
import { firstLine } from "../debian-packages.ts";
import { findOrInstall } from "../find-or-install.ts";
import { isProgram } from "../is-program.ts";

const run = promisify(execFile);
const PROGRAM = "omaha-counterpart";
const FILES = ["Cargo.toml", "crates.lock", join("src", "main.rs")];
const LONGEST_OUTPUT = 16_777_216;

export interface OmahaClientOptions {
  readonly root?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

/** There is no such program, and none can be built; the message says why. */
export class OmahaClientUnavailable extends Error {
  override readonly name = "OmahaClientUnavailable";
}

/** The program, built if it is not there yet (2 minutes on 2 cores). Throws OmahaClientUnavailable. */
export function ensureOmahaClient(options: OmahaClientOptions = {}): Promise<string> {
  const source = join(options.root ?? ROOT, "test", "cluster", "clients", "rust");
  const digest = createHash("sha256");
  for (const file of FILES) digest.update(readFileSync(join(source, file)));
  const directory = join(options.root ?? ROOT, ".cache", "omaha-client", digest.digest("hex").slice(0, 12));
  const program = join(directory, PROGRAM);
  return findOrInstall({
    what: "the Omaha client",
    directory,
    progress: options.progress,
    find: () => (isProgram(program) ? program : undefined),
    install: (progress) => build(source, directory, { ...options, progress }),
  });
}

async function build(source: string, directory: string, options: OmahaClientOptions & { progress: Progress }): Promise<string> {
  const { progress, signal } = options;
  const settings = { env: options.env ?? process.env, maxBuffer: LONGEST_OUTPUT, ...(signal === undefined ? {} : { signal }) };
  mkdirSync(directory, { recursive: true });
  const unfinished = mkdtempSync(join(directory, ".building-"));
  const cargo = (...args: string[]) => run("cargo", args, { ...settings, cwd: unfinished });
  try {
    progress.say(`The Omaha client is not built yet; it goes into ${directory} (2 minutes).`);
    cpSync(source, unfinished, { recursive: true });
    // How cargo calls the place of its packages is cargo's affair: it is asked, and the pinned packages get that name.
    await cargo("generate-lockfile");
    const lock = join(unfinished, "Cargo.lock");
    const place = /^source = ".*"$/m.exec(readFileSync(lock, "utf8"))?.[0];
    if (place === undefined) throw new Error("cargo did not say where its packages are from");
    writeFileSync(lock, readFileSync(join(unfinished, "crates.lock"), "utf8").replaceAll(/^(?=checksum = )/gm, `${place}\n`));
    await cargo("build", "--locked");
    const program = join(directory, PROGRAM);
    renameSync(join(unfinished, "target", "debug", PROGRAM), program);
    return program;
  } catch (error) {
    throw new OmahaClientUnavailable(`No Omaha client is to be had: cargo could not build it (${whyOf(error)}).`);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

function whyOf(error: unknown): string {
  const { code, stderr } = error as { readonly code?: unknown; readonly stderr?: string };
  if (code === "ENOENT") return "there is no cargo on the PATH";
  const line = stderr?.split("\n").find((one) => one.startsWith("error"));
  return line ?? firstLine(error);
}
