import { EXIT, type ExitCode } from "../exit-codes.ts";
import { type Act, ACTS } from "./acts.ts";
import { VERSIONS, type Versions } from "./cast.ts";
import { ClaimFailed } from "./claims.ts";
import type { Narrator } from "./narrator.ts";
import { Play } from "./play.ts";
import { type Stage, WaitedTooLong } from "./stage.ts";
import { summaryText } from "./summary.ts";

export interface PlayOptions {
  readonly stage: Stage;
  readonly narrator: Narrator;
  readonly out: (text: string) => void;
  readonly versions?: Versions;
  readonly acts?: readonly Act[];
}

/** Plays all acts. Ends with 0 when everything that was claimed is true of the cluster, with 1 and both sides when something is not. */
export async function runPlay({ stage, narrator, out, versions = VERSIONS, acts = ACTS }: PlayOptions): Promise<ExitCode> {
  const began = performance.now();
  const play = new Play(stage, versions, narrator);
  try {
    await play.chronicle.whenReady();
    await stage.startOperator();
    for (const [index, act] of acts.entries()) {
      narrator.act(index + 1, acts.length, act.title, act.story);
      await act.run(play);
    }
    narrator.close();
    out(summaryText(play.told, performance.now() - began));
    return EXIT.ok;
  } catch (error) {
    narrator.close();
    if (!(error instanceof ClaimFailed || error instanceof WaitedTooLong)) throw error;
    out(`\n${failureText(error, play)}`);
    return EXIT.failed;
  } finally {
    play.chronicle.close();
  }
}

function failureText(error: ClaimFailed | WaitedTooLong, play: Play): string {
  const [claimed, found] = error instanceof ClaimFailed ? [error.claimed, error.found] : [error.message, "see the status below"];
  const stands = play.chronicle.pops().map(({ metadata, status }) => {
    const { run, holds, nodes, history } = status ?? {};
    const state = run ? `${run.kind} to ${run.version}, ${run.state}` : "no run";
    const steps = (nodes ?? [])
      .map(({ name, step, message }) => `${name} ${step}${message === undefined ? "" : ` (${message})`}`)
      .join(", ");
    const waits = (holds ?? []).map(({ reason, message }) => `${reason}: ${message}`).join("; ") || "nothing";
    const last = (history ?? [])
      .slice(-2)
      .map(({ version, outcome, evidence }) => `${version} ${outcome}${evidence === undefined ? "" : ` (${evidence})`}`);
    return `  ${metadata.name}: ${state}; nodes: ${steps}; waits for ${waits}; before: ${last.join(", ") || "nothing"}\n`;
  });
  return `A claim of the demo does not hold.\n  claimed: ${claimed}\n  found:   ${found}\n${stands.join("")}`;
}
