import fc from "fast-check";
import { expect, it } from "vitest";
import { csvText, readCsv } from "./csv.ts";

const cells = (text: string) => readCsv(text).rows.map((row) => row.cells);

it("quoted cells hold commas, line breaks and doubled quotes; CRLF, a byte order mark and empty lines are nothing", () => {
  expect(readCsv('\ufeffuser,groups\r\n"Ann, ""A""","a\nb"\r\n\r\nBob,\n')).toEqual({
    rows: [
      { line: 1, cells: ["user", "groups"] },
      { line: 2, cells: ['Ann, "A"', "a\nb"] },
      { line: 5, cells: ["Bob", ""] },
    ],
  });
  expect([cells("a"), cells("a,"), cells('""\n'), cells("")]).toEqual([[["a"]], [["a", ""]], [], []]);
});

it.each([
  ['a\n"b\n', "line 2: a quote is opened and not closed"],
  ['a\nb"c\n', "line 2: a quote stands inside"],
  ['a\n"b"c\n', "line 2: after a closing quote stands no comma"],
])("%j is a problem with its line", (text, problem) => {
  expect(readCsv(text).problem).toContain(problem);
});

it("a cell that a spreadsheet would compute is made text", () => {
  expect(csvText(["user"], [["=HYPERLINK(1)"], ["+1"], ["-1"], ["@a"], ["\tx"], ["ann"], [-1]])).toBe(
    "user\r\n'=HYPERLINK(1)\r\n'+1\r\n'-1\r\n'@a\r\n'\tx\r\nann\r\n-1\r\n",
  );
});

it("what is written is read back, whatever the texts are", () => {
  const text = fc.string({ unit: fc.constantFrom("a", ",", '"', "\n", "\r", "é", ";", " ") }).map((value) => `x${value}`);
  fc.assert(
    fc.property(fc.array(fc.array(text, { minLength: 2, maxLength: 3 }), { minLength: 1, maxLength: 5 }), (rows) => {
      expect(cells(csvText(["h", "i"], rows))).toEqual([["h", "i"], ...rows]);
    }),
  );
});
