import { describe, expect, it } from "vitest";
import { cap, cleanText, stripControl } from "./text.ts";

describe("text from outside", () => {
  it("[G12] line breaks, escape sequences and bidi overrides become spaces", () => {
    expect(stripControl("ok\n2026-11-22 forged line")).toBe("ok 2026-11-22 forged line");
    expect(stripControl("\u001b[2Jgone\u0007")).toBe("[2Jgone");
    expect(stripControl("user\u202egnp.exe\u2028next")).toBe("user gnp.exe next");
    expect(stripControl("half \ud83d")).toBe("half \ufffd");
  });

  it("[G12] a text over its limit ends in an ellipsis that counts, and no character is cut in two", () => {
    expect(cap("a".repeat(1_025), 1_024)).toHaveLength(1_024);
    expect(cap("exactly", 7)).toBe("exactly");
    expect(cap("ab😀cd", 4)).toBe("ab…");
    expect(cap("abc", 0)).toBe("");
    expect(cleanText("a\tb\nc", 4)).toBe("a b…");
  });
});
