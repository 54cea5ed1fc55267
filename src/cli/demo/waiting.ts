import type { CastPop, GoodVersions } from "./cast.ts";
import type { Play } from "./play.ts";

/** The window is closed: the version waits, and says until when. */
export async function waitForWindow(play: Play<GoodVersions>, pop: CastPop, version: string, start: string): Promise<void> {
  await play.untilPop(pop, `${version} to wait for its window`, ({ holds }) => holds?.[0]?.reason === "OutsideWindow");
  await play.explain(pop, version, "before its window", ["OutsideWindow", start.replace(".000Z", "Z")]);
  await play.passTo(start);
}

/** Has the version's roll an entry in the history, whatever became of it. */
export const isOver = (history: readonly { version: string }[] | undefined, version: string): boolean =>
  history?.some((entry) => entry.version === version) ?? false;
