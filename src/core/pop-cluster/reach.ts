import type { HealthCheck, PopClusterSpec } from "../../api/pop-cluster.ts";
import type { Hold } from "../decision.ts";
import type { ThroughApiServer } from "../health/probe.ts";
import type { DataPlanePod } from "./observation.ts";
import type { PopView } from "./view.ts";

type ReachSpec = Pick<PopClusterSpec, "reach" | "kubeconfigSecretRef" | "health" | "content" | "template">;

/**
 * How a pod of the PoP is asked (rule P17): directly, or by its name through the API server of its cluster. That cluster is named by
 * its UID too: a Secret that suddenly leads elsewhere leads to no pod of the same name there.
 */
export function throughOf(
  { namespace, spec: { reach, kubeconfigSecretRef } }: { readonly namespace: string; readonly spec: ReachSpec },
  clusterUID: string,
  pod: Pick<DataPlanePod, "name" | "namespace">,
): { readonly through?: ThroughApiServer } {
  if (reach !== "ApiServerProxy" || kubeconfigSecretRef === undefined) return {};
  return { through: { secret: { name: kubeconfigSecretRef.name, namespace }, clusterUID, namespace: pod.namespace, pod: pod.name } };
}

/** The same for a pod of this observation. A cluster that is not there now is asked nothing. */
export const podThrough = ({ seen: { pop, site } }: PopView, pod: DataPlanePod): ReturnType<typeof throughOf> =>
  throughOf(pop, site.state === "Reachable" ? site.uid : "", pod);

/**
 * What the API server's proxy cannot ask (rule P17): it speaks HTTP to pods. Named here rather than asked another way: who writes
 * ApiServerProxy has no way to the nodes.
 */
export function reachHolds({ spec }: { readonly spec: ReachSpec }): Hold[] {
  if (spec.reach !== "ApiServerProxy") return [];
  const of = (where: string, checks: readonly HealthCheck[]) => checks.flatMap((check) => problemOf(where, check, spec) ?? []);
  const { node, pop } = spec.health;
  const found = [...of("spec.health.node", node), ...of("spec.health.pop", pop), ...of("spec.content.health", spec.content?.health ?? [])];
  return found.map((message) => ({ rule: "P17", reason: "ReachUnsupported", message }));
}

function problemOf(where: string, { name, tcp, http, address }: HealthCheck, { template }: ReachSpec): string | undefined {
  const check = `${where} check ${name}`;
  if (tcp !== undefined) return `${check}: tcp cannot be asked through the API server; write http, or reach: Direct`;
  const { hostNetwork } = template.spec as { readonly hostNetwork?: boolean };
  if (http === undefined || address !== "Node" || hostNetwork === true) return undefined;
  return `${check}: the API server leads to pods, and its pods have other addresses than their nodes; write address: Pod, or reach: Direct`;
}
