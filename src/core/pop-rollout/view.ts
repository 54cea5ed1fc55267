import type { Assignment, PopRolloutSpec, PopRolloutStatus, WaveStatus } from "../../api/pop-rollout.ts";
import type { Instant } from "../decision.ts";
import { announcement } from "../window/notice.ts";
import type { OtherRollout, PopRolloutObservation, RolloutPop } from "./observation.ts";

/** One rollout in the middle of a pass: what was seen, and its ledger as the rules so far have left it. */
export interface RolloutView {
  readonly seen: PopRolloutObservation;
  readonly spec: PopRolloutSpec;
  readonly ledger: PopRolloutStatus;
  readonly uid: string;
  /** The version, or the version of the content. */
  readonly version: string;
  readonly content: boolean;
  readonly emergency: boolean;
  /** It keeps windows, notice and the dates of a train; content and emergencies do not (rules P15, F8). */
  readonly windowed: boolean;
  /** The later of what the rollout says and when we first saw it (rule W3). */
  readonly announcedAt: Instant;
  readonly pops: ReadonlyMap<string, RolloutPop>;
  readonly assignments: readonly Assignment[];
  readonly assigned: ReadonlyMap<string, Assignment>;
  readonly waves: readonly WaveStatus[];
  /** The faulty rollout that this one mends, where it exists (rule F5). */
  readonly mends: OtherRollout | undefined;
}

export function viewOf(seen: PopRolloutObservation, ledger: PopRolloutStatus, now: Instant): RolloutView {
  const { spec, uid } = seen.rollout;
  const content = spec.content !== undefined;
  const emergency = spec.class === "Emergency";
  const seenAt = ledger.seenAt === undefined ? now : Date.parse(ledger.seenAt);
  const release = spec.announcedAt === undefined ? seenAt : Date.parse(spec.announcedAt);
  const assignments = ledger.assignments ?? [];
  return {
    seen,
    spec,
    ledger,
    uid,
    version: spec.version ?? spec.content?.version ?? "",
    content,
    emergency,
    windowed: !content && !emergency,
    announcedAt: announcement({ release, seen: seenAt }).at,
    pops: new Map(seen.pops.map((pop) => [pop.name, pop])),
    assignments,
    assigned: new Map(assignments.map((one) => [one.pop, one])),
    waves: ledger.waves ?? [],
    mends: spec.supersedes && seen.others.find((other) => other.name === spec.supersedes!.name && other.content === content),
  };
}

export const EXPOSED = "exposed";
/** The wave that late joiners stand in; no wave of a person can have this name, for it is none of a label. */
export const LATE = "late.joiners";

type State = Assignment["state"];
const ENDS: ReadonlySet<State> = new Set(["Passed", "Promoted", "Skipped", "RolledBack", "RollbackFailed", "Stopped"]);

/** Nothing of it is under way any more. */
export const isOver = ({ state }: Assignment): boolean => ENDS.has(state);
export const hasPassed = ({ state }: Assignment): boolean => state === "Passed" || state === "Promoted";
/** The version failed there, whether or not the PoP could go back. */
export const hasFailed = ({ state }: Assignment): boolean => state === "RolledBack" || state === "RollbackFailed";
/** Nodes are being moved, forward or back. */
export const moves = ({ state }: Assignment): boolean => state === "Rolling" || state === "RollingBack";

/** The PoPs of one wave, late joiners apart. */
export const membersOf = (view: RolloutView, wave: string): readonly Assignment[] => view.assignments.filter((one) => one.wave === wave);

/** A wave has opened: from then on stages, dates and the waves before it stand (rule G4). */
export const hasBegun = (view: RolloutView): boolean => view.waves.some(({ state }) => state !== "Pending");

/** Somebody or something has ended it, or holds it until a person speaks: nothing new is assigned. */
export const isEnding = ({ ledger }: RolloutView): boolean =>
  [ledger.halted, ledger.stopped, ledger.takenBack, ledger.supersededBy].some((one) => one !== undefined);

/** The ledger with these assignments in the place of the old ones. */
export const withAssignments = (ledger: PopRolloutStatus, assignments: readonly Assignment[]): PopRolloutStatus => ({
  ...ledger,
  assignments: [...assignments],
});
