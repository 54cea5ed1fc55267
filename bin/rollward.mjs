#!/usr/bin/env node
// The command `rollward`. In a checkout it runs the sources, with the Node and the packages that the bootstrap makes sure of;
// in the published package, which has no sources, it runs the bundle.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, "src", "main.ts");
const bundle = join(root, "dist", "rollward.mjs");

if (existsSync(source)) {
  const { bootstrap, exitWith } = await import("../tools/bootstrap.mjs");
  await exitWith(() => bootstrap([source, ...process.argv.slice(2)], root));
} else if (existsSync(bundle)) {
  await import(pathToFileURL(bundle).href);
} else {
  process.stderr.write(`Neither ${source} nor ${bundle} exists: this copy of rollward is not whole. Install it again.\n`);
  process.exitCode = 1;
}
