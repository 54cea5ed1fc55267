import type { PopRollout, RolloutForecast } from "../../api/pop-rollout.ts";
import { canonicalJson } from "../../core/canonical-json.ts";
import { HOUR, MINUTE, SECOND } from "../../core/time/civil.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Forecast, ForecastInput } from "../ports.ts";
import { forecastDigest, forecastFacts } from "./facts.ts";

export interface ForecastKeeperPorts {
  readonly clock: Clock;
  readonly forecast: Forecast;
  /** The fleet as it is known now. */
  readonly input: () => Omit<ForecastInput, "now">;
  /** What is to come of these rollouts is another thing than before. */
  readonly onChange: (uids: readonly string[]) => void;
  /** No answer came, in a sentence; the next change asks again. */
  readonly onError: (message: string, error: unknown) => void;
}

/** Changes come in bursts: a look waits for the rest of one. */
const GATHER = SECOND;
/** At most one look a minute of the calendar, and at most a tenth of one processor. */
const APART = MINUTE;
const SHARE = 10;
/** Also without a change: what should have begun and has not is a change of its own. */
const AT_LEAST = HOUR;

/**
 * Keeps what is to come of each rollout current (rule F7): it looks again when the digest of what the forecast is computed from has
 * changed. What it hands out changes only when dates, the end or the fit do, so that status is not written for seconds (rule G11).
 */
export class ForecastKeeper {
  readonly #ports: ForecastKeeperPorts;
  readonly #known = new Map<string, RolloutForecast>();
  #digest: string | undefined;
  #lookedAt = -Infinity;
  #restUntil = -Infinity;
  #cancel: (() => void) | undefined;
  #refresh: (() => void) | undefined;
  #looking = false;
  #again = false;
  #stopped = false;

  constructor(ports: ForecastKeeperPorts) {
    this.#ports = ports;
  }

  of(uid: string): RolloutForecast | undefined {
    return this.#known.get(uid);
  }

  /** Something of the fleet changed. */
  look(): void {
    if (this.#stopped || this.#cancel !== undefined) return;
    if (this.#looking) {
      this.#again = true;
      return;
    }
    const { clock } = this.#ports;
    const wait = Math.max(GATHER, this.#restUntil - clock.elapsed());
    this.#cancel = clock.after(wait, () => {
      this.#cancel = clock.at(Math.max(clock.now(), this.#lookedAt + APART), () => {
        this.#cancel = undefined;
        void this.#look();
      });
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#refresh?.();
  }

  async #look(): Promise<void> {
    const { clock, forecast, input, onError } = this.#ports;
    const now = clock.now();
    const fleet = input();
    if (!fleet.rollouts.some(isOpen)) return;
    const facts = forecastFacts({ ...fleet, now });
    const digest = forecastDigest(facts);
    if (digest === this.#digest && now < this.#lookedAt + AT_LEAST) return;
    this.#looking = true;
    const began = clock.elapsed();
    try {
      const found = await forecast.lookAhead(facts);
      if (this.#stopped) return;
      this.#digest = digest;
      this.#publish(found);
    } catch (error) {
      if (!this.#stopped)
        onError("the forecast of the fleet could not be computed; the last one stands, and the next change asks again", error);
    } finally {
      this.#looking = false;
      this.#lookedAt = now;
      this.#restUntil = clock.elapsed() + SHARE * (clock.elapsed() - began);
      this.#after(now);
    }
  }

  #after(now: number): void {
    if (this.#stopped) return;
    this.#refresh?.();
    this.#refresh = this.#ports.clock.at(now + AT_LEAST, () => this.look());
    if (this.#again) {
      this.#again = false;
      this.look();
    }
  }

  #publish(found: ReadonlyMap<string, RolloutForecast>): void {
    const changed = [...found].filter(([uid, forecast]) => !saysTheSame(this.#known.get(uid), forecast));
    for (const uid of this.#known.keys()) if (!found.has(uid)) this.#known.delete(uid);
    for (const [uid, forecast] of changed) this.#known.set(uid, forecast);
    if (changed.length > 0) this.#ports.onChange(changed.map(([uid]) => uid));
  }
}

const isOpen = ({ metadata, status }: PopRollout): boolean => metadata.deletionTimestamp === undefined && status?.outcome === undefined;

function saysTheSame(before: RolloutForecast | undefined, after: RolloutForecast): boolean {
  const said = ({ finishAt, fits, windows }: RolloutForecast) => canonicalJson({ finishAt, fits, windows });
  return before !== undefined && said(before) === said(after);
}
