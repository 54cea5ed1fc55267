import { escapeHtml } from "../../core/explain/report/escape-html.ts";
import { htmlPage, tableHtml, textHtml } from "../../core/explain/report/page.ts";
import { describeInstant } from "../../core/time/format.ts";
import type { Conflict, FleetForecast, PopForecast, RolloutPlan } from "../../simulation/foresight/types.ts";
import { DIGEST_LATER } from "./approvals.ts";
import { dateChart } from "./date-chart.ts";

const NONE = "–";
const MOST_REASONS = 12;
const MOST_NAMED = 16;

/**
 * The plan as one page that needs nothing else: whether it fits, what is in conflict, then each rollout's waves, its PoPs drawn against
 * their windows date by date, and the tables. `beside` are sentences about the plan that runs. Every text is escaped (G12).
 */
export function planPage(forecast: FleetForecast, assumed: readonly string[], beside: readonly string[] = []): string {
  const { digest, from, until, rollouts, conflicts, fits, complete } = forecast;
  return htmlPage({
    title: `Rollout plan: ${rollouts.map(({ name }) => name).join(", ")}`,
    main: [
      "<h1>Rollout plan</h1>",
      verdict(
        fits,
        fits
          ? "fits, without a conflict"
          : complete
            ? "does not fit, or is in conflict"
            : "whether it fits is not known, or it is in conflict",
      ),
      `<p>Seen from ${textHtml(from)}, as far as ${textHtml(until)}${complete ? "" : ", which was not far enough"}. Digest of all that it is computed from: <code>${escapeHtml(digest)}</code></p>`,
      ...(rollouts.length === 0 ? ["<p>No rollout is to come.</p>"] : []),
      ...(conflicts.length === 0 ? [] : ["<h2>Conflicts and notes</h2>", findings(conflicts)]),
      ...(beside.length === 0 ? [] : ["<h2>Beside the plan that runs</h2>", list(beside)]),
      ...rollouts.map((plan, index) => section(plan, index, rollouts.length > 1 || plan.fits !== fits)),
      ...(assumed.length === 0 ? [] : ["<h2>What was assumed</h2>", list(assumed)]),
    ],
    footer: "Computed by the operator’s own decisions; nothing was written. Times that name no zone are UTC.",
  });
}

const verdict = (good: boolean, text: string): string =>
  `<p class="verdict ${good ? "good" : "bad"}">${good ? "✓" : "✗"} ${escapeHtml(text)}</p>`;

const list = (sentences: readonly string[]): string =>
  `<ul class="summary">${sentences.map((one) => `<li>${textHtml(one)}</li>`).join("")}</ul>`;

/** Conflicts first: these have to be mended, notes to be known. */
function findings(conflicts: readonly Conflict[]): string {
  const ordered = [
    ...conflicts.filter(({ severity }) => severity === "Conflict"),
    ...conflicts.filter(({ severity }) => severity === "Note"),
  ];
  const items = ordered.map(({ severity, kind, rollout, message }) => {
    const head = [severity, kind, ...(rollout === undefined ? [] : [rollout])].join(" · ");
    return `<li class="${severity === "Conflict" ? "conflict" : "quiet"}"><b>${escapeHtml(head)}</b>${textHtml(message)}</li>`;
  });
  return `<ul class="findings plain">${items.join("")}</ul>`;
}

function section(
  { name, version, fits, complete, message, finishAt, leftOut, pops, waves, dates, approvals }: RolloutPlan,
  index: number,
  judged: boolean,
): string {
  const days = [...new Set(pops.flatMap(({ windows }) => windows.map(({ date }) => date)))].toSorted();
  const figures = [
    ["PoPs", String(pops.length)],
    ["Nodes", String(pops.reduce((sum, { nodes }) => sum + nodes, 0))],
    ["Start dates", String(dates.length)],
    ["Last node done", finishAt ?? NONE],
  ].map(([term, value]) => `<div><dt>${term}</dt><dd>${textHtml(value!)}</dd></div>`);
  return [
    "<section>",
    `<h2>${escapeHtml(name)} (${escapeHtml(version)})</h2>`,
    ...(judged ? [verdict(fits, fits ? "fits" : complete ? "does not fit" : "whether it fits is not known")] : []),
    `<p>${textHtml(message)}</p>`,
    `<dl class="figures">${figures.join("")}</dl>`,
    ...(waves.length === 0 ? [] : ["<h3>Waves</h3>", waveTable(name, waves, approvals)]),
    ...days.map((date, day) => dateChart(`chart-${index}-${day}`, date, pops)),
    ...reasons(pops),
    ...(leftOut.length === 0
      ? []
      : ["<h3>PoPs that are left out</h3>", list(leftOut.map(({ message, reason }) => `${message} (${reason})`))]),
    ...(pops.length === 0 ? [] : ["<h3>PoPs</h3>", popTable(name, pops)]),
    "</section>",
  ].join("\n");
}

function waveTable(rollout: string, waves: RolloutPlan["waves"], approvals: RolloutPlan["approvals"]): string {
  const rows = waves.map(({ name, pops, opens = NONE, ends = NONE }) => {
    const approval = approvals.find(({ wave }) => wave === name);
    const digest = approval === undefined ? NONE : (approval.digest ?? DIGEST_LATER);
    return [name, String(pops), opens, ends, approval === undefined ? "not needed" : (approval.by ?? "needed"), digest];
  });
  return tableHtml(`Waves of ${rollout}`, ["Wave", "PoPs", "Opens", "Over", "Approval at the latest", "Digest to approve"], rows);
}

function popTable(rollout: string, pops: readonly PopForecast[]): string {
  const hasSites = pops.some(({ sites }) => sites !== undefined && sites.seconds + sites.minutes > 0);
  const heading = ["PoP", "Wave", "Region", "Nodes", "Window there", "First node", "Last node done", "There"];
  const rows = pops.map((pop) => [...popCells(pop), ...(hasSites ? [sitesText(pop)] : [])]);
  return tableHtml(`PoPs of ${rollout}`, [...heading, ...(hasSites ? ["Sites that feel it"] : [])], rows);
}

/** Why PoPs are not reached, or late: many for one reason, so each reason stands once. */
function reasons(pops: readonly PopForecast[]): string[] {
  const byReason = new Map<string, string[]>();
  for (const { pop, why } of pops) if (why !== undefined) byReason.set(why, [...(byReason.get(why) ?? []), pop]);
  if (byReason.size === 0) return [];
  const ordered = [...byReason].toSorted(([, a], [, b]) => b.length - a.length);
  const shown = ordered.slice(0, MOST_REASONS).map(([why, names]) => `${counted(names)}: ${why}`);
  const others = ordered.slice(MOST_REASONS).flatMap(([, names]) => names);
  return [
    "<h3>What keeps PoPs</h3>",
    list([...shown, ...(others.length === 0 ? [] : [`${counted(others)}: other reasons, each its own`])]),
  ];
}

function counted(names: readonly string[]): string {
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : "";
  return `${names.length} ${names.length === 1 ? "PoP" : "PoPs"} (${names.slice(0, MOST_NAMED).join(", ")}${more})`;
}

function popCells({ pop, wave, region = NONE, nodes, windows, start = NONE, end, timeZone }: PopForecast): string[] {
  const opens = windows.map((window) => describeInstant(Date.parse(window.start), timeZone)).join("; ");
  const there = end === undefined ? NONE : describeInstant(Date.parse(end), timeZone);
  return [pop, wave || NONE, region, String(nodes), opens || NONE, start, end ?? NONE, there];
}

function sitesText({ sites }: PopForecast): string {
  if (sites === undefined || sites.seconds + sites.minutes === 0) return NONE;
  const parts = [sites.seconds > 0 ? `${sites.seconds} for seconds` : "", sites.minutes > 0 ? `${sites.minutes} for minutes` : ""];
  return parts.filter((part) => part !== "").join(", ");
}
