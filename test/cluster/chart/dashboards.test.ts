import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { COUNTERS, GAUGES, HISTOGRAMS, PREFIX } from "../../../src/telemetry/metric-names.ts";
import { findPrometheus } from "../../../tools/prometheus/install.ts";
import { type Prometheus, startPrometheus } from "../../../tools/prometheus/run.ts";
import { dashboards, filled, panels, queries as asWritten } from "./dashboard-queries.ts";
import { Exporter } from "./exporter.ts";
import { CHART } from "./helm.ts";
import { busy, NOW } from "./provoked.ts";

/** What Grafana puts in the place of variables. */
const CHOSEN = { clientrollout: "c-2", socketrollout: "s-2", rollout: "r-2", namespace: "fleet", pop: "fra1", __rate_interval: "30s" };
const queries = asWritten.map(({ name, expr }) => ({ name, expr: filled(expr, CHOSEN) }));

const exported = [
  ...Object.keys({ ...GAUGES, ...COUNTERS }),
  ...Object.keys(HISTOGRAMS).flatMap((name) => ["bucket", "sum", "count"].map((suffix) => `${name}_${suffix}`)),
].map((name) => PREFIX + name);
const namedIn = (text: string): string[] => text.match(/\brollward_\w+/g) ?? [];

describe("the dashboards", () => {
  it("name only series that the exporter has, in variables too, and leave no variable of Grafana's unfilled", () => {
    const variables = dashboards.flatMap(({ templating }) => templating.list.map(({ definition = "" }) => definition));
    const named = [...queries.map(({ expr }) => expr), ...variables].flatMap(namedIn);
    expect([...new Set(named)].filter((name) => !exported.includes(name))).toEqual([]);
    expect(queries.filter(({ expr }) => expr.includes("$"))).toEqual([]);
  });

  it("and the rules together show or watch every series that the exporter has", () => {
    const rules = readFileSync(join(CHART, "files/rules.yaml"), "utf8");
    const named = new Set(
      [...queries.map(({ expr }) => expr), rules].flatMap(namedIn).map((name) => name.replace(/_(bucket|sum|count)$/, "")),
    );
    const all = [...Object.keys({ ...GAUGES, ...COUNTERS }), ...Object.keys(HISTOGRAMS)].map((name) => PREFIX + name);
    expect(all.filter((name) => !named.has(name))).toEqual([]);
  });

  it("say of each panel what it shows, and each has its own name in Grafana", () => {
    expect(panels.filter(({ panel }) => (panel.description ?? "") === "").map(({ panel }) => panel.title)).toEqual([]);
    expect(new Set(dashboards.map(({ uid }) => uid)).size).toBe(dashboards.length);
  });
});

const binary = findPrometheus();
const describeWithPrometheus = binary === undefined ? describe.skip : describe;

describeWithPrometheus(`with a real Prometheus${binary === undefined ? " (there is none here: npm test installs it)" : ""}`, () => {
  let exporter: Exporter;
  let prometheus: Prometheus;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "rollward-dashboards-"));
    exporter = await Exporter.open(() => NOW);
    busy(exporter);
    prometheus = await startPrometheus({
      binary: binary!,
      configuration: {
        global: { scrape_interval: "1s", evaluation_interval: "1s" },
        rule_files: [join(CHART, "files/rules.yaml")],
        scrape_configs: [{ job_name: "rollward", honor_labels: true, static_configs: [{ targets: [exporter.address] }] }],
      },
    });
  });
  afterAll(async () => {
    await prometheus?.stop();
    await exporter?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("every query parses", () => {
    const file = join(folder, "queries.yaml");
    const rules = queries.map(({ expr }, index) => ({ record: `query_${index}`, expr }));
    writeFileSync(file, JSON.stringify({ groups: [{ name: "dashboards", rules }] }));
    expect(execFileSync(binary!.promtool, ["check", "rules", "--lint=none", file], { encoding: "utf8" })).toContain(
      `${queries.length} rules found`,
    );
  });

  it("every query returns something that is not 0 once the fleet is busy and something goes wrong", async () => {
    const empty = async (): Promise<string[]> => {
      const missing: string[] = [];
      for (const { name, expr } of queries) {
        const found = (await prometheus.query(expr)) as { value: [number, string] }[];
        if (!found.some(({ value }) => Number(value[1]) !== 0 && !Number.isNaN(Number(value[1])))) missing.push(`${name}: ${expr}`);
      }
      return missing;
    };
    await vi.waitFor(async () => expect(await empty()).toEqual([]), { timeout: 30_000, interval: 1_000 });
  });

  it("every recording rule records something", async () => {
    const recorded = (parse(readFileSync(join(CHART, "files/rules.yaml"), "utf8")) as { groups: { rules: { record?: string }[] }[] }).groups
      .flatMap(({ rules }) => rules)
      .flatMap(({ record }) => record ?? []);
    const empty = async () => {
      const found = await Promise.all(recorded.map(async (name) => ((await prometheus.query(name)).length === 0 ? [name] : [])));
      return found.flat();
    };
    await vi.waitFor(async () => expect(await empty()).toEqual([]), { timeout: 20_000, interval: 500 });
  });
});
