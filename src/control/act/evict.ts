import type { PopAction } from "../../core/pop-cluster/action.ts";
import { cleanText } from "../../core/text.ts";
import type { PopMemory } from "../pop-memory.ts";
import { ApiError, type Cluster } from "../ports.ts";

/** P3: asks by a dry-run eviction whether a PodDisruptionBudget would refuse; 429 names it. */
export async function checkEviction(site: Cluster, memory: PopMemory, { node, pod }: Extract<PopAction, { kind: "CheckEviction" }>): Promise<void> {
  try {
    await site.evict(pod, { dryRun: true });
    memory.lookedEviction(node.uid, { allowed: true, message: "" });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === 404) return memory.lookedEviction(node.uid, { allowed: true, message: "" });
    if (error.code !== 429) throw error;
    const causes = error.causes.map((cause) => cause.message).join("; ");
    memory.lookedEviction(node.uid, { allowed: false, message: cleanText(`a PodDisruptionBudget refuses that its pod goes: ${causes || error.message}`, 400) });
  }
}

/** P3a: moves a pod of others off the node; a refusal by its budget is tried again with the next pass. */
export async function evictPod(site: Cluster, { pod }: Extract<PopAction, { kind: "EvictPod" }>): Promise<void> {
  try {
    await site.evict(pod);
  } catch (error) {
    if (!(error instanceof ApiError) || (error.code !== 429 && error.code !== 404)) throw error;
  }
}
