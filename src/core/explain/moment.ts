import { describeInstant } from "../time/format.ts";
import { formatInstant, parseInstant } from "../time/instant.ts";
import { zoneProblem } from "../time/zone.ts";

/**
 * An instant of a status for people: in the zone of the thing it concerns, and in UTC, which is what logs and other machines say:
 * `Sunday 2026-11-29 01:00 Europe/Berlin (2026-11-29T00:00:00Z)`. With a zone that is none, in UTC alone.
 */
export function momentText(text: string, zone: string | undefined): string {
  const instant = parseInstant(text);
  if (instant === undefined) return text;
  const utc = formatInstant(instant);
  if (zone === undefined || zoneProblem(zone) !== undefined) return utc;
  return `${describeInstant(instant, zone)} (${utc})`;
}
