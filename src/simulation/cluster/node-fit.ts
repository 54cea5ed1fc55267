import type { NodeObject, PodSpec, Taint } from "../../control/kinds.ts";
import { meets } from "./selectors.ts";

/** Whether a pod may be on a node: pure questions, as the scheduler and the DaemonSet controller ask them. */

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

interface Term {
  readonly matchExpressions?: readonly Requirement[];
  readonly matchFields?: readonly Requirement[];
}

export interface Toleration {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
  readonly tolerationSeconds?: number;
}

/** The required terms of a pod's node affinity; undefined when it has none. */
export function affinityTerms(spec: PodSpec): readonly Term[] | undefined {
  const affinity = spec.affinity as
    | { nodeAffinity?: { requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms?: Term[] } } }
    | undefined;
  return affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
}

/** nodeSelector *and* node affinity; of the affinity's terms one is enough, an empty term matches nothing. */
export function selectsNode(spec: PodSpec, node: NodeObject): boolean {
  const { labels, name } = node.metadata;
  if (!Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => meets(labels, { key, operator: "In", values: [value] })))
    return false;
  const terms = affinityTerms(spec);
  if (terms === undefined) return true;
  return terms.some(({ matchExpressions = [], matchFields = [] }) => {
    if (matchExpressions.length + matchFields.length === 0) return false;
    return matchExpressions.every((each) => meets(labels, each)) && matchFields.every((each) => meets({ "metadata.name": name }, each));
  });
}

/** The node's taints of these effects that the pod does not tolerate. */
export function untolerated(spec: PodSpec, node: NodeObject, effects: readonly Taint["effect"][]): readonly Taint[] {
  const tolerations = (spec.tolerations ?? []) as readonly Toleration[];
  return (node.spec?.taints ?? []).filter(
    (taint) => effects.includes(taint.effect) && !tolerations.some((toleration) => tolerates(toleration, taint)),
  );
}

function tolerates({ key, operator = "Equal", value = "", effect }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  return operator === "Exists" || (key !== undefined && value === (taint.value ?? ""));
}

/** Added to each pod of a DaemonSet, so that a node's own troubles do not take its daemons away. */
export function daemonTolerations(spec: PodSpec): readonly Toleration[] {
  const exists = (name: string, effect: Taint["effect"]): Toleration => ({ key: `node.kubernetes.io/${name}`, operator: "Exists", effect });
  const pressures = ["disk-pressure", "memory-pressure", "pid-pressure", "unschedulable"].map((name) => exists(name, "NoSchedule"));
  const network = spec.hostNetwork ? [exists("network-unavailable", "NoSchedule")] : [];
  const added = [exists("not-ready", "NoExecute"), exists("unreachable", "NoExecute"), ...pressures, ...network];
  const own = (spec.tolerations ?? []) as readonly Toleration[];
  return [
    ...own,
    ...added.filter(
      (toleration) => !own.some((mine) => mine.key === toleration.key && mine.operator === "Exists" && mine.effect === toleration.effect),
    ),
  ];
}

/** `TCP/8080`, for each port that the pod holds on its node's own address. */
export function hostPorts(spec: PodSpec): readonly string[] {
  return spec.containers.flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, protocol = "TCP" }) => (hostPort === undefined ? [] : [`${protocol}/${hostPort}`])),
  );
}
