// npm run build: one program in dist/ that needs Node and nothing else: dist/rollward.mjs with the commands, and dist/chunks/ with
// what only some of them load. Prints the sizes. `--out FOLDER` writes elsewhere.
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type OutputChunk, type Plugin, rolldown } from "rolldown";

const ROOT = join(import.meta.dirname, "..");
const ENTRY = join(ROOT, "src/main.ts");
/** The thread in which the operator looks ahead; a file of its own beside the program. */
const WORKER = join(ROOT, "src/composition/forecast-worker.ts");
export const DIST = join(ROOT, "dist");

/** What is for development only, and would double the size without a word if somebody imported it from the operator. */
const NEVER_BUNDLED = [/\/tools\//, /\/test\//, /\/bench\//, /\.test\.ts$/, /node_modules\/(vitest|fast-check|rolldown|typescript)\//];

/**
 * The client library does not say that its modules do nothing when they are only loaded. They do not: without this a megabyte of
 * generated API classes stays in, of which only the reading of kubeconfig files is used.
 */
const NO_SIDE_EFFECTS = /node_modules\/@kubernetes\/client-node\//;

/**
 * The part of undici that is used, instead of its index: that loads a browser's fetch, WebSockets, caches and test doubles besides,
 * which cost 12 MB of resident memory and are never called. What is wanted of it and not given here fails the build.
 */
const UNDICI = `
import Agent from "undici/lib/dispatcher/agent.js";
import api from "undici/lib/api/index.js";
import Client from "undici/lib/dispatcher/client.js";
import Dispatcher from "undici/lib/dispatcher/dispatcher.js";
import ProxyAgent from "undici/lib/dispatcher/proxy-agent.js";
Object.assign(Dispatcher.prototype, api);
export function request(url, { dispatcher, ...options }) {
  const { origin, pathname, search } = new URL(url);
  return dispatcher.request({ method: "GET", ...options, origin, path: pathname + search });
}
// Only the client library's generated API classes would call it, and nobody calls these.
export const fetch = () => { throw new Error("fetch of undici is not part of this program"); };
export { Agent, Client, ProxyAgent };
`;

const slimUndici: Plugin = {
  name: "slim-undici",
  resolveId: { filter: { id: /^undici$/ }, handler: () => ({ id: join(ROOT, "node_modules/undici/slim.mjs"), moduleSideEffects: true }) },
  load: { filter: { id: /undici\/slim\.mjs$/ }, handler: () => UNDICI },
};

/**
 * node:http is asked for by require, not by import: an import evaluates every property of it, and three of these are lazy and bring
 * up Node's WebSockets, with its own fetch and HTTP/2: 14 MB of resident memory for nothing.
 */
const lazyHttp: Plugin = {
  name: "lazy-http",
  resolveId: {
    filter: { id: /^(node:)?http$/ },
    handler: (_, __, { kind }) => (kind === "import-statement" ? { id: "\0lazy-http.cjs" } : undefined),
  },
  load: { filter: { id: /lazy-http\.cjs$/ }, handler: () => `module.exports = process.getBuiltinModule("node:http");` },
};

/**
 * How the program is run, for 30 MB of resident memory. By default V8 lets the young generation grow to 48 MB before it looks for
 * garbage, and an operator that does little makes just enough of it to get there. And it compiles undici's HTTP parser, which is
 * WebAssembly, a second time with much memory that it never gives back; calls are no slower without.
 */
export const NODE_FLAGS = ["--max-semi-space-size=2", "--liftoff-only"];

export interface Built {
  /** The program; the folder `chunks` beside it belongs to it. */
  readonly program: string;
  /** Bytes by file, relative to the folder, source maps left out. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Bytes by package ("rollward" for our own), the largest first. */
  readonly byPackage: readonly (readonly [string, number])[];
  /** The folders of the packages of which something is inside, as package-lock.json names them: node_modules/NAME. */
  readonly packages: readonly string[];
}

/** Bundles the operator and its command line into `folder`. Throws when something that is for development only would be in it. */
export async function build(folder: string, { sourceMaps = true }: { readonly sourceMaps?: boolean } = {}): Promise<Built> {
  const bundle = await rolldown({
    input: { rollward: ENTRY, "forecast-worker": WORKER },
    platform: "node",
    plugins: [slimUndici, lazyHttp],
    treeshake: { moduleSideEffects: [{ test: NO_SIDE_EFFECTS, sideEffects: false }] },
  });
  rmSync(folder, { recursive: true, force: true });
  const { output } = await bundle.write({
    dir: folder,
    format: "esm",
    entryFileNames: "[name].mjs",
    chunkFileNames: "chunks/[name]-[hash].mjs",
    sourcemap: sourceMaps,
    // One character beyond Latin-1 makes V8 keep the whole text of a file with two bytes a character.
    charset: "ascii",
    // Names stay as they are written: a stack that somebody sends us must be readable.
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
    keepNames: true,
  });
  await bundle.close();
  const chunks = output.filter((file) => file.type === "chunk");
  refuseForeign(chunks);
  const program = join(folder, "rollward.mjs");
  chmodSync(program, 0o755);
  const [first = "", ...lines] = readFileSync(program, "utf8").split("\n");
  if (!first.startsWith("#!")) throw new Error(`${program} does not begin with the #! line of ${relative(ROOT, ENTRY)}`);
  writeFileSync(program, [`#!/usr/bin/env -S node ${NODE_FLAGS.join(" ")}`, ...lines].join("\n"));
  const sizes = new Map(chunks.map((chunk) => [chunk.fileName, Buffer.byteLength(chunk.code)]));
  return { program, sizes, byPackage: packagesOf(chunks), packages: foldersOf(chunks) };
}

function refuseForeign(chunks: readonly OutputChunk[]): void {
  const inside = chunks.flatMap((chunk) => Object.keys(chunk.modules));
  const foreign = inside.filter((id) => NEVER_BUNDLED.some((pattern) => pattern.test(relative(ROOT, id).replace(/^/, "/"))));
  if (foreign.length === 0) return;
  throw new Error(`the bundle would contain ${foreign.map((id) => relative(ROOT, id)).join(", ")}; src/ must not import it`);
}

function packagesOf(chunks: readonly OutputChunk[]): (readonly [string, number])[] {
  const bytes = new Map<string, number>();
  for (const chunk of chunks) {
    for (const [id, module] of Object.entries(chunk.modules)) {
      const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id)?.[1] ?? "rollward";
      bytes.set(name, (bytes.get(name) ?? 0) + module.renderedLength);
    }
  }
  return [...bytes].sort(([, one], [, other]) => other - one);
}

function foldersOf(chunks: readonly OutputChunk[]): string[] {
  const inside = chunks.flatMap((chunk) => Object.entries(chunk.modules).filter(([, module]) => module.renderedLength > 0));
  const folders = inside.flatMap(([id]) => /node_modules\/(?:.*node_modules\/)?(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []);
  return [...new Set(folders)].toSorted();
}

const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(0).padStart(7)} kB`;

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: "string", default: DIST } } });
  const { program, sizes, byPackage } = await build(resolve(values.out));
  for (const [file, bytes] of sizes) console.log(`${kilobytes(bytes)}  ${file}`);
  console.log(`${kilobytes([...sizes.values()].reduce((sum, bytes) => sum + bytes, 0))}  in all, as ${relative(process.cwd(), program)}`);
  console.log(
    `before compression: ${byPackage
      .slice(0, 8)
      .map(([name, bytes]) => `${name} ${kilobytes(bytes).trim()}`)
      .join(", ")}`,
  );
}
