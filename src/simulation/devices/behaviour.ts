/**
 * How a simulated Socket behaves. It may be changed at any time; what is in hand goes on as it began.
 * - `ok`: fetches, installs, restarts, reports.
 * - `offline`: lives, and never reaches the gateway.
 * - `flaky`: loses the gateway for a quarter of an hour in each hour; its partner still hears it.
 * - `slow`: everything takes six times as long, longer than most windows.
 * - `fails`: finds the artifact bad, says so and goes on as it was.
 * - `rollsBack`: installs, does not come up, comes back on the old version and says so.
 * - `liesSuccess`: answers success at once and installs nothing, as real clients do with what they skip.
 * - `lateStart`: takes the command and begins hours later, whatever it is told meanwhile.
 * - `prefetch`: declares that it fetches ahead, and waits for its window.
 */
export const BEHAVIOURS = ["ok", "offline", "flaky", "slow", "fails", "rollsBack", "liesSuccess", "lateStart", "prefetch"] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

/** What a device takes; elapsed milliseconds of its own clock. */
export interface DeviceTimes {
  readonly download: number;
  /** Its restart included; it is away for so long. */
  readonly install: number;
  /** Of one that starts late: between taking the command and beginning. */
  readonly lateBy: number;
  /** Of a flaky one: how long each of its hours is, and for which share of it it is gone. */
  readonly flaky: { readonly period: number; readonly gone: number };
}

const MINUTE = 60_000;

export const USUAL_TIMES: DeviceTimes = {
  download: 3 * MINUTE,
  install: 12 * MINUTE,
  lateBy: 180 * MINUTE,
  flaky: { period: 60 * MINUTE, gone: 15 * MINUTE },
};

const SLOWNESS = 6;

/** The times of a device that behaves so. */
export function timesOf(behaviour: Behaviour, { download, install, ...rest }: DeviceTimes): DeviceTimes {
  const factor = behaviour === "slow" ? SLOWNESS : 1;
  return { ...rest, download: download * factor, install: install * factor };
}

/** Whether a call of the device comes through at this elapsed instant; `phase` in [0, 1) tells one flaky device from another. */
export function reaches(behaviour: Behaviour, { flaky }: DeviceTimes, elapsed: number, phase: number): boolean {
  if (behaviour === "offline") return false;
  if (behaviour !== "flaky") return true;
  return (elapsed + phase * flaky.period) % flaky.period >= flaky.gone;
}
