import type { ClientSystem } from "../api/client-rollout.ts";
import type { ClientInventory, VersionCount } from "../control/client-inventory.ts";
import { isSameVersion } from "../core/client/policy.ts";
import { dayOfLocalTime, formatLocalDate } from "../core/time/civil.ts";
import { EXIT } from "./exit-codes.ts";
import { Refusal } from "./refusal.ts";

/** So many weeks are kept at the longest. */
const MOST_WEEKS = 104;

interface Asked {
  readonly account?: string;
  readonly os?: ClientSystem;
  readonly version?: string;
  /** The account's own pilots alone, as its policy named them on each of the days. */
  readonly pilots?: boolean;
}

/** The `current` numbers as they stand today, and as they stood on the same weekday of the weeks before; a day of which nothing is kept is left out. */
export async function weeksOf(
  clients: Pick<ClientInventory, "days">,
  current: readonly VersionCount[],
  { account, os, version, pilots = false }: Asked,
  weeks: string,
  now: number,
): Promise<readonly (VersionCount & { readonly day: string })[]> {
  const count = Number(weeks);
  if (!Number.isInteger(count) || count < 1 || count > MOST_WEEKS)
    throw new Refusal(EXIT.badInput, `--weeks is ${JSON.stringify(weeks)}; write a whole number from 1 to ${MOST_WEEKS}`);
  const today = dayOfLocalTime(now);
  const wanted = new Set(Array.from({ length: count }, (_, index) => formatLocalDate(today - 7 * (index + 1))));
  const from = formatLocalDate(today - 7 * count);
  const kept = await clients.days({ ...(account === undefined ? {} : { account }), pilots, from, to: formatLocalDate(today - 7) });
  return [...kept.filter(({ day }) => wanted.has(day)), ...current.map((row) => ({ ...row, day: formatLocalDate(today) }))].filter(
    (row) =>
      (os === undefined || row.os === os) &&
      (version === undefined || row.version === version || (version !== "" && isSameVersion(row.version, version))),
  );
}
