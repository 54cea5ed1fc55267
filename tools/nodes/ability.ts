// Whether this machine can run real nodes, found out by trying what they need in namespaces that are gone a moment later.
import { execFileSync } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { ROOT } from "../control-plane/versions.ts";
import { isProgram } from "../is-program.ts";
import { ownHierarchies } from "./cgroups.ts";

const PROGRAMS = ["unshare", "nsenter", "setpriv", "mount", "ip"];
/** Namespaces, a mount and a pair of network links: what a node begins with. */
const TRIAL = "mount -t proc proc /proc && mount -t tmpfs tmpfs /run && ip link set lo up && ip link add one type veth peer name two";
/** Where a node has folders of its own in the place of the machine's. */
const COVERED = ["/run/", "/var/lib/"];
const TRIAL_WITHIN_MS = 20_000;

/** Undefined where nodes can run; else why not, as half a sentence: "they need …". */
export function whyNoNodes(): string | undefined {
  if (process.platform !== "linux") return `they need Linux, and this is ${process.platform}`;
  const covered = [ROOT, tmpdir()].find((path) => COVERED.some((folder) => `${path}/`.startsWith(folder)));
  if (covered !== undefined) return `they cover ${COVERED.join(" and ")} with folders of their own, and ${covered} lies there`;
  if (process.getuid?.() !== 0) return "they need root, to make namespaces and mounts of their own";
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const missing = PROGRAMS.filter((name) => !folders.some((folder) => isProgram(join(folder, name))));
  if (missing.length > 0) return `they need ${missing.join(", ")} on the PATH`;
  if (!readFileSync("/proc/filesystems", "utf8").includes("\toverlay\n")) return "they need overlayfs, which this kernel does not have";
  const found = ownHierarchies();
  if (typeof found === "string") return found;
  const closed = found.find(({ own }) => !isWritable(own));
  if (closed !== undefined) return `they need to make cgroups, and ${closed.own} cannot be written`;
  return whyNoNamespaces();
}

function whyNoNamespaces(): string | undefined {
  const args = ["-m", "-n", "-u", "-i", "-p", "-C", "--fork", "--propagation", "private", "sh", "-c", TRIAL];
  try {
    execFileSync("unshare", args, { stdio: ["ignore", "ignore", "pipe"], timeout: TRIAL_WITHIN_MS });
    return undefined;
  } catch (error) {
    const said = String((error as { stderr?: Buffer }).stderr ?? "").trim();
    return `they need namespaces with mounts and network links of their own, and this was refused: ${said || String(error)}`;
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
