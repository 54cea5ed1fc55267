// What a person sees of a page, read from the browser that shows it. Each function runs in the page.
import type { Page } from "playwright-core";

export interface Box {
  readonly left: number;
  readonly right: number;
  readonly width: number;
}

export interface SeenChart {
  readonly box: Box;
  readonly rows: readonly { readonly label: string; readonly fontSize: number; readonly track: Box; readonly bars: readonly Box[] }[];
  /** Labels of the axis that are shown, from left to right. */
  readonly ticks: readonly Box[];
}

/** Every chart, with where its bars and labels stand. */
export const seenCharts = (page: Page): Promise<SeenChart[]> =>
  page.evaluate(() => {
    const boxOf = (element: Element) => {
      const { left, right, width } = element.getBoundingClientRect();
      return { left, right, width };
    };
    return [...document.querySelectorAll("figure")].map((figure) => ({
      box: boxOf(figure),
      rows: [...figure.querySelectorAll(".row")].map((row) => {
        const label = row.querySelector(".label")!;
        return {
          label: label.textContent ?? "",
          fontSize: Number.parseFloat(getComputedStyle(label).fontSize),
          track: boxOf(row.querySelector("svg")!),
          bars: [...row.querySelectorAll("rect")].map(boxOf),
        };
      }),
      ticks: [...figure.querySelectorAll(".scale span")].filter((tick) => getComputedStyle(tick).display !== "none").map(boxOf),
    }));
  });

/** How much wider than its window the page is; tables scroll by themselves. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - window.innerWidth);

/** Cells of tables whose text runs into the next cell. */
export const overfullCells = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll("th, td")].filter((cell) => cell.scrollWidth > cell.clientWidth + 1).map((cell) => cell.textContent),
  );

/** Texts whose contrast with what is behind them is below 4.5, which is what small text needs to be read. */
export const paleTexts = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const channels = (color: string): number[] => (color.match(/[\d.]+/g) ?? []).map(Number);
    const luminance = (color: string): number => {
      const [r = 0, g = 0, b = 0] = channels(color).map((one) => {
        const part = one / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const groundOf = (element: Element | null): string => {
      for (let at = element; at !== null; at = at.parentElement) {
        const { backgroundColor } = getComputedStyle(at);
        if (channels(backgroundColor)[3] !== 0) return backgroundColor;
      }
      return "rgb(255, 255, 255)";
    };
    return [...document.body.querySelectorAll("*")]
      .filter((element) => [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent!.trim() !== ""))
      .filter((element) => element.closest("svg") === null)
      .filter((element) => {
        const [text, ground] = [luminance(getComputedStyle(element).color), luminance(groundOf(element))];
        return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05) < 4.5;
      })
      .map((element) => element.textContent.slice(0, 60));
  });

export interface Outline {
  readonly title: string;
  readonly lang: string;
  /** Levels in their order, `1, 2, 3, …`. */
  readonly headings: readonly number[];
  /** What is wrong with a table, or with a region that scrolls. */
  readonly problems: readonly string[];
}

/** What assistive technology goes by. */
export const outlineOf = (page: Page): Promise<Outline> =>
  page.evaluate(() => {
    const problems: string[] = [];
    for (const table of document.querySelectorAll("table")) {
      const columns = table.querySelectorAll("thead th[scope=col]").length;
      if (columns === 0) problems.push("a table without column headers");
      for (const row of table.querySelectorAll("tbody tr"))
        if (row.querySelectorAll("th[scope=row]").length !== 1 || row.children.length !== columns)
          problems.push(`a row that its headers do not describe: ${row.textContent.slice(0, 60)}`);
      const region = table.closest("[role=region]");
      if (!region?.hasAttribute("aria-label") || region.getAttribute("tabindex") !== "0")
        problems.push("a table that the keyboard cannot scroll, or without a name");
    }
    const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
    for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) problems.push(`the id ${id} stands twice`);
    return {
      title: document.title,
      lang: document.documentElement.lang,
      headings: [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map(({ tagName }) => Number(tagName.slice(1))),
      problems,
    };
  });

/** What may follow a time of day: seconds and Z, as in an instant of UTC, or the name of a zone. */
const ZONE = /^(?::\d\d(?:\.\d+)?)?(?:Z\b| UTC\b| [A-Z]\w+\/[A-Z]\w+)/;

/** Times of day that name no zone, with some of what stands around them. */
export const timesWithoutZone = async (page: Page): Promise<string[]> => {
  const text = (await page.evaluate(() => document.body.innerText)).replaceAll(/\s+/g, " ");
  return [...text.matchAll(/(?<![\d:])\d\d:\d\d/g)]
    .filter(({ index }) => !ZONE.test(text.slice(index + 5)))
    .map(({ index }) => text.slice(Math.max(0, index - 20), index + 30));
};
