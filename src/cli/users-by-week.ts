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
}

/** The numbers as they stand, and as they stood on the same weekday of the weeks before; a day of which nothing is kept is left out. */
export async function weeksOf(
  clients: Pick<ClientInventory, "days" | "versions">,
  { account, os, version }: Asked,
  weeks: string,
  now: number,
): Promise<readonly (VersionCount & { readonly day: string })[]> {
  const count = Number(weeks);
  if (!Number.isInteger(count) || count < 1 || count > MOST_WEEKS)
    throw new Refusal(EXIT.badInput, `--weeks is ${JSON.stringify(weeks)}; write a whole number from 1 to ${MOST_WEEKS}`);
  const today = dayOfLocalTime(now);
  const wanted = new Set(Array.from({ length: count }, (_, index) => formatLocalDate(today - 7 * (index + 1))));
  const from = formatLocalDate(today - 7 * count);
  const of = account === undefined ? {} : { account };
  const kept = await clients.days({ ...of, from, to: formatLocalDate(today - 7) });
  const current = await clients.versions({ ...of, ...(os === undefined ? {} : { os }) });
  return [...kept.filter(({ day }) => wanted.has(day)), ...current.map((row) => ({ ...row, day: formatLocalDate(today) }))].filter(
    (row) =>
      (os === undefined || row.os === os) &&
      (version === undefined || row.version === version || (version !== "" && isSameVersion(row.version, version))),
  );
}
