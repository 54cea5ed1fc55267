import { formatClock } from "../../core/time/civil.ts";
import { localTimeAt } from "../../core/time/offsets.ts";
import { describeInstant } from "../../core/time/format.ts";
import type { ChapterHeading, Narrator, Sight } from "./narrator.ts";

/** Lines for logs and pipes: the hour of the place where it happened, and what. */
export class PlainNarrator implements Narrator {
  readonly #out: (text: string) => void;
  #sight: Sight | undefined;

  constructor(out: (text: string) => void) {
    this.#out = out;
  }

  watch(sight: Sight): void {
    this.#sight = sight;
  }

  chapter({ act, number, of, title, story, clocks }: ChapterHeading): void {
    const now = this.#sight?.stage.clock.now();
    const when = now === undefined ? "" : `; now: ${clocks.map((zone) => describeInstant(now, zone)).join(", ")}`;
    this.#out(`\n== Act ${act}, ${number} of ${of}: ${title}${when}\n   ${story}\n`);
  }

  said(sentence: string): void {
    this.#line(undefined, `» ${sentence}`);
  }

  happened(sentence: string, pop: string): void {
    this.#line(pop, sentence);
  }

  claimed(sentence: string, found: string): void {
    this.#line(undefined, `✓ ${sentence}: ${found}`);
  }

  close(): void {}

  #line(pop: string | undefined, text: string): void {
    const now = this.#sight?.stage.clock.now();
    const place = this.#sight?.places.find(({ name }) => name === pop);
    const hour = now === undefined || !place ? "" : `${formatClock(localTimeAt(place.zone, now))} ${place.city}`;
    this.#out(`  ${hour.padEnd(15)} ${text}\n`);
  }
}
