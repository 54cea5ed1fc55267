import type { Assignment, PopRollout } from "../api/pop-rollout.ts";
import { canonicalJson } from "../core/canonical-json.ts";

/**
 * Which PoPs look again when a rollout changed: those whose own share of it is another one than before. Its status is written with every
 * step of any of its PoPs, and the others have nothing to look at.
 */
export class AssignmentChanges {
  readonly #known = new Map<string, ReadonlyMap<string, string>>();

  popsOf(rollout: PopRollout, deleted: boolean): readonly string[] {
    const { name } = rollout.metadata;
    const before = this.#known.get(name) ?? new Map<string, string>();
    const after = deleted ? new Map<string, string>() : sharesOf(rollout);
    if (deleted) this.#known.delete(name);
    else this.#known.set(name, after);
    return [...new Set([...before.keys(), ...after.keys()])].filter((pop) => before.get(pop) !== after.get(pop));
  }
}

/** Of each PoP what it reads: all but how far the rollout saw it get. */
function sharesOf({ metadata, status = {} }: PopRollout): ReadonlyMap<string, string> {
  const over = metadata.deletionTimestamp !== undefined;
  return new Map(
    (status.assignments ?? []).map((assignment) => [assignment.pop, canonicalJson([metadata.uid, over, shareOf(assignment)])]),
  );
}

const shareOf = ({ state, since: _, reason: __, message: ___, ...share }: Assignment) => ({ ...share, skipped: state === "Skipped" });
