import { formatInstant, parseInstant } from "../time/instant.ts";

/** The curve of users by version is kept for so many days. */
const KEPT_DAYS = 400;

/** Of each account and system the curve keeps so many versions, those with the most devices: what devices report has no bound (rule I19). */
export const KEPT_VERSIONS = 100;

/** A replica that gave no sign for a day is not told any more: its name does not come back. */
export const REPLICA_FORGOTTEN_MS = 86_400_000;

/** The oldest day (`2026-11-22`) that is kept when `day` is written down. */
export const oldestDayKept = (day: string): string =>
  formatInstant((parseInstant(`${day}T00:00:00Z`) ?? 0) - KEPT_DAYS * 86_400_000).slice(0, 10);
