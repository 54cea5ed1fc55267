import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { COUNTERS, GAUGES, HISTOGRAMS, PREFIX } from "../../../src/telemetry/metric-names.ts";
import { Exporter, Scrapes } from "./exporter.ts";
import { ROOT } from "./helm.ts";
import { alerts, describeWithPromtool, expected, promtool, RULES, rules, runPromtool, SUCCESS } from "./promtool.ts";
import { NOW, PROVOKED, well } from "./provoked.ts";

const RUNBOOKS = join(ROOT, "docs/runbooks");

/** Minutes in which nothing is wrong, before. */
const QUIET = 10;
const BETWEEN_REPLICAS = ["RollwardTwoLeaders", "RollwardTimeZonesDiffer"];

const exporterFor = async (tzdata?: string): Promise<Exporter> => {
  const exporter = await Exporter.open(() => NOW, tzdata);
  onTestFinished(() => exporter.close());
  return exporter;
};

describeWithPromtool("the alerts", () => {
  it("promtool finds no fault in the rules", async () => {
    const { stdout } = await promisify(execFile)(promtool!, ["check", "rules", RULES]);
    expect(stdout).toContain(`SUCCESS: ${rules.length} rules found`);
  });

  it.for(PROVOKED)("$alert fires on a scrape of the exporter in that state, and resolves: $summary", async (provoked) => {
    const { alert, labels, summary, minutes, once, eachMinute, resolvesIn = 6 } = provoked;
    const a = await exporterFor();
    const scrapes = new Scrapes();
    well(a);
    await scrapes.take({ a }, QUIET);
    once?.(a);
    if (eachMinute === undefined) await scrapes.take({ a }, minutes);
    else
      for (let minute = 0; minute < minutes; minute++) {
        eachMinute(a);
        await scrapes.take({ a });
      }
    const firing = scrapes.minute - 1;
    well(a);
    await scrapes.take({ a }, resolvesIn + 1);
    const tests = [expected(alert, QUIET - 1), expected(alert, firing, labels, summary), expected(alert, firing + resolvesIn)];
    expect(await runPromtool(scrapes.inputSeries(), tests)).toMatch(SUCCESS);
  });

  it("RollwardTwoLeaders fires when two replicas say that they lead, RollwardTimeZonesDiffer when their data differ", async () => {
    const [a, b] = [await exporterFor(), await exporterFor("2025c")];
    well(a);
    well(b);
    const scrapes = new Scrapes();
    await scrapes.take({ a }, QUIET);
    await scrapes.take({ a, b }, 65);
    const firing = scrapes.minute - 1;
    await scrapes.take({ a }, 10);
    const tests = [
      ...BETWEEN_REPLICAS.flatMap((alert) => [expected(alert, QUIET - 1), expected(alert, scrapes.minute - 1)]),
      expected("RollwardTwoLeaders", firing, {}, "2 replicas say that they lead."),
      expected("RollwardTimeZonesDiffer", firing, {}, "The replicas use different time-zone data."),
    ];
    expect(await runPromtool(scrapes.inputSeries(), tests)).toMatch(SUCCESS);
  });

  it("an operator that is not scraped at all is absent too", async () => {
    const test = expected("RollwardOperatorAbsent", 5, {}, "Nobody decides about rollouts.");
    expect(await runPromtool([], [test])).toMatch(SUCCESS);
  });
});

describe("every alert", () => {
  it("is provoked by a test", () => {
    const provoked = new Set([...PROVOKED.map(({ alert }) => alert), ...BETWEEN_REPLICAS]);
    expect(alerts.map(({ alert }) => alert!).filter((alert) => !provoked.has(alert))).toEqual([]);
  });

  it("has a runbook page that says what it means, what to look at and what to do, and there is no page without an alert", () => {
    const names = alerts.map(({ alert }) => alert!);
    expect(alerts.map(({ annotations }) => annotations?.runbook_url)).toEqual(names.map((name) => `docs/runbooks/${name}.md`));
    expect(names.filter((name) => !existsSync(join(RUNBOOKS, `${name}.md`)))).toEqual([]);
    const pages = readdirSync(RUNBOOKS).filter((name) => name !== "README.md");
    expect(pages.toSorted()).toEqual(names.map((name) => `${name}.md`).toSorted());
    for (const page of pages) {
      const text = readFileSync(join(RUNBOOKS, page), "utf8");
      for (const heading of ["## What it means", "## What to look at", "## What to do"]) expect(text, page).toContain(`\n${heading}\n`);
      expect(text, page).toMatch(new RegExp(`^# ${page.replace(".md", "")}\n`));
    }
  });

  it("names only series that the exporter has or a rule records", () => {
    const suffixes = Object.keys(HISTOGRAMS).flatMap((name) => ["bucket", "sum", "count"].map((suffix) => `${PREFIX}${name}_${suffix}`));
    const exported = [...Object.keys({ ...GAUGES, ...COUNTERS }).map((name) => `${PREFIX}${name}`), ...suffixes];
    const known = new Set([...exported, ...rules.flatMap(({ record }) => record ?? [])]);
    const named = rules.flatMap(({ expr }) => expr.match(/\brollward[\w:]+/g) ?? []);
    expect([...new Set(named)].filter((name) => !known.has(name))).toEqual([]);
  });
});
