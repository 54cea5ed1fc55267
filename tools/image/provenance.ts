// What an image was made from and with: an in-toto statement with the predicate of SLSA (provenance v1). It is not signed; whoever
// publishes an image signs it with a key of theirs.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../control-plane/versions.ts";
import type { DebianPackage } from "./install.ts";

export interface Making {
  readonly version: string;
  /** Of the image's manifest: sha256:… */
  readonly digest: string;
  /** The base as the Dockerfile was given it: NAME@sha256:… */
  readonly runtimeBase: string;
  readonly epoch: number;
  readonly node: { readonly version: string; readonly sha256: string };
  readonly base: readonly DebianPackage[];
  readonly buildah: string;
  /** The list of contents, as it was written. */
  readonly sbom: string;
}

export const sha256 = (content: string | Buffer): string => createHash("sha256").update(content).digest("hex");

export function provenanceOf(making: Making): object {
  const [, baseDigest = ""] = making.runtimeBase.split("@sha256:");
  const commit = cleanCommit();
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "rollward", digest: { sha256: making.digest.replace("sha256:", "") } }],
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: {
        buildType: "urn:rollward:image:v1",
        externalParameters: { dockerfile: "Dockerfile", RUNTIME_BASE: making.runtimeBase, SOURCE_DATE_EPOCH: making.epoch },
        resolvedDependencies: [
          { name: "sources", digest: { sha256: sha256(sourceList()), ...(commit === undefined ? {} : { gitCommit: commit }) } },
          { name: "package-lock.json", digest: { sha256: sha256(readFileSync(join(ROOT, "package-lock.json"))) } },
          { name: "node", uri: `pkg:generic/node@${making.node.version}`, digest: { sha256: making.node.sha256 } },
          { name: "RUNTIME_BASE", digest: { sha256: baseDigest } },
          ...making.base.map(({ name, version, architecture, ...archive }) => ({
            name,
            uri: `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${architecture}`,
            digest: { sha256: archive.sha256 },
          })),
        ],
      },
      runDetails: {
        builder: { id: "urn:rollward:tools/image.ts", version: { rollward: making.version, buildah: making.buildah } },
        byproducts: [{ name: "sbom.cdx.json", digest: { sha256: sha256(making.sbom) } }],
      },
    },
  };
}

/** What .dockerignore lets through, and the Dockerfile: `sha256  path`, one a line, as sha256sum writes and checks them. */
export function sourceList(): string {
  const [taken, left] = [[] as string[], [] as string[]];
  for (const line of readFileSync(join(ROOT, ".dockerignore"), "utf8").split("\n"))
    if (line.startsWith("!")) taken.push(line.slice(1));
    else if (line.startsWith("**/")) left.push(line);
  const all = taken.flatMap((name) =>
    statSync(join(ROOT, name)).isDirectory() ? globSync(`${name}/**/*`, { cwd: ROOT, exclude: left }) : [name],
  );
  const files = [...all, "Dockerfile"].filter((name) => statSync(join(ROOT, name)).isFile()).toSorted();
  return files.map((name) => `${sha256(readFileSync(join(ROOT, name)))}  ${name}\n`).join("");
}

/** Undefined outside of a checkout, and where files differ from the commit: then it does not say what was built. */
function cleanCommit(): string | undefined {
  const git = (...args: string[]): string =>
    execFileSync("git", args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  try {
    return git("status", "--porcelain").trim() === "" ? git("rev-parse", "HEAD").trim() : undefined;
  } catch {
    return undefined;
  }
}
