/** Elapsed time for people: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function elapsedText(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return pair(Math.floor(whole / 60), "min", whole % 60, "s");
  return pair(Math.floor(whole / 3600), "h", Math.floor((whole % 3600) / 60), "min");
}

const pair = (first: number, unit: string, second: number, smaller: string): string =>
  second === 0 ? `${first} ${unit}` : `${first} ${unit} ${second} ${smaller}`;

/** A measured value for people: four significant digits, never more. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  return String(Number(value.toPrecision(4)));
}

/** `a`, `a and b`, `a, b and 3 more`. */
export function listText(items: readonly string[], shown = 3): string {
  if (items.length <= 1) return items.join("");
  const rest = items.length - shown;
  if (rest > 0) return `${items.slice(0, shown).join(", ")} and ${rest} more`;
  return `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}
