import { POP_LABEL, POP_REVISION_LABEL, REVISION_LABEL, UPDATING_TAINT } from "../../api/names.ts";
import type { PodTemplate } from "../../api/pop-cluster.ts";
import { labelFor, withVersion } from "./revision.ts";

/** Names the DaemonSet of a PoP and revision, and its record: the PoP is part of it, so that two PoPs never share one. */
export const daemonSetName = (pop: string, revision: string): string => `${pop}-${revision}`;

/** The digest of the generation that we wrote last: another one means that somebody edited the DaemonSet by hand. */
export const GENERATION_ANNOTATION = "rollward.dev/generation";

export interface RenderedDaemonSet {
  readonly apiVersion: "apps/v1";
  readonly kind: "DaemonSet";
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Record<string, string>;
    readonly annotations: Record<string, string>;
  };
  readonly spec: Record<string, unknown>;
}

/**
 * One DaemonSet per PoP and revision (kinds: Revision): OnDelete, so that nothing restarts by an edit; no owner, so that the data
 * plane outlives its PoPCluster; a nodeSelector that names PoP and revision, so that moving a node's label replaces its pod on just
 * that node; a toleration of our taint, without which the new pod would never be created on the node in hand.
 */
export function renderDaemonSet(
  pop: string,
  namespace: string,
  revision: string,
  version: string,
  template: PodTemplate,
): RenderedDaemonSet {
  const filled = withVersion(template, version);
  const ours = { [POP_LABEL]: pop, [POP_REVISION_LABEL]: revision };
  const given = filled.spec as { nodeSelector?: Record<string, string>; tolerations?: unknown[] };
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: {
      name: daemonSetName(pop, revision),
      namespace,
      labels: { ...ours, "app.kubernetes.io/managed-by": "rollward", "app.kubernetes.io/version": version.slice(0, 63) },
      annotations: { [GENERATION_ANNOTATION]: "1" },
    },
    spec: {
      selector: { matchLabels: ours },
      updateStrategy: { type: "OnDelete" },
      template: {
        metadata: { ...filled.metadata, labels: { ...filled.metadata?.labels, ...ours } },
        spec: {
          ...filled.spec,
          nodeSelector: { ...given.nodeSelector, [REVISION_LABEL]: labelFor(pop, revision) },
          tolerations: [...(given.tolerations ?? []), { key: UPDATING_TAINT, operator: "Exists", effect: "NoSchedule" }],
        },
      },
    },
  };
}

/** Host ports that the template needs: declared ones, and every declared port of a pod on the host's network. */
export function hostPortsOf(spec: {
  readonly hostNetwork?: boolean;
  readonly containers: readonly { readonly ports?: readonly { readonly containerPort?: number; readonly hostPort?: number }[] }[];
}): number[] {
  const ports = spec.containers.flatMap((container) => container.ports ?? []);
  return ports.flatMap((port) => port.hostPort ?? (spec.hostNetwork && port.containerPort ? port.containerPort : []));
}
