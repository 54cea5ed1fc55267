import type { Chronicle } from "./chronicle.ts";
import type { Stage } from "./stage.ts";

/** What a narrator may look at. */
export interface Sight {
  readonly stage: Stage;
  readonly chronicle: Chronicle;
}

/** Tells the play to whoever watches: line by line (plain), or as a picture that is drawn anew (live). */
export interface Narrator {
  watch(sight: Sight): void;
  act(number: number, of: number, title: string, story: string): void;
  /** What people do in the play. */
  said(sentence: string): void;
  /** What happened in the cluster. */
  happened(sentence: string, pop: string): void;
  /** What was read from the cluster and is so. */
  claimed(sentence: string, found: string): void;
  /** Ends drawing; what was drawn stays. */
  close(): void;
}
