import { ClaimFailed, type Finding } from "./claims.ts";
import type { Narrator } from "./narrator.ts";
import type { Stage } from "./stage.ts";
import type { Told } from "./summary.ts";

/** Elapsed milliseconds that the slowest scene may keep us waiting. */
const PATIENCE = 180_000;

/** What every act does: it speaks, waits, and claims what it has read from the cluster. */
export abstract class Telling {
  readonly stage: Stage;
  /** For the summary. */
  readonly told: Told = { claims: 0, source: "the cluster", explained: [], takenBack: [], shown: [] };
  readonly #narrator: Narrator;

  constructor(stage: Stage, narrator: Narrator) {
    this.stage = stage;
    this.#narrator = narrator;
  }

  /** Until all that is looked at was seen once. */
  abstract whenReady(): Promise<void>;
  /** How everything stands, for whoever reads of a claim that does not hold. */
  abstract standing(): string;
  abstract close(): void;

  say(sentence: string): void {
    this.#narrator.said(sentence);
  }

  until(waitingFor: string, holds: () => boolean, limitMilliseconds = PATIENCE): Promise<void> {
    return this.stage.until(holds, { waitingFor, limitMilliseconds });
  }

  passTo(instant: string | number, over?: () => boolean): Promise<void> {
    return this.stage.passTo(typeof instant === "number" ? instant : Date.parse(instant), over);
  }

  /** Tells what is true, or ends the play: nothing is said of the cluster that was not read from it. */
  async claim(sentence: string, find: () => Finding | Promise<Finding>): Promise<void> {
    const { holds, found } = await find();
    if (!holds) throw new ClaimFailed(sentence, found);
    this.told.claims++;
    this.#narrator.claimed(sentence, found);
    await this.stage.shown();
  }
}
