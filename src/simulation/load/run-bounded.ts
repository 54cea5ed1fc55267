/** Longer than any run of a test: a process that its parent forgot ends by itself. */
const LONGEST_SECONDS = 3_600;

/** One JSON line on standard output. */
export function printLine(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/**
 * A signal that aborts when it is time to end: after `seconds`, on SIGINT or SIGTERM, or when standard input closes, which it does when
 * the parent dies however it dies. `onLine` gets what the parent writes meanwhile.
 */
export function boundedRun(seconds: number, onLine: (line: string) => void = () => undefined): AbortSignal {
  if (!(seconds > 0 && seconds <= LONGEST_SECONDS)) throw new Error(`--seconds is ${seconds}, write a number from 1 to ${LONGEST_SECONDS}`);
  const end = new AbortController();
  const stop = () => {
    clearTimeout(timer);
    end.abort();
    process.stdin.destroy();
  };
  const timer = setTimeout(stop, seconds * 1000);
  process.once("SIGINT", stop).once("SIGTERM", stop);
  let rest = "";
  process.stdin.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") onLine(line.trim());
  });
  process.stdin.once("end", stop).once("error", stop);
  return end.signal;
}
