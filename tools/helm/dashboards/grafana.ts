// The little of Grafana's dashboard JSON that ours need, and the names of our series, checked by the compiler.
import {
  COUNTERS,
  GAUGES,
  HISTOGRAMS,
  PREFIX,
  type CounterName,
  type GaugeName,
  type HistogramName,
} from "../../../src/telemetry/metric-names.ts";

/** The full name of a gauge or counter. */
export function series(name: GaugeName | CounterName): string {
  if (!Object.hasOwn(GAUGES, name) && !Object.hasOwn(COUNTERS, name)) throw new Error(`the exporter has no ${name}`);
  return PREFIX + name;
}

/** A quantile of a histogram, by labels. `matchers` is what stands in the braces. */
export function quantile(of: number, name: HistogramName, by: readonly string[], matchers = "", range = "$__rate_interval"): string {
  if (!Object.hasOwn(HISTOGRAMS, name)) throw new Error(`the exporter has no histogram ${name}`);
  return `histogram_quantile(${of}, sum by (${[...by, "le"].join(", ")}) (increase(${PREFIX}${name}_bucket${matchers === "" ? "" : `{${matchers}}`}[${range}])))`;
}

interface Query {
  readonly expr: string;
  readonly legend?: string;
  /** A table or a stat shows what is now; a graph what was. */
  readonly instant?: boolean;
}

export interface Panel {
  readonly title: string;
  readonly description: string;
  readonly type: "timeseries" | "stat" | "bargauge" | "table" | "state-timeline";
  readonly queries: readonly Query[];
  readonly unit?: string;
  readonly width: number;
  readonly height?: number;
  /** Colour from a value on; the first stands for everything below. */
  readonly steps?: readonly (readonly [number | null, "green" | "yellow" | "red" | "blue"])[];
  readonly text?: "value" | "name";
  readonly values?: Readonly<Record<string, string>>;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

interface Variable {
  readonly name: string;
  readonly query: string;
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}

const COLUMNS = 24;
const DATASOURCE = { type: "prometheus", uid: "${datasource}" } as const;

/** The JSON that Grafana imports. Throws where a row is wider than the page. */
export function grafanaJson({ uid, title, description, variables, rows }: Dashboard): string {
  let id = 0;
  let y = 0;
  const panels = rows.flatMap((row) => {
    const heading = { id: ++id, type: "row", title: row.title, collapsed: false, panels: [], gridPos: { h: 1, w: COLUMNS, x: 0, y: y++ } };
    let x = 0;
    const height = Math.max(...row.panels.map((panel) => panel.height ?? 7));
    const placed = row.panels.map((panel) => {
      if (x + panel.width > COLUMNS) throw new Error(`${title}: the panel "${panel.title}" does not fit into its row`);
      const gridPos = { h: height, w: panel.width, x, y };
      x += panel.width;
      return panelJson(panel, ++id, gridPos);
    });
    y += height;
    return [heading, ...placed];
  });
  const dashboard = {
    uid,
    title,
    description,
    tags: ["rollward"],
    timezone: "browser",
    editable: true,
    schemaVersion: 39,
    version: 1,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    templating: {
      list: [
        { name: "datasource", label: "Prometheus", type: "datasource", query: "prometheus", current: {} },
        ...variables.map(({ name, query }) => ({
          name,
          label: name,
          type: "query",
          datasource: DATASOURCE,
          definition: query,
          query: { query, refId: name },
          refresh: 2,
          sort: 1,
          includeAll: false,
          multi: false,
        })),
      ],
    },
    panels,
  };
  return `${JSON.stringify(dashboard, undefined, 2)}\n`;
}

function panelJson(panel: Panel, id: number, gridPos: object): object {
  const { title, description, type, queries, unit = "short", steps, text = "value", values } = panel;
  const thresholds = { mode: "absolute", steps: (steps ?? [[null, "blue"]]).map(([value, color]) => ({ value, color })) };
  const mappings =
    values === undefined
      ? []
      : [{ type: "value", options: Object.fromEntries(Object.entries(values).map(([value, shown]) => [value, { text: shown }])) }];
  const reduce = { calcs: ["lastNotNull"], fields: "", values: false };
  const options: Readonly<Record<Panel["type"], object>> = {
    timeseries: { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi", sort: "desc" } },
    stat: { reduceOptions: reduce, textMode: text === "name" ? "name" : "auto", colorMode: steps === undefined ? "none" : "background" },
    bargauge: { reduceOptions: reduce, orientation: "horizontal", displayMode: "basic" },
    table: { showHeader: true },
    "state-timeline": { showValue: "never", mergeValues: true, legend: { displayMode: "list", placement: "bottom" } },
  };
  return {
    id,
    type,
    title,
    description,
    gridPos,
    datasource: DATASOURCE,
    fieldConfig: {
      defaults: { unit, thresholds, mappings, color: { mode: steps === undefined ? "palette-classic" : "thresholds" } },
      overrides: [],
    },
    options: options[type],
    targets: queries.map(({ expr, legend, instant = type !== "timeseries" && type !== "state-timeline" }, index) => ({
      refId: String.fromCodePoint("A".codePointAt(0)! + index),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend ?? "__auto",
      instant,
      range: !instant,
      ...(type === "table" ? { format: "table" } : {}),
    })),
  };
}
