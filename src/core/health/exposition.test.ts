import fc from "fast-check";
import { expect, it } from "vitest";
import { parseExposition } from "./exposition.ts";

const page = `# HELP pop_active_sessions Sessions now.
# TYPE pop_active_sessions gauge
pop_active_sessions 42
pop_session_reconnect_seconds_bucket{from="fra1-n1",le="10"} 180 1700000000000
pop_session_reconnect_seconds_bucket{from="fra1-n1",le="+Inf",} 2e2 # {trace_id="a"} 3.1 1700000000.1
pop_session_reconnect_seconds_count{from="fra1-n1"} 200
odd{ name = "a\\"b\\\\c\\nd}" , __proto__="x" } +Inf
nan_here NaN
minus -Inf\r
`;

it("reads values, labels with escapes, time stamps, exemplars, infinities and NaN", () => {
  const { samples, unreadableLines } = parseExposition(page);
  expect(unreadableLines).toBe(0);
  expect(samples.map(({ name, value }) => `${name} ${value}`)).toEqual([
    "pop_active_sessions 42",
    "pop_session_reconnect_seconds_bucket 180",
    "pop_session_reconnect_seconds_bucket 200",
    "pop_session_reconnect_seconds_count 200",
    "odd Infinity",
    "nan_here NaN",
    "minus -Infinity",
  ]);
  expect(samples[4]!.labels["name"]).toBe('a"b\\c\nd}');
  expect(Object.hasOwn(samples[4]!.labels, "__proto__")).toBe(true);
});

it("keeps only the series asked for", () => {
  expect(parseExposition(page, ["pop_active_sessions"]).samples).toHaveLength(1);
});

it("counts odd lines and reads the others", () => {
  const { samples, unreadableLines } = parseExposition('a 1\n<html>\nb{x="1" 2\nc{x=1} 2\nd\ne 0x10\nf 6');
  expect(samples.map(({ name }) => name)).toEqual(["a", "f"]);
  expect(unreadableLines).toBe(5);
});

it("[I19] never throws and keeps at most 20,000 samples, whatever the page", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => void parseExposition(text)),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.stringMatching(/^[a"{}=\\, 1\n]{0,80}$/), (text) => void parseExposition(text)),
    { numRuns: 300 },
  );
  expect(parseExposition("a 1\n".repeat(30_000)).samples).toHaveLength(20_000);
});

it("[I19] a label without an end costs time in proportion to its length", () => {
  const started = performance.now();
  parseExposition(`a{b="${'\\"'.repeat(500_000)}`);
  expect(performance.now() - started).toBeLessThan(1000);
});
