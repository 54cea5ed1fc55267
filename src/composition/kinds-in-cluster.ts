import { compareVersions, parseVersion, type Version } from "../api/version.ts";
import { type Clock, sleep } from "../runtime/clock.ts";

const AGAIN_MS = 5_000;

export interface KindsParts {
  /** The version of this program. */
  readonly version: string;
  /** The names of our CRDs. */
  readonly names: readonly string[];
  /** Which version of ours a CRD is of; undefined where nobody can say. Rejects where the server gave no answer. */
  readonly versionOf: (name: string) => Promise<string | undefined>;
  readonly clock: Clock;
  readonly log: (level: "info" | "warn", message: string) => void;
  readonly stop: AbortSignal;
}

export interface Kinds {
  /** What keeps this operator from leading, as a sentence; undefined: nothing. */
  missing(): string | undefined;
  /** Resolves when the kinds are not older than the program; never where the program ends before. */
  readonly fit: Promise<void>;
}

/**
 * The kinds in the cluster, held against the program (rule I21). The API server cuts off without a word what an older kind does not know, a
 * ledger's fields included: an operator on older kinds stays away until they are up to date, and whoever led before leads on. On later ones
 * it works: it keeps what it does not know.
 */
export function kindsInCluster({ version, names, versionOf, clock, log, stop }: KindsParts): Kinds {
  let missing: string | undefined = "they were not looked at yet";
  const look = async (): Promise<string | undefined> => {
    try {
      const ours = parseVersion(version)!;
      const found = await Promise.all(names.map(async (name) => ({ name, of: read(await versionOf(name)) })));
      const known = found.flatMap(({ name, of }) => (of === undefined ? [] : [{ name, of }]));
      const older = known.filter(({ of }) => compareVersions(of, ours) < 0).map(({ name, of }) => `${name} (${of.text})`);
      if (older.length > 0) return tooOld(older, version);
      const later = new Set(known.filter(({ of }) => compareVersions(of, ours) > 0).map(({ of }) => of.text));
      if (later.size > 0) log("info", laterThan([...later].toSorted(), version));
      return undefined;
    } catch (error) {
      return `they cannot be looked at: ${error instanceof Error ? error.message : String(error)}`;
    }
  };
  const fit = (async () => {
    while (!stop.aborted) {
      const found = await look();
      if (found !== undefined && found !== missing) log("warn", `this operator does not lead yet: ${found}`);
      missing = found;
      if (found === undefined) return;
      await sleep(clock, AGAIN_MS, stop).catch(() => undefined);
    }
    await new Promise<never>(() => {});
  })();
  return { missing: () => missing, fit };
}

const read = (text: string | undefined): Version | undefined => (text === undefined ? undefined : parseVersion(text));

const tooOld = (older: readonly string[], version: string): string =>
  `the kinds ${older.join(", ")} in this cluster are older than this operator (${version}), and would lose what they do not know of its ledgers; ` +
  "apply those of this version: helm show crds CHART (or rollward crds) | kubectl apply --server-side --force-conflicts -f -";

const laterThan = (later: readonly string[], version: string): string =>
  `the kinds in this cluster are of version ${later.join(", ")}, later than this operator (${version}): it keeps the fields that only they know, ` +
  "and does not obey them; do not put older kinds back";
