import { CONDITION_REASONS, CONDITION_TYPES, type ConditionType } from "../src/api/conditions.ts";
import { WAITING_REASONS } from "../src/api/reasons.ts";
import { answerOf, cells, DIMENSIONS, type Dimension, ROWS } from "../src/core/client/table.ts";
import { EXIT, EXIT_CODES_HELP } from "../src/cli/exit-codes.ts";
import { type SettingDefinition, SETTINGS } from "../src/setting-definitions.ts";
import { COUNTERS, GAUGES, HISTOGRAMS, PREFIX } from "../src/telemetry/metric-names.ts";

const REFERENCE = "docs/reference";

/** The pages of docs/reference: path below the root → Markdown. Each is one table of the code, so that it cannot say anything else. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map([
    [`${REFERENCE}/reasons.md`, reasonsPage()],
    [`${REFERENCE}/settings.md`, settingsPage()],
    [`${REFERENCE}/metrics.md`, metricsPage()],
    [`${REFERENCE}/exit-codes.md`, exitCodesPage()],
    [`${REFERENCE}/client-answers.md`, clientAnswersPage()],
  ]);
}

const generatedFrom = (source: string): string =>
  `<!-- Generated from ${source} by npm run gen. Change the table there, not this page. -->\n`;

function reasonsPage(): string {
  const types = Object.keys(CONDITION_TYPES) as ConditionType[];
  return page("src/api/conditions.ts and src/api/reasons.ts", "Conditions and reasons", [
    "Every condition type and every reason that Rollward gives. The lists are closed: a script may match them. The messages beside them are for people and may change.",
    ...types.flatMap((type) => [`## ${type}`, CONDITION_TYPES[type], table(["reason", "when"], Object.entries(CONDITION_REASONS[type]))]),
    "## Why something waits",
    "These reasons stand in `status.holds[].reason`, in the conditions Progressing and Ready while something waits, in the label `reason` of the metric `rollward_waiting`, and in what `rollward explain` prints (rule G2). Those of kinds that are not built yet are listed too, because the list is one.",
    table(["reason", "when"], Object.entries(WAITING_REASONS)),
  ]);
}

function settingsPage(): string {
  const rows = Object.values(SETTINGS).map((setting: SettingDefinition) => [
    `\`${setting.flag}\``,
    `\`${setting.environment}\``,
    setting.default === undefined ? "" : `\`${setting.default}\``,
    setting.description,
  ]);
  return page("src/settings.ts", "Settings of `rollward run`", [
    "A flag wins over the environment variable, the variable over the default. A value that cannot be read ends the start with a sentence that says what to write instead.",
    table(["flag", "environment", "default", "meaning"], rows),
  ]);
}

function metricsPage(): string {
  const series = (definitions: Readonly<Record<string, { readonly help: string; readonly labels: readonly string[] }>>) =>
    table(
      ["name", "labels", "meaning"],
      Object.entries(definitions).map(([name, { help, labels }]) => [
        `\`${PREFIX}${name}\``,
        labels.map((label) => `\`${label}\``).join(" "),
        help,
      ]),
    );
  return page("src/telemetry/metric-names.ts", "Metrics", [
    "Served at `/metrics`. Labels are few and bounded by the number of objects; a series vanishes with its object.",
    "## Gauges",
    series(GAUGES),
    "## Counters",
    series(COUNTERS),
    "## Histograms",
    series(HISTOGRAMS),
  ]);
}

function exitCodesPage(): string {
  const meanings = EXIT_CODES_HELP.split("\n").flatMap((line) => /^ {2}(\d+) {2}(.+)$/.exec(line)?.slice(1, 3) ?? []);
  const rows = Object.values(EXIT).map((code) => [String(code), meanings[meanings.indexOf(String(code)) + 1] ?? ""]);
  return page("src/cli/exit-codes.ts", "Exit codes of `rollward`", [table(["code", "meaning"], rows)]);
}

/** Rule C7: the rows that decide, and every cell of an account that is upgraded automatically. */
function clientAnswersPage(): string {
  const names = Object.keys(DIMENSIONS) as Dimension[];
  const total = cells();
  const decided = (row: (typeof ROWS)[number]) => total.filter((one) => ROWS.find(({ when }) => fits(when, one)) === row).length;
  const fits = (when: (typeof ROWS)[number]["when"], one: (typeof total)[number]) =>
    names.every((name) => when[name] === undefined || when[name] === one[name]);
  const facts = names.filter((name) => name !== "policy" && name !== "device");
  const matrix = cells(facts, { policy: "Automatic" }).map((one) => [
    ...facts.map((name) => one[name]),
    ...DIMENSIONS.device.map((device) => answerOf({ ...one, device })),
  ]);
  return page("src/core/client/table.ts", "What a Client is answered", [
    "Each rollout of the device's system gives exactly one answer to a check-in, from ten facts (rule C7). Where several rollouts answer, the newest version that is offered wins; where none is, the reason of the newest that counts is told. The gateway answers check-ins by this, and `rollward explain client` by the same.",
    table(
      ["fact", "values"],
      Object.entries(DIMENSIONS).map(([name, values]) => [name, values.join(", ")]),
    ),
    "## The rows, in order",
    "The first that fits decides. A fact that is not named may be anything.",
    table(
      ["", "when", "answer", "because", "cells"],
      ROWS.map((row, index) => {
        const when = Object.entries(row.when).map(([name, value]) => `${name}: ${value}`);
        return [String(index + 1), when.join(", ") || "anything else", row.answer, row.because, String(decided(row))];
      }),
    ),
    "## Every cell",
    `All ${total.length} of them: with the policy Managed each is PolicyManaged; with Automatic as follows, one column for each thing that the device may run.`,
    table([...facts, ...DIMENSIONS.device], matrix),
  ]);
}

const page = (source: string, title: string, parts: readonly string[]): string =>
  `${generatedFrom(source)}\n# ${title}\n\n${parts.join("\n\n")}\n`;

const cell = (text: string): string => text.replaceAll("|", "\\|");
const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
const table = (heading: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(heading), row(heading.map(() => "---")), ...rows.map(row)].join("\n");
