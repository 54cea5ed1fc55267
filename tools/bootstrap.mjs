// Makes any command of the project work on a fresh clone, on any Node >= 18: fetches the Node that the project needs, installs
// the packages of package-lock.json, then runs the command with both.
//
//   node tools/bootstrap.mjs FILE [ARGS…]        run a file of the project
//   node tools/bootstrap.mjs --bin NAME [ARGS…]  run a command of a package (tsc, oxlint, …) or of the PATH (npm)
//
// Plain JavaScript without a dependency, because nothing is installed when it starts. It says one line for each thing that
// it does, on stderr (stdout belongs to the command), and is silent when nothing is to be done.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { withLock } from "./folder-lock.mjs";

const LEAST_NODE = [24, 11];
export const PINNED_NODE = "24.21.0";
/** The platforms for which npm carries Node as a package without an install script. */
const NODE_PACKAGES = ["linux-x64", "linux-arm64", "linux-ppc64le", "linux-s390x", "darwin-x64", "darwin-arm64"];

/** @typedef {{kind: "running"} | {kind: "cached", node: string} | {kind: "install", name: string, node: string}} NodeChoice */

/** A reason to stop that the user can act on; printed without a stack. */
export class BootstrapRefused extends Error {}

/**
 * Which Node will run the command: the running one if new enough, the cached one, or one to be installed.
 * @param {string} root the checkout
 * @param {{version: string, platform: string, arch: string}} running
 * @returns {NodeChoice}
 */
export function chooseNode(root, running) {
  if (isNewEnough(running.version)) return { kind: "running" };
  const target = `${running.platform}-${running.arch}`;
  if (!NODE_PACKAGES.includes(target)) {
    throw new BootstrapRefused(
      `This is Node ${running.version} on ${target}; the project needs Node ${LEAST_NODE.join(".")} or newer, and npm carries no Node ` +
        `for ${target}. Install Node ${PINNED_NODE} from nodejs.org or your distribution and run the command again.`,
    );
  }
  const name = `node-${target}`;
  const node = join(nodeFolder(root), "node_modules", name, "bin", "node");
  const whole = readOr(nodeStamp(root), "") === `${name}@${PINNED_NODE}` && existsSync(node);
  return whole ? { kind: "cached", node } : { kind: "install", name, node };
}

/**
 * Whether node_modules has to be installed: "nothing" when the stamp holds the lock's hash, "stamp" when npm itself left a whole
 * installation of this lock (somebody ran npm), "install" otherwise.
 * @param {string} root
 * @returns {"nothing" | "stamp" | "install"}
 */
export function choosePackages(root) {
  if (readOr(packagesStamp(root), "") === lockHash(root)) return "nothing";
  const lock = readJson(join(root, "package-lock.json"));
  const installed = readJson(join(root, "node_modules", ".package-lock.json"));
  return installed !== undefined && holdsAll(lock, installed) ? "stamp" : "install";
}

/** @param {string} version */
function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [leastMajor = 0, leastMinor = 0] = LEAST_NODE;
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

/**
 * npm writes node_modules/.package-lock.json after everything else, so what it lists is there. Packages for other platforms
 * are optional and may be missing; a version that differs, or a package that the lock does not know, may not be.
 * @param {any} lock
 * @param {any} installed
 */
function holdsAll(lock, installed) {
  const have = installed.packages ?? {};
  const want = lock.packages ?? {};
  const allThere = Object.entries(want).every(
    ([path, entry]) => path === "" || (have[path] === undefined ? entry.optional === true : have[path].version === entry.version),
  );
  return allThere && Object.keys(have).every((path) => want[path] !== undefined);
}

/**
 * Installs what is missing, and answers with the Node to use.
 * @param {string} root
 * @returns {Promise<string>}
 */
async function prepare(root) {
  let choice = chooseNode(root, runningNode());
  if (choice.kind === "install" || choosePackages(root) !== "nothing") {
    await withLock(join(root, ".cache", "bootstrap.lock"), sayWaiting, async () => {
      // Asked again under the lock: whoever held it may have installed everything.
      choice = chooseNode(root, runningNode());
      if (choice.kind === "install") await installNode(root, choice);
      const packages = choosePackages(root);
      if (packages === "install") await installPackages(root, nodePath(choice));
      if (packages !== "nothing") writeFileSync(packagesStamp(root), lockHash(root));
    });
  }
  return nodePath(choice);
}

/**
 * @param {string} root
 * @param {{name: string, node: string}} choice
 */
async function installNode(root, choice) {
  say(`Node ${process.versions.node} is older than ${LEAST_NODE.join(".")}: fetching Node ${PINNED_NODE} into .cache/node (about 50 MB) …`);
  mkdirSync(nodeFolder(root), { recursive: true });
  rmSync(nodeStamp(root), { force: true });
  // Without a package.json of its own npm would climb up and install into the project.
  writeFileSync(join(nodeFolder(root), "package.json"), '{"private": true}\n');
  const spec = `${choice.name}@${PINNED_NODE}`;
  await npm(nodeFolder(root), ["install", spec, "--save-exact", "--no-package-lock"], process.env.PATH ?? "");
  await run(choice.node, ["--version"], { stdio: ["ignore", "ignore", "inherit"] }).then((end) => {
    if (end.code !== 0)
      throw new BootstrapRefused(`${choice.node} does not start on this machine. Install Node ${PINNED_NODE} by other means.`);
  });
  writeFileSync(nodeStamp(root), spec);
}

/**
 * @param {string} root
 * @param {string} node
 */
async function installPackages(root, node) {
  say("node_modules does not match package-lock.json: installing the packages …");
  // As `npm ci` does, from nothing: what an interrupted installation left can look whole to npm and is not. `npm ci` itself refuses
  // a lock without the entries of other platforms' optional packages, and a registry that mirrors only some platforms makes
  // such locks; this command takes every version from the lock too, checks it by the lock's integrity, and writes nothing.
  rmSync(packagesStamp(root), { force: true });
  rmSync(join(root, "node_modules"), { recursive: true, force: true });
  await npm(root, ["install", "--no-save"], pathWith(node, root));
}

/**
 * @param {string} folder
 * @param {string[]} args
 * @param {string} path
 */
async function npm(folder, args, path) {
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const end = await run("npm", [...args, ...flags], {
    cwd: folder,
    // An npm that runs us as a script leaves settings of its own in the environment; they would move the prefix.
    env: { ...withoutNpmSettings(process.env), PATH: path },
    stdio: ["ignore", 2, 2],
  });
  if (end.code === 0) return;
  const why = end.failed ?? (end.signal === null ? `it ended with ${end.code}` : `it was ended by ${end.signal}`);
  throw new BootstrapRefused(`npm ${args.join(" ")} in ${folder} failed: ${why}. Nothing half-installed is used; run the command again.`);
}

/** @param {NodeJS.ProcessEnv} env */
function withoutNpmSettings(env) {
  const kept = Object.entries(env).filter(([name]) => !/^npm_(package|lifecycle|config_(local_prefix|prefix))/i.test(name));
  return Object.fromEntries(kept);
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {import("node:child_process").SpawnOptions} options
 * @returns {Promise<{code: number, signal: NodeJS.Signals | null, failed?: string}>}
 */
function run(command, args, options) {
  return new Promise((done) => {
    const child = spawn(command, args, options);
    const stopForwarding = forwardSignals(child);
    child.on("error", (error) => {
      stopForwarding();
      done({ code: 127, signal: null, failed: error.message });
    });
    child.on("exit", (code, signal) => {
      stopForwarding();
      done({ code: code ?? 128 + (signal === null ? 0 : constants.signals[signal]), signal });
    });
  });
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @returns {() => void}
 */
function forwardSignals(child) {
  const pass = (/** @type {NodeJS.Signals} */ signal) => {
    // Ctrl-C reaches every process of the terminal's foreground group: passed on as well, the child would see it twice.
    if (signal === "SIGINT" && inForegroundOfTerminal()) return;
    child.kill(signal);
  };
  const signals = /** @type {NodeJS.Signals[]} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
  for (const signal of signals) process.on(signal, pass);
  return () => {
    for (const signal of signals) process.off(signal, pass);
  };
}

function inForegroundOfTerminal() {
  const stat = readOr("/proc/self/stat", "");
  if (stat === "") return process.stdin.isTTY;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[2] === fields[5]; // our process group is the one in the terminal's foreground
}

/**
 * Installs what is missing and runs a file, or a command with `--bin NAME`, that Node and the packages' commands first on its PATH;
 * resolves with the exit code.
 * @param {string[]} args
 * @param {string} [root]
 * @returns {Promise<number>}
 */
export async function bootstrap(args, root = checkout()) {
  const [first, ...rest] = args;
  if (first === undefined || (first === "--bin" && rest[0] === undefined)) {
    throw new BootstrapRefused("Say what to run: node tools/bootstrap.mjs FILE [ARGS…], or --bin NAME [ARGS…].");
  }
  const node = await prepare(root);
  const [command, commandArgs] =
    first === "--bin" ? [rest[0] ?? "", rest.slice(1)] : [node, [existsSync(resolve(first)) ? resolve(first) : join(root, first), ...rest]];
  const env = { ...process.env, PATH: pathWith(node, root) };
  const end = await run(command, commandArgs, { stdio: "inherit", env });
  if (end.failed !== undefined) throw new BootstrapRefused(`${command} cannot be started: ${end.failed}.`);
  return end.code;
}

/**
 * @param {string} node
 * @param {string} root
 */
function pathWith(node, root) {
  return [dirname(node), join(root, "node_modules", ".bin"), process.env.PATH ?? ""].join(delimiter);
}

/** @param {NodeChoice} choice */
function nodePath(choice) {
  return choice.kind === "running" ? process.execPath : choice.node;
}

function runningNode() {
  return { version: process.versions.node, platform: process.platform, arch: process.arch };
}

/** @param {string} root */
function nodeFolder(root) {
  return join(root, ".cache", "node");
}

/** @param {string} root */
function nodeStamp(root) {
  return join(nodeFolder(root), ".installed");
}

/** @param {string} root */
function packagesStamp(root) {
  return join(root, "node_modules", ".installed-lock-sha256");
}

/** @param {string} root */
function lockHash(root) {
  return createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
}

function checkout() {
  return dirname(dirname(fileURLToPath(import.meta.url)));
}

/**
 * @param {string} path
 * @param {string} otherwise
 */
function readOr(path, otherwise) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return otherwise;
  }
}

/** @param {string} path */
function readJson(path) {
  const text = readOr(path, "");
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined; // cut off in the middle of writing: as good as missing
  }
}

/** @param {string} text */
function say(text) {
  process.stderr.write(`${text}\n`);
}

/** @param {{pid: number}} owner */
function sayWaiting(owner) {
  say(`Process ${owner.pid} is installing the project's packages: waiting for it …`);
}

/**
 * Runs `work` and turns its answer into the exit code of this process.
 * @param {() => Promise<number>} work
 */
export async function exitWith(work) {
  try {
    process.exitCode = await work();
  } catch (error) {
    if (!(error instanceof BootstrapRefused)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await exitWith(() => bootstrap(process.argv.slice(2)));
}
