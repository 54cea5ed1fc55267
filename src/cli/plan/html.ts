import type { FleetForecast, PopForecast, RolloutPlan } from "../../simulation/foresight/types.ts";

const WIDTH = 900;
const LABEL = 190;
const ROW = 16;
const HOUR = 3_600_000;

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!);

/** One page that needs nothing else: each rollout's PoPs drawn against their windows, date by date, and the tables. */
export function planPage({ digest, from, until, rollouts, conflicts }: FleetForecast, assumed: readonly string[]): string {
  const found = conflicts.map(
    ({ severity, kind, rollout, message }) =>
      `<tr class="${severity}"><td>${severity}</td><td>${kind}</td><td>${escaped(rollout ?? "")}</td><td>${escaped(message)}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Rollout plan</title>
<style>
body{font:14px/1.45 system-ui,sans-serif;margin:2rem;max-width:${WIDTH + LABEL + 60}px;color:#1c2430}
h1{font-size:1.4rem}h2{font-size:1.15rem;margin-top:2rem}h3{font-size:1rem;margin:1rem 0 .25rem}
code{font-size:.85em;word-break:break-all}table{border-collapse:collapse;width:100%;margin:.5rem 0}
td,th{border-bottom:1px solid #d5dae1;padding:.2rem .5rem;text-align:left;vertical-align:top;font-size:.85rem}
tr.Conflict td:first-child{color:#a3180f;font-weight:600}.no{color:#a3180f}.yes{color:#176b3a}
svg{display:block;width:100%;height:auto}svg text{font:10px system-ui,sans-serif;fill:#1c2430}
.window{fill:#dbe5f1}.roll{fill:#2563a8}.late{fill:#a3180f}.grid{stroke:#e4e8ee}
</style></head><body>
<h1>Rollout plan</h1>
<p>From ${from} to ${until}. Digest <code>${digest}</code></p>
${rollouts.map(section).join("\n")}
${found.length === 0 ? "" : `<h2>Conflicts and notes</h2><table><tr><th></th><th>Kind</th><th>Rollout</th><th>What</th></tr>${found.join("")}</table>`}
${assumed.map((sentence) => `<p>Assumed: ${escaped(sentence)}</p>`).join("\n")}
</body></html>
`;
}

function section({ name, version, fits, message, pops, waves, approvals }: RolloutPlan): string {
  const waveRows = waves.map(({ name: wave, pops: count, opens = "–", ends = "–" }) => {
    const approval = approvals.find((one) => one.wave === wave);
    return `<tr><td>${escaped(wave)}</td><td>${count}</td><td>${opens}</td><td>${ends}</td><td>${approval?.by ?? ""}</td><td><code>${approval?.digest ?? ""}</code></td></tr>`;
  });
  const dates = [...new Set(pops.flatMap(({ windows }) => windows.map(({ date }) => date)))].toSorted();
  return `<h2>${escaped(name)} (${escaped(version)})</h2>
<p class="${fits ? "yes" : "no"}">${escaped(message)}</p>
<table><tr><th>Wave</th><th>PoPs</th><th>Opens</th><th>Over</th><th>Approval by</th><th>Digest</th></tr>${waveRows.join("")}</table>
${dates.map((date) => chart(date, pops)).join("\n")}
${popTable(pops)}`;
}

/** The PoPs of one local date: their windows in UTC, and in them the time in which nodes are taken up. */
function chart(date: string, pops: readonly PopForecast[]): string {
  const rows = pops.flatMap(({ pop, timeZone, windows, fits }) =>
    windows.filter((window) => window.date === date).map((window) => ({ pop, timeZone, window, fits })),
  );
  const from = Math.floor(Math.min(...rows.map(({ window }) => Date.parse(window.start))) / HOUR) * HOUR;
  const to = Math.ceil(Math.max(...rows.map(({ window }) => Math.max(Date.parse(window.end), Date.parse(window.ends)))) / HOUR) * HOUR;
  const x = (instant: string | number): number => LABEL + ((new Date(instant).getTime() - from) / Math.max(1, to - from)) * WIDTH;
  const every = Math.max(1, Math.ceil((to - from) / HOUR / 14)) * HOUR;
  const ticks = Array.from({ length: Math.floor((to - from) / every) + 1 }, (_, index) => from + index * every);
  const height = 20 + rows.length * ROW;
  const grid = ticks.map(
    (at) =>
      `<line class="grid" x1="${x(at).toFixed(1)}" x2="${x(at).toFixed(1)}" y1="14" y2="${height}"/><text x="${x(at).toFixed(1)}" y="10">${new Date(at).toISOString().slice(8, 16).replace("T", " ")}Z</text>`,
  );
  const bars = rows.map(({ pop, timeZone, window, fits }, index) => {
    const y = 18 + index * ROW;
    const rect = (of: string, start: string, end: string, inset: number) =>
      `<rect class="${of}" x="${x(start).toFixed(1)}" y="${y + inset}" width="${Math.max(1, x(end) - x(start)).toFixed(1)}" height="${ROW - 4 - 2 * inset}"/>`;
    const told = `<title>${escaped(pop)}: window ${window.localStart} to ${window.localEnd}; ${window.nodes} nodes from ${window.begins} to ${window.ends}</title>`;
    return `<g>${told}<text x="0" y="${y + 10}">${escaped(pop)} ${escaped(timeZone)}</text>${rect("window", window.start, window.end, 0)}${rect(fits ? "roll" : "roll late", window.begins, window.ends, 3)}</g>`;
  });
  return `<h3>${date}</h3><svg viewBox="0 0 ${WIDTH + LABEL + 40} ${height}" role="img" aria-label="PoPs and windows of ${date}">${grid.join("")}${bars.join("")}</svg>`;
}

function popTable(pops: readonly PopForecast[]): string {
  const rows = pops.map(({ pop, wave, region = "", nodes, windows, start = "–", end = "–", sites, why = "" }) => {
    const touched = sites === undefined ? "" : `${sites.seconds} for seconds, ${sites.minutes} for minutes`;
    return `<tr><td>${escaped(pop)}</td><td>${escaped(wave)}</td><td>${escaped(region)}</td><td>${nodes}</td><td>${windows.map(({ localStart }) => escaped(localStart)).join("<br>")}</td><td>${start}</td><td>${end}</td><td>${touched}</td><td>${escaped(why)}</td></tr>`;
  });
  return `<table><tr><th>PoP</th><th>Wave</th><th>Region</th><th>Nodes</th><th>Window</th><th>Starts</th><th>Ends</th><th>Sites</th><th></th></tr>${rows.join("")}</table>`;
}
