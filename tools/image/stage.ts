// What the first stage of the Dockerfile makes, made here: the program, Node, and the licence, each with the modes that they have in the
// image. The Dockerfile's last stage takes it from there, whoever made it.
import { chmodSync, copyFileSync, globSync, lstatSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { build, type Built } from "../build.ts";
import { ROOT } from "../control-plane/versions.ts";

/** Fills `folder` as the stage `build` fills its /out; the program's Node is the one that runs this. */
export async function stage(folder: string): Promise<Built> {
  mkdirSync(folder, { recursive: true });
  const built = await build(join(folder, "app"), { sourceMaps: false });
  copyFileSync(process.execPath, join(folder, "node"));
  copyFileSync(join(ROOT, "LICENSE"), join(folder, "LICENSE"));
  // Whatever the umask of whoever builds: everybody may read all of it, and nobody writes.
  for (const name of globSync("**/*", { cwd: folder })) {
    const path = join(folder, name);
    chmodSync(path, lstatSync(path).isDirectory() || name === "node" || path === built.program ? 0o755 : 0o644);
  }
  return built;
}
