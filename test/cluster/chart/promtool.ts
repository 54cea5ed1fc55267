// The rules of the chart, and promtool's tests of them.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe } from "vitest";
import { parse } from "yaml";
import { findPrometheus } from "../../../tools/prometheus/install.ts";
import { CHART } from "./helm.ts";

export const RULES = join(CHART, "files/rules.yaml");
export const promtool = findPrometheus()?.promtool;

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: { readonly severity: string };
  readonly annotations?: { readonly summary: string; readonly description: string; readonly runbook_url: string };
}
export const rules = (parse(readFileSync(RULES, "utf8")) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
export const alerts = rules.filter((rule) => rule.alert !== undefined);

/** Like `describe`; skipped, with the reason in the name, where there is no promtool. */
export function describeWithPromtool(name: string, tests: () => void): void {
  if (promtool !== undefined) describe(name, tests);
  else describe.skip(`${name} (no promtool here: npm test installs it)`, tests);
}

/** What an alert is expected to be at a minute: with these labels and this summary, or, without a summary, silent. */
export function expected(alert: string, minute: number, labels: Readonly<Record<string, string>> = {}, summary?: string): object {
  const rule = alerts.find((one) => one.alert === alert);
  if (rule === undefined) throw new Error(`there is no alert ${alert}`);
  const fires = { exp_labels: { ...labels, ...rule.labels }, exp_annotations: { ...rule.annotations, summary } };
  return { eval_time: `${minute}m`, alertname: alert, exp_alerts: summary === undefined ? [] : [fires] };
}

/** Runs one test of promtool and answers what it said; success is a line of its own. */
export async function runPromtool(inputSeries: readonly object[], alertRuleTest: readonly object[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "rollward-promtool-"));
  try {
    const file = join(folder, "test.yaml");
    const test = { interval: "1m", input_series: inputSeries, alert_rule_test: alertRuleTest };
    writeFileSync(file, JSON.stringify({ rule_files: [RULES], evaluation_interval: "1m", tests: [test] }));
    const said = await promisify(execFile)(promtool!, ["test", "rules", file], { maxBuffer: 64_000_000 }).catch(
      (error: { stdout: string; stderr: string }) => error,
    );
    return said.stdout + said.stderr;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const SUCCESS = /^ {2}SUCCESS$/m;
