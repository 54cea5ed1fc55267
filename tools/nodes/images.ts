// Images as a registry serves them, made without Docker: one static program each, in one layer. The same program gives the same digest.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const CONFIG_TYPE = "application/vnd.oci.image.config.v1+json";
const LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar";
/** Nobody in particular: the data plane needs no rights. */
const USER = "65532:65532";

export interface Program {
  /** `pop:1.0.0` */
  readonly name: string;
  /** Path of the binary. */
  readonly path: string;
  /** Its path in the image. */
  readonly entrypoint: string;
}

/** What a store of images has: the manifest's digest by `repository:tag`. */
export type Tags = Readonly<Record<string, string>>;

export const blobPath = (store: string, digest: string): string => join(store, digest.replace(":", "-"));
export const tagsPath = (store: string): string => join(store, "tags.json");
export const readTags = (store: string): Tags | undefined =>
  existsSync(tagsPath(store)) ? (JSON.parse(readFileSync(tagsPath(store), "utf8")) as Tags) : undefined;

/** Writes the images into the folder; the list of tags comes last, so a store that has one is whole. */
export function writeImages(store: string, programs: readonly Program[]): Tags {
  mkdirSync(store, { recursive: true });
  const tags = Object.fromEntries(programs.map((program) => [program.name, writeImage(store, program)]));
  write(tagsPath(store), Buffer.from(JSON.stringify(tags)));
  return tags;
}

/** Adds to a store the one image of a folder in the OCI layout, under the name that it is to be asked for by; answers with its digest. */
export function addImage(store: string, name: string, layout: string): string {
  const { manifests } = JSON.parse(readFileSync(join(layout, "index.json"), "utf8")) as { manifests: readonly { digest: string }[] };
  const [{ digest } = { digest: "" }] = manifests;
  const blobs = join(layout, "blobs", "sha256");
  for (const hash of readdirSync(blobs)) write(blobPath(store, `sha256:${hash}`), readFileSync(join(blobs, hash)));
  write(tagsPath(store), Buffer.from(JSON.stringify({ ...readTags(store), [name]: digest })));
  return digest;
}

function writeImage(store: string, { path, entrypoint }: Program): string {
  const layer = tarOf(entrypoint.replace(/^\//, ""), readFileSync(path));
  const platform = { architecture: process.arch === "x64" ? "amd64" : process.arch, os: "linux" };
  const config = {
    ...platform,
    config: { User: USER, WorkingDir: "/", Entrypoint: [entrypoint] },
    rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: put(store, CONFIG_TYPE, json(config)),
    layers: [put(store, LAYER_TYPE, layer)],
  };
  return put(store, MANIFEST_TYPE, json(manifest)).digest;
}

function put(store: string, mediaType: string, bytes: Buffer): { mediaType: string; digest: string; size: number } {
  const digest = digestOf(bytes);
  write(blobPath(store, digest), bytes);
  return { mediaType, digest, size: bytes.length };
}

function write(path: string, bytes: Buffer): void {
  const unfinished = `${path}.part`;
  writeFileSync(unfinished, bytes);
  renameSync(unfinished, path);
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const digestOf = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

const BLOCK = 512;

/** A tar archive (ustar) with one program that everybody may run, owned by root, without a date. */
export function tarOf(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");
  header.write(name, 0, 100);
  header.write(`${octal(0o755, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0${octal(content.length, 11)}\0${octal(0, 11)}\0`, 100);
  // The checksum counts its own eight bytes as spaces; then the type (a file), and which tar this is.
  header.write("        0", 148);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148);
  const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
  return Buffer.concat([header, content, padding, Buffer.alloc(2 * BLOCK)]);
}
