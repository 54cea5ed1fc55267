import type { PopCluster } from "../../api/pop-cluster.ts";
import type { PopRollout } from "../../api/pop-rollout.ts";
import { POP_ROLLOUT } from "../../api/resources.ts";
import { oncePer } from "../../core/once-per.ts";
import { type AssigningRollout, assignmentOf, type PopAssignments } from "../../core/rollout/assignment.ts";
import type { Cluster } from "../ports.ts";

/** The shares of a rollout by the name of their PoP: each PoP looks for its own, and a rollout has as many as the fleet has PoPs. */
const sharesOf = oncePer(({ status }: PopRollout, _: undefined) => Map.groupBy(status?.assignments ?? [], ({ pop }) => pop));

/** One rollout as one PoP looks at it. One that is being deleted is withdrawn. */
function assigningRollout(rollout: PopRollout, pop: string): AssigningRollout {
  const { metadata, spec, status = {} } = rollout;
  return {
    name: metadata.name,
    uid: metadata.uid,
    createdAt: metadata.creationTimestamp ?? "",
    content: spec.content !== undefined,
    ...(spec.content?.source ? { source: spec.content.source } : {}),
    ...(status.seenAt === undefined ? {} : { seenAt: status.seenAt }),
    withdrawn: metadata.deletionTimestamp !== undefined,
    assignments: sharesOf(rollout, undefined).get(pop) ?? [],
  };
}

/** What these rollouts assign to a PoP. */
export const assignmentsAmong = (rollouts: readonly PopRollout[], { metadata }: PopCluster): PopAssignments =>
  assignmentOf(
    rollouts.map((rollout) => assigningRollout(rollout, metadata.name)),
    metadata,
  );

/**
 * The same from the server, by as few reads as may be: none where a person pinned everything, else the rollouts that the cache names, and
 * all of them only when it names none for the version, or when the one that it names does not say so any more.
 */
export async function readAssignments(hub: Cluster, pop: PopCluster, cached: readonly PopRollout[]): Promise<PopAssignments> {
  const { version, content } = pop.spec;
  const needsContent = content !== undefined && content.version === undefined;
  if (version !== undefined && !needsContent) return {};
  const { namespace } = pop.metadata;
  const expected = assignmentsAmong(cached, pop);
  const listed = async () => assignmentsAmong(await hub.list<PopRollout>(POP_ROLLOUT, namespace === undefined ? {} : { namespace }), pop);
  if (version === undefined && !expected.version) return listed();
  const wanted = [version === undefined ? expected.version : undefined, needsContent ? expected.content : undefined];
  const names = new Set(wanted.flatMap((assignment) => assignment?.rollout ?? []));
  const read = await Promise.all([...names].map((name) => hub.get<PopRollout>(POP_ROLLOUT, name, namespace)));
  const found = assignmentsAmong(
    read.filter((rollout) => rollout !== undefined),
    pop,
  );
  const isLost = wanted.some(
    (assignment) => assignment && ![found.version, found.content].some((one) => one?.rolloutUID === assignment.rolloutUID),
  );
  return isLost ? listed() : found;
}
