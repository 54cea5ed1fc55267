// How long work is shown: a bar that redraws itself on a terminal, a plain line now and then in a log.
const PLAIN_LINE_EVERY_MS = 20_000;
const REDRAW_EVERY_MS = 100;
const BAR_CELLS = 30;

export interface Progress {
  /** One line about what is done or was found. */
  say(line: string): void;
  /** How far `label` has come; `total` 0 if it is not known. */
  step(label: string, done: number, total: number): void;
}

interface Output {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

/** Writes nothing; for callers that want the result only. */
export const silent: Progress = { say: () => {}, step: () => {} };

/** Progress on a stream, stderr unless told otherwise: stdout belongs to what the command prints. */
export function progressOn(output: Output = process.stderr, elapsedMs: () => number = () => performance.now()): Progress {
  return output.isTTY === true ? bar(output, elapsedMs) : plain(output, elapsedMs);
}

function bar(output: Output, elapsedMs: () => number): Progress {
  let drawn = false;
  let last = -Infinity;
  const clear = (): void => {
    if (drawn) output.write("\r\u001b[K");
    drawn = false;
  };
  return {
    say(line) {
      clear();
      output.write(`${line}\n`);
    },
    step(label, done, total) {
      const ended = done >= total && total > 0;
      if (!ended && elapsedMs() - last < REDRAW_EVERY_MS) return;
      last = elapsedMs();
      clear();
      if (ended) return;
      const filled = total > 0 ? Math.round((BAR_CELLS * done) / total) : 0;
      const cells = total > 0 ? `[${"█".repeat(filled)}${"·".repeat(BAR_CELLS - filled)}] ` : "";
      // A line longer than the terminal would wrap, and \r could not take it back.
      output.write(`${cells}${amount(label, done, total)}`.slice(0, (output.columns ?? 80) - 1));
      drawn = true;
    },
  };
}

function plain(output: Output, elapsedMs: () => number): Progress {
  let last = elapsedMs();
  return {
    say(line) {
      output.write(`${line}\n`);
    },
    step(label, done, total) {
      if (elapsedMs() - last < PLAIN_LINE_EVERY_MS) return;
      last = elapsedMs();
      output.write(`${amount(label, done, total)}\n`);
    },
  };
}

function amount(label: string, done: number, total: number): string {
  return total > 0 ? `${label}: ${done} of ${total} (${Math.floor((100 * done) / total)} %)` : `${label}: ${done}`;
}
