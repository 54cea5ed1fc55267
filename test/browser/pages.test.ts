import { afterAll, beforeAll, expect, test } from "vitest";
import { Chromium, describeWithBrowser, type View } from "./browser.ts";
import { HOSTILE, hostilePlan, planThatDoesNotFit, planThatFits, report } from "./pages.ts";
import { outlineOf, overflow, overfullCells, paleTexts, seenCharts, timesWithoutZone } from "./seen.ts";

const VIEWS: readonly View[] = [
  { width: 1280, colorScheme: "light" },
  { width: 1280, colorScheme: "dark" },
  { width: 390, colorScheme: "light" },
  { width: 390, colorScheme: "dark" },
];
const PAGES = ["plan-fits", "plan-does-not-fit", "plan-hostile", "report"] as const;
const CASES = PAGES.flatMap((name) => VIEWS.map((view) => ({ name, ...view })));
/** Pixels by which a rounded edge may be off. */
const EDGE = 1;

describeWithBrowser("[F7] [G12] the pages of plan and report in Chromium", () => {
  let chromium: Chromium;
  let html: Record<(typeof PAGES)[number], string>;

  beforeAll(async () => {
    html = {
      "plan-fits": await planThatFits(),
      "plan-does-not-fit": await planThatDoesNotFit(),
      "plan-hostile": await hostilePlan(),
      report: report(),
    };
    chromium = await Chromium.start();
  });
  afterAll(() => chromium?.stop());

  test.each(CASES)(
    "$name at $width px, $colorScheme: opens without a word, a request or a scroll bar of its own",
    async ({ name, ...view }) => {
      const { page, complaints } = await chromium.open(name, html[name], view);
      expect(complaints).toEqual([]);
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      expect(await overfullCells(page)).toEqual([]);
      expect(await paleTexts(page)).toEqual([]);
      const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      expect(ground).toBe(view.colorScheme === "light" ? "rgb(255, 255, 255)" : "rgb(13, 17, 23)");
    },
  );

  test.each(CASES)(
    "$name at $width px, $colorScheme: its charts are as wide as the page, each bar in its row, no label on another",
    async (one) => {
      const { page } = await chromium.open(one.name, html[one.name], one);
      const charts = await seenCharts(page);
      expect(charts.length).toBeGreaterThan(0);
      for (const { box, rows, ticks } of charts) {
        expect(box.width).toBeGreaterThan(one.width * 0.85);
        expect(rows.length).toBeGreaterThan(0);
        for (const { label, fontSize, track, bars } of rows) {
          expect(fontSize, label).toBeGreaterThanOrEqual(12);
          expect(track.width, label).toBeGreaterThan(one.width * 0.6);
          expect(bars.length, label).toBeGreaterThan(0);
          for (const bar of bars) {
            expect(bar.width, label).toBeGreaterThan(0);
            expect(bar.left, label).toBeGreaterThanOrEqual(track.left - EDGE);
            expect(bar.right, label).toBeLessThanOrEqual(track.right + EDGE);
          }
        }
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        for (const [index, tick] of ticks.entries()) {
          expect(tick.left).toBeGreaterThanOrEqual(0);
          expect(tick.right).toBeLessThanOrEqual(one.width);
          expect(tick.left).toBeGreaterThan(ticks[index - 1]?.right ?? -1);
        }
      }
    },
  );

  test.each(PAGES)(
    "%s: has a title, a language, headings in order, tables with headers, charts with names, and zones for its times",
    async (name) => {
      const { page } = await chromium.open(name, html[name], VIEWS[0]!);
      const { title, lang, headings, problems } = await outlineOf(page);
      expect([title !== "", lang, problems]).toEqual([true, "en", []]);
      expect(headings.filter((level) => level === 1)).toHaveLength(1);
      for (const [index, level] of headings.entries()) expect(level).toBeLessThanOrEqual((headings[index - 1] ?? 0) + 1);
      const pictures = page.getByRole("img", { name: /\w/ });
      expect(await pictures.count()).toBe(await page.locator("figure").count());
      expect(await timesWithoutZone(page)).toEqual([]);
    },
  );

  test.each(["plan-does-not-fit", "plan-hostile", "report"] as const)(
    "%s: what others wrote is shown as they wrote it, and is nothing else",
    async (name) => {
      const { page } = await chromium.open(name, html[name], VIEWS[0]!);
      expect(await page.evaluate(() => [document.querySelectorAll("script, img, iframe, object").length, "hacked" in window])).toEqual([
        0,
        false,
      ]);
      expect(await page.evaluate(() => document.body.innerText)).toContain(HOSTILE);
    },
  );

  test("plan-does-not-fit: a reason that keeps many PoPs stands once, and the table below has no row of more than four lines", async () => {
    const { page } = await chromium.open("plan-does-not-fit", html["plan-does-not-fit"], VIEWS[0]!);
    const { text, tallest } = await page.evaluate(() => ({
      text: document.body.innerText,
      tallest: Math.max(...[...document.querySelectorAll("tbody tr")].map((row) => row.getBoundingClientRect().height)),
    }));
    expect(text).toMatch(/36 PoPs \(akl2, [^)]+ and 20 more\): its train of 2026-11-22/);
    expect(tallest).toBeLessThan(100);
  });

  test("plan-fits: the first bar of nodes in hand stands in its window, in proportion to the hours that both take", async () => {
    const { page } = await chromium.open("plan-fits", html["plan-fits"], VIEWS[0]!);
    const [first] = await seenCharts(page);
    const [window, nodes] = first!.rows[0]!.bars;
    // Two nodes in 18 minutes of a window of four hours.
    expect(nodes!.width / window!.width).toBeCloseTo(18 / 240, 2);
    expect(nodes!.left).toBeCloseTo(window!.left, 0);
  });
});
