import type { ContentSource } from "../../api/pop-content.ts";
import type { Assignment } from "../../api/pop-rollout.ts";
import { isDowngrade, parseVersion } from "../../api/version.ts";

/** One rollout, as far as the PoPs look at it: its assignments stand in its own status. */
export interface AssigningRollout {
  readonly name: string;
  readonly uid: string;
  readonly createdAt: string;
  readonly content: boolean;
  /** Where its content comes from, when it says so. */
  readonly source?: ContentSource;
  /** When the operator first saw the rollout: no announcement counts from earlier than this (rule W3). */
  readonly seenAt?: string;
  /** It is being deleted: nobody reads it any more. One that was superseded still says what it asks of the PoPs that it began on (F5). */
  readonly withdrawn: boolean;
  readonly assignments: readonly Assignment[];
}

/** What a PoP reads of the rollout that assigns its version, or its content. */
export interface PopAssignment extends Assignment {
  readonly rollout: string;
  readonly rolloutUID: string;
  readonly source?: ContentSource;
  /** When the operator first saw the rollout (rule W3); absent: that is not known. */
  readonly seenAt?: string;
}

/** What one PoP is assigned: at most one version and one set of content. */
export interface PopAssignments {
  readonly version?: PopAssignment;
  readonly content?: PopAssignment;
}

/**
 * What a PoP is assigned, of all rollouts: of each sort the newest object that names this PoP by its UID (I14) and is not
 * withdrawn. A PoP that a rollout leaves out (Skipped) stays with what the one before it assigned; one that an emergency is through with
 * goes on with the release that it cut into.
 */
export function assignmentOf(rollouts: readonly AssigningRollout[], pop: { readonly name: string; readonly uid: string }): PopAssignments {
  const version = newest(rollouts.filter(({ content }) => !content).flatMap((rollout) => ofRollout(rollout, pop)));
  const content = newest(rollouts.filter((rollout) => rollout.content).flatMap((rollout) => ofRollout(rollout, pop)));
  return { ...(version ? { version } : {}), ...(content ? { content } : {}) };
}

interface Dated {
  readonly createdAt: string;
  readonly assignment: PopAssignment;
}

function ofRollout(rollout: AssigningRollout, { name, uid }: { readonly name: string; readonly uid: string }): Dated[] {
  if (rollout.withdrawn) return [];
  const found = rollout.assignments.find((one) => one.pop === name && one.uid === uid && one.state !== "Skipped");
  if (found === undefined) return [];
  const assignment: PopAssignment = {
    ...found,
    rollout: rollout.name,
    rolloutUID: rollout.uid,
    ...(rollout.source === undefined ? {} : { source: rollout.source }),
    ...(rollout.seenAt === undefined ? {} : { seenAt: rollout.seenAt }),
  };
  return [{ createdAt: rollout.createdAt, assignment }];
}

/** By creation; of two of the same second the one with the greater UID, which is the one that waits for the other (rule F6). */
function newest(found: readonly Dated[]): PopAssignment | undefined {
  const [first, ...older] = found
    .toSorted((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt) || (a.assignment.rolloutUID > b.assignment.rolloutUID ? -1 : 1))
    .map(({ assignment }) => assignment);
  return first && (older.find((one) => goesOnAfter(one, first)) ?? first);
}

/**
 * What an older rollout has yet to bring where an emergency has passed: the release that the emergency cut into goes on there, or the PoP
 * would stay behind the fleet for ever. Never for an older version (rule V3), and never before the emergency is through (rule F6).
 */
function goesOnAfter(older: PopAssignment, emergency: PopAssignment): boolean {
  if (emergency.class !== "Emergency" || (emergency.state !== "Passed" && emergency.state !== "Promoted")) return false;
  const [from, to] = [parseVersion(emergency.version), parseVersion(older.version)];
  const isLater = from !== undefined && to !== undefined && !isDowngrade(from, to) && isDowngrade(to, from);
  return older.state === "Assigned" && older.order === "Go" && isLater;
}
