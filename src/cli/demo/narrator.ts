import type pico from "picocolors";
import type { CastPop } from "./cast.ts";
import type { Stage } from "./stage.ts";

export type Colors = ReturnType<typeof pico.createColors>;

/** What a narrator may look at. */
export interface Sight {
  readonly stage: Stage;
  readonly places: readonly CastPop[];
  /** The fleet as lines of at most `width` characters. */
  readonly picture: (width: number, colours: Colors) => string[];
}

/** Where the play is. */
export interface ChapterHeading {
  readonly act: number;
  readonly number: number;
  readonly of: number;
  readonly title: string;
  readonly story: string;
  /** Zones whose clocks are shown. */
  readonly clocks: readonly string[];
}

/** Tells the play to whoever watches: line by line (plain), or as a picture that is drawn anew (live). */
export interface Narrator {
  watch(sight: Sight): void;
  chapter(heading: ChapterHeading): void;
  /** What people do in the play. */
  said(sentence: string): void;
  /** What happened in the cluster. */
  happened(sentence: string, pop: string): void;
  /** What was read from the cluster and is so. */
  claimed(sentence: string, found: string): void;
  /** Ends drawing; what was drawn stays. */
  close(): void;
}
