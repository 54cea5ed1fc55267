import type { VersionCount } from "../../control/client-inventory.ts";
import { oldestDayKept } from "../../core/client/kept.ts";
import { byText, inOrder } from "./version-counts.ts";

/** A curve in memory: of each day (`2026-11-22`) its rows of versions. */
export class VersionDays {
  readonly #days = new Map<string, readonly VersionCount[]>();

  /** Written again the same day, the later one stays. */
  record(day: string, rows: readonly VersionCount[]): void {
    this.#days.set(day, rows);
    this.forget(day);
  }

  /** Of one account and system alone; the others' rows of the day stay. */
  replace(day: string, account: string, os: string, rows: readonly VersionCount[]): void {
    const others = (this.#days.get(day) ?? []).filter((row) => row.account !== account || row.os !== os);
    this.#days.set(day, [...others, ...rows]);
  }

  /** What is too old when `day` is written down goes. */
  forget(day: string): void {
    const oldest = oldestDayKept(day);
    for (const kept of this.#days.keys()) if (kept < oldest) this.#days.delete(kept);
  }

  between({ account, from, to }: { readonly account?: string; readonly from: string; readonly to: string }) {
    const days = [...this.#days].filter(([day]) => from <= day && day <= to).toSorted(([one], [other]) => byText(one, other));
    return days.flatMap(([day, rows]) =>
      rows
        .filter((row) => account === undefined || row.account === account)
        .toSorted(inOrder)
        .map((row) => ({ day, ...row })),
    );
  }
}
