import { createHash, randomBytes } from "node:crypto";
import { ApiError, type ClusterEvent, type EventSink } from "../control/ports.ts";
import { type Clock, sleep } from "../runtime/clock.ts";
import type { Log } from "./log.ts";
import type { Transport } from "./transport.ts";

export interface EventSettings {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly log: Log;
  /** `example.dev/controller`: the reporting controller. */
  readonly controller: string;
  /** The pod that reports. */
  readonly instance: string;
  /** Milliseconds since the epoch for `eventTime`, real time also where the calendar is accelerated (default `Date.now`). */
  readonly wallClock?: () => number;
  /** Events that wait to be written (default 1,000); more are dropped and counted. */
  readonly queued?: number;
  /** How long repetitions are collected before the series is written (default 10 s). */
  readonly seriesMilliseconds?: number;
  /** Silence after which the same event is a new one and no longer a series (default 6 min). */
  readonly forgottenMilliseconds?: number;
}

const LONGEST_NOTE = 1_024;
const LONGEST_WORD = 128;
/** Known series; beyond it the longest untouched are forgotten, and would begin anew. */
const KNOWN_SERIES = 2_000;
const TRIES = 3;

interface Series {
  readonly event: ClusterEvent;
  readonly name: string;
  count: number;
  lastSeen: number;
  lastObserved: string;
  created: boolean;
  /** In the queue, to be written. */
  queued: boolean;
}

/**
 * Publishes events of events.k8s.io/v1. The same event again becomes one series with a count. Events are courtesy: what cannot be
 * written is dropped and logged, and no decision waits for it.
 */
export class KubernetesEvents implements EventSink {
  readonly #settings: EventSettings;
  /** By what makes events the same; in the order of their last repetition. */
  readonly #series = new Map<string, Series>();
  readonly #queue: Series[] = [];
  readonly #delayed = new Map<Series, () => void>();
  #writing: Promise<void> | undefined;
  #dropped = 0;

  constructor(settings: EventSettings) {
    this.#settings = settings;
  }

  /** Events dropped since the start because the queue was full or the server refused them. */
  get dropped(): number {
    return this.#dropped;
  }

  publish(event: ClusterEvent): void {
    try {
      this.#note(event);
    } catch (error) {
      this.#settings.log("error", `an event was not noted, what was handed in is none: ${String(error)}`);
    }
  }

  /** Writes everything noted so far, collected repetitions included; resolves when done or given up. */
  async flush(): Promise<void> {
    for (const [series, cancel] of this.#delayed) {
      cancel();
      this.#enqueue(series);
    }
    this.#delayed.clear();
    while (this.#writing) await this.#writing;
  }

  #note(event: ClusterEvent): void {
    const { clock, forgottenMilliseconds = 360_000, seriesMilliseconds = 10_000 } = this.#settings;
    const key = keyOf(event);
    const now = clock.elapsed();
    const known = this.#series.get(key);
    this.#series.delete(key);
    if (!known || now - known.lastSeen > forgottenMilliseconds) {
      const fresh: Series = {
        event,
        name: nameOf(event),
        count: 1,
        lastSeen: now,
        lastObserved: this.#microTime(),
        created: false,
        queued: false,
      };
      this.#series.set(key, fresh);
      this.#forgetOldest();
      return this.#enqueue(fresh);
    }
    this.#series.set(key, known);
    known.count++;
    known.lastSeen = now;
    known.lastObserved = this.#microTime();
    if (known.queued || this.#delayed.has(known)) return;
    this.#delayed.set(
      known,
      clock.after(seriesMilliseconds, () => {
        this.#delayed.delete(known);
        this.#enqueue(known);
      }),
    );
  }

  #forgetOldest(): void {
    for (const key of this.#series.keys()) {
      if (this.#series.size <= KNOWN_SERIES) return;
      this.#series.delete(key);
    }
  }

  #enqueue(series: Series): void {
    if (series.queued) return;
    if (this.#queue.length >= (this.#settings.queued ?? 1_000)) {
      this.#drop(series, "the queue of events is full");
      return;
    }
    series.queued = true;
    this.#queue.push(series);
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
  }

  async #write(): Promise<void> {
    // Not in the caller's own turn: `publish` must not send.
    await Promise.resolve();
    for (let series = this.#queue.shift(); series; series = this.#queue.shift()) {
      series.queued = false;
      await this.#writeOne(series);
    }
  }

  async #writeOne(series: Series): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        if (!series.created) await this.#create(series);
        else await this.#count(series);
        return;
      } catch (error) {
        const gone = error instanceof ApiError && error.code === 404 && series.created;
        if (gone) series.created = false;
        const hopeless = error instanceof ApiError && error.code >= 400 && error.code < 500 && error.code !== 429 && !gone;
        if (hopeless || attempt >= TRIES) return this.#drop(series, error instanceof Error ? error.message : String(error));
        await sleep(this.#settings.clock, 200 * attempt);
      }
    }
  }

  /** The name is ours, so a creation whose answer was lost can be repeated: it is found to exist. */
  async #create(series: Series): Promise<void> {
    const { event } = series;
    const namespace = namespaceOf(event);
    const { controller, instance } = this.#settings;
    const body = {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name: series.name, namespace },
      eventTime: series.lastObserved,
      reportingController: cut(controller, LONGEST_WORD),
      reportingInstance: cut(instance, LONGEST_WORD),
      type: event.type,
      reason: cut(event.reason, LONGEST_WORD),
      action: cut(event.action, LONGEST_WORD),
      note: cut(event.note, LONGEST_NOTE),
      regarding: event.regarding,
      ...(series.count >= 2 ? { series: { count: series.count, lastObservedTime: series.lastObserved } } : {}),
    };
    try {
      await this.#request("create", "POST", event, pathOf(namespace), body, "application/json");
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 409)) throw error;
    }
    series.created = true;
  }

  async #count(series: Series): Promise<void> {
    const body = { series: { count: series.count, lastObservedTime: series.lastObserved } };
    const path = `${pathOf(namespaceOf(series.event))}/${encodeURIComponent(series.name)}`;
    await this.#request("patch", "PATCH", series.event, path, body, "application/merge-patch+json");
  }

  async #request(
    verb: string,
    method: "POST" | "PATCH",
    event: ClusterEvent,
    path: string,
    body: unknown,
    contentType: string,
  ): Promise<void> {
    const title = `Event ${event.reason} on ${event.regarding.kind} ${event.regarding.name}`;
    await this.#settings.transport.request({ verb, kind: "Event", title, method, path, body, contentType });
  }

  #drop(series: Series, why: string): void {
    this.#dropped++;
    const { reason, regarding } = series.event;
    this.#settings.log("warn", `an event was dropped (${this.#dropped} so far), ${reason} on ${regarding.kind} ${regarding.name}: ${why}`);
  }

  /** MicroTime has six decimals; the server refuses three. */
  #microTime(): string {
    return new Date((this.#settings.wallClock ?? Date.now)()).toISOString().replace("Z", "000Z");
  }
}

/** Events are the same when a person would read the same: object, type, reason, action and note. */
function keyOf(event: ClusterEvent): string {
  const { regarding } = event;
  const parts = [
    regarding.uid,
    regarding.kind,
    regarding.namespace ?? "",
    regarding.name,
    event.type,
    event.reason,
    event.action,
    event.note,
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64");
}

function nameOf(event: ClusterEvent): string {
  return `${event.regarding.name.slice(0, 230)}.${randomBytes(8).toString("hex")}`;
}

/** An event of a cluster-scoped object is kept in `default`, where kubectl looks for it. */
const namespaceOf = (event: ClusterEvent): string => event.regarding.namespace ?? "default";
const pathOf = (namespace: string): string => `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`;

/** The server counts bytes of UTF-8, not characters; a character is not cut in two. */
function cut(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const ellipsis = "…";
  const room = Buffer.from(text).subarray(0, bytes - Buffer.byteLength(ellipsis));
  return new TextDecoder().decode(room).replace(/\uFFFD+$/, "") + ellipsis;
}
