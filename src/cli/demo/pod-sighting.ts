import { POP_LABEL } from "../../api/names.ts";
import { readImage } from "../../simulation/nodes/behaviour.ts";
import type { WHOLE_POD } from "../../simulation/nodes/pod-worker.ts";
import type { Kind } from "../../control/ports.ts";

type Pod = typeof WHOLE_POD extends Kind<infer T> ? T : never;

/** What the API server shows of one data-plane pod, as far as the play looks at it. */
export interface PodSighting {
  readonly uid: string;
  readonly name: string;
  readonly node: string | undefined;
  readonly pop: string | undefined;
  /** The tag of its image, which is the version. */
  readonly version: string;
  readonly ready: boolean;
  readonly deleting: boolean;
  readonly restarts: number;
  readonly waiting: string | undefined;
}

export function podSighting({ metadata, spec, status }: Pod): PodSighting {
  const containers = status?.containerStatuses ?? [];
  return {
    uid: metadata.uid,
    name: metadata.name,
    node: spec.nodeName,
    pop: metadata.labels?.[POP_LABEL],
    version: readImage(spec.containers[0]?.image ?? "").tag,
    ready: status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") ?? false,
    deleting: metadata.deletionTimestamp !== undefined,
    restarts: containers.reduce((sum, one) => sum + one.restartCount, 0),
    waiting: containers.map((one) => one.state?.waiting?.reason).find((reason) => reason !== undefined),
  };
}

const HARMLESS = new Set(["ContainerCreating", "PodInitializing"]);

/** What of a pod tells everybody that something is wrong with it, when it is new. */
export function symptomOf(before: PodSighting | undefined, pod: PodSighting): string | undefined {
  const on = `on ${pod.node ?? "no node"}`;
  if (pod.waiting !== undefined && !HARMLESS.has(pod.waiting) && pod.waiting !== before?.waiting) return `${pod.waiting} ${on}`;
  if (pod.restarts > (before?.restarts ?? 0)) return `the container exited ${on}`;
  if (before?.ready && !pod.ready) return `no longer Ready ${on}`;
  return undefined;
}
