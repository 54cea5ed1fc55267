import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LONG_FILES, LONG_FUNCTIONS, LONGEST_FILE, LONGEST_FUNCTION } from "./architecture/exceptions.ts";
import { type Layer, LAYERS, ROOT } from "./architecture/layers.ts";
import { type Import, type SourceFile, sourceFile, sourceFiles } from "./architecture/source-file.ts";

const files = sourceFiles();
const product = files.filter((file) => !file.isTest);

const covers = (paths: readonly string[], path: string): boolean =>
  paths.some((one) => (one.endsWith("/") ? path.startsWith(one) : path === one));
const layerOf = (path: string): Layer | undefined => LAYERS.find((layer) => covers(layer.covers, path));

const IMPORTS = { value: "imports", type: "imports types of", dynamic: "loads" } as const;

/** One sentence for each import that its layer does not allow. */
function forbiddenImports(file: SourceFile): string[] {
  const layer = layerOf(file.path);
  if (layer === undefined) return [`src/${file.path} is in no layer; add it to test/architecture/layers.ts, and say what it may import`];
  return file.imports
    .filter((imported) => !mayImport(layer, imported))
    .map((imported) => {
      const named = imported.isPackage || !/^[a-z]+[./]/.test(imported.target) ? imported.target : `src/${imported.target}`;
      return `src/${file.path}:${imported.line} ${IMPORTS[imported.how]} ${named}, but ${layer.rule}`;
    });
}

function mayImport(layer: Layer, { target, isPackage, how }: Import): boolean {
  if (isPackage) return layer.packages.includes(target) || (target.startsWith("node:") && layer.packages.includes("node:*"));
  if (/\.(test|examples)\.ts$/.test(target)) return false;
  const allowed = [
    ...layer.covers,
    ...layer.imports,
    ...(how === "type" ? (layer.types ?? []) : []),
    ...(how === "value" ? [] : (layer.loads ?? [])),
  ];
  return covers(allowed, target);
}

describe("imports", () => {
  it("every file imports only what its layer may", () => {
    expect(product.flatMap(forbiddenImports)).toEqual([]);
  });

  it("nobody imports src/main.ts: it runs when it is loaded", () => {
    const importers = files.filter((file) => file.imports.some((imported) => imported.target === ROOT));
    expect(importers.map((file) => `src/${file.path} imports src/${ROOT}`)).toEqual([]);
  });

  it("every layer that is spoken of exists", () => {
    const paths = LAYERS.flatMap((layer) => layer.covers);
    const missing = paths.filter((path) => !files.some((file) => covers([path], file.path)));
    expect(missing.map((path) => `src/${path} has no file; take it out of test/architecture/layers.ts`)).toEqual([]);
  });

  it.each([
    ["core/pop-cluster/x.ts", 'import { grants } from "../fleet/grants.ts";', "never another kind"],
    ["core/window/x.ts", 'import { DateTime } from "luxon";', "stands beside core/health"],
    ["core/fleet/x.ts", 'import type { Cluster } from "../../control/ports.ts";', "never another kind"],
    ["runtime/x.ts", 'export * from "../api/common.ts";', "what any operator needs"],
    ["kubernetes/x.ts", 'import { decide } from "../core/pop-cluster/decide.ts";', "knows no decision"],
    ["simulation/x.ts", 'const { Transport } = await import("../kubernetes/transport.ts");', "never an adapter"],
    ["simulation/nodes/main.ts", 'import { Transport } from "../../kubernetes/transport.ts";', "only when they are started"],
    ["cli/x.ts", 'import { viewOf } from "../core/pop-cluster/view.ts";', "main hands it the adapters"],
    ["api/x.ts", 'type Now = import("../core/decision.ts").Instant;', "nothing of ours"],
    ["control/x.ts", 'import { grants } from "../core/fleet/fleet.examples.ts";', "through its own ports"],
    ["control/x.ts", "const adapter = await import(`../${name}.ts`);", "through its own ports"],
    ["elsewhere/x.ts", "export const answer = 42;", "is in no layer"],
  ])("finds the wrong import in %s: %s", (path, text, words) => {
    const [sentence, ...others] = forbiddenImports(sourceFile(path, text));
    expect(sentence).toContain(words);
    expect(others).toEqual([]);
  });
});

describe("src/core is pure", () => {
  const impurities = (file: SourceFile): string[] =>
    file.impurities.map(
      ({ text, line }) =>
        `src/${file.path}:${line} uses ${text}; core is given the time, and what it cannot know stands in the observation`,
    );

  it("it names no current time, chance, promise, process, console or timer", () => {
    expect(product.filter((file) => file.path.startsWith("core/")).flatMap(impurities)).toEqual([]);
  });

  it.each([
    "const now = Date.now();",
    "const now = new Date();",
    "const now = Date();",
    "const now = DateTime.now();",
    "const pick = Math.random();",
    "async function later() {}",
    "const later = async () => {};",
    "let later: Promise<void>;",
    "const none = Promise.resolve();",
    "console.log(1);",
    "const zone = process.env.TZ;",
    "setTimeout(() => {}, 5);",
    'const more = import("./more.ts");',
  ])("finds the impurity in: %s", (text) => {
    expect(impurities(sourceFile("core/x.ts", text))).toHaveLength(1);
  });

  it("takes a date made of an instant for what it is", () => {
    expect(impurities(sourceFile("core/x.ts", "const text = new Date(now).toISOString(); const at = Date.parse(text);"))).toEqual([]);
  });
});

describe("sizes", () => {
  const tooLong = (what: string, lines: number, limit: number, excepted: number | undefined): string[] => {
    if (lines <= limit) return excepted === undefined ? [] : [`${what} has ${lines} lines and needs no exception any more; take it out`];
    if (excepted === undefined) return [`${what} has ${lines} lines, more than ${limit}; split it by what it is about`];
    return lines > excepted ? [`${what} has ${lines} lines, more than the ${excepted} of its exception; exceptions only shrink`] : [];
  };

  it(`no file has more than ${LONGEST_FILE} lines`, () => {
    const gone = Object.keys(LONG_FILES).filter((path) => !files.some((file) => file.path === path));
    expect(gone, "exceptions for files that do not exist").toEqual([]);
    expect(files.flatMap((file) => tooLong(`src/${file.path}`, file.lines, LONGEST_FILE, LONG_FILES[file.path]))).toEqual([]);
  });

  it(`no function has more than ${LONGEST_FUNCTION} lines`, () => {
    const named = product.flatMap((file) => file.functions.map((one) => ({ ...one, key: `${file.path} ${one.name}`, file })));
    const gone = Object.keys(LONG_FUNCTIONS).filter((key) => !named.some((one) => one.key === key));
    expect(gone, "exceptions for functions that do not exist").toEqual([]);
    const sentences = named.flatMap((one) =>
      tooLong(`${one.name} in src/${one.file.path}:${one.line}`, one.lines, LONGEST_FUNCTION, LONG_FUNCTIONS[one.key]),
    );
    expect(sentences).toEqual([]);
  });
});

describe("words", () => {
  it("a file is named for the one thing it holds", () => {
    const empty = /(^|[/.-])(utils?|helpers?|managers?|handlers?|handle|data|misc|common-utils)(?=[.-]|\.ts$)/;
    const vague = files.filter((file) =>
      empty.test(
        file.path
          .split("/")
          .at(-1)!
          .replace(/data-plane/, ""),
      ),
    );
    expect(vague.map((file) => `src/${file.path} is named for nothing; name it for what it holds`)).toEqual([]);
  });

  it("no comment puts work off", () => {
    const putOff = files.flatMap((file) =>
      file.comments
        .filter(({ text }) => /\b(TODO|FIXME|XXX|HACK)\b/.test(text))
        .map(({ line }) => `src/${file.path}:${line} puts work off; do it, or say what is not built`),
    );
    expect(putOff).toEqual([]);
  });
});

describe("src/core/RULES.md", () => {
  const root = join(import.meta.dirname, "..");
  const text = readFileSync(join(root, "src", "core", "RULES.md"), "utf8");
  const listed = new Set(text.split("\n").flatMap((line) => /^\| ((?:[GWPVFSCI]|L)\d+[ab]?) \|/.exec(line)?.[1] ?? []));

  it("holds every rule that the code cites", () => {
    const cited = product.flatMap((file) => {
      const source = readFileSync(join(root, "src", file.path), "utf8");
      const holds = source.matchAll(/\brule: "([A-Z]\d+[ab]?)"/g);
      const words = source.matchAll(/\brules? ([GWPVFSCI]\d+[ab]?)\b/g);
      return [...holds, ...words].map(([, id]) => ({ id: id!, path: file.path }));
    });
    expect(cited.length).toBeGreaterThan(100);
    const unknown = cited.filter(({ id }) => !listed.has(id));
    expect(unknown.map(({ id, path }) => `src/${path} cites rule ${id}, which RULES.md does not have`)).toEqual([]);
  });

  it("names only files that exist", () => {
    const quoted = [...text.matchAll(/`((?:core|api|control|runtime|kubernetes|test)\/[^`*]+\.ts)`/g)].map(([, path]) => path!);
    const named = quoted.flatMap((path) => {
      const [, before = "", list = "", after = ""] = /^(.*)\{(.*)\}(.*)$/.exec(path) ?? [];
      return list === "" ? [path] : list.split(",").map((one) => `${before}${one}${after}`);
    });
    expect(named.length).toBeGreaterThan(60);
    expect(named.filter((path) => !existsSync(join(root, path.startsWith("test/") ? "" : "src", path)))).toEqual([]);
  });
});
