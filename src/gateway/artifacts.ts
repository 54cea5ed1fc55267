import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { NOTHING_HERE, type Reply } from "./reply.ts";
import type { RolloutForDevices } from "./views.ts";

/** What a device is told of the file that it fetches. */
export interface ArtifactFacts {
  readonly filename: string;
  readonly size: number;
  readonly hashes: { readonly sha256: string; readonly sha1?: string; readonly md5?: string };
  /** Where it is, when it is not with us. */
  readonly href?: string;
  /** Its path, when it is. */
  readonly path?: string;
}

interface Digests {
  readonly size: number;
  readonly modified: number;
  readonly sha256: string;
  readonly sha1: string;
  readonly md5: string;
}

type Artifact = RolloutForDevices["artifact"];

/** Whether an artifact is a file of the gateway's own folder; the others are fetched elsewhere, and nobody looks whether they are there. */
export const isInFolder = (url: string): boolean => !url.includes("://");

/**
 * Artifacts as devices are told of them. Those that are files of the gateway's own folder are read once for their checksums, and again
 * when they change: a file that is not what its rollout says is told to nobody.
 */
export class Artifacts {
  readonly #folder: string | undefined;
  readonly #digests = new Map<string, Promise<Digests>>();

  constructor(folder: string | undefined) {
    this.#folder = folder;
  }

  /** The facts, or a sentence about what is wrong with the file. */
  async describe({ url, sha256, sha1, size }: Artifact): Promise<ArtifactFacts | { readonly problem: string }> {
    if (!isInFolder(url)) {
      const address = URL.parse(url);
      if (address === null) return { problem: `${url} is no address; write one such as https://downloads.example.com/socket-18.0.swu` };
      const filename = address.pathname.split("/").at(-1) || "artifact";
      return { filename, size, hashes: { sha256, ...(sha1 === undefined ? {} : { sha1 }) }, href: url };
    }
    if (this.#folder === undefined) return { problem: `${url} is a file of the gateway's own, and it has no folder; set --artifacts` };
    const path = join(this.#folder, url);
    const found = await this.#digestsOf(path).catch((error: unknown) => (error as NodeJS.ErrnoException).code ?? String(error));
    if (typeof found === "string") return { problem: `${path} could not be read (${found}); put the file there` };
    if (found.size !== size || found.sha256 !== sha256 || (sha1 !== undefined && found.sha1 !== sha1)) {
      const [is, said] = [`${found.size} bytes with SHA-256 ${found.sha256}`, `${size} bytes with ${sha256}`];
      return { problem: `${path} is ${is}, and its rollout says ${said}; put the right file there` };
    }
    return { filename: url, size, hashes: { sha256, sha1: found.sha1, md5: found.md5 }, path };
  }

  async #digestsOf(path: string): Promise<Digests> {
    const { size, mtimeMs } = await stat(path);
    const known = await this.#digests.get(path)?.catch(() => undefined);
    if (known?.size === size && known.modified === mtimeMs) return known;
    const computed = digest(path, size, mtimeMs);
    this.#digests.set(path, computed);
    return computed;
  }
}

async function digest(path: string, size: number, modified: number): Promise<Digests> {
  const hashes = ["sha256", "sha1", "md5"].map((name) => createHash(name));
  await pipeline(createReadStream(path), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) for (const hash of hashes) hash.update(chunk);
  });
  const [sha256 = "", sha1 = "", md5 = ""] = hashes.map((hash) => hash.digest("hex"));
  return { size, modified, sha256, sha1, md5 };
}

/** The line of an `…MD5SUM` file, as md5sum writes it. */
export const checksumLine = ({ hashes, filename }: ArtifactFacts): Reply =>
  hashes.md5 === undefined ? NOTHING_HERE : { status: 200, text: `${hashes.md5}  ${filename}\n` };

/** The file, or the one part of it that is asked for (RFC 9110: Range, If-Range, If-None-Match). */
export function fileReply({ path, size, hashes }: ArtifactFacts, headers: IncomingHttpHeaders): Reply {
  if (path === undefined) return NOTHING_HERE;
  const etag = `"${hashes.sha256}"`;
  const common = { etag, "accept-ranges": "bytes", "content-type": "application/octet-stream" };
  if (headers["if-none-match"]?.split(/\s*,\s*/).includes(etag) === true) return { status: 304, headers: common };
  const ifRange = headers["if-range"];
  const range = ifRange === undefined || ifRange === etag ? headers.range : undefined;
  const part = range === undefined ? undefined : partOf(range, size);
  if (part === "outside") return { status: 416, headers: { "content-range": `bytes */${size}` } };
  if (part === undefined)
    return { status: 200, headers: { ...common, "content-length": String(size) }, file: { path, start: 0, end: size - 1 } };
  const { start, end } = part;
  const contentRange = { "content-range": `bytes ${start}-${end}/${size}`, "content-length": String(end - start + 1) };
  return { status: 206, headers: { ...common, ...contentRange }, file: { path, start, end } };
}

/** One range of bytes; undefined: several, or none that we read, and the whole file is the answer. */
function partOf(range: string, size: number): { readonly start: number; readonly end: number } | "outside" | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range.trim());
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  const [, first = "", last = ""] = match;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return start >= size || (first === "" && Number(last) === 0) || end < start ? "outside" : { start, end };
}
