import semver from "semver";

/** A version of anything that is rolled out: 2 to 4 numeric components and an optional pre-release (rule V1). */
export interface Version {
  /** As written. */
  readonly text: string;
  /** Always four; missing ones are 0. */
  readonly components: readonly [number, number, number, number];
  /** The first three components and the pre-release as semver reads them; it has the say on the pre-release. */
  readonly base: semver.SemVer;
}

const NUMBER = "(0|[1-9]\\d{0,14})";
const VERSION = new RegExp(`^${NUMBER}\\.${NUMBER}(?:\\.${NUMBER})?(?:\\.${NUMBER})?(?:-([0-9A-Za-z.-]+))?$`);

/**
 * Reads a version (rule V1): `17.0`, `2026.11.2`, `5.10.21.4306`, `18.4.0-rc.1`. Undefined when it is none: a single number, leading
 * zeros (as in semver: 2026.01 and 2026.1 would be two names of one version), a leading v, build metadata.
 */
export function parseVersion(text: string): Version | undefined {
  const match = text.length <= 64 ? VERSION.exec(text) : null;
  if (!match) return undefined;
  const components = [1, 2, 3, 4].map((index) => Number(match[index] ?? 0)) as [number, number, number, number];
  const prerelease = match[5] === undefined ? "" : `-${match[5]}`;
  const base = semver.parse(`${components.slice(0, 3).join(".")}${prerelease}`);
  return base === null ? undefined : { text, components, base };
}

/** Why `text` is no version, as a sentence that says what to write instead; undefined when it is one. */
export function versionProblem(text: string): string | undefined {
  if (parseVersion(text) !== undefined) return undefined;
  const plain = text
    .trim()
    .replace(/^v/i, "")
    .replace(/\+.*$/, "")
    .replaceAll(/(^|\.)0+(?=\d)/g, "$1");
  const whole = /^\d+$/.test(plain) ? `${plain}.0` : plain;
  const instead =
    parseVersion(whole) === undefined ? "2 to 4 numbers and an optional pre-release, such as 2026.11.2 or 18.4.0-rc.1" : whole;
  return `${JSON.stringify(text)} is no version; write ${instead}`;
}

/** Negative when `a` is older than `b`, positive when newer, 0 for equal ones, also `17.0` and `17.0.0` (rule V1). */
export function compareVersions(a: Version, b: Version): number {
  for (const index of [0, 1, 2, 3] as const) {
    const difference = a.components[index] - b.components[index];
    if (difference !== 0) return difference;
  }
  // The numbers are equal: only a pre-release is left, and semver orders those.
  return semver.compare(a.base, b.base);
}

/** Zeros alone, as a new installation of a Client reports itself: nobody can be told to have it (rule V1). */
export const isZero = ({ components, base }: Version): boolean => components.every((part) => part === 0) && base.prerelease.length === 0;

/** Whether going from the one to the other would be a downgrade, which only a rollback may do (rule V3). */
export function isDowngrade(from: Version, to: Version): boolean {
  return compareVersions(to, from) < 0;
}

/** The major version of a Socket: its first component; `17.0` and `18.3.3` are different majors (rule V2). */
export function socketMajor(version: Version): number {
  return version.components[0];
}

interface Bound {
  readonly operator: "" | "=" | "<" | "<=" | ">" | ">=";
  readonly version: Version;
}

const FOUR_PARTS = /^(>=|<=|>|<|=)?(\d+\.\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)$/;

/** One alternative of a range as bounds that all must hold; undefined when it does not parse. */
function parseAlternative(text: string): readonly Bound[] | undefined {
  const joined = text.trim().replaceAll(/(>=|<=|>|<|=)\s+/g, "$1");
  const words = joined.split(/\s+/);
  const bounds: Bound[] = [];
  for (const word of words.filter((candidate) => FOUR_PARTS.test(candidate))) {
    const [, operator = "", written] = FOUR_PARTS.exec(word)!;
    const version = parseVersion(written!);
    if (version === undefined) return undefined;
    bounds.push({ operator: operator as Bound["operator"], version });
  }
  const rest = words.filter((word) => !FOUR_PARTS.test(word)).join(" ");
  if (bounds.length > 0 && rest === "") return bounds;
  const range = semver.validRange(rest) === null ? undefined : new semver.Range(rest);
  if (range === undefined) return undefined;
  for (const comparator of range.set[0]!) {
    const version = parseVersion(comparator.semver.version ?? "");
    // `*` is a comparator without a version: every version holds it.
    if (version !== undefined) bounds.push({ operator: comparator.operator, version });
  }
  return bounds;
}

function holds({ operator, version: bound }: Bound, version: Version): boolean {
  const order = compareVersions(version, bound);
  if (operator === "<") return order < 0;
  if (operator === "<=") return order <= 0;
  if (operator === ">") return order > 0;
  if (operator === ">=") return order >= 0;
  return order === 0;
}

/** Semver's own rule: a pre-release is in a range only if a bound names a pre-release of the same numbers. */
function prereleaseAdmitted(version: Version, bounds: readonly Bound[]): boolean {
  if (version.base.prerelease.length === 0) return true;
  return bounds.some(
    (bound) =>
      bound.version.base.prerelease.length > 0 && bound.version.components.every((value, index) => value === version.components[index]),
  );
}

/** Why `range` is no range, as a sentence that says what to write instead; undefined when it is one. */
export function rangeProblem(range: string): string | undefined {
  const readable = range.length <= 256 && range.split("||").every((alternative) => parseAlternative(alternative) !== undefined);
  return readable ? undefined : `${JSON.stringify(range)} is no range of versions; write for example ">=18.0 <19.0" or "5.10.x"`;
}

/**
 * Whether a version lies in a range. Semver reads the range and answers where the version has no 4th component and the range none;
 * bounds of four components compare by rule V1, so 5.10.21.4306 lies in ">=5.10.21" and "5.10.x" and not in "<=5.10.21".
 * A range that does not parse holds nothing; ask `rangeProblem` first.
 */
export function satisfies(version: Version, range: string): boolean {
  return range.split("||").some((alternative) => {
    const bounds = parseAlternative(alternative);
    return bounds !== undefined && bounds.every((bound) => holds(bound, version)) && prereleaseAdmitted(version, bounds);
  });
}
