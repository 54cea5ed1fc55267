// Makes sure of a real Chromium for the tests of pages: one on the PATH, the project's cache, or Debian's package unpacked without
// being installed. A test tool's own download of a browser is not used: it comes from a server that many networks do not let through.
import { execFile } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import type { Progress } from "../control-plane/progress.ts";
import { ROOT } from "../control-plane/versions.ts";
import { firstLine, keepUnpackedPackages } from "../debian-packages.ts";
import { isProgram } from "../is-program.ts";
import { findOrInstall } from "../find-or-install.ts";

const run = promisify(execFile);
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

export interface Browser {
  readonly source: "PATH" | "cache" | "debian package";
  readonly path: string;
  /** What its process needs beside our own environment. */
  readonly env: Readonly<Record<string, string>>;
}

export interface BrowserOptions {
  readonly root?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

/** No source has a browser; `reasons` holds a sentence for each. */
export class BrowserUnavailable extends Error {
  override readonly name = "BrowserUnavailable";
  readonly reasons: readonly string[];
  constructor(reasons: readonly string[]) {
    super(`No Chromium is to be had. ${reasons.join(" ")}`);
    this.reasons = reasons;
  }
}

/** The browser that is already there, if any. Installs nothing. */
export function findBrowser(options: BrowserOptions = {}): Browser | undefined {
  const folders = ((options.env ?? process.env)["PATH"] ?? "").split(delimiter);
  const path = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
  return path === undefined
    ? unpackedIn(join(cacheDirectory(options), "root"), cacheDirectory(options), "cache")
    : { source: "PATH", path, env: {} };
}

/** A browser, unpacked into the project's cache if there is none yet. Throws BrowserUnavailable. */
export async function ensureBrowser(options: BrowserOptions = {}): Promise<Browser> {
  return findOrInstall({
    what: "Chromium",
    directory: cacheDirectory(options),
    progress: options.progress,
    find: () => findBrowser(options),
    install: (progress, directory) => unpack(directory, { ...options, progress }),
  });
}

async function unpack(directory: string, options: BrowserOptions & { progress: Progress }): Promise<Browser> {
  options.progress.say(`Chromium is not installed yet; it goes into ${directory} (120 MB to fetch).`);
  const settings = { ...(options.env ? { env: options.env } : {}), ...(options.signal ? { signal: options.signal } : {}) };
  const find = (root: string) => unpackedIn(root, directory, "debian package");
  const start = (browser: Browser) => run(browser.path, ["--version"], { env: { ...process.env, ...browser.env } });
  try {
    const { archives } = await keepUnpackedPackages(["chromium", "fonts-dejavu-core"], directory, settings, find, start);
    writeFontSettings(directory);
    options.progress.say(
      `Unpacked ${archives.find((name) => name.startsWith("chromium_")) ?? "chromium"} and ${archives.length - 1} more.`,
    );
    return find(join(directory, "root"))!;
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    const names = NAMES.join(", ");
    throw new BrowserUnavailable([`The PATH has none of ${names}.`, `${directory} has none.`, `No Debian package: ${firstLine(error)}.`]);
  }
}

/** The browser of a root of packages; `directory`: the cache folder, where its settings of fonts lie. */
function unpackedIn(root: string, directory: string, source: Browser["source"]): Browser | undefined {
  const path = join(root, "usr", "lib", "chromium", "chromium");
  if (!isProgram(path)) return undefined;
  const fonts = fontSettings(directory);
  return {
    source,
    path,
    env: { LD_LIBRARY_PATH: libraryFolders(root).join(delimiter), ...(existsSync(fonts) ? { FONTCONFIG_FILE: fonts } : {}) },
  };
}

/** Folders of shared libraries: the usual one of the processor, and those in it that a package keeps for itself. */
function libraryFolders(root: string): string[] {
  const lib = join(root, "usr", "lib");
  const usual = readdirSync(lib)
    .filter((name) => name.includes("-linux-"))
    .map((name) => join(lib, name));
  const own = usual.flatMap((folder) =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(folder, entry.name))
      .filter((inner) => readdirSync(inner).some((name) => name.includes(".so"))),
  );
  return [...usual, ...own];
}

const fontSettings = (directory: string): string => join(directory, "fonts.conf");

/** Where no font was installed, those of the packages are used: text without any font has no width, and a test of layout no sense. */
function writeFontSettings(directory: string): void {
  const fonts = join(directory, "root", "usr", "share", "fonts");
  if (!existsSync(fonts)) return;
  const folders = ["/usr/share/fonts", fonts].map((folder) => `<dir>${folder}</dir>`).join("");
  const text = `<?xml version="1.0"?>\n<fontconfig>${folders}<cachedir>${join(directory, "font-cache")}</cachedir></fontconfig>\n`;
  writeFileSync(fontSettings(directory), text);
}

const cacheDirectory = (options: BrowserOptions): string => join(options.root ?? ROOT, ".cache", "chromium");
