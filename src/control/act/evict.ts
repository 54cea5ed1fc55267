import type { PopAction } from "../../core/pop-cluster/action.ts";
import { cleanText } from "../../core/text.ts";
import type { PopMemory } from "../pop-memory.ts";
import { ApiError, type Cluster } from "../ports.ts";

/** P3: asks by a dry-run eviction whether a PodDisruptionBudget would refuse; 429 names it. */
export async function checkEviction(
  site: Cluster,
  memory: PopMemory,
  { node, pod }: Extract<PopAction, { kind: "CheckEviction" }>,
): Promise<void> {
  try {
    await site.evict(pod, { dryRun: true });
    memory.lookedEviction(node.uid, { allowed: true, message: "" });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === 404) return memory.lookedEviction(node.uid, { allowed: true, message: "" });
    // 500 is how the API server refuses a pod that two budgets cover.
    if (error.code !== 429 && error.code !== 500) throw error;
    const causes = error.causes.map((cause) => cause.message).join("; ");
    memory.lookedEviction(node.uid, {
      allowed: false,
      message: cleanText(`a PodDisruptionBudget refuses that its pod goes: ${causes || error.message}`, 400),
    });
  }
}

const MOVE_AGAIN = 5_000;

/** P3a: moves a pod of others off the node; a refusal is kept with its Retry-After, and the pod is not asked again before. */
export async function evictPod(site: Cluster, memory: PopMemory, { pod }: Extract<PopAction, { kind: "EvictPod" }>): Promise<void> {
  try {
    await site.evict(pod);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === 404) return;
    if (error.code !== 429 && error.code !== 500) throw error;
    const causes = error.causes.map((cause) => cause.message).join("; ");
    memory.refusedMove(
      pod.uid,
      cleanText(`pod ${pod.namespace}/${pod.name} may not be moved: ${causes || error.message}`, 400),
      error.retryAfterMilliseconds ?? MOVE_AGAIN,
    );
  }
}
