// Makes sure of a real PostgreSQL for the tests of the inventory: an installed one, the project's cache, or Debian's package unpacked
// without being installed.
import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import type { Progress } from "../control-plane/progress.ts";
import { ROOT } from "../control-plane/versions.ts";
import { firstLine, keepUnpackedPackages } from "../debian-packages.ts";
import { isProgram } from "../is-program.ts";
import { findOrInstall } from "../find-or-install.ts";

const run = promisify(execFile);
const PACKAGE = "postgresql-15";
/** Where distributions keep the server's programs, one folder a version, away from the PATH. */
const INSTALLED = ["usr", "lib", "postgresql"];

export interface Postgres {
  readonly source: "PATH" | "installed" | "cache" | "debian package";
  /** The folder with `initdb` and `postgres`. */
  readonly bin: string;
  /** What its processes need beside our own environment. */
  readonly env: Readonly<Record<string, string>>;
}

export interface PostgresOptions {
  readonly root?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Below which the system's own folders are looked for; `/` unless a test says otherwise. */
  readonly system?: string;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

/** No source has a server; the message says of each why. */
export class PostgresUnavailable extends Error {
  override readonly name = "PostgresUnavailable";
}

/** The server that is already there, if any. Installs nothing. */
export function findPostgres(options: PostgresOptions = {}): Postgres | undefined {
  const onPath = ((options.env ?? process.env)["PATH"] ?? "").split(delimiter).find(hasServer);
  if (onPath !== undefined) return { source: "PATH", bin: onPath, env: {} };
  const installed = newestBelow(join(options.system ?? "/", ...INSTALLED));
  if (installed !== undefined) return { source: "installed", bin: installed, env: {} };
  return unpackedIn(join(cacheDirectory(options), "root"), "cache");
}

/** A server, unpacked into the project's cache if there is none yet. Throws PostgresUnavailable. */
export async function ensurePostgres(options: PostgresOptions = {}): Promise<Postgres> {
  return findOrInstall({
    what: "PostgreSQL",
    directory: cacheDirectory(options),
    progress: options.progress,
    find: () => findPostgres(options),
    install: (progress, directory) => unpack(directory, progress, options),
  });
}

async function unpack(directory: string, progress: Progress, options: PostgresOptions): Promise<Postgres> {
  progress.say(`PostgreSQL is not installed yet; it goes into ${directory} (20 MB to fetch).`);
  const settings = { ...(options.env ? { env: options.env } : {}), ...(options.signal ? { signal: options.signal } : {}) };
  const find = (root: string) => unpackedIn(root, "debian package");
  const start = ({ bin, env }: Postgres) => run(join(bin, "postgres"), ["--version"], { env: { ...process.env, ...env } });
  try {
    return (await keepUnpackedPackages([PACKAGE], directory, settings, find, start)).found;
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    throw new PostgresUnavailable(
      `No PostgreSQL is to be had: none on the PATH, none in /${INSTALLED.join("/")}, none in ${directory}, ` +
        `and no Debian package: ${firstLine(error)}.`,
    );
  }
}

function unpackedIn(root: string, source: Postgres["source"]): Postgres | undefined {
  const bin = newestBelow(join(root, ...INSTALLED));
  if (bin === undefined) return undefined;
  const lib = join(root, "usr", "lib");
  const libraries = readdirSync(lib).filter((name) => name.includes("-linux-"));
  return { source, bin, env: { LD_LIBRARY_PATH: libraries.map((name) => join(lib, name)).join(delimiter) } };
}

function newestBelow(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  const versions = readdirSync(folder).toSorted((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(folder, version, "bin")).find(hasServer);
}

const hasServer = (folder: string): boolean => ["initdb", "postgres"].every((name) => isProgram(join(folder, name)));

const cacheDirectory = (options: PostgresOptions): string => join(options.root ?? ROOT, ".cache", "postgresql");
