// Two builds of Rollward, each by tools/build.ts from a folder of sources of its own: N, and N+1 that follows it.
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../../..");

/** A program as it would be delivered. */
export interface Build {
  readonly version: string;
  /** The path of its `rollward.mjs`. */
  readonly program: string;
  /** What `rollward crds` prints. */
  readonly crds: string;
}

/** One mechanical change of the sources: the line that is found, and what stands behind it (or in its place). */
interface Change {
  readonly file: string;
  readonly at: string;
  readonly then: string;
}

/** The migration of the inventory that only N+1 has. */
export const LATER_MIGRATION = "9998-later-additive";

/**
 * What a following version may bring, as small as it can be: a field of the spec that the controller obeys, fields of two statuses that it
 * writes, a field of the ledger that a node keeps while it is updated, and a step of the ledger that no earlier version knows. A node of a
 * PoP whose `later` is `rest` is not Done when it has soaked but Resting, until a person writes something else.
 */
const LATER: readonly Change[] = [
  {
    file: "src/api/pop-cluster.ts",
    at: "displayName: shortText().optional(),",
    then: "displayName: shortText().optional(), later: z.string().max(64).optional(),",
  },
  {
    file: "src/api/pop-cluster.ts",
    at: "export const popClusterStatus = z.object({",
    then: "export const popClusterStatus = z.object({ later: z.object({ by: z.string().max(64), said: z.string().max(64).optional() }).optional(),",
  },
  {
    file: "src/api/fleet.ts",
    at: "export const fleetStatus = z.object({",
    then: "export const fleetStatus = z.object({ later: z.string().max(64).optional(),",
  },
  {
    file: "src/api/pop-node-status.ts",
    at: "retried: z.int().min(0).optional(),",
    then: "retried: z.int().min(0).optional(), laterClaim: z.string().max(64).optional(),",
  },
  { file: "src/api/pop-node-status.ts", at: `"Soaking", "Done",`, then: `"Soaking", "Resting", "Done",` },
  {
    file: "src/core/pop-cluster/status.ts",
    at: "    ...kept,\n",
    then: "    ...kept,\n    later: { by: 'N+1', ...(view.seen.pop.spec.later === undefined ? {} : { said: view.seen.pop.spec.later }) },\n",
  },
  {
    file: "src/core/fleet/status.ts",
    at: "    observedGeneration: generation,\n",
    then: "    observedGeneration: generation,\n    later: 'N+1',\n",
  },
  {
    file: "src/core/pop-cluster/claim.ts",
    at: "    sequence,\n    ...(counted",
    then: "    sequence,\n    laterClaim: 'N+1',\n    ...(counted",
  },
  {
    file: "src/core/pop-cluster/advance.ts",
    at: "done.push(doneEntry(entry, returns?.p95, now));",
    then: `done.push({ ...doneEntry(entry, returns?.p95, now), ...(entry.laterClaim === undefined ? {} : { laterClaim: entry.laterClaim }),
        ...(view.seen.pop.spec.later === 'rest' ? { step: 'Resting' as const } : {}) });`,
  },
  {
    file: "src/core/pop-cluster/decide.ts",
    at: "  firstSight,\n",
    then: `  firstSight,
  ({ seen: { pop: { spec, status } } }) => spec.later !== 'rest' && status.nodes?.some(({ step }) => step === 'Resting')
    ? { ledger: { ...status, nodes: status.nodes.map((entry) => entry.step === 'Resting' ? { ...entry, step: 'Done' as const } : entry) } }
    : undefined,\n`,
  },
  // A migration that only adds, and a field of three statuses that rule Sockets and Clients.
  {
    file: "src/inventory/migrations.ts",
    at: `"0009-gateway-files": { up: gatewayFiles },`,
    then: `"0009-gateway-files": { up: gatewayFiles },
  "${LATER_MIGRATION}": { up: async (db) => {
    await db.schema.alterTable("command").addColumn("later", "text").execute();
    await db.schema.alterTable("client_device").addColumn("later", "text").execute();
  } },`,
  },
  {
    file: "src/api/socket-site-status.ts",
    at: "export const socketSiteStatus = z.object({",
    then: "export const socketSiteStatus = z.object({ later: z.string().max(64).optional(),",
  },
  {
    file: "src/api/socket-rollout-status.ts",
    at: "export const socketRolloutStatus = z.object({",
    then: "export const socketRolloutStatus = z.object({ later: z.string().max(64).optional(),",
  },
  {
    file: "src/api/client-rollout-status.ts",
    at: "export const clientRolloutStatus = z.object({",
    then: "export const clientRolloutStatus = z.object({ later: z.string().max(64).optional(),",
  },
  { file: "src/core/socket-site/status.ts", at: "    ...ledger,\n", then: "    ...ledger,\n    later: 'N+1',\n" },
  { file: "src/core/socket-rollout/status.ts", at: "    ...ledger,\n", then: "    ...ledger,\n    later: 'N+1',\n" },
  { file: "src/core/client-rollout/status.ts", at: "    ...ledger,\n", then: "    ...ledger,\n    later: 'N+1',\n" },
];

const VERSION_FILE = "src/composition/version.ts";

/** The next minor version, whatever that is. */
function nextOf(version: string): string {
  const [major, minor] = version.split(".").map(Number);
  return `${major}.${minor! + 1}.0`;
}

/**
 * Builds N and N+1 below `folder`. N is the tree as it is; with ROLLWARD_UPGRADE_FROM=COMMIT and that commit in the checkout, N is the
 * commit and N+1 the tree with the changes above. The two have different versions in either case.
 */
export async function twoBuilds(folder: string): Promise<{ readonly n: Build; readonly next: Build }> {
  const commit = process.env["ROLLWARD_UPGRADE_FROM"];
  const before = join(folder, "n");
  const after = join(folder, "next");
  if (commit === undefined) copySources(before);
  else await sourcesOf(commit, before);
  copySources(after);
  const version = versionIn(before);
  const next = nextOf(version);
  for (const { file, at, then } of LATER) change(join(after, file), at, then);
  change(join(after, VERSION_FILE), `"${versionIn(after)}"`, `"${next}"`);
  return { n: await built(before, version), next: await built(after, next) };
}

function copySources(folder: string): void {
  mkdirSync(join(folder, "tools"), { recursive: true });
  cpSync(join(ROOT, "src"), join(folder, "src"), { recursive: true, filter: (path) => !path.endsWith(".test.ts") });
  cpSync(join(ROOT, "tools/build.ts"), join(folder, "tools/build.ts"));
  lendPackages(folder);
}

async function sourcesOf(commit: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const archive = join(folder, "sources.tar");
  await run("git", ["archive", "--output", archive, commit, "src", "tools/build.ts", "package.json"], { cwd: ROOT });
  await run("tar", ["-xf", archive, "-C", folder]);
  lendPackages(folder);
}

function lendPackages(folder: string): void {
  cpSync(join(ROOT, "package.json"), join(folder, "package.json"));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
}

const versionIn = (folder: string): string => {
  const [, version] = /VERSION = "(.*?)"/.exec(readFileSync(join(folder, VERSION_FILE), "utf8")) ?? [];
  if (version === undefined) throw new Error(`${VERSION_FILE} names no version`);
  return version;
};

function change(path: string, at: string, then: string): void {
  const text = readFileSync(path, "utf8");
  const [head, tail, ...more] = text.split(at);
  if (tail === undefined || more.length > 0)
    throw new Error(
      `${path} has ${JSON.stringify(at)} ${more.length + (tail === undefined ? 0 : 1)} times and not once: say in ${import.meta.filename} where N+1 differs`,
    );
  writeFileSync(path, head + then + tail);
}

async function built(folder: string, version: string): Promise<Build> {
  const program = join(folder, "dist/rollward.mjs");
  await run(process.execPath, [join(folder, "tools/build.ts"), "--out", join(folder, "dist")], { cwd: folder });
  const said = (await run(process.execPath, [program, "--version"])).stdout.trim();
  if (said !== version) throw new Error(`the build in ${folder} says that it is ${said}, and should be ${version}`);
  return { version, program, crds: (await run(process.execPath, [program, "crds"], { maxBuffer: 16_000_000 })).stdout };
}
