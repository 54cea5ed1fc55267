import { setTimeout as sleep } from "node:timers/promises";
import type { PopCluster } from "../../api/pop-cluster.ts";
import type { DemoClock } from "./ports.ts";

const LOOK_MILLISECONDS = 50;
/** At 1× again so long before a waiting PoP's window opens, that its start is not overshot. */
const AHEAD_MILLISECONDS = 1_500;
/** What the machine may be late with a change of pace, which at this pace are days: the rest of the way is jumped. */
const SLACK_MILLISECONDS = 1_500;
/** Ways shorter than this are jumped over: a change of pace itself takes half a second. */
const SHORT_MILLISECONDS = 60_000;

const WINDOW_HOLDS = new Set(["OutsideWindow", "LastStartPassed", "Frozen", "NoticeNotElapsed"]);

/** Is work in hand, or about to be: then the calendar runs as fast as the machine's clock (architecture: accelerated clock). */
export function isBusy({ metadata, status }: PopCluster, now: number): boolean {
  if (!status || (status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return true;
  const { run, nodes = [], holds = [], revisions } = status;
  if (nodes.some(({ step }) => step === "Claimed" || step === "Updating" || step === "Soaking")) return true;
  if (holds.some(({ reason, until }) => reason === "FailedBefore" || (until !== undefined && Date.parse(until) > now))) return false;
  if (run?.state === "Baking" || run?.state === "Passed") return revisions?.wanted !== undefined && revisions.wanted !== run.revision;
  return run !== undefined || (revisions?.wanted !== undefined && revisions.wanted !== revisions.current);
}

/** The next instants at which something that a PoP waits for ends: a bake, the time until a window. */
export const nextEvents = (pops: readonly PopCluster[], now: number): number[] => untils(pops, now, () => true);

/** The next instants at which a waiting PoP may start a node. */
export const nextStarts = (pops: readonly PopCluster[], now: number): number[] => untils(pops, now, (reason) => WINDOW_HOLDS.has(reason));

const untils = (pops: readonly PopCluster[], now: number, counts: (reason: string) => boolean): number[] =>
  pops
    .flatMap(({ status }) => status?.holds ?? [])
    .flatMap(({ reason, until }) => (until !== undefined && counts(reason) && Date.parse(until) > now ? [Date.parse(until)] : []));

/** Takes the calendar from one event to the next. */
export class Pace {
  readonly #clock: DemoClock;
  readonly #pops: () => readonly PopCluster[];
  readonly #stretchMilliseconds: number;

  constructor(clock: DemoClock, pops: () => readonly PopCluster[], stretchMilliseconds: number) {
    this.#clock = clock;
    this.#pops = pops;
    this.#stretchMilliseconds = stretchMilliseconds;
  }

  /** `check` is called at each look and throws to end it. */
  async passTo(target: number, check: () => void): Promise<void> {
    for (;;) {
      check();
      const now = this.#clock.now();
      if (now >= target) break;
      if (this.#busy()) {
        await this.#setRate(1);
        await sleep(LOOK_MILLISECONDS);
        continue;
      }
      const starts = nextStarts(this.#pops(), now).map((start) => Math.max(now, start - AHEAD_MILLISECONDS));
      const stop = Math.min(target, ...starts.filter((start) => start > now));
      const nearStart = starts.some((start) => start <= now);
      if (nearStart) await sleep(LOOK_MILLISECONDS);
      else await this.#goTo(stop, check);
    }
    await this.#setRate(1);
  }

  /** Fast for most of the way, so that hours are seen to pass, then right to the instant. */
  async #goTo(stop: number, check: () => void): Promise<void> {
    const way = stop - this.#clock.now();
    if (way > SHORT_MILLISECONDS) {
      await this.#setRate(Math.max(1, Math.round(way / (this.#stretchMilliseconds + SLACK_MILLISECONDS))));
      for (const end = performance.now() + this.#stretchMilliseconds; performance.now() < end && !this.#busy();) {
        check();
        await sleep(LOOK_MILLISECONDS);
      }
      await this.#setRate(1);
    }
    if (!this.#busy() && this.#clock.now() < stop) await this.#clock.jumpTo(stop).catch(ignorePassed);
  }

  #busy(): boolean {
    return this.#pops().some((pop) => isBusy(pop, this.#clock.now()));
  }

  async #setRate(rate: number): Promise<void> {
    if (this.#clock.rate !== rate) await this.#clock.setRate(rate);
  }
}

/** The instant passed while the jump was being announced: so much the better. */
function ignorePassed(): void {}
