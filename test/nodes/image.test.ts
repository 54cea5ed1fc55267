import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VERSION } from "../../src/composition/version.ts";
import { freePorts } from "../../tools/control-plane/ports.ts";
import { ensureImageTools, findImageTools, whyNoImage } from "../../tools/image/install.ts";
import { type MadeImage, makeImage } from "../../tools/image/make.ts";
import { sha256 } from "../../tools/image/provenance.ts";
import type { Bom } from "../../tools/image/sbom.ts";
import { describeWithNodes } from "./available.ts";

interface Descriptor {
  readonly digest: string;
  readonly size: number;
}
interface Config {
  readonly created: string;
  readonly config: { readonly User: string; readonly Entrypoint: string[]; readonly Cmd: string[]; readonly Env: string[] };
}

const json = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));

/** What a runtime does for a container with a read-only root, as far as a program can tell: nothing to write, and a user without rights. */
const CONTAINER = `mount --bind "$ROOT" "$ROOT"
mount --rbind /proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
mount -o remount,bind,ro "$ROOT"
exec chroot --userspec=65532:65532 "$ROOT" "$@"`;

const describeWithImage = (name: string, tests: () => void): void => {
  if (findImageTools() !== undefined) describeWithNodes(name, tests);
  else describe.skip(`${name} (${whyNoImage() ?? "what it is built with is not here: npm test fetches it"})`, tests);
};

/** What it takes where nothing is in its way: of a few runs on a machine that does other work one is not held up. */
const isWithinASecond = (milliseconds: number): boolean => milliseconds < 1_000;

describeWithImage("[T4] the image", () => {
  let folder: string;
  let first: MadeImage;
  let root: string;

  const blob = (layout: string, { digest }: Descriptor): string => join(layout, "blobs", digest.replace(":", "/"));
  const manifest = (layout: string) => {
    const index = json(join(layout, "index.json")) as { manifests: [Descriptor] };
    return json(blob(layout, index.manifests[0])) as { config: Descriptor; layers: Descriptor[] };
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "rollward-image-test-"));
    first = await makeImage(join(folder, "first"), await ensureImageTools());
    root = join(folder, "root");
    mkdirSync(root);
    for (const layer of manifest(first.layout).layers) execFileSync("tar", ["-xzf", blob(first.layout, layer), "-C", root]);
    // A runtime makes these in every container.
    for (const name of ["proc", "dev"]) mkdirSync(join(root, name), { recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Starts the image's entry point with these arguments, as a container would. */
  const start = (...args: readonly string[]) => {
    const { config } = json(blob(first.layout, manifest(first.layout).config)) as Config;
    const env = {
      PATH: process.env["PATH"],
      ROOT: root,
      ...Object.fromEntries(config.Env.map((line) => line.split(/=(.*)/s).slice(0, 2))),
    };
    // Each execs the next: the process that is started here is Node itself in the end, and ends when it is told to.
    const command = ["--propagation", "private", "-m", "sh", "-ec", CONTAINER, "sh", ...config.Entrypoint, ...args];
    return spawn("unshare", command, { env, cwd: "/", stdio: ["ignore", "pipe", "pipe"] });
  };
  const outputOf = async (...args: readonly string[]): Promise<string> => {
    const child = start(...args);
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    await once(child, "close");
    return text;
  };

  it("two builds of the same sources are one digest, with the same list of contents and the same statement of where it comes from", async () => {
    const second = await makeImage(join(folder, "second"), await ensureImageTools());
    expect(second.digest).toBe(first.digest);
    for (const file of ["sbom", "provenance"] as const) expect(readFileSync(second[file], "utf8")).toBe(readFileSync(first[file], "utf8"));
    rmSync(join(folder, "second"), { recursive: true });
  });

  it("another SOURCE_DATE_EPOCH is another digest, and is when it says it was created", async () => {
    const later = await makeImage(join(folder, "later"), await ensureImageTools(), 1_700_000_000);
    expect(later.digest).not.toBe(first.digest);
    expect(json(blob(later.layout, manifest(later.layout).config))).toMatchObject({ created: "2023-11-14T22:13:20Z" });
    rmSync(join(folder, "later"), { recursive: true });
  });

  it("it is Node, the program and what Node is linked to, 60 MB to fetch at most: no shell, no package manager, nothing that others may write", () => {
    expect(first.compressed).toBeLessThan(60_000_000);
    const files = globSync("**/*", { cwd: root }).filter((name) => !/^(proc|dev)(\/|$)/.test(name));
    const programs = files.filter((name) => /(^|\/)s?bin\//.test(name));
    expect(programs).toEqual(["usr/local/bin/node"]);
    expect(files.filter((name) => name.endsWith(".map"))).toEqual([]);
    const writable = files.filter(
      (name) => !lstatSync(join(root, name)).isSymbolicLink() && (lstatSync(join(root, name)).mode & 0o022) !== 0,
    );
    expect(writable).toEqual([]);
    const special = files.filter((name) => (lstatSync(join(root, name)).mode & 0o6000) !== 0);
    expect(special).toEqual([]);
  });

  it("it starts on a read-only root as nobody in particular, and says its version within 1 s", async () => {
    const times: number[] = [];
    for (let run = 0; run < 8 && !times.some(isWithinASecond); run++) {
      const began = performance.now();
      expect(await outputOf("--version")).toBe(`${VERSION}\n`);
      times.push(performance.now() - began);
    }
    expect(times.some(isWithinASecond), `milliseconds: ${times.join(", ")}`).toBe(true);
  });

  it("the operator in it answers /livez within 1 s of its start, though no API server answers it", async () => {
    const [port = 0, nobody = 0] = await freePorts(2);
    const kubeconfig = {
      clusters: [{ name: "c", cluster: { server: `https://127.0.0.1:${nobody}` } }],
      users: [{ name: "u", user: { token: "t" } }],
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
      "current-context": "c",
    };
    writeFileSync(join(root, "kubeconfig"), JSON.stringify(kubeconfig), { mode: 0o644 });
    const times: number[] = [];
    for (let run = 0; run < 8 && !times.some(isWithinASecond); run++) {
      const began = performance.now();
      const child = start("run", "--kubeconfig=/kubeconfig", `--metrics-address=127.0.0.1:${port}`);
      let log = "";
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (chunk: string) => (log += chunk));
      for (;;) {
        const answer = await fetch(`http://127.0.0.1:${port}/livez`).catch(() => undefined);
        if (answer?.status === 200) break;
        if (child.exitCode !== null || performance.now() - began > 20_000) throw new Error(`no /livez: ${log}`);
        await sleep(10);
      }
      times.push(performance.now() - began);
      child.kill("SIGKILL");
      await once(child, "close");
    }
    expect(times.some(isWithinASecond), `milliseconds: ${times.join(", ")}`).toBe(true);
  });

  it("its list of contents names Node, each library of the base, and every package of the bundle with licence and hash, and nothing for development", () => {
    const bom = json(first.sbom) as Bom;
    expect(bom).toMatchObject({ bomFormat: "CycloneDX", metadata: { component: { name: "rollward", version: VERSION } } });
    const names = bom.components.map(({ name }) => name);
    for (const name of ["node", "libc6", "libstdc++6", "@kubernetes/client-node", "undici", "zod"]) expect(names).toContain(name);
    for (const name of ["vitest", "typescript", "rolldown"]) expect(names).not.toContain(name);
    for (const { name, purl, hashes, licenses } of bom.components) {
      expect([name, hashes[0]?.content]).toEqual([name, expect.stringMatching(/^[0-9a-f]{64,128}$/)]);
      if (!purl.startsWith("pkg:deb/")) expect([name, licenses?.length]).toEqual([name, 1]);
    }
    const refs = new Set(bom.components.map((component) => component["bom-ref"]));
    expect(bom.dependencies.flatMap(({ dependsOn }) => dependsOn).filter((ref) => !refs.has(ref))).toEqual([]);
  });

  it("its provenance names the image's digest, that of its base, of Node and of the list of contents", () => {
    const statement = json(first.provenance) as {
      subject: [{ digest: { sha256: string } }];
      predicate: {
        buildDefinition: { resolvedDependencies: { name: string; digest: { sha256: string } }[] };
        runDetails: { byproducts: unknown[] };
      };
    };
    expect(`sha256:${statement.subject[0].digest.sha256}`).toBe(first.digest);
    const digests = new Map(
      statement.predicate.buildDefinition.resolvedDependencies.map(({ name, digest }) => [name, digest.sha256] as const),
    );
    expect(digests.get("node")).toBe(sha256(readFileSync(join(root, "usr/local/bin/node"))));
    expect([...digests.keys()]).toEqual(expect.arrayContaining(["sources", "package-lock.json", "RUNTIME_BASE", "libc6"]));
    expect(statement.predicate.runDetails.byproducts).toEqual([
      { name: "sbom.cdx.json", digest: { sha256: sha256(readFileSync(first.sbom)) } },
    ]);
  });
});
