import type { PopCluster } from "../api/pop-cluster.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import { rolloutPop } from "./observe/pop-rollout.ts";

/**
 * Which changes of PoPClusters a rollout can see at all: a PoP in mid-roll writes its status several times a node, and none of these
 * writes moves a wave before the run itself changes its state.
 */
export class PopChanges {
  readonly #seen = new Map<string, string>();

  matters(pop: PopCluster, deleted: boolean): boolean {
    const { uid } = pop.metadata;
    if (deleted) return this.#seen.delete(uid);
    const seen = canonicalJson(rolloutPop(pop));
    if (this.#seen.get(uid) === seen) return false;
    this.#seen.set(uid, seen);
    return true;
  }
}
