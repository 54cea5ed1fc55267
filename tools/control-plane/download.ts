// Fetches a release file so that it is whole or not there: into a `.part` file that a later run continues, checked by sha256,
// then renamed in one step.
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, renameSync, rmSync, statSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

const ANSWER_WITHIN_MS = 5_000;
const SILENT_FOR_AT_MOST_MS = 30_000;
const ATTEMPTS = 4;

export interface Download {
  readonly url: string;
  readonly to: string;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly onBytes?: (done: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the first byte of an answer; then the source counts as unreachable. */
  readonly answerWithinMs?: number;
}

/** A sentence about a file that could not be had. */
export class DownloadFailed extends Error {
  override readonly name = "DownloadFailed";
  /** True if asking again may help: the connection broke in the middle. */
  readonly transient: boolean;
  constructor(message: string, transient = false) {
    super(message);
    this.transient = transient;
  }
}

/**
 * Fetches `url` into `to` (mode 0755). A file that is there already is left alone. Throws DownloadFailed when the server does not
 * answer in time, refuses, breaks off too often, or sends something whose checksum differs; then nothing lies at `to`, and what
 * has arrived stays as `to.part` for the next attempt, except after a wrong checksum.
 */
export async function download(file: Download): Promise<void> {
  if (existsSync(file.to)) return;
  const part = `${file.to}.part`;
  const continued = sizeOf(part) > 0;
  await fetchAll(file, part);
  if ((await sha256Of(part)) !== file.sha256) {
    rmSync(part);
    // The kept beginning may be that of another file: one attempt from nothing tells a stale start from a bad source.
    if (continued) return download(file);
    throw new DownloadFailed(`${file.url} does not have the sha256 ${file.sha256} that was expected; what was fetched is deleted.`);
  }
  await chmod(part, 0o755);
  renameSync(part, file.to);
}

/** Fetches a small text (a checksum file). */
export async function fetchText(url: string, signal?: AbortSignal, answerWithinMs = ANSWER_WITHIN_MS): Promise<string> {
  const watch = new SilenceWatch(signal);
  try {
    const answer = await ask(url, {}, watch, answerWithinMs);
    if (!answer.ok) throw new DownloadFailed(`${url} answered ${answer.status}.`);
    return await answer.text();
  } catch (error) {
    throw asFailure(url, error, signal);
  } finally {
    watch.end();
  }
}

async function fetchAll(file: Download, part: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const before = sizeOf(part);
    try {
      return await fetchRest(file, part);
    } catch (error) {
      const failure = asFailure(file.url, error, file.signal);
      const cameFurther = sizeOf(part) > before;
      if (!failure.transient || (!cameFurther && attempt >= ATTEMPTS)) throw failure;
      if (cameFurther) attempt = 0;
    }
  }
}

async function fetchRest(file: Download, part: string): Promise<void> {
  const have = sizeOf(part);
  const watch = new SilenceWatch(file.signal);
  try {
    const headers: Record<string, string> = have > 0 ? { range: `bytes=${have}-` } : {};
    const answer = await ask(file.url, headers, watch, file.answerWithinMs ?? ANSWER_WITHIN_MS);
    if (answer.status === 416) return; // the part file is the whole file; its checksum decides
    if (!answer.ok || answer.body === null) throw new DownloadFailed(`${file.url} answered ${answer.status}.`);
    // 200 to a request for a range: the server sends the file from its start.
    const from = answer.status === 206 ? have : 0;
    const total = from + Number(answer.headers.get("content-length") ?? 0);
    let done = from;
    const written = createWriteStream(part, { flags: from > 0 ? "a" : "w" });
    const closed = new Promise<void>((done) => written.once("close", () => done()));
    await pipeline(
      Readable.fromWeb(answer.body),
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          watch.expect(SILENT_FOR_AT_MOST_MS);
          done += chunk.length;
          file.onBytes?.(done, total);
          yield chunk;
        }
      },
      written,
      // A pipeline that broke is over before the last write is: whoever asked for the file's size now would go on in the wrong place.
    ).finally(() => closed);
  } finally {
    watch.end();
  }
}

async function ask(url: string, headers: Record<string, string>, watch: SilenceWatch, answerWithinMs: number): Promise<Response> {
  watch.expect(answerWithinMs);
  const answer = await fetch(url, { headers: { ...headers, "accept-encoding": "identity" }, signal: watch.signal });
  watch.expect(SILENT_FOR_AT_MOST_MS);
  return answer;
}

/** Aborts a transfer when nothing has come for as long as was last allowed, or when the caller gives up. */
class SilenceWatch {
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  readonly signal: AbortSignal;

  constructor(caller: AbortSignal | undefined) {
    this.signal = caller === undefined ? this.#controller.signal : AbortSignal.any([caller, this.#controller.signal]);
  }

  expect(withinMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(new DownloadFailed(`nothing came for ${withinMs / 1000} s`, true)), withinMs);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

function asFailure(url: string, error: unknown, signal: AbortSignal | undefined): DownloadFailed {
  if (signal?.aborted === true) return new DownloadFailed(`${url}: given up on request.`);
  if (error instanceof DownloadFailed)
    return error.message.startsWith(url) ? error : new DownloadFailed(`${url}: ${error.message}.`, error.transient);
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const why = cause instanceof Error ? cause.message : String(cause);
  const code = (cause as { code?: unknown }).code;
  const unreachable = typeof code === "string" && ["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH"].includes(code);
  return new DownloadFailed(`${url}: ${why}.`, !unreachable);
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
