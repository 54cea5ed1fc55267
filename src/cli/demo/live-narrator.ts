import pico from "picocolors";
import { formatClock } from "../../core/time/civil.ts";
import { localTimeAt } from "../../core/time/offsets.ts";
import { type FrameModel, frameLines } from "./frame.ts";
import type { ChapterHeading, Narrator, Sight } from "./narrator.ts";

/** What a terminal is asked for. */
export interface Terminal {
  write(text: string): void;
  /** Characters and lines that fit, asked anew for each picture. */
  size(): { readonly columns: number; readonly rows: number };
}

const REDRAW_MILLISECONDS = 150;
const LINES_KEPT = 50;
const LEAST_LINES = 4;

/** The play as a picture on a terminal, drawn anew a few times a second over the last one. */
export class LiveNarrator implements Narrator {
  readonly #terminal: Terminal;
  readonly #began = performance.now();
  readonly #lines: string[] = [];
  readonly #timer: NodeJS.Timeout;
  #chapter: ChapterHeading | undefined;
  #sight: Sight | undefined;
  #drawn = 0;
  #closed = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#timer = setInterval(() => this.#draw(), REDRAW_MILLISECONDS);
    this.#timer.unref();
  }

  watch(sight: Sight): void {
    this.#sight = sight;
  }

  chapter(heading: ChapterHeading): void {
    this.#chapter = heading;
    this.#draw();
  }

  said(sentence: string): void {
    this.#line(`» ${sentence}`);
  }

  happened(sentence: string, pop: string): void {
    const place = this.#sight?.places.find(({ name }) => name === pop);
    const now = this.#sight?.stage.clock.now();
    this.#line(place && now !== undefined ? `${formatClock(localTimeAt(place.zone, now))} ${place.city}  ${sentence}` : sentence);
  }

  claimed(sentence: string): void {
    this.#line(`✓ ${sentence}`);
  }

  close(): void {
    if (this.#closed) return;
    clearInterval(this.#timer);
    this.#draw();
    this.#closed = true;
  }

  #line(text: string): void {
    this.#lines.push(text);
    this.#lines.splice(0, this.#lines.length - LINES_KEPT);
  }

  #draw(): void {
    if (!this.#sight) return;
    const { columns, rows } = this.#terminal.size();
    const colours = pico.createColors(true);
    const picture = this.#sight.picture(columns - 1, colours);
    const without = frameLines(this.#model(picture, []), columns - 1, colours).length;
    const room = Math.max(LEAST_LINES, rows - without - 2);
    const lines = frameLines(this.#model(picture, this.#lines.slice(-room)), columns - 1, colours);
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A` : "";
    // Each line is cleared to its end, and all below at last: what was longer before leaves nothing behind.
    this.#terminal.write(`${up}\r${lines.map((line) => `${line}\u001b[K\n`).join("")}\u001b[J`);
    this.#drawn = lines.length;
  }

  #model(picture: readonly string[], lines: readonly string[]): FrameModel {
    const { stage } = this.#sight!;
    return {
      place: stage.place,
      now: stage.clock.now(),
      rate: stage.rate,
      chapter: this.#chapter,
      picture,
      lines,
      realSeconds: (performance.now() - this.#began) / 1000,
    };
  }
}
