// What a Deployment of the chart runs, as far as these tests look at it.
import type { Rendered } from "./helm.ts";

interface Workload {
  readonly args: readonly string[];
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
  }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  /** Of its pod. */
  readonly volumes?: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
  readonly serviceAccountName: string;
}

/** The one container of a Deployment, with what of its pod belongs to it. */
export function containerOf(deployment: Rendered): Workload {
  const { spec } = (deployment["spec"] as { template: { spec: { containers: [Workload] } & Workload } }).template;
  const { serviceAccountName, volumes } = spec;
  return { ...spec.containers[0], serviceAccountName, ...(volumes === undefined ? {} : { volumes }) };
}
