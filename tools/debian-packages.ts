// Programs of Debian packages, unpacked into the project's cache without being installed: nothing of the machine is changed, and no
// rights are needed.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const APT_WITHIN_MS = 300_000;

export interface UnpackOptions {
  /** Also what they depend on and the machine lacks; else the packages alone. */
  readonly withDependencies?: boolean;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

/**
 * Fetches packages and hands the folder with what is in them to `use`; the folder is gone afterwards. `directory` is where the folder
 * is made, so that `use` can rename what it keeps into it. Rejects where there is no apt, no network, or no such package.
 */
export async function withUnpackedPackages<T>(
  names: readonly string[],
  directory: string,
  options: UnpackOptions,
  use: (unpacked: string, archives: readonly string[]) => Promise<T>,
): Promise<T> {
  mkdirSync(directory, { recursive: true });
  const folder = mkdtempSync(join(directory, ".package-"));
  // Messages are read by people; a translated one would be of no use in a report.
  const settings = { cwd: folder, env: { ...(options.env ?? process.env), LC_ALL: "C" }, timeout: APT_WITHIN_MS, signal: options.signal };
  const download = async (): Promise<unknown> => {
    const wanted = options.withDependencies === true ? await missing(names, settings) : names;
    return run("apt-get", ["download", ...wanted], settings);
  };
  try {
    // An image of a distribution comes without package lists: then nothing is known before the first update.
    await download().catch(async () => {
      await run("apt-get", ["update"], settings);
      await download();
    });
    const archives = readdirSync(folder).filter((name) => name.endsWith(".deb"));
    if (archives.length === 0) throw new Error("apt-get download fetched nothing");
    const unpacked = join(folder, "unpacked");
    for (const archive of archives) await run("dpkg-deb", ["-x", archive, unpacked], settings);
    return await use(unpacked, archives);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Fetches packages with what they depend on and keeps them as `directory/root`. `find` looks for what is wanted in a root; it is tried
 * by `start`, which works only if every library was found, before anything older is replaced.
 */
export async function keepUnpackedPackages<T>(
  names: readonly string[],
  directory: string,
  options: Omit<UnpackOptions, "withDependencies">,
  find: (root: string) => T | undefined,
  start: (found: T) => Promise<unknown>,
): Promise<{ readonly found: T; readonly archives: readonly string[] }> {
  return withUnpackedPackages(names, directory, { ...options, withDependencies: true }, async (unpacked, archives) => {
    const inside = find(unpacked);
    if (inside === undefined) throw new Error(`Debian's package ${names[0]} holds no program here`);
    await start(inside);
    const kept = join(directory, "root");
    rmSync(kept, { recursive: true, force: true });
    renameSync(unpacked, kept);
    return { found: find(kept)!, archives };
  });
}

/** What an installation would bring, by apt's own reckoning; it only pretends, so it needs no rights. */
async function missing(names: readonly string[], settings: { cwd: string; env: NodeJS.ProcessEnv; timeout: number }): Promise<string[]> {
  const { stdout } = await run("apt-get", ["--simulate", "--no-install-recommends", "install", ...names], settings);
  const found = stdout.split("\n").flatMap((line) => (line.startsWith("Inst ") ? [line.split(" ")[1] ?? ""] : []));
  return found.length > 0 ? found : [...names];
}

/** Why it failed, in one line: what apt said, if it said something. */
export function firstLine(error: unknown): string {
  const said = (error as { stderr?: string }).stderr ?? "";
  const line = said.split("\n").find((text) => text.startsWith("E: ")) ?? (error instanceof Error ? error.message : String(error));
  return line.split("\n")[0]?.replace(/\.$/, "") ?? "";
}
