import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Act } from "./act.ts";
import { ClaimFailed } from "./claims.ts";
import type { Narrator } from "./narrator.ts";
import { type Stage, WaitedTooLong } from "./stage.ts";
import { summaryText } from "./summary.ts";
import type { Telling } from "./telling.ts";

export interface PlayOptions<P extends Telling> {
  readonly act: Act<P>;
  readonly stage: Stage;
  readonly narrator: Narrator;
  readonly out: (text: string) => void;
}

/** Plays one act. Ends with 0 when everything that was claimed is true of the cluster, with 1 and both sides when something is not. */
export async function runPlay<P extends Telling>({ act, stage, narrator, out }: PlayOptions<P>): Promise<ExitCode> {
  const began = performance.now();
  const play = act.begin(stage, narrator);
  try {
    await play.whenReady();
    await stage.startOperator();
    for (const [index, chapter] of act.chapters.entries()) {
      const { title, story } = chapter;
      narrator.chapter({ act: act.number, number: index + 1, of: act.chapters.length, title, story, clocks: act.clocks });
      await chapter.run(play);
    }
    narrator.close();
    out(summaryText(play.told, performance.now() - began));
    return EXIT.ok;
  } catch (error) {
    narrator.close();
    if (!(error instanceof ClaimFailed || error instanceof WaitedTooLong)) throw error;
    const [claimed, found] = error instanceof ClaimFailed ? [error.claimed, error.found] : [error.message, "see the status below"];
    out(`\nA claim of the demo does not hold.\n  claimed: ${claimed}\n  found:   ${found}\n${play.standing()}`);
    return EXIT.failed;
  } finally {
    play.close();
  }
}
