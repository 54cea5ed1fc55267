// What of the chart is made from other files of the project: the kinds, the rights of the operator and of people, the admission
// policies, the dashboards. Each has one source; the chart's copy differs in the namespace, the labels and the switch alone.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../control-plane/versions.ts";
import { dashboardFiles } from "./dashboards/all.ts";

const CHART = "charts/rollward";
const TEMPLATES = `${CHART}/templates/generated`;
const FLEET = "namespace: fleet";
const DATA_PLANE = "namespace: rollward-data-plane";
const LABELS = "labels: { app.kubernetes.io/name: rollward }";

/** Path below the root → text. `crds`: the generated CRDs by path below `crds/`. */
export function chartFiles(crds: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const template = (name: string, source: string, condition: string | undefined): readonly [string, string] => [
    `${TEMPLATES}/${name}.yaml`,
    templateOf(source, readFileSync(join(ROOT, source), "utf8"), condition),
  ];
  return new Map([
    ...[...crds].map(([path, text]) => [`${CHART}/${path}`, text] as const),
    ...[...dashboardFiles()].map(([name, text]) => [`${CHART}/files/dashboards/${name}`, text] as const),
    template("operator-rights", "config/rbac/operator.yaml", undefined),
    template("evict-pods", "config/rbac/evict-pods.yaml", ".Values.rbac.evictPods"),
    template("gateway-rights", "config/rbac/gateway.yaml", ".Values.inventory.postgresql.secretName"),
    template("people", "config/rbac/people.yaml", ".Values.rbac.people"),
    template("policies-people", "config/policies/people.yaml", ".Values.policies.enabled"),
    template("policies-fleet-namespace", "config/policies/fleet-namespace.yaml", ".Values.policies.enabled"),
    template("policies-kinds", "config/policies/kinds.yaml", ".Values.policies.enabled"),
  ]);
}

/**
 * A manifest as a template of the chart. What stands in the fleet namespace goes to that of the release, what stands in the data plane's
 * is repeated for each of them, and the labels are those of the release. Throws where a line would be taken over as it is and be wrong.
 */
export function templateOf(source: string, manifest: string, condition: string | undefined): string {
  if (manifest.includes("{{")) throw new Error(`${source} contains {{, which Helm would read as a template: write it another way`);
  const documents = manifest.split(/^---\n/m).map((document) => {
    const lines = withoutComments(document)
      .replaceAll(FLEET, "namespace: {{ $.Release.Namespace }}")
      .replaceAll(`"'fleet'"`, `"'{{ $.Release.Namespace }}'"`)
      .replaceAll(LABELS, 'labels: {{ include "rollward.flowLabels" $ }}');
    if (!lines.includes("rollward.flowLabels")) throw new Error(`an object of ${source} does not bear exactly ${LABELS}`);
    if (!document.includes(DATA_PLANE)) return lines;
    return `{{- range $namespace := .Values.dataPlane.namespaces }}\n---\n${lines.replaceAll(DATA_PLANE, "namespace: {{ $namespace }}")}{{- end }}\n`;
  });
  const text = documents.join("---\n").replaceAll("---\n{{- range", "{{- range");
  const header = `# Generated from ${source} by npm run gen. Change it there, not here.\n`;
  return condition === undefined ? header + text : `{{- if ${condition} }}\n${header}${text}{{- end }}\n`;
}

/** Comments before an object speak of the file that they stand in; those beside its fields stay. */
function withoutComments(document: string): string {
  return document.replace(/^(#.*\n)+/, "");
}
