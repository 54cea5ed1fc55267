import { compareVersions, parseVersion, type Version } from "../api/version.ts";
import { type Clock, sleep } from "../runtime/clock.ts";

const AGAIN_MS = 5_000;
/** While it works: ten small answers each time, and what is written until then loses what the kinds do not know. */
const WATCH_MS = 30_000;

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
  /** Aborted when older kinds were put over fitting ones while the program ran; the reason is an Error that says so. */
  readonly replaced: AbortSignal;
}

/**
 * The kinds in the cluster, held against the program (rule I21). The API server cuts off without a word what an older kind does not know, a
 * ledger's fields included: an operator on older kinds stays away until they are up to date, and whoever led before leads on. On later ones
 * it works: it keeps what it does not know. It looks again while it works, because kinds can be replaced under it; a policy refuses that
 * (config/policies/kinds.yaml), where it is switched on.
 */
export function kindsInCluster({ version, names, versionOf, clock, log, stop }: KindsParts): Kinds {
  let missing: string | undefined = "they were not looked at yet";
  let toldLater = "";
  /** What is wrong with them: older ones, or no answer. */
  const look = async (): Promise<{ readonly older?: string; readonly unknown?: string }> => {
    try {
      const ours = parseVersion(version)!;
      const found = await Promise.all(names.map(async (name) => ({ name, of: read(await versionOf(name)) })));
      const known = found.flatMap(({ name, of }) => (of === undefined ? [] : [{ name, of }]));
      const older = known.filter(({ of }) => compareVersions(of, ours) < 0).map(({ name, of }) => `${name} (${of.text})`);
      if (older.length > 0) return { older: tooOld(older, version) };
      const texts = new Set(known.filter(({ of }) => compareVersions(of, ours) > 0).map(({ of }) => of.text));
      const later = texts.size === 0 ? "" : laterThan([...texts].toSorted(), version);
      if (later !== "" && later !== toldLater) log("info", later);
      toldLater = later;
      return {};
    } catch (error) {
      return { unknown: `they cannot be looked at: ${error instanceof Error ? error.message : String(error)}` };
    }
  };
  const pause = (milliseconds: number) => sleep(clock, milliseconds, stop).catch(() => undefined);
  const fit = (async () => {
    while (!stop.aborted) {
      const { older, unknown } = await look();
      const found = older ?? unknown;
      if (found !== undefined && found !== missing) log("warn", `this operator does not lead yet: ${found}`);
      missing = found;
      if (found === undefined) return;
      await pause(AGAIN_MS);
    }
    await new Promise<never>(() => {});
  })();
  const replaced = new AbortController();
  void fit.then(async () => {
    for (;;) {
      await pause(WATCH_MS);
      if (stop.aborted || replaced.signal.aborted) return;
      // A server without an answer is everybody's trouble, and says nothing of the kinds.
      const { older } = await look();
      if (older === undefined || stop.aborted) continue;
      missing = older;
      const sentence = `the kinds were replaced while this operator worked, so it ends, and waits after its restart: ${older}`;
      log("warn", sentence);
      replaced.abort(new Error(sentence));
    }
  });
  return { missing: () => missing, fit, replaced: replaced.signal };
}

const read = (text: string | undefined): Version | undefined => (text === undefined ? undefined : parseVersion(text));

const tooOld = (older: readonly string[], version: string): string =>
  `the kinds ${older.join(", ")} in this cluster are older than this operator (${version}), and would lose what they do not know of its ledgers; ` +
  "apply those of this version: helm show crds CHART (or rollward crds) | kubectl apply --server-side --force-conflicts -f -";

const laterThan = (later: readonly string[], version: string): string =>
  `the kinds in this cluster are of version ${later.join(", ")}, later than this operator (${version}): it keeps the fields that only they know, ` +
  "and does not obey them; do not put older kinds back";
