/** However often it stops and comes back, it is not said more often. */
const SAID_EVERY_MS = 60_000;

export interface AnsweringSettings {
  readonly log?: ((level: "info" | "warn", message: string) => void) | undefined;
  /** Told at the start, and each time that it changes. */
  readonly answers?: ((answers: boolean) => void) | undefined;
  /** Elapsed milliseconds, for tests. */
  readonly elapsed?: () => number;
}

/** Whether a store answers, as this process hears it in its own calls: a word when it stops, and one when it answers again (rule G9). */
export class Answering {
  readonly #settings: AnsweringSettings;
  readonly #elapsed: () => number;
  /** Undefined: nobody has asked yet. */
  #isSilent: boolean | undefined;
  #isSaid = false;
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(settings: AnsweringSettings = {}) {
    this.#settings = settings;
    this.#elapsed = settings.elapsed ?? (() => performance.now());
  }

  /** The last call was not answered. */
  get isSilent(): boolean {
    return this.#isSilent === true;
  }

  /** A call was answered, whatever it was. */
  answered(place: string): void {
    if (this.#isSilent === false) return;
    this.#isSilent = false;
    this.#settings.answers?.(true);
    if (!this.#isSaid) return;
    this.#isSaid = false;
    this.#settings.log?.("info", `the inventory at ${place} answers again`);
  }

  /** A call was not; `sentence` says which, of what store, and why. */
  failed(sentence: string): void {
    if (this.#isSilent !== true) this.#settings.answers?.(false);
    this.#isSilent = true;
    const now = this.#elapsed();
    if (this.#isSaid || now - this.#saidAt < SAID_EVERY_MS) return;
    this.#isSaid = true;
    this.#saidAt = now;
    this.#settings.log?.("warn", sentence);
  }
}
