import { CLAIM_ANNOTATION, POP_LABEL, RELEASED_PREFIX, REVISION_LABEL, UPDATING_TAINT } from "../../api/names.ts";
import type { Cluster } from "../../control/ports.ts";
import { WHOLE_NODE } from "../../simulation/nodes/kubelet.ts";
import { WHOLE_POD } from "../../simulation/nodes/pod-worker.ts";
import type { SessionBreak } from "../../simulation/load/session-client.ts";
import type { SessionLoad } from "../../simulation/load/session-load.ts";
import { DATA_PLANE_NAMESPACE } from "../../simulation/world.ts";
import { podSighting } from "./pod-sighting.ts";

/** Something that the play said and that is not true of the cluster. */
export class ClaimFailed extends Error {
  override readonly name = "ClaimFailed";
  readonly claimed: string;
  readonly found: string;

  constructor(claimed: string, found: string) {
    super(`claimed: ${claimed}; found: ${found}`);
    this.claimed = claimed;
    this.found = found;
  }
}

/** Whether a claim holds, and what was found in either case. */
export interface Finding {
  readonly holds: boolean;
  readonly found: string;
}

/** One node as the API server has it now, read without any cache and without the operator's status. */
export interface NodeReading {
  readonly name: string;
  readonly pop: string;
  readonly uid: string;
  readonly ready: boolean;
  readonly label: string | undefined;
  /** Bears a claim that has not ended, or the taint of an update. */
  readonly claimed: boolean;
  /** Versions of its pods that are Ready. */
  readonly serves: readonly string[];
}

/** The nodes of one PoP, or of all. */
export async function readNodes(cluster: Cluster, pop?: string): Promise<readonly NodeReading[]> {
  const nodes = await cluster.list(WHOLE_NODE, { labelSelector: pop === undefined ? POP_LABEL : `${POP_LABEL}=${pop}` });
  const pods = (await cluster.list(WHOLE_POD, { namespace: DATA_PLANE_NAMESPACE })).map(podSighting);
  return nodes
    .map(({ metadata, spec, status }): NodeReading => {
      const claim = metadata.annotations?.[CLAIM_ANNOTATION];
      return {
        name: metadata.name,
        pop: metadata.labels?.[POP_LABEL] ?? "",
        uid: metadata.uid,
        ready: status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") ?? false,
        label: metadata.labels?.[REVISION_LABEL],
        claimed:
          (claim !== undefined && !claim.startsWith(RELEASED_PREFIX)) || (spec?.taints?.some(({ key }) => key === UPDATING_TAINT) ?? false),
        serves: pods.filter((pod) => pod.node === metadata.name && pod.ready && !pod.deleting).map(({ version }) => version),
      };
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Serves exactly this version, is Ready, and bears neither a claim nor our taint. */
export const serves = (node: NodeReading, version: string): boolean =>
  node.ready && !node.claimed && node.label !== undefined && node.serves.join() === version;

/** All nodes of the PoP serve exactly this version, under one label, and none bears a claim or our taint. */
export function allServe(nodes: readonly NodeReading[], version: string, count: number): Finding {
  const good = nodes.filter((node) => serves(node, version));
  const labels = new Set(nodes.map(({ label }) => label));
  return { holds: nodes.length === count && good.length === count && labels.size === 1, found: describe(nodes) };
}

export const describe = (nodes: readonly NodeReading[]): string =>
  nodes.length === 0
    ? "no nodes"
    : nodes
        .map(
          ({ name, serves, claimed, ready }) =>
            `${name} ${serves.join("+") || "serves nothing"}${claimed ? " (claimed)" : ""}${ready ? "" : " (NotReady)"}`,
        )
        .join(", ");

const PROMISE_MILLISECONDS = 10_000;

/** A disruption as the users saw it: every session is there, and the breaks since `from` keep the promise of rule P11. */
export function sessionsKept(load: SessionLoad, from: number, breaksAtMost: number): Finding {
  const { sessions, held, pop } = load.summary();
  const breaks = load.breaks.slice(from);
  const counts = new Map<string, number>();
  for (const { id } of breaks) counts.set(id, (counts.get(id) ?? 0) + 1);
  const most = Math.max(0, ...counts.values());
  const longest = longestOutage(breaks);
  const elsewhere = breaks.filter((one) => one.backPop !== pop).length;
  const found =
    `${held} of ${sessions} sessions are held; ${breaks.length} breaks, no session more than ${most} times, ` +
    `the longest lasted ${(longest / 1000).toFixed(1)} s, ${elsewhere} not back on the same PoP`;
  return { holds: held === sessions && most <= breaksAtMost && longest <= PROMISE_MILLISECONDS && elsewhere === 0, found };
}

const longestOutage = (breaks: readonly SessionBreak[]): number => Math.max(0, ...breaks.map(({ outage }) => outage ?? Infinity));
