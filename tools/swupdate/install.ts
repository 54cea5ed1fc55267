// Makes sure of a real swupdate for the tests of the device protocol: an installed one, the project's cache, or Debian's package
// unpacked without being installed.
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
const PACKAGE = "swupdate";

export interface Swupdate {
  readonly source: "PATH" | "cache" | "debian package";
  readonly command: string;
  /** Where its libraries are, when they are not the system's. */
  readonly libraries?: string;
}

export interface SwupdateOptions {
  readonly root?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly progress?: Progress;
}

/** No source has the program; the message says of each why. */
export class SwupdateUnavailable extends Error {
  override readonly name = "SwupdateUnavailable";
}

/** The program that is already there, if any. Installs nothing. */
export function findSwupdate(options: SwupdateOptions = {}): Swupdate | undefined {
  const path = (options.env ?? process.env)["PATH"] ?? "";
  const onPath = path
    .split(delimiter)
    .map((folder) => join(folder, PACKAGE))
    .find(isProgram);
  if (onPath !== undefined) return { source: "PATH", command: onPath };
  return unpackedIn(join(cacheDirectory(options), "root"), "cache");
}

/** The program, unpacked into the project's cache if there is none yet. Throws SwupdateUnavailable. */
export async function ensureSwupdate(options: SwupdateOptions = {}): Promise<Swupdate> {
  return findOrInstall({
    what: "swupdate",
    directory: cacheDirectory(options),
    progress: options.progress,
    find: () => findSwupdate(options),
    install: (progress, directory) => unpack(directory, progress, options),
  });
}

async function unpack(directory: string, progress: Progress, options: SwupdateOptions): Promise<Swupdate> {
  progress.say(`swupdate is not installed yet; it goes into ${directory} (1 MB to fetch).`);
  const find = (root: string) => unpackedIn(root, "debian package");
  const start = (found: Swupdate) => run(found.command, ["--version"], { env: { ...process.env, ...librariesOf(found) } });
  try {
    return (await keepUnpackedPackages([PACKAGE], directory, options.env ? { env: options.env } : {}, find, start)).found;
  } catch (error) {
    throw new SwupdateUnavailable(
      `No swupdate is to be had: none on the PATH, none in ${directory}, and no Debian package: ${firstLine(error)}.`,
    );
  }
}

/** What its processes need beside our own environment. */
export const librariesOf = ({ libraries }: Swupdate): Readonly<Record<string, string>> =>
  libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries };

function unpackedIn(root: string, source: Swupdate["source"]): Swupdate | undefined {
  const command = join(root, "usr", "bin", PACKAGE);
  if (!isProgram(command)) return undefined;
  const lib = join(root, "usr", "lib");
  const folders = existsSync(lib) ? readdirSync(lib).filter((name) => name.includes("-linux-")) : [];
  return { source, command, libraries: folders.map((name) => join(lib, name)).join(delimiter) };
}

const cacheDirectory = (options: SwupdateOptions): string => join(options.root ?? ROOT, ".cache", "swupdate");
