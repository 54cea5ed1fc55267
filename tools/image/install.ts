// Makes sure of what the image is built with and upon where there is no Docker: buildah, and the few libraries that Node needs, both out
// of Debian's packages, unpacked into the project's cache and not installed.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, cpSync, existsSync, globSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Progress } from "../control-plane/progress.ts";
import { ROOT } from "../control-plane/versions.ts";
import { firstLine, keepUnpackedPackages, withUnpackedPackages } from "../debian-packages.ts";
import { findOrInstall } from "../find-or-install.ts";
import { isProgram } from "../is-program.ts";

const run = promisify(execFile);
const BASE_PACKAGES = ["libc6", "libgcc-s1", "libstdc++6", "gcc-12-base"];
/** What Node is linked to, what glibc loads to look a name up, and under which licences; nothing else of these packages. */
const BASE_FILES = [
  "lib*/ld-linux*",
  "lib/*-linux-gnu*/{ld-linux*,libc.so.6,libm.so.6,libdl.so.2,libpthread.so.0,librt.so.1,libresolv.so.2}",
  "lib/*-linux-gnu*/{libnss_dns.so.2,libnss_files.so.2,libgcc_s.so.1}",
  "usr/lib/*-linux-gnu*/libstdc++.so.6*",
  "usr/share/doc/{libc6,gcc-12-base}/copyright",
];
/** Nobody in particular, with a name for whoever asks for one; and names are looked up in files first. */
const BASE_SETTINGS: Readonly<Record<string, string>> = {
  "etc/passwd": "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/nonexistent:/sbin/nologin\n",
  "etc/group": "root:x:0:\nnonroot:x:65532:\n",
  "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
};

/** A package of a distribution that something of the image is out of. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Of the archive. */
  readonly sha256: string;
}

export interface ImageTools {
  readonly buildah: { readonly path: string; readonly env: Readonly<Record<string, string>> };
  /** The folder with the base's files. */
  readonly base: string;
  readonly packages: readonly DebianPackage[];
}

export interface ImageToolsOptions {
  readonly root?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

/** The image cannot be built on this machine; the message says why. */
export class ImageToolsUnavailable extends Error {
  override readonly name = "ImageToolsUnavailable";
}

/** What is already there, if everything is. Installs nothing. */
export function findImageTools(options: ImageToolsOptions = {}): ImageTools | undefined {
  const { cache, base, list } = places(options);
  const buildah = buildahIn(join(cache, "buildah", "root"));
  if (buildah === undefined || !existsSync(list)) return undefined;
  return { buildah, base, packages: JSON.parse(readFileSync(list, "utf8")) as DebianPackage[] };
}

/** What the image is built with and upon, fetched if it is not there yet (15 MB). Throws ImageToolsUnavailable. */
export async function ensureImageTools(options: ImageToolsOptions = {}): Promise<ImageTools> {
  const reason = whyNoImage();
  if (reason !== undefined) throw new ImageToolsUnavailable(`No image is built here: ${reason}.`);
  return findOrInstall({
    what: "what the image is built with",
    directory: places(options).cache,
    progress: options.progress,
    find: () => findImageTools(options),
    install: (progress) => install({ ...options, progress }),
  });
}

/** Undefined where buildah can build; else why not, as half a sentence. */
export function whyNoImage(): string | undefined {
  if (process.platform !== "linux") return `buildah needs Linux, and this is ${process.platform}`;
  if (process.getuid?.() !== 0) return "the files of an image belong to root, and buildah needs to be root to write them";
  return undefined;
}

async function install(options: ImageToolsOptions & { progress: Progress }): Promise<ImageTools> {
  const { cache } = places(options);
  options.progress.say(`What the image is built with is not installed yet; it goes into ${cache} (15 MB to fetch).`);
  const settings = { ...(options.env ? { env: options.env } : {}), ...(options.signal ? { signal: options.signal } : {}) };
  try {
    const start = ({ path, env }: ImageTools["buildah"]) => run(path, ["--version"], { env: { ...process.env, ...env } });
    await keepUnpackedPackages(["buildah"], join(cache, "buildah"), settings, buildahIn, start);
    await makeBase(options, settings);
  } catch (error) {
    if (options.signal?.aborted === true || !(error instanceof Error)) throw error;
    throw new ImageToolsUnavailable(`No image is built here, because Debian's packages for it are not to be had: ${firstLine(error)}.`);
  }
  const found = findImageTools(options);
  if (found === undefined)
    throw new ImageToolsUnavailable(`No image is built here: ${cache} lacks something after everything was fetched.`);
  return found;
}

/** The list of packages comes last: a base that has one is whole. */
async function makeBase(options: ImageToolsOptions, settings: { env?: NodeJS.ProcessEnv; signal?: AbortSignal }): Promise<void> {
  const { cache, base, list } = places(options);
  await withUnpackedPackages(BASE_PACKAGES, cache, settings, async (unpacked, archives) => {
    const unfinished = `${unpacked}-base`;
    for (const file of globSync(BASE_FILES, { cwd: unpacked })) copyTo(join(unfinished, file), join(unpacked, file));
    for (const [name, text] of Object.entries(BASE_SETTINGS)) {
      mkdirSync(dirname(join(unfinished, name)), { recursive: true });
      writeFileSync(join(unfinished, name), text);
      chmodSync(join(unfinished, name), 0o644);
    }
    // Whatever the umask of whoever installs: a folder that only root may enter would keep the image's user from its libraries.
    for (const entry of ["", ...globSync("**/", { cwd: unfinished })]) chmodSync(join(unfinished, entry), 0o755);
    const packages = archives.toSorted().map((archive) => packageOf(archive, readFileSync(join(unpacked, "..", archive))));
    rmSync(list, { force: true });
    rmSync(base, { recursive: true, force: true });
    renameSync(unfinished, base);
    writeFileSync(list, JSON.stringify(packages, undefined, 2));
  });
}

/** Links stay links, as the package has them. */
function copyTo(to: string, from: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { verbatimSymlinks: true, dereference: false });
}

/** By the archive's name, in which apt writes a colon as %3a: `libc6_2.36-9_amd64.deb`. */
function packageOf(archive: string, content: Buffer): DebianPackage {
  const [name = "", version = "", architecture = ""] = archive
    .replace(/\.deb$/, "")
    .split("_")
    .map(decodeURIComponent);
  return { name, version, architecture, sha256: createHash("sha256").update(content).digest("hex") };
}

function buildahIn(root: string): ImageTools["buildah"] | undefined {
  const path = join(root, "usr", "bin", "buildah");
  if (!isProgram(path)) return undefined;
  const lib = join(root, "usr", "lib");
  const libraries = readdirSync(lib).filter((name) => name.includes("-linux-"));
  return { path, env: { LD_LIBRARY_PATH: libraries.map((name) => join(lib, name)).join(delimiter) } };
}

function places(options: ImageToolsOptions): { cache: string; base: string; list: string } {
  const cache = join(options.root ?? ROOT, ".cache", "image");
  // Another choice of files or settings never meets an old base.
  const choice = createHash("sha256")
    .update(JSON.stringify([BASE_PACKAGES, BASE_FILES, BASE_SETTINGS]))
    .digest("hex")
    .slice(0, 12);
  return { cache, base: join(cache, `base-${choice}`), list: join(cache, `base-${choice}.json`) };
}
