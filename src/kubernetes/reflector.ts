import { ApiError, type Kind, type KubernetesObject, type ListOptions } from "../control/ports.ts";
import { backoffDelay } from "../runtime/backoff.ts";
import { type Clock, sleep } from "../runtime/clock.ts";
import { lines } from "./lines.ts";
import type { Log } from "./log.ts";
import { listPages } from "./paged-list.ts";
import { objectTitle, resourcePath } from "./resource-path.ts";
import { compareResourceVersions } from "./resource-version.ts";
import { errorOfStatus } from "./status-error.ts";
import type { Stream, Transport } from "./transport.ts";

/** Who keeps the view. All calls are made in order, none after `stop`. */
export interface ReflectorSink<T> {
  /** What is about to be read replaces the whole view; nothing has changed yet. */
  resyncing(): void;
  /** The whole view as of `resourceVersion`. */
  replace(objects: readonly T[], resourceVersion: string): void;
  changed(object: T): void;
  deleted(object: T): void;
  /** An event, a bookmark or a list has just shown that the view is alive. */
  alive(): void;
}

export interface ReflectorTimings {
  /** A watch without event or bookmark for this long is dead (the server sends a bookmark about every minute). */
  readonly idleMilliseconds: number;
  /** A streamed first view that takes longer is given up; the paged list takes its place. */
  readonly syncMilliseconds: number;
  /** A watch that lived this long was healthy: the back-off begins anew. */
  readonly healthyMilliseconds: number;
  /** A watch that ends cleanly before this, without a word, may have asked for a version that the server does not tell us it lost. */
  readonly instantMilliseconds: number;
  readonly backoffMinimumMilliseconds: number;
  readonly backoffMaximumMilliseconds: number;
  /** What the server is asked to end a watch after: by chance between once and twice this. */
  readonly watchSeconds: number;
}

const DEFAULT_TIMINGS: ReflectorTimings = {
  idleMilliseconds: 150_000,
  syncMilliseconds: 60_000,
  healthyMilliseconds: 30_000,
  instantMilliseconds: 2_000,
  backoffMinimumMilliseconds: 500,
  backoffMaximumMilliseconds: 30_000,
  watchSeconds: 300,
};

/** Clean instant ends in a row that are taken for a lost version. */
const INSTANT_ENDS = 3;
/** Streamed first views that failed in a row before the paged list is tried. */
const STREAM_TRIES = 2;

export interface ReflectorSettings<T extends KubernetesObject> {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: () => number;
  readonly kind: Kind<T>;
  readonly options?: ListOptions;
  /** Applied to every object on entry. */
  readonly ingest: (object: T) => T;
  readonly sink: ReflectorSink<T>;
  readonly log: Log;
  readonly timings?: Partial<ReflectorTimings>;
}

/** The view can no longer be trusted and is read anew. */
class BrokenView extends Error {}

interface WatchEvent<T> {
  readonly type: string;
  readonly object: T;
}

/** A watch under way. */
interface Spell<T> {
  readonly stream: Stream;
  /** The objects of a streamed first view, collected aside until it is complete. */
  collected: Map<string, T> | undefined;
  lastLine: number;
  lines: number;
  /** Why we ended it ourselves. */
  ended: string | undefined;
}

/**
 * Keeps a view of one kind current: a streaming list, or a paged one where the server refuses that, then watches, one after the
 * other, for ever. It ends by `stop` only: whatever the server does is answered with another try after a back-off.
 */
export class Reflector<T extends KubernetesObject> {
  readonly #settings: ReflectorSettings<T>;
  readonly #timings: ReflectorTimings;
  readonly #title: string;
  readonly #stop = new AbortController();
  /** The version that the view has reached; undefined = the view must be read anew. */
  #version: string | undefined;
  /** The version reached before the view had to be read anew. */
  #reached: string | undefined;
  #spell: Spell<T> | undefined;
  #streaming = true;
  #streamFailures = 0;
  #instantEnds = 0;
  #failures = 0;
  /** Of the last watch: how many lines it brought and how long it lived. */
  #last = { lines: 0, lived: 0 };

  constructor(settings: ReflectorSettings<T>) {
    this.#settings = settings;
    this.#timings = { ...DEFAULT_TIMINGS, ...settings.timings };
    this.#title = objectTitle(settings.kind, settings.options?.namespace, undefined);
  }

  /** The version that the view has reached; while it is read anew, the one that it had reached before. */
  get resourceVersion(): string | undefined {
    return this.#version ?? this.#reached;
  }

  start(): void {
    void this.#run();
  }

  /** Ends the watch; the sink is not called any more once this has returned. */
  stop(): void {
    if (this.#stopped) return;
    this.#stop.abort(new Error("stopped"));
    this.#spell?.stream.close();
  }

  get #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      let wait = 0;
      this.#last = { lines: 0, lived: 0 };
      try {
        await this.#cycle();
        wait = this.#afterEnd();
      } catch (error) {
        if (this.#stopped) return;
        wait = this.#afterFailure(error);
      }
      if (wait > 0) await sleep(this.#settings.clock, wait, this.#stop.signal).catch(() => {});
    }
  }

  /** One first view if there is none, and one watch. Returns when the server ended the watch in order. */
  async #cycle(): Promise<void> {
    if (this.#version === undefined) {
      this.#settings.sink.resyncing();
      if (this.#streaming && this.#streamFailures < STREAM_TRIES) return this.#watch(true);
      await this.#list();
    }
    if (!this.#stopped) await this.#watch(false);
  }

  async #list(): Promise<void> {
    const { transport, kind, options, ingest, sink } = this.#settings;
    const objects: T[] = [];
    const version = await listPages(transport, kind, options ?? {}, {
      restart: () => void objects.splice(0),
      object: (object) => void objects.push(ingest(object)),
    });
    if (this.#stopped) return;
    this.#streamFailures = 0;
    this.#version = version;
    sink.alive();
    sink.replace(objects, version);
  }

  async #watch(initial: boolean): Promise<void> {
    const { transport, kind, options, random, clock } = this.#settings;
    const stream = await transport.stream({
      verb: "watch",
      kind: kind.kind,
      title: this.#title,
      method: "GET",
      path: resourcePath(kind, options?.namespace),
      query: {
        watch: 1,
        allowWatchBookmarks: true,
        timeoutSeconds: Math.floor(this.#timings.watchSeconds * (1 + random())),
        labelSelector: options?.labelSelector,
        fieldSelector: options?.fieldSelector,
        ...(initial ? { sendInitialEvents: true, resourceVersionMatch: "NotOlderThan" } : { resourceVersion: this.#version }),
      },
      deadlineMilliseconds: Math.min(30_000, this.#timings.idleMilliseconds),
    });
    if (this.#stopped) return stream.close();
    const started = clock.elapsed();
    const spell: Spell<T> = { stream, collected: initial ? new Map() : undefined, lastLine: started, lines: 0, ended: undefined };
    this.#spell = spell;
    const cancelWatchdogs = this.#guard(spell);
    try {
      await this.#consume(spell);
    } finally {
      cancelWatchdogs();
      this.#last = { lines: spell.lines, lived: clock.elapsed() - started };
      this.#spell = undefined;
      stream.close();
    }
  }

  async #consume(spell: Spell<T>): Promise<void> {
    const truncated = (length: number) =>
      this.#log("info", `the watch was cut in the middle of a line (${length} bytes); it goes on at ${this.#version}`);
    try {
      for await (const line of lines(spell.stream.bytes, truncated)) {
        if (this.#stopped) return;
        spell.lastLine = this.#settings.clock.elapsed();
        spell.lines++;
        this.#settings.sink.alive();
        this.#apply(spell, this.#parse(line));
      }
    } catch (error) {
      if (spell.ended === undefined || this.#stopped) throw error;
    }
    if (spell.ended !== undefined)
      throw new ApiError(0, "Timeout", `watch ${this.#title} at ${this.#settings.transport.name}: ${spell.ended}`);
    if (spell.collected && !this.#stopped) throw new BrokenView("the streamed first view ended before it was complete");
  }

  /** The watch's own watchdogs: TCP does not tell of a silent path, and undici's body timeout is off. */
  #guard(spell: Spell<T>): () => void {
    const { clock } = this.#settings;
    const end = (why: string) => {
      spell.ended = why;
      spell.stream.close();
    };
    let cancelIdle = () => {};
    const watch = () => {
      const silent = clock.elapsed() - spell.lastLine;
      if (silent >= this.#timings.idleMilliseconds) return end(`no event or bookmark for ${Math.round(silent)} ms`);
      cancelIdle = clock.after(this.#timings.idleMilliseconds - silent, watch);
    };
    watch();
    const cancelSync = clock.after(this.#timings.syncMilliseconds, () => {
      if (spell.collected) end(`the streamed first view was not complete within ${this.#timings.syncMilliseconds} ms`);
    });
    return () => {
      cancelIdle();
      cancelSync();
    };
  }

  #parse(line: string): WatchEvent<T> {
    try {
      const event = JSON.parse(line) as WatchEvent<T>;
      if (typeof event?.type === "string" && event.object && (event.type === "ERROR" || event.object.metadata?.resourceVersion))
        return event;
    } catch {
      // Told below, together with lines that are JSON but no event.
    }
    throw new BrokenView(`a line of the watch is no event: ${JSON.stringify(line.slice(0, 80))}`);
  }

  #apply(spell: Spell<T>, event: WatchEvent<T>): void {
    const { sink, ingest, transport } = this.#settings;
    if (event.type === "ERROR") throw errorOfStatus(`watch ${this.#title} at ${transport.name}`, event.object);
    const { metadata } = event.object;
    // A server restored from a backup counts from an older version on: what we hold may never have happened there.
    if (this.#version !== undefined && (compareResourceVersions(metadata.resourceVersion, this.#version) ?? 0) < 0) {
      throw new BrokenView(`the server went back from version ${this.#version} to ${metadata.resourceVersion}`);
    }
    if (event.type === "BOOKMARK") {
      if (spell.collected && metadata.annotations?.["k8s.io/initial-events-end"] !== "true") return;
      this.#version = metadata.resourceVersion;
      if (spell.collected) this.#publish(spell, metadata.resourceVersion);
    } else if (event.type === "ADDED" || event.type === "MODIFIED" || event.type === "DELETED") {
      const object = ingest(event.object);
      if (spell.collected) return collect(spell.collected, event.type, object);
      this.#version = metadata.resourceVersion;
      if (event.type === "DELETED") sink.deleted(object);
      else sink.changed(object);
    } else {
      throw new BrokenView(`the watch sent an event of the unknown type ${event.type}`);
    }
  }

  #publish(spell: Spell<T>, version: string): void {
    const objects = [...spell.collected!.values()];
    spell.collected = undefined;
    this.#streamFailures = 0;
    this.#settings.sink.replace(objects, version);
  }

  /** The server ended a watch in order. Answers the milliseconds to wait. */
  #afterEnd(): number {
    if (this.#stopped) return 0;
    if (this.#last.lived >= this.#timings.instantMilliseconds || this.#last.lines > 0) this.#instantEnds = 0;
    else if (++this.#instantEnds >= INSTANT_ENDS) {
      this.#log(
        "warn",
        `${INSTANT_ENDS} watches ended at once without a word; version ${this.#version} may be lost, everything is read anew`,
      );
      this.#instantEnds = 0;
      this.#forgetVersion();
    }
    return this.#delay(undefined);
  }

  #afterFailure(error: unknown): number {
    const initial = this.#version === undefined;
    const apiError = error instanceof ApiError ? error : undefined;
    if (initial && this.#streaming && (apiError?.code === 422 || apiError?.code === 400)) {
      this.#streaming = false;
      this.#log("info", `the server refuses a streaming list (${apiError.reason}); lists are read in pages`);
      return 0;
    }
    if (initial) this.#streamFailures++;
    if (apiError?.code === 410 || error instanceof BrokenView) this.#forgetVersion();
    const wait = this.#delay(apiError?.retryAfterMilliseconds);
    const next = this.#version === undefined ? "everything is read anew" : `it goes on at version ${this.#version}`;
    this.#log(
      apiError?.code === 410 ? "info" : "warn",
      `${error instanceof Error ? error.message : String(error)}; ${next} in ${Math.round(wait)} ms`,
    );
    return wait;
  }

  #forgetVersion(): void {
    this.#reached = this.#version ?? this.#reached;
    this.#version = undefined;
  }

  /** The next wait: none after a healthy spell, else the back-off, and never less than the server asked for. */
  #delay(retryAfter: number | undefined): number {
    const { backoffMinimumMilliseconds, backoffMaximumMilliseconds, healthyMilliseconds } = this.#timings;
    if (this.#last.lived >= healthyMilliseconds) {
      this.#failures = 0;
      return retryAfter ?? 0;
    }
    this.#failures++;
    const backoff = { minimumMilliseconds: backoffMinimumMilliseconds, maximumMilliseconds: backoffMaximumMilliseconds };
    return Math.max(retryAfter ?? 0, backoffDelay(backoff, this.#failures, this.#settings.random));
  }

  #log(level: "info" | "warn", message: string): void {
    this.#settings.log(level, `${this.#title} at ${this.#settings.transport.name}: ${message}`);
  }
}

/** Changes that happen while the first view is streamed come in the same stream. */
function collect<T extends KubernetesObject>(collected: Map<string, T>, type: string, object: T): void {
  const key = `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
  if (type === "DELETED") collected.delete(key);
  else collected.set(key, object);
}
