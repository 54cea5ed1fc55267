// The chart as plain manifests, for those who do not use Helm: what it renders with its own values, without Helm's marks.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "../control-plane/versions.ts";

export const PLAIN_MANIFESTS = "config/install.yaml";

const HEADER = `# Generated from charts/rollward by npm run gen. Change the chart, not this file.
#
# Everything that runs today: the kinds, the operator with its rights and network policy, the admission policies, roles for people, and
# the namespaces fleet and rollward-data-plane. Put your own image in the place of registry.example/rollward:
#   sed 's|registry.example/rollward|REGISTRY/rollward|' config/install.yaml | kubectl apply --server-side -f -
# Never over a release of Helm: the operator, its rights and the policies would become kubectl's, those of an older file too, and the next
# helm upgrade ends with a conflict ("Older kinds" in docs/operations.md).
---
apiVersion: v1
kind: Namespace
metadata: { name: fleet, labels: { rollward.dev/provider: "true" } }
`;

/** What `kubectl apply` gets; throws with Helm's own words where the chart does not render. */
export function plainManifests(helm: string): string {
  const args = [
    "template",
    "rollward",
    "charts/rollward",
    "--namespace",
    "fleet",
    "--include-crds",
    "--set",
    "image.repository=registry.example/rollward,uninstall.removeFinalizers=false",
  ];
  const rendered = execFileSync(helm, args, { cwd: join(ROOT), encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  return HEADER + withoutHelm(rendered);
}

function withoutHelm(rendered: string): string {
  return rendered
    .replaceAll(/^# (Source: |Generated from ).*\n/gm, "")
    .replaceAll(/^ +(helm\.sh\/chart: .*|app\.kubernetes\.io\/managed-by: Helm)\n/gm, "")
    .replaceAll(/"app\.kubernetes\.io\/managed-by":"Helm",|,"helm\.sh\/chart":"[^"]*"/g, "")
    .replaceAll(/^ +annotations:\n(?: +#.*\n)? +helm\.sh\/resource-policy: keep\n/gm, "");
}
