// The image, out of the Dockerfile's own last stage, without Docker and without a network: what its first stage would make is made by
// stage.ts and handed over under that stage's name, and the base is made of a few files of Debian's packages.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VERSION } from "../../src/composition/version.ts";
import { ROOT } from "../control-plane/versions.ts";
import { Buildah } from "./buildah.ts";
import type { ImageTools } from "./install.ts";
import { provenanceOf, sha256 } from "./provenance.ts";
import { type Lock, sbomOf } from "./sbom.ts";
import { stage } from "./stage.ts";

export interface MadeImage {
  /** Of its manifest: sha256:… */
  readonly digest: string;
  /** The folder in the OCI layout. */
  readonly layout: string;
  readonly sbom: string;
  readonly provenance: string;
  /** What is fetched, and what it is unpacked; bytes. */
  readonly compressed: number;
  readonly unpacked: number;
}

/**
 * Builds the image into `out`, which is replaced: `oci/`, `sbom.cdx.json`, `provenance.json`. `epoch`, in seconds, is every time in it:
 * the same sources, Node, base and epoch are the same digest.
 */
export async function makeImage(out: string, tools: ImageTools, epoch = 0): Promise<MadeImage> {
  const folder = mkdtempSync(join(tmpdir(), "rollward-image-"));
  try {
    const buildah = new Buildah(tools, folder);
    const staged = join(folder, "staged");
    const { packages } = await stage(join(staged, "out"));
    const context = join(folder, "context");
    mkdirSync(context);
    const scratch = join(folder, "Base");
    writeFileSync(scratch, "FROM scratch\nCOPY . /\n");
    const base = "localhost/rollward-base";
    const runtimeBase = `${base}@${await buildah.build(base, scratch, tools.base, epoch)}`;
    const name = `localhost/rollward:${VERSION}`;
    await buildah.build(name, join(ROOT, "Dockerfile"), context, epoch, [
      `--build-arg=RUNTIME_BASE=${runtimeBase}`,
      // Not used: buildah leaves a stage out that is handed over, but reads its first line.
      "--build-arg=BUILD_BASE=scratch",
      `--build-context=build=${staged}`,
    ]);
    const made = join(folder, "made");
    mkdirSync(made);
    await buildah.write(name, join(made, "oci"));
    const digest = digestOf(join(made, "oci"));
    const node = { version: process.versions.node, sha256: sha256(readFileSync(join(staged, "out", "node"))) };
    const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as Lock;
    const sbom = json(sbomOf(lock, { version: VERSION, bundled: packages, node, base: tools.packages, epoch }));
    const making = { version: VERSION, digest, runtimeBase, epoch, node, base: tools.packages, buildah: await buildah.version(), sbom };
    writeFileSync(join(made, "sbom.cdx.json"), sbom);
    writeFileSync(join(made, "provenance.json"), json(provenanceOf(making)));
    const unpacked = sizeOf(staged) + sizeOf(tools.base);
    rmSync(out, { recursive: true, force: true });
    mkdirSync(join(out, ".."), { recursive: true });
    cpSync(made, out, { recursive: true });
    const compressed = sizeOf(join(out, "oci"));
    return {
      digest,
      layout: join(out, "oci"),
      sbom: join(out, "sbom.cdx.json"),
      provenance: join(out, "provenance.json"),
      compressed,
      unpacked,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** The manifest's, as a registry will call it: of what was written, because compression makes other bytes of the layers. */
export function digestOf(layout: string): string {
  const { manifests } = JSON.parse(readFileSync(join(layout, "index.json"), "utf8")) as { manifests: readonly { digest: string }[] };
  const [only, another] = manifests;
  if (only === undefined || another !== undefined) throw new Error(`${layout} holds ${manifests.length} images, and one was built.`);
  return only.digest;
}

function sizeOf(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}
