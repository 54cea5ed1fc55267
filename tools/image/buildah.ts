// buildah with a store of its own: what it builds is seen by nobody else, and gone with the folder.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ImageTools } from "./install.ts";

const run = promisify(execFile);
/** Where it notes, whatever its own settings say, which layer it has pushed where. */
const NOTES = "/var/lib/containers";

export class Buildah {
  readonly #tools: ImageTools;
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;

  /** `folder` is to be removed by whoever made it. */
  constructor(tools: ImageTools, folder: string) {
    this.#tools = tools;
    this.#folder = folder;
    const files = {
      "storage.conf": `[storage]\ndriver = "vfs"\ngraphroot = "${folder}/store"\nrunroot = "${folder}/run"\n`,
      // Nothing is fetched, so there is nothing whose signature could be asked for, and no registry to ask.
      "policy.json": '{"default": [{"type": "insecureAcceptAnything"}]}',
      "registries.conf": "unqualified-search-registries = []\n",
    };
    mkdirSync(join(folder, "tmp"), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    this.#env = {
      PATH: process.env["PATH"],
      ...tools.buildah.env,
      HOME: folder,
      TMPDIR: join(folder, "tmp"),
      CONTAINERS_STORAGE_CONF: join(folder, "storage.conf"),
      CONTAINERS_REGISTRIES_CONF: join(folder, "registries.conf"),
    };
  }

  async version(): Promise<string> {
    return /version (\S+)/.exec((await this.#run("--version")).stdout)?.[1] ?? "unknown";
  }

  /**
   * Builds `dockerfile` over `context` as the local image `name`, all its times being `epoch` (seconds); answers with its manifest's
   * digest in the store. No step may run a program, so nothing of the machine is seen by what is built, the network least of all.
   */
  async build(name: string, dockerfile: string, context: string, epoch: number, flags: readonly string[] = []): Promise<string> {
    const always = ["--isolation=chroot", "--pull-never", "--identity-label=false", `--timestamp=${epoch}`, ...this.#policy];
    await this.#run("bud", ...always, ...flags, "--file", dockerfile, "--tag", name, context);
    const { stdout } = await this.#run("images", "--format", "{{.Digest}}", name);
    return stdout.trim();
  }

  /** Writes an image as a folder in the OCI layout, its layers compressed. */
  async write(name: string, layout: string): Promise<void> {
    const noted = existsSync(NOTES);
    try {
      await this.#run("push", ...this.#policy, name, `oci:${layout}:${name.split("/").at(-1)}`);
    } finally {
      if (!noted) rmSync(NOTES, { recursive: true, force: true });
    }
  }

  get #policy(): readonly string[] {
    return ["--signature-policy", join(this.#folder, "policy.json")];
  }

  #run(...args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
    return run(this.#tools.buildah.path, args, { env: this.#env, cwd: this.#folder, maxBuffer: 16_000_000 });
  }
}
