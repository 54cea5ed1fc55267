/**
 * Two times (architecture: "Facts that shape it"). Calendar time may be accelerated or virtual and is the `now` of every decision;
 * elapsed time is real and monotonic: deadlines of calls, leases, ages of samples. The two are never subtracted from each other.
 */
export interface Clock {
  /** Calendar time in milliseconds since the epoch. */
  now(): number;
  /** Monotonic time in milliseconds since some fixed instant of this process. */
  elapsed(): number;
  /** Calls back once, when calendar time has reached `at` (at most an hour is handed to one timer, rule G3). Returns its cancellation. */
  at(at: number, wake: () => void): () => void;
  /** Calls back once, after `milliseconds` of elapsed time. Returns its cancellation. */
  after(milliseconds: number, wake: () => void): () => void;
}

/** Resolves after `milliseconds` of elapsed time, or rejects with the signal's reason. */
export function sleep(clock: Clock, milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal!.reason);
    };
    const cancel = clock.after(milliseconds, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
