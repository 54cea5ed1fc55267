const formats = new Map<string, Intl.DateTimeFormat>();

/** What a clock of that zone reads, `2026-11-22 01:00:00`; asked of the machine's own tables, not of the operator's reckoning. */
export function clockReads(zone: string, at: number): string {
  let format = formats.get(zone);
  if (!format) formats.set(zone, (format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" })));
  return format.format(at);
}

/** Is it Sunday there, from 01:00 until the last start of five minutes' work before 05:00? */
export function isInSundayWindow(zone: string, at: number): boolean {
  const [date, time] = clockReads(zone, at).split(" ") as [string, string];
  return new Date(`${date}T00:00:00Z`).getUTCDay() === 0 && time >= "01:00:00" && time <= "04:55:00";
}
