import { describe, expect, it } from "vitest";
import { spreadStart, stableFraction } from "./spread.ts";

const occurrence = { start: Date.UTC(2026, 10, 22, 1), lastStart: Date.UTC(2026, 10, 22, 2) };

describe("spread of site starts", () => {
  it("[W11] 10,000 sites lie between start and last start, evenly: each of 60 minutes gets 167 ± 60", () => {
    const minutes = Array.from({ length: 60 }, () => 0);
    for (let site = 0; site < 10_000; site += 1) {
      const start = spreadStart(`site-${site}`, "18.4.1", occurrence);
      expect(start >= occurrence.start && start <= occurrence.lastStart).toBe(true);
      minutes[Math.min(59, Math.floor((start - occurrence.start) / 60_000))]! += 1;
    }
    expect(Math.min(...minutes)).toBeGreaterThan(107);
    expect(Math.max(...minutes)).toBeLessThan(227);
  });

  it("[W11] is the same for the same site and revision, for ever, and another order for another revision", () => {
    expect(spreadStart("site-1", "18.4.1", occurrence)).toBe(spreadStart("site-1", "18.4.1", occurrence));
    expect(stableFraction("a fixed text")).toBe(0.8396824870856545);
    const sites = Array.from({ length: 50 }, (_, site) => `site-${site}`);
    const order = (revision: string) =>
      sites.toSorted((a, b) => spreadStart(a, revision, occurrence) - spreadStart(b, revision, occurrence)).join();
    expect(order("18.4.1")).not.toBe(order("18.4.2"));
  });

  it("[W11] an occurrence that just holds the piece starts at its start", () => {
    expect(spreadStart("site", "1.0", { start: 5_000, lastStart: 5_000 })).toBe(5_000);
  });
});
