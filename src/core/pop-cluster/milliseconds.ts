import { parseDuration } from "../time/duration.ts";

/** A duration of a spec that the schema has admitted, in milliseconds. */
export function milliseconds(text: string): number {
  const parsed = parseDuration(text);
  if (parsed === undefined) throw new RangeError(`duration ${JSON.stringify(text)} passed the schema but does not parse`);
  return parsed;
}
