import { ApiError, type KubernetesObject } from "../control/ports.ts";
import type { Clock } from "../runtime/clock.ts";
import { lines } from "./lines.ts";
import type { Stream } from "./call.ts";

export interface WatchTimings {
  /** A watch without event or bookmark for this long is dead (the server sends a bookmark about every minute). */
  readonly idleMilliseconds: number;
  /** A streamed first view that takes longer is given up; the paged list takes its place. */
  readonly syncMilliseconds: number;
}

/** The view can no longer be trusted and is read anew. */
export class BrokenView extends Error {}

export interface WatchEvent<T> {
  readonly type: string;
  readonly object: T;
}

export interface WatchSpellSettings {
  readonly stream: Stream;
  readonly clock: Clock;
  readonly timings: WatchTimings;
  /** The watch brings the first view before it brings changes. */
  readonly initial: boolean;
  /** What is watched and where, for messages. */
  readonly title: string;
  /** Aborted by whoever keeps the view: nothing is handed over any more. */
  readonly stopped: AbortSignal;
}

/** One watch, from its stream's first line to its end. */
export class WatchSpell<T extends KubernetesObject> {
  readonly #settings: WatchSpellSettings;
  readonly #started: number;
  #lastLine: number;
  #lines = 0;
  /** Why we ended it ourselves. */
  #ended: string | undefined;
  /** The objects of a streamed first view, set aside until it is complete. */
  #collected: Map<string, T> | undefined;

  constructor(settings: WatchSpellSettings) {
    this.#settings = settings;
    this.#started = this.#lastLine = settings.clock.elapsed();
    this.#collected = settings.initial ? new Map() : undefined;
  }

  get lines(): number {
    return this.#lines;
  }

  /** Milliseconds since it began. */
  get lived(): number {
    return this.#settings.clock.elapsed() - this.#started;
  }

  /** The first view is still being streamed. */
  get collecting(): boolean {
    return this.#collected !== undefined;
  }

  /** Changes that happen while the first view is streamed come in the same stream. */
  collect(type: string, object: T): void {
    const key = `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
    if (type === "DELETED") this.#collected?.delete(key);
    else this.#collected?.set(key, object);
  }

  /** The first view is complete: its objects. What comes from here on is a change. */
  publish(): readonly T[] {
    const objects = [...this.#collected!.values()];
    this.#collected = undefined;
    return objects;
  }

  close(): void {
    this.#settings.stream.close();
  }

  /**
   * Hands over each event in order and returns when the server ended the watch in order; `truncated` is told of a last line that was cut.
   * Rejects with BrokenView (a line that is no event, a first view that ended too early), with ApiError when a watchdog ended it, and
   * with what `onEvent` threw.
   */
  async run(onEvent: (event: WatchEvent<T>) => void, truncated: (bytes: number) => void): Promise<void> {
    const { stream, clock, stopped, title } = this.#settings;
    const cancelWatchdogs = this.#guard();
    try {
      for await (const line of lines(stream.bytes, truncated)) {
        if (stopped.aborted) return;
        this.#lastLine = clock.elapsed();
        this.#lines++;
        onEvent(parseEvent(line));
      }
    } catch (error) {
      if (this.#ended === undefined || stopped.aborted) throw error;
    } finally {
      cancelWatchdogs();
    }
    if (this.#ended !== undefined) throw new ApiError(0, "Timeout", `watch ${title}: ${this.#ended}`);
    if (this.#collected && !stopped.aborted) throw new BrokenView("the streamed first view ended before it was complete");
  }

  /** The watch's own watchdogs: TCP does not tell of a silent path, and undici's body timeout is off. */
  #guard(): () => void {
    const { clock, timings } = this.#settings;
    let cancelIdle = () => {};
    const watch = () => {
      const silent = clock.elapsed() - this.#lastLine;
      if (silent >= timings.idleMilliseconds) return this.#end(`no event or bookmark for ${Math.round(silent)} ms`);
      cancelIdle = clock.after(timings.idleMilliseconds - silent, watch);
    };
    watch();
    const cancelSync = clock.after(timings.syncMilliseconds, () => {
      if (this.#collected) this.#end(`the streamed first view was not complete within ${timings.syncMilliseconds} ms`);
    });
    return () => {
      cancelIdle();
      cancelSync();
    };
  }

  #end(why: string): void {
    this.#ended = why;
    this.close();
  }
}

function parseEvent<T extends KubernetesObject>(line: string): WatchEvent<T> {
  try {
    const event = JSON.parse(line) as WatchEvent<T>;
    if (typeof event?.type === "string" && event.object && (event.type === "ERROR" || event.object.metadata?.resourceVersion)) return event;
  } catch {
    // Told below, together with lines that are JSON but no event.
  }
  throw new BrokenView(`a line of the watch is no event: ${JSON.stringify(line.slice(0, 80))}`);
}
