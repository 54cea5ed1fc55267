import { DAY, HOUR, MINUTE, SECOND } from "./civil.ts";

const DURATION = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/;
const MAXIMUM = 3_660 * DAY;

/** `1h30m` → milliseconds; undefined when it is no duration of ours: hours, minutes, seconds, in this order, whole numbers. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text);
  if (!match || text.length < 2 || text.length > 32) return undefined;
  const milliseconds = Number(match[1] ?? 0) * HOUR + Number(match[2] ?? 0) * MINUTE + Number(match[3] ?? 0) * SECOND;
  return milliseconds <= MAXIMUM ? milliseconds : undefined;
}

/** Milliseconds as `1h30m`; below a second is cut off, nothing left is `0s`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 0) return `-${formatDuration(-milliseconds)}`;
  const hours = Math.floor(milliseconds / HOUR);
  const minutes = Math.floor(milliseconds / MINUTE) % 60;
  const seconds = Math.floor(milliseconds / SECOND) % 60;
  const text = `${hours > 0 ? `${hours}h` : ""}${minutes > 0 ? `${minutes}m` : ""}${seconds > 0 ? `${seconds}s` : ""}`;
  return text === "" ? "0s" : text;
}

const UNITS: Readonly<Record<string, number>> = {
  w: 7 * DAY,
  d: DAY,
  h: HOUR,
  m: MINUTE,
  min: MINUTE,
  s: SECOND,
};

/** What a person may have meant: `1.5h`, `2d`, `30m1h`, `1H 30M` are read with good will, for the suggestion only. */
function guessDuration(text: string): number | undefined {
  const compact = text.toLowerCase().replaceAll(/[\s,]+/g, "");
  if (!/^(?:\d+(?:\.\d+)?(?:min|[wdhms]))+$/.test(compact)) return undefined;
  let total = 0;
  for (const [, amount, unit] of compact.matchAll(/(\d+(?:\.\d+)?)(min|[wdhms])/g)) total += Number(amount) * UNITS[unit!]!;
  return Number.isSafeInteger(total) && total <= MAXIMUM && total % SECOND === 0 ? total : undefined;
}

/** Why `text` is no duration, as a sentence that says what to write instead (rule W10); undefined when it is one. */
export function durationProblem(field: string, text: unknown): string | undefined {
  if (typeof text === "string" && parseDuration(text) !== undefined) return undefined;
  if (typeof text === "string" && text.length >= 2 && text.length <= 32 && DURATION.test(text))
    return `${field} is ${JSON.stringify(text)}, which is longer than ten years; write at most ${formatDuration(MAXIMUM)}`;
  const guess = typeof text === "string" ? guessDuration(text) : undefined;
  const instead = guess === undefined ? "hours, minutes and seconds as in 1h30m or 48h" : formatDuration(guess);
  return `${field} is ${JSON.stringify(text)}, which is no duration; write ${instead}`;
}
