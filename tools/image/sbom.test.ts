import { expect, test } from "vitest";
import { type Contents, type Lock, sbomOf } from "./sbom.ts";

const integrity = `sha512-${Buffer.alloc(64, 7).toString("base64")}`;
const LOCK: Lock = {
  packages: {
    "": { version: "0.1.0", dependencies: { one: "1.0.0" } },
    "node_modules/one": { version: "1.0.0", license: "MIT", integrity, dependencies: { "@scope/two": "2", three: "3" } },
    "node_modules/@scope/two": { version: "2.0.0", license: "ISC", integrity },
    "node_modules/three": { version: "4.0.0", license: "MIT", integrity },
    "node_modules/one/node_modules/three": { version: "3.0.0", license: "MIT", integrity },
    "node_modules/tool": { version: "1.0.0", license: "MIT", integrity, dev: true },
  },
};
const CONTENTS: Contents = {
  version: "0.1.0",
  bundled: ["node_modules/one", "node_modules/@scope/two", "node_modules/one/node_modules/three"],
  node: { version: "24.0.0", sha256: "ab".repeat(32) },
  base: [{ name: "libc6", version: "2.36-9+deb12u14", architecture: "amd64", sha256: "cd".repeat(32) }],
  epoch: 1_700_000_000,
};

test("a bundled package is listed with the version, licence and hash of the lock; one that is locked and not bundled is not", () => {
  const { components } = sbomOf(LOCK, CONTENTS);
  expect(components.map(({ purl }) => purl)).toEqual([
    "pkg:npm/%40scope/two@2.0.0",
    "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64",
    "pkg:generic/node@24.0.0",
    "pkg:npm/one@1.0.0",
    "pkg:npm/three@3.0.0",
  ]);
  expect(components[0]).toMatchObject({
    name: "@scope/two",
    hashes: [{ alg: "SHA-512", content: "07".repeat(64) }],
    licenses: [{ license: { id: "ISC" } }],
  });
});

test("what a package needs is the one that Node would find for it: three 3.0.0 below one, not three 4.0.0 beside it", () => {
  const { dependencies } = sbomOf(LOCK, CONTENTS);
  expect(dependencies.find(({ ref }) => ref === "one@1.0.0")?.dependsOn).toEqual(["@scope/two@2.0.0", "three@3.0.0"]);
  expect(dependencies.find(({ ref }) => ref === "three@3.0.0")?.dependsOn).toEqual([]);
});

test("the same contents are the same list, its name included; another version of anything is another name", () => {
  const list = sbomOf(LOCK, CONTENTS);
  expect(sbomOf(LOCK, CONTENTS)).toEqual(list);
  expect(list.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(list.metadata.timestamp).toBe("2023-11-14T22:13:20.000Z");
  expect(sbomOf(LOCK, { ...CONTENTS, node: { ...CONTENTS.node, version: "24.0.1" } }).serialNumber).not.toBe(list.serialNumber);
});

test("a package in the bundle that the lock does not have, or has for development alone, is refused in words", () => {
  const bundle = (folder: string) => () => sbomOf(LOCK, { ...CONTENTS, bundled: [folder] });
  expect(bundle("node_modules/tool")).toThrow(
    "Something of node_modules/tool is in the bundle, and package-lock.json has it for development alone: name it in dependencies of package.json.",
  );
  expect(bundle("node_modules/none")).toThrow("package-lock.json does not have it");
});
