/**
 * Text from outside (rule G12). What a device, a container or a person wrote ends up in conditions, events, log lines and pages:
 * a line break forges a log line, an escape sequence repaints a terminal, a bidi override turns a name around.
 */

// C0 and C1 controls, DEL, line and paragraph separators, bidi marks, embeddings, overrides and isolates, byte order marks.
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]+/g;

/** The text on one line: each run of control characters becomes one space, half a surrogate pair the replacement character. */
export function stripControl(text: string): string {
  return text.toWellFormed().replace(CONTROL, " ").trim();
}

/** The text, at most `maximum` UTF-16 units long; what was cut is shown by an ellipsis, which counts. */
export function cap(text: string, maximum: number): string {
  if (text.length <= maximum) return text;
  if (maximum < 1) return "";
  let end = maximum - 1;
  const last = text.charCodeAt(end - 1);
  // A pair cut in two would be refused by the API server as invalid UTF-8.
  if (last >= 0xd800 && last <= 0xdbff) end -= 1;
  return `${text.slice(0, end)}…`;
}

/** Stripped and capped: the only form in which text from outside goes on (rule G12). */
export function cleanText(text: string, maximum: number): string {
  return cap(stripControl(text), maximum);
}

/** `1 PoP`, `3 PoPs`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
