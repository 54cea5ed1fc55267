import type { Verdict } from "./verdict.ts";
import { elapsedText, listText } from "./wording.ts";

/** Somebody on the old revision who would suffer from what is not ours: another node, or a PoP of the region while watching (rule P10). */
export interface Neighbour {
  readonly name: string;
  /** The verdict kept from preflight, before our first write; absent when there was none. */
  readonly before?: Verdict;
  readonly now: Verdict;
}

export interface Excuse {
  readonly excused: boolean;
  readonly message: string;
}

/**
 * Do the neighbours excuse the version (rule P10)? Only if most of them were bad *before our first write* and still are. Who turned
 * bad after it counts as ours: a version can poison its neighbours. No neighbours, no excuse; and no excuse lasts longer than `limit`.
 * `lasted` and `limit` are milliseconds of the stored timer.
 */
export function excuseOf(neighbours: readonly Neighbour[], lasted: number, limit: number): Excuse {
  if (neighbours.length === 0) return { excused: false, message: "no neighbour runs the old revision, so nothing excuses the new one" };
  const badBefore = neighbours.filter((one) => one.before === "Unhealthy" && one.now === "Unhealthy");
  const turned = neighbours.filter((one) => one.before !== "Unhealthy" && one.now === "Unhealthy");
  const names = (of: readonly Neighbour[]): string => listText(of.map((one) => one.name));
  if (badBefore.length * 2 <= neighbours.length) {
    const message =
      turned.length > 0
        ? `${names(turned)} turned bad after our first write, which counts as ours`
        : `${neighbours.length - badBefore.length} of ${neighbours.length} neighbours were healthy before our first write or are now`;
    return { excused: false, message };
  }
  const was = `${badBefore.length} of ${neighbours.length} neighbours (${names(badBefore)}) were bad before our first write and still are`;
  if (lasted >= limit) return { excused: false, message: `${was}, but that excuses no longer than ${elapsedText(limit)}` };
  return { excused: true, message: `${was}; this is no evidence against the version for ${elapsedText(limit - lasted)} more` };
}
