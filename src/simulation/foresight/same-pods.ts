import type { PopCluster } from "../../api/pop-cluster.ts";
import type { PopRollout } from "../../api/pop-rollout.ts";
import { plural, some } from "./dates.ts";
import { tell } from "./told.ts";
import type { Conflict, PopForecast } from "./types.ts";

/**
 * PoPs of whose images none depends on the version: a release would take their nodes out one by one and bring the same ones. It may be meant,
 * where what runs learns its version in another way, so it is a note (rule F7).
 * Asked of the objects as they are given: the facts that a forecast rests on have no templates.
 */
export function samePods(given: readonly PopCluster[], rollout: PopRollout, pops: readonly PopForecast[]): Conflict[] {
  if (rollout.spec.version === undefined) return [];
  const fixed = new Set(given.filter(isFixed).map(({ metadata }) => metadata.name));
  const who = pops.map(({ pop }) => pop).filter((pop) => fixed.has(pop));
  if (who.length === 0) return [];
  const message =
    `${plural(who.length, "PoP")} (${some(who.toSorted())}) ${who.length === 1 ? "has" : "have"} no \${version} in any image of spec.template: ` +
    "nodes would be taken out and run the same images as before; write it where the version goes, for example registry.example/data-plane:${version}";
  return [tell({ kind: "Invalid", severity: "Note", rollout, who, message })];
}

/** Only images take the version in; a template that was left behind is not known. */
function isFixed({ spec: { template } }: PopCluster): boolean {
  const { spec } = template as Partial<typeof template>;
  if (spec === undefined) return false;
  const { containers, initContainers = [] } = spec as {
    readonly containers: readonly { readonly image: string }[];
    readonly initContainers?: readonly { readonly image?: string }[];
  };
  return [...containers, ...initContainers].every(({ image }) => image?.includes("${version}") !== true);
}
