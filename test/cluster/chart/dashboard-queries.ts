// Every query of every dashboard as Grafana would ask it, and which of them must never show anything.
import { dashboardFiles } from "../../../tools/helm/dashboards/all.ts";

interface PanelJson {
  readonly title: string;
  readonly type: string;
  readonly description?: string;
  readonly targets?: readonly { readonly expr: string }[];
}

interface DashboardJson {
  readonly title: string;
  readonly uid: string;
  readonly panels: readonly PanelJson[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

export const dashboards = [...dashboardFiles().values()].map((text) => JSON.parse(text) as DashboardJson);

/** A row's heading, then what stands below it. */
export const rowsOf = ({ panels }: DashboardJson): ReadonlyMap<string, readonly string[]> => {
  const rows = new Map<string, string[]>();
  for (const { type, title } of panels) {
    if (type === "row") rows.set(title, []);
    else [...rows.values()].at(-1)?.push(title);
  }
  return rows;
};

export const panels = dashboards.flatMap((dashboard) =>
  dashboard.panels.filter(({ type }) => type !== "row").map((panel) => ({ dashboard, title: dashboard.title, panel })),
);

/** `expr` still has the variables in it: `$pop`, `$__rate_interval`. */
export interface DashboardQuery {
  readonly dashboard: DashboardJson;
  readonly name: string;
  readonly panel: string;
  readonly expr: string;
}

export const queries: readonly DashboardQuery[] = panels.flatMap(({ dashboard, title, panel }) =>
  panel.targets!.map(({ expr }) => ({ dashboard, name: `${title}: ${panel.title}`, panel: panel.title, expr })),
);

/**
 * Panels that show nothing as long as the operator is right and nobody has meddled. What they would show is provoked
 * (dashboards.test.ts); all others have to show something in the demo (demo/dashboards.test.ts).
 */
export const MUST_STAY_0: ReadonlySet<string> = new Set([
  "Disruptions outside a window (must stay 0)",
  "Undeclared sites (must stay 0)",
  "Upgrades begun with too little notice (must stay 0)",
  "Clock of the gateway's host (must stay near 0)",
]);

/** What Grafana puts in the place of variables. Longer names first: `$rollout` must not eat the half of another's. */
export function filled(expr: string, values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .toSorted(([one], [other]) => other.length - one.length)
    .reduce((text, [name, value]) => text.replaceAll(`$${name}`, value), expr);
}
