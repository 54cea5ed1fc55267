import { closest } from "../closest.ts";
import { RENAMED_ZONES } from "./renamed-zones.ts";

/** In a spec: the zone of whatever the window is applied to. Not a zone itself. */
export const LOCAL = "Local";

const MODERN_NAME: ReadonlyMap<string, string> = new Map(RENAMED_ZONES);
// `Etc/GMT+5` is a canonical zone, though the time zone list of the runtime leaves the Etc area out.
const FIXED = /^Etc\/(?:UTC|GMT(?:\+[1-9]|\+1[0-2]|-[1-9]|-1[0-4])?)$/;

let listed: ReadonlySet<string> | undefined;
/**
 * Every geographic zone name that counts as canonical: those that the runtime lists, in its spelling, and the spelling that IANA
 * prefers where the runtime (by CLDR's rule that names never change) keeps an older one, as with Asia/Kolkata and Europe/Kyiv.
 */
function canonicalNames(): ReadonlySet<string> {
  listed ??= new Set([...Intl.supportedValuesOf("timeZone"), ...RENAMED_ZONES.flat(), "UTC"]);
  return listed;
}

/** All names that `isCanonicalZone` accepts, the fixed offsets of the Etc area apart. Sorted. */
export function canonicalZones(): readonly string[] {
  return [...canonicalNames()].toSorted();
}

/** True for a canonical IANA zone name in its exact spelling, and for UTC; false for aliases such as EST or US/Eastern (rule W10). */
export function isCanonicalZone(name: string): boolean {
  return canonicalNames().has(name) || FIXED.test(name);
}

/** The zone that the runtime takes an accepted or alias name for, in IANA's spelling; undefined for names that it does not know. */
function resolve(name: string): string | undefined {
  try {
    const resolved = new Intl.DateTimeFormat("en-US", { timeZone: name }).resolvedOptions().timeZone;
    return MODERN_NAME.get(resolved) ?? resolved;
  } catch {
    return undefined;
  }
}

/** A name of which a person gave only the place (`Berlin`), or one with a slip in it (`Europe/Lodnon`). */
function suggest(name: string): string | undefined {
  const names = [...canonicalNames()];
  const place = name.trim().replaceAll(/\s+/g, "_").toLowerCase();
  const byPlace = names.find((candidate) => candidate.toLowerCase().endsWith(`/${place}`));
  return (
    byPlace ??
    closest(
      name,
      names.map((candidate) => MODERN_NAME.get(candidate) ?? candidate),
    )
  );
}

/**
 * Why `name` is not accepted as a zone, as a sentence that says what to write instead (rule W10); undefined when it is accepted.
 * There is no fallback: a window with such a zone never opens.
 */
export function zoneProblem(name: string): string | undefined {
  if (isCanonicalZone(name)) return undefined;
  const found = JSON.stringify(name);
  if (/^(?:(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?)$/i.test(name)) {
    return `${found} is an offset and no zone: it is an hour off when clocks change; write the place's IANA zone, for example Asia/Tokyo`;
  }
  if (name.toLowerCase() === LOCAL.toLowerCase()) return `${found} is no zone; write ${LOCAL}, or an IANA zone such as Europe/Berlin`;
  const resolved = resolve(name);
  if (resolved !== undefined && resolved.toLowerCase() === name.toLowerCase())
    return `${found} is not spelt as IANA spells it; write ${resolved}`;
  if (resolved !== undefined)
    return `${found} is an alias and not a canonical IANA zone; write ${resolved}, or the zone of the place that is meant`;
  const suggestion = suggest(name);
  const instead = suggestion === undefined ? "an IANA name such as Europe/Berlin, or UTC" : suggestion;
  return `${found} is no known time zone; write ${instead}`;
}
