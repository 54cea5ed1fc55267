import type { PopClusterSpec } from "../../api/pop-cluster.ts";
import type { Hold } from "../decision.ts";
import { zoneProblem } from "../time/zone.ts";
import { reachHolds } from "./reach.ts";

/** What a PoP and its window are as somebody wrote them: nothing of what runs. */
export interface WrittenPop {
  readonly namespace: string;
  readonly spec: Pick<PopClusterSpec, "timeZone" | "windowRef"> & Parameters<typeof reachHolds>[0]["spec"];
  readonly window: { readonly found: false } | { readonly found: true; readonly problems: readonly string[] };
}

export function zoneHolds({ spec }: WrittenPop): Hold[] {
  const sentence = zoneProblem(spec.timeZone);
  return sentence
    ? [{ rule: "W10", reason: "WindowInvalid", message: `spec.timeZone: ${sentence}; nothing starts until it is corrected` }]
    : [];
}

export function windowHolds({ namespace, spec: { windowRef }, window }: WrittenPop): Hold[] {
  const invalid = (message: string): Hold => ({ rule: "W10", reason: "WindowInvalid", message });
  if (window.found) return window.problems.map((sentence) => invalid(`MaintenanceWindow ${windowRef.name}: ${sentence}`));
  return [
    invalid(`spec.windowRef: MaintenanceWindow ${windowRef.name} does not exist in namespace ${namespace}; create it or name another`),
  ];
}

/** Why nothing can start on it as it is written (rules W10, P17), before anything of it is looked at. */
export const writtenHolds = (pop: WrittenPop): readonly Hold[] => [...zoneHolds(pop), ...reachHolds(pop), ...windowHolds(pop)];
