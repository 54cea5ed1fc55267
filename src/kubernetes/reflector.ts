import { ApiError, type Kind, type KubernetesObject, type ListOptions } from "../control/ports.ts";
import { backoffDelay } from "../runtime/backoff.ts";
import { type Clock, sleep } from "../runtime/clock.ts";
import type { Log } from "./log.ts";
import { listPages } from "./paged-list.ts";
import { objectTitle, resourcePath } from "./resource-path.ts";
import { compareResourceVersions } from "./resource-version.ts";
import { errorOfStatus } from "./status-error.ts";
import type { Stream } from "./call.ts";
import type { Transport } from "./transport.ts";
import { BrokenView, type WatchEvent, WatchSpell, type WatchTimings } from "./watch-spell.ts";

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
  /** A list, or the opening of a watch, was not answered, or only by something before the server (5xx). */
  unanswered(): void;
}

export interface ReflectorTimings extends WatchTimings {
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
  #spell: WatchSpell<T> | undefined;
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
    this.#spell?.close();
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
    const stream = await this.#openStream(initial);
    if (this.#stopped) return stream.close();
    const { clock, sink } = this.#settings;
    const spell = new WatchSpell<T>({
      stream,
      clock,
      timings: this.#timings,
      initial,
      title: `${this.#title} at ${this.#settings.transport.name}`,
      stopped: this.#stop.signal,
    });
    this.#spell = spell;
    const apply = (event: WatchEvent<T>) => {
      sink.alive();
      this.#apply(spell, event);
    };
    const truncated = (length: number) =>
      this.#log("info", `the watch was cut in the middle of a line (${length} bytes); it goes on at ${this.#version}`);
    try {
      await spell.run(apply, truncated);
    } finally {
      this.#last = { lines: spell.lines, lived: spell.lived };
      this.#spell = undefined;
      spell.close();
    }
  }

  #openStream(initial: boolean): Promise<Stream> {
    const { transport, kind, options, random } = this.#settings;
    return transport.stream({
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
  }

  #apply(spell: WatchSpell<T>, event: WatchEvent<T>): void {
    const { sink, ingest, transport } = this.#settings;
    if (event.type === "ERROR") throw errorOfStatus(`watch ${this.#title} at ${transport.name}`, event.object);
    const { metadata } = event.object;
    // A server restored from a backup counts from an older version on: what we hold may never have happened there.
    if (this.#version !== undefined && (compareResourceVersions(metadata.resourceVersion, this.#version) ?? 0) < 0) {
      throw new BrokenView(`the server went back from version ${this.#version} to ${metadata.resourceVersion}`);
    }
    if (event.type === "BOOKMARK") {
      if (spell.collecting && metadata.annotations?.["k8s.io/initial-events-end"] !== "true") return;
      this.#version = metadata.resourceVersion;
      if (!spell.collecting) return;
      this.#streamFailures = 0;
      sink.replace(spell.publish(), metadata.resourceVersion);
    } else if (event.type === "ADDED" || event.type === "MODIFIED" || event.type === "DELETED") {
      const object = ingest(event.object);
      if (spell.collecting) return spell.collect(event.type, object);
      this.#version = metadata.resourceVersion;
      if (event.type === "DELETED") sink.deleted(object);
      else sink.changed(object);
    } else {
      throw new BrokenView(`the watch sent an event of the unknown type ${event.type}`);
    }
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
    const opened = this.#last.lines > 0 || this.#last.lived > 0;
    if (!opened && apiError && (apiError.code === 0 || apiError.code >= 500)) this.#settings.sink.unanswered();
    // The server is there again and has only forgotten where we were: the waits of its absence are over.
    if (apiError?.code === 410 && !initial) this.#failures = 0;
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
