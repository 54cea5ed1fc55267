// What the image holds, as a CycloneDX list: of npm's packages those of which something is in the bundle, with version, licence and hash as
// package-lock.json has them; Node; and the packages of the base. The same image gives the same list.
import { createHash } from "node:crypto";
import type { DebianPackage } from "./install.ts";

/** package-lock.json, as far as it is read here. */
export interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  /** `sha512-…`, in base64. */
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

interface Component {
  readonly "bom-ref": string;
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses?: readonly object[];
}

export interface Bom {
  readonly bomFormat: "CycloneDX";
  readonly specVersion: string;
  readonly serialNumber: string;
  readonly version: number;
  readonly metadata: { readonly timestamp: string; readonly component: object };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

export interface Contents {
  readonly version: string;
  /** Folders of the bundled packages, as package-lock.json names them: node_modules/NAME. */
  readonly bundled: readonly string[];
  readonly node: { readonly version: string; readonly sha256: string };
  readonly base: readonly DebianPackage[];
  /** Seconds. */
  readonly epoch: number;
}

/** Throws where a package is in the bundle that the lock does not have, or has for development alone: nobody would have looked at it. */
export function sbomOf(lock: Lock, { version, bundled, node, base, epoch }: Contents): Bom {
  const ofNpm = new Map(bundled.map((folder) => [folder, npmComponent(folder, lock.packages[folder])]));
  const components = [...ofNpm.values(), nodeComponent(node), ...base.map(debianComponent)].toSorted(byRef);
  const root = `rollward@${version}`;
  const needs = [...ofNpm].map(([folder, component]) => ({
    ref: component["bom-ref"],
    dependsOn: dependenciesOf(folder, lock)
      .flatMap((other) => ofNpm.get(other)?.["bom-ref"] ?? [])
      .toSorted(),
  }));
  const bom = {
    bomFormat: "CycloneDX" as const,
    specVersion: "1.5",
    version: 1,
    metadata: {
      timestamp: new Date(epoch * 1_000).toISOString(),
      lifecycles: [{ phase: "build" }],
      component: { "bom-ref": root, type: "container", name: "rollward", version, licenses: licence("Apache-2.0") },
    },
    components,
    dependencies: [{ ref: root, dependsOn: components.map((component) => component["bom-ref"]) }, ...needs],
  };
  return { ...bom, serialNumber: `urn:uuid:${uuidOf(JSON.stringify(bom))}` };
}

function npmComponent(folder: string, locked: LockedPackage | undefined): Component {
  const name = folder.split("node_modules/").at(-1) ?? "";
  const { version, integrity = "", license, dev } = locked ?? {};
  if (version === undefined || dev === true) {
    const instead = dev === true ? "has it for development alone" : "does not have it";
    throw new Error(`Something of ${folder} is in the bundle, and package-lock.json ${instead}: name it in dependencies of package.json.`);
  }
  const [algorithm = "", digest = ""] = integrity.split("-");
  return {
    "bom-ref": `${name}@${version}`,
    type: "library",
    name,
    version,
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    hashes: [{ alg: algorithm.replace("sha", "SHA-"), content: Buffer.from(digest, "base64").toString("hex") }],
    ...(license === undefined ? {} : { licenses: licence(license) }),
  };
}

/** Where Node would find what a package asks for: nearest folder first. */
function dependenciesOf(folder: string, { packages }: Lock): string[] {
  return Object.keys(packages[folder]?.dependencies ?? {}).flatMap((name) => {
    for (let from = folder; ; from = from.slice(0, Math.max(0, from.lastIndexOf("node_modules/") - 1))) {
      const candidate = `${from === "" ? "" : `${from}/`}node_modules/${name}`;
      if (packages[candidate] !== undefined) return [candidate];
      if (from === "") return [];
    }
  });
}

const licence = (id: string) => [{ license: { id } }];
const byRef = (one: Component, other: Component): number => (one["bom-ref"] < other["bom-ref"] ? -1 : 1);

const nodeComponent = ({ version, sha256 }: Contents["node"]): Component => ({
  "bom-ref": `node@${version}`,
  type: "application",
  name: "node",
  version,
  purl: `pkg:generic/node@${version}`,
  hashes: [{ alg: "SHA-256", content: sha256 }],
  licenses: licence("MIT"),
});

const debianComponent = ({ name, version, architecture, sha256 }: DebianPackage): Component => ({
  "bom-ref": `debian/${name}@${version}`,
  type: "library",
  name,
  version,
  purl: `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${architecture}`,
  hashes: [{ alg: "SHA-256", content: sha256 }],
});

/** A UUID of version 8 (of one's own making), by what it names. */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
