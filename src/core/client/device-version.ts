import { compareVersions, isZero, parseVersion, type Version } from "../../api/version.ts";
import type { ClientRolloutView } from "./rollout-view.ts";
import type { Cell } from "./table.ts";

/** What a device reports, read once for each check-in. Unreadable: it is no version, so nobody can tell it from a newer one (rule V3). */
export type Reported = Version | "None" | "Unreadable";

/** A fleet reports few versions; whoever reports thousands fills no memory. */
const MOST_KNOWN = 500;
/** What is read is the same each time, and reading it takes longer than the rest of an answer. */
const KNOWN = new Map<string, Reported>();

/** Nothing, and nothing but zeros, is a new installation. */
export function readReported(text: string | undefined): Reported {
  const trimmed = text?.trim() ?? "";
  if (trimmed === "") return "None";
  const known = KNOWN.get(trimmed);
  if (known !== undefined) return known;
  const read = readAnew(trimmed);
  if (KNOWN.size >= MOST_KNOWN) KNOWN.clear();
  KNOWN.set(trimmed, read);
  return read;
}

function readAnew(trimmed: string): Reported {
  const version = parseVersion(trimmed);
  if (version === undefined) return "Unreadable";
  return isZero(version) ? "None" : version;
}

/**
 * What a device's version is to a rollout (rule C7). A floor counts before the fault: it may not be jumped over, whatever runs now.
 */
export function deviceIs(reported: Version | "None", { order }: Pick<ClientRolloutView, "order">): Cell["device"] {
  if (reported === "None") return "None";
  const difference = compareVersions(reported, order.target);
  if (difference >= 0) return difference === 0 ? "Target" : "Newer";
  if (order.floors.some((floor) => compareVersions(reported, floor) < 0)) return "BelowFloor";
  return order.faulty.some((faulty) => compareVersions(reported, faulty) === 0) ? "Faulty" : "Older";
}
