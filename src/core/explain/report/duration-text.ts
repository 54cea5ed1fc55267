const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** Milliseconds for people, in the two largest units: `6 d 20 h`, `12 min 5 s`, `0 s`. What is smaller is cut off. */
export function durationText(milliseconds: number): string {
  const first = UNITS.findIndex(([, size]) => milliseconds >= size);
  if (first < 0) return "0 s";
  const [name, size] = UNITS[first]!;
  const second = UNITS[first + 1];
  const rest = second === undefined ? 0 : Math.floor((milliseconds % size) / second[1]);
  return `${Math.floor(milliseconds / size)} ${name}${rest === 0 ? "" : ` ${rest} ${second![0]}`}`;
}
