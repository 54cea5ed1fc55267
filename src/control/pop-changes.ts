import type { PopCluster } from "../api/pop-cluster.ts";
import { canonicalJson } from "../core/canonical-json.ts";

/**
 * Which changes of PoPClusters somebody can see at all: a PoP in mid-roll writes its status several times a node, and none of these
 * writes moves a wave before the run itself changes its state, or a grant before it is asked for or returned.
 */
export class PopChanges {
  readonly #shownOf: (pop: PopCluster) => unknown;
  readonly #shown = new Map<string, string>();

  /** `shownOf`: what of a PoP is seen there. */
  constructor(shownOf: (pop: PopCluster) => unknown) {
    this.#shownOf = shownOf;
  }

  matters(pop: PopCluster, deleted: boolean): boolean {
    const { uid } = pop.metadata;
    if (deleted) return this.#shown.delete(uid);
    const shown = canonicalJson(this.#shownOf(pop));
    if (this.#shown.get(uid) === shown) return false;
    this.#shown.set(uid, shown);
    return true;
  }
}
