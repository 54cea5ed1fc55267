import { POP_LABEL } from "../../api/names.ts";
import type { PopAction } from "../../core/pop-cluster/action.ts";
import { stableHash } from "../../core/rollout/order.ts";
import { POD, type PodObject } from "../kinds.ts";
import type { PopMemory } from "../pop-memory.ts";
import { ApiError, type Cluster, type Draft } from "../ports.ts";

/** The mark of a pod that only pulls; it is no data-plane pod and nobody's budget counts it. */
export const PULL_LABEL = "rollward.dev/pull";
/** No image has it: the container cannot start (StartError), and that means that its image is there. */
const NO_SUCH_COMMAND = "/rollward-pulls-the-image-only";

/**
 * R0: pulls the images of a revision to a node ahead of the window, by a pod whose command does not exist: the kubelet pulls, the
 * start fails, nobody is disrupted. The pod is deleted when its outcome is known.
 */
export async function pullImages(
  site: Cluster,
  memory: PopMemory,
  place: { readonly pop: string; readonly dataPlaneNamespace: string },
  action: Extract<PopAction, { kind: "PullImages" }>,
): Promise<void> {
  const { revision, node, nodeUID, images } = action;
  const name = `${place.pop}-pull-${stableHash([revision, nodeUID], 8)}`;
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: place.dataPlaneNamespace,
      labels: { [PULL_LABEL]: place.pop, "app.kubernetes.io/managed-by": "rollward" },
      annotations: { [POP_LABEL]: `${revision}/${nodeUID}` },
    },
    spec: {
      nodeName: node,
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      tolerations: [{ operator: "Exists" }],
      containers: images.map((image, index) => ({ name: `pull-${index}`, image, command: [NO_SUCH_COMMAND] })),
    },
  };
  try {
    await site.create(POD, pod as unknown as Draft<PodObject>);
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== "AlreadyExists") throw error;
  }
  memory.pulled(`${revision}/${nodeUID}`, { state: "Pulling", message: "" });
}

/** `<revision>/<node UID>` of a pod that only pulls for this PoP. */
export const pullKey = (pod: PodObject, pop: string): string | undefined =>
  pod.metadata.labels?.[PULL_LABEL] === pop ? pod.metadata.annotations?.[POP_LABEL] : undefined;

/** What a pulling pod tells; undefined while the kubelet is still at it. */
export function pullOutcome(pod: PodObject): { readonly state: "Pulled" | "Failed"; readonly message: string } | undefined {
  const states = pod.status?.containerStatuses ?? [];
  const refused = states.find((status) =>
    ["ErrImagePull", "ImagePullBackOff", "InvalidImageName"].includes(status.state?.waiting?.reason ?? ""),
  );
  if (refused)
    return { state: "Failed", message: `${refused.image}: ${refused.state?.waiting?.message ?? refused.state?.waiting?.reason}` };
  const over =
    states.length > 0 &&
    states.every(
      (status) =>
        status.state?.terminated !== undefined ||
        status.state?.waiting?.reason === "CreateContainerError" ||
        status.state?.waiting?.reason === "RunContainerError",
    );
  if (over) return { state: "Pulled", message: "" };
  // A kubelet that took the pod at all names its containers; this one turned it away.
  return pod.status?.phase === "Failed"
    ? { state: "Failed", message: `the node took no pod: ${pod.status.message ?? pod.status.reason ?? "no reason given"}` }
    : undefined;
}
