import type { Assignment, PopRollout, PopRolloutStatus } from "../../src/api/pop-rollout.ts";
import { POP_ROLLOUT } from "../../src/api/resources.ts";
import { ApiError } from "../../src/control/ports.ts";
import type { Operation } from "../../src/simulation/cluster/in-memory-cluster.ts";
import { FLEET_NAMESPACE } from "../../src/simulation/world.ts";
import type { Story } from "./story.ts";

/** What a rollout says to one PoP; left out: go, for good, announced when the rollout was created. */
export type Says = Partial<Assignment>;

const assignmentOf = (story: Story, pop: string, version: string, says: Says): Assignment => {
  const now = new Date(story.now).toISOString();
  return {
    pop,
    uid: story.pop(pop).metadata.uid,
    wave: "general",
    version,
    class: "Regular",
    announcedAt: now,
    order: "Go",
    state: "Assigned",
    since: now,
    ...says,
  };
};

/** The operator may not write rollouts here, so that what they say is the story's. */
const keepsOffRollouts = ({ kind, subresource }: Operation) =>
  kind === POP_ROLLOUT.kind && subresource === "status"
    ? { error: new ApiError(403, "Forbidden", "poprollouts/status is written by the story") }
    : undefined;

/** A rollout whose status a test writes, as its controller would. */
export async function rollout(story: Story, name: string, brings: object, version: string, says: Says = {}, pop = "fra1"): Promise<void> {
  story.world.hubs.forEach((hub) => (hub.fault = keepsOffRollouts));
  await story.world.apply(POP_ROLLOUT, {
    apiVersion: POP_ROLLOUT.apiVersion,
    kind: "PoPRollout",
    metadata: { name, namespace: FLEET_NAMESPACE },
    spec: {
      ...brings,
      requestedBy: "release-train",
      announcedAt: new Date(story.now).toISOString(),
      waves: [{ name: "general", pops: { percent: 100 } }],
    },
  } as never);
  await writeStatus(story, name, () => ({
    seenAt: new Date(story.now).toISOString(),
    assignments: [assignmentOf(story, pop, version, says)],
  }));
}

/** A version assigned to a PoP, whose pin is taken away. */
export async function assign(story: Story, name: string, version: string, says: Says = {}, pop = "fra1"): Promise<void> {
  await rollout(story, name, { version }, version, says, pop);
  await story.edit(({ version: _, ...spec }) => spec, pop);
}

/** The rollout says something else to its PoP from now on. */
export const say = (story: Story, name: string, says: Says): Promise<void> =>
  writeStatus(story, name, (status) => ({ ...status, assignments: (status.assignments ?? []).map((one) => ({ ...one, ...says })) }));

export const withdraw = (story: Story, name: string): Promise<void> =>
  story.world.while(story.world.kubectl.delete(POP_ROLLOUT, name, FLEET_NAMESPACE));

export const writeStatus = async (story: Story, name: string, change: (status: PopRolloutStatus) => PopRolloutStatus): Promise<void> => {
  const found = story.read<PopRollout>(POP_ROLLOUT, name, FLEET_NAMESPACE);
  if (!found) throw new Error(`there is no PoPRollout ${name}`);
  const next = { ...structuredClone(found), status: change(structuredClone(found.status ?? {})) };
  await story.world.while(story.world.kubectl.updateStatus<PopRollout>(POP_ROLLOUT, next));
};
