import { escapeHtml } from "./escape-html.ts";

/** The parts of a page; all are markup already, but the title. */
export interface Page {
  readonly title: string;
  readonly main: readonly string[];
  readonly footer: string;
}

/**
 * One HTML page that needs nothing else: no script, no font, no request. The page forbids itself to load anything, should a browser see
 * it otherwise (G12). It is well-formed XML too, light or dark as its reader has it.
 */
export function htmlPage({ title, main, footer }: Page): string {
  return [
    "<!DOCTYPE html>",
    '<html lang="en" xmlns="http://www.w3.org/1999/xhtml">',
    "<head>",
    '<meta charset="utf-8"/>',
    '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>`,
    `<title>${escapeHtml(title)}</title>`,
    `<style>${STYLE}</style>`,
    "</head>",
    "<body>",
    "<main>",
    ...main,
    "</main>",
    `<footer>${footer}</footer>`,
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

/** Dates and instants as we write them, with the weekday or the brackets around them: they are not to be broken at their hyphens. */
const MOMENTS = /(\(|[A-Z][a-z]+day )?(\d{4}-\d\d-\d\d(?:T[\d:.]+Z| \d\d:\d\d(?::\d\d)?)?)(\)?)/g;

/** Text from outside as markup, with its dates and instants marked as such. */
export const textHtml = (text: string): string =>
  escapeHtml(text).replace(MOMENTS, (_, before: string | undefined, moment: string, after: string) =>
    before === undefined && after === ""
      ? `<time>${moment}</time>`
      : `<span class="moment">${before ?? ""}<time>${moment}</time>${after}</span>`,
  );

/** Rows of texts under a heading, the first cell of a row heading it. It scrolls by itself where it is wider than the page. */
export function tableHtml(
  label: string,
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  isSum: (row: number) => boolean = () => false,
): string {
  const head = heading.map((one) => `<th scope="col">${escapeHtml(one)}</th>`).join("");
  const cells = (row: readonly string[]): string =>
    row.map((cell, index) => (index === 0 ? `<th scope="row">${textHtml(cell)}</th>` : `<td>${textHtml(cell)}</td>`)).join("");
  const body = rows.map((row, index) => `<tr${isSum(index) ? ' class="sum"' : ""}>${cells(row)}</tr>`);
  return `<div class="wide" role="region" tabindex="0" aria-label="${escapeHtml(label)}"><table><thead><tr>${head}</tr></thead><tbody>\n${body.join("\n")}\n</tbody></table></div>`;
}

/**
 * Fills differ in lightness and pattern, so they can be told apart without hue. Charts take the width that there is: names stand beside
 * their bars, and above them where the page is narrow.
 */
const STYLE = `
:root { color-scheme: light dark; --text: #1b1f24; --quiet: #57606a; --ground: #ffffff; --raised: #f6f8fa; --line: #d0d7de; --accent: #0b3d91; --good: #116329; --good-ground: #dafbe1; --bad: #a40e26; --bad-ground: #ffebe9; --working: #0b3d91; --window: #8fb8de; --window-ink: #3d6a94; --people: #ffe0b0; --people-ink: #9a5b00; --soaking: #ffffff; --open: #d6e4f5; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --quiet: #9da7b3; --ground: #0d1117; --raised: #161b22; --line: #3d444d; --accent: #a5c8ff; --good: #7ee787; --good-ground: #12261e; --bad: #ffa198; --bad-ground: #32171c; --working: #a5c8ff; --window: #1f4166; --window-ink: #6ea8dc; --people: #4a3200; --people-ink: #ffc46b; --soaking: #0d1117; --open: #1d2f45; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem clamp(1rem, 2.5vw, 3rem); background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; -webkit-text-size-adjust: 100%; }
main, footer { max-width: 78rem; margin: 0 auto; }
h1 { margin: 0 0 .5rem; font-size: clamp(1.4rem, 4vw, 1.9rem); line-height: 1.2; }
h2 { margin: 3rem 0 .75rem; font-size: 1.3rem; line-height: 1.3; }
h3 { margin: 2rem 0 .5rem; font-size: 1.05rem; }
code { font: .85em ui-monospace, monospace; overflow-wrap: anywhere; }
time, .moment { white-space: nowrap; }
.note, footer { color: var(--quiet); font-size: .875rem; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); }
.verdict { display: inline-block; margin: 0 0 .5rem; padding: .1rem .7rem; border: 1px solid currentColor; border-radius: 2rem; font-weight: 600; font-size: .9rem; }
.good { color: var(--good); background: var(--good-ground); }
.bad { color: var(--bad); background: var(--bad-ground); }
.plain { padding: 0; list-style: none; }
.summary { margin: 1rem 0; padding: .75rem 1rem .75rem 2.25rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--raised); }
.summary li + li { margin-top: .25rem; }
.figures { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0; }
.figures div { flex: 1 1 9rem; padding: .6rem .9rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--raised); }
.figures dt { color: var(--quiet); font-size: .8rem; }
.figures dd { margin: 0; font-size: 1.15rem; font-weight: 600; }
.findings li { margin: .5rem 0; padding: .5rem .9rem; border: 1px solid var(--line); border-left: .3rem solid var(--quiet); border-radius: .35rem; }
.findings li.conflict { border-left-color: var(--bad); background: var(--bad-ground); }
.findings b { display: block; font-size: .8rem; color: var(--quiet); }
.findings .conflict b { color: var(--bad); }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: .5rem; }
.wide:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; min-width: 100%; font-size: .875rem; line-height: 1.4; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th, td { padding: .4rem .55rem; text-align: left; vertical-align: top; max-width: 30rem; }
td { overflow-wrap: break-word; }
thead th { background: var(--raised); color: var(--quiet); font-weight: 600; vertical-align: bottom; }
tbody th { position: sticky; left: 0; background: var(--ground); font-weight: 600; min-width: 5rem; overflow-wrap: break-word; }
tbody tr { border-top: 1px solid var(--line); }
tr.sum th, tr.sum td { background: var(--raised); font-weight: 600; }
figure { margin: 1rem 0 1.5rem; }
figcaption { color: var(--quiet); font-size: .875rem; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; margin: .5rem 0 1rem; font-size: .875rem; }
.legend span { display: inline-flex; align-items: center; gap: .5rem; }
.row, .axis { display: grid; grid-template-columns: minmax(7rem, 15rem) 1fr 5rem; column-gap: .75rem; align-items: center; font-size: .8rem; line-height: 1.3; }
.row:hover { background: var(--raised); }
.row .label { text-align: right; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.row .label i { color: var(--quiet); font-style: normal; }
.row .end { color: var(--quiet); white-space: nowrap; }
.axis .scale { position: relative; grid-column: 2; height: 2.6em; color: var(--quiet); }
.axis .scale span { position: absolute; bottom: 0; transform: translateX(-50%); padding-bottom: .25em; text-align: center; white-space: nowrap; }
.axis .scale b { display: block; color: var(--text); font-weight: 600; }
svg.track { display: block; width: 100%; height: 22px; overflow: visible; }
svg .tick { stroke: var(--line); stroke-width: 1; }
svg .bar { stroke: var(--text); stroke-width: 1; }
svg .working { fill: var(--working); }
svg .window { fill: url(#window); }
svg .people { fill: url(#people); }
svg .soaking { fill: var(--soaking); }
svg .open { fill: var(--open); stroke: var(--window-ink); stroke-width: 1; }
svg .late { fill: var(--bad); }
svg .window-ground { fill: var(--window); }
svg .window-ink { fill: var(--window-ink); }
svg .people-ground { fill: var(--people); }
svg .people-ink { fill: var(--people-ink); }
@media (max-width: 42rem) {
  body { padding: 1.25rem 1rem; }
  h2 { margin-top: 2rem; }
  .row { grid-template-columns: 1fr auto; row-gap: .1rem; margin-bottom: .35rem; }
  .axis { grid-template-columns: 1fr; }
  .axis .scale { grid-column: 1; }
  .axis .scale .spare { display: none; }
  .axis .scale span:first-child { transform: none; text-align: left; }
  .axis .scale span:last-child { transform: translateX(-100%); text-align: right; }
  thead th { white-space: nowrap; }
  tbody th { min-width: 6rem; max-width: 52vw; overflow-wrap: anywhere; }
  .row .label { text-align: left; }
  .row .track { grid-column: 1 / -1; grid-row: 2; }
}
@media print { body { padding: 0; } .wide { overflow: visible; border: 0; } .row, tr { break-inside: avoid; } }
`;
