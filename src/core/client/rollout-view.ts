import type { ClientRollout, ClientRolloutSpec, ReachedLedger } from "../../api/client-rollout.ts";
import { compareVersions, parseVersion, type Version } from "../../api/version.ts";
import type { Hold, Instant } from "../decision.ts";
import { artifactRevision } from "../rollout/artifact-revision.ts";
import { DAY } from "../time/civil.ts";
import { parseDuration } from "../time/duration.ts";
import { parseInstant } from "../time/instant.ts";
import type { Shares } from "./cohort.ts";
import { type ListedRollout, problemOf } from "./problems.ts";
import { firstPhase } from "./stage.ts";

/** A ClientRollout as a check-in is answered by it: spec and ledger, and of the others who mends it. */
export interface ClientRolloutView extends Pick<ClientRolloutSpec, "os" | "version" | "artifact" | "releaseNotes" | "reason"> {
  readonly name: string;
  readonly uid: string;
  /** What a verdict is of (rule G8). */
  readonly revision: string;
  readonly phases: readonly Shares[];
  /** The phase, from 1, with which its general rollout begins (rule C6). */
  readonly firstPhase: number;
  readonly pilotAccounts: ClientRolloutSpec["pilot"]["accounts"];
  readonly floors: NonNullable<ClientRolloutSpec["floors"]>;
  /** Versions that it mends, of its whole chain (rule C6). */
  readonly faulty: readonly string[];
  /** The same versions, read: a check-in compares, and parses nothing. */
  readonly order: { readonly target: Version; readonly floors: readonly Version[]; readonly faulty: readonly Version[] };
  /** Where it is; absent: not announced yet, or not seen by the operator, so nobody is offered anything. */
  readonly reached?: Pick<ReachedLedger, "stage" | "phase" | "accountsPercent" | "usersPercent">;
  /** Why it does not count as it is written. */
  readonly problem?: Hold;
  /** The provider's word, by spec or ledger: whichever is stricter. */
  readonly provider: ClientRolloutSpec["requested"];
  /** It paused itself. Not why: the sentence counts the devices of all accounts, and a check-in is of one (rule I15). */
  readonly monitoring: "Run" | "Paused";
  /** The sentence about the rollout that mends it. */
  readonly superseded?: string;
  /** From when its pilots get it; absent: it cannot be read. */
  readonly announcedAt?: Instant;
  /** The earliest general rollout. */
  readonly generalFrom?: Instant;
  /** When its pilots have had it for their minimum (rule C2), as long as nobody pauses it; absent: no pilots, or their time stands still. */
  readonly pilotsUntil?: Instant;
}

type ClientRolloutLike = Pick<ClientRollout, "spec" | "status"> & {
  readonly metadata: Pick<ClientRollout["metadata"], "name" | "uid" | "creationTimestamp">;
};

const listed = ({ metadata, spec, status }: ClientRolloutLike): ListedRollout => ({
  name: metadata.name,
  uid: metadata.uid,
  createdAt: Date.parse(metadata.creationTimestamp ?? "") || 0,
  spec,
  inherited: status?.inherited !== undefined,
});

/**
 * Every rollout as check-ins are answered by it, the newest version first; one whose version is none answers nothing. Computed when one of
 * them changes, not at each check-in.
 */
export function clientViews(rollouts: readonly ClientRolloutLike[]): readonly ClientRolloutView[] {
  const all = rollouts.map(listed);
  return rollouts
    .flatMap((rollout, index) => viewOf(rollout, all[index]!, all) ?? [])
    .toSorted((one, other) => compareVersions(other.order.target, one.order.target));
}

function viewOf(
  { metadata, spec, status }: ClientRolloutLike,
  self: ListedRollout,
  all: readonly ListedRollout[],
): ClientRolloutView | undefined {
  const target = parseVersion(spec.version);
  if (target === undefined) return undefined;
  const read = (texts: readonly string[]) => texts.flatMap((text) => parseVersion(text) ?? []);
  const faulty = status?.inherited?.versions ?? [];
  const floors = spec.floors ?? [];
  const problem = problemOf(self, all);
  const superseded = supersededSentence(self, all) ?? (status?.stopped?.by === "Superseded" ? status.stopped.message : undefined);
  const generalFrom = generalFromOf({ spec, status });
  const [announcedAt, pilotsUntil] = [parseInstant(spec.announcedAt), pilotsUntilOf(spec, status?.reached)];
  return {
    name: metadata.name,
    uid: metadata.uid,
    os: spec.os,
    version: spec.version,
    artifact: spec.artifact,
    ...(spec.releaseNotes === undefined ? {} : { releaseNotes: spec.releaseNotes }),
    ...(spec.reason === undefined ? {} : { reason: spec.reason }),
    revision: artifactRevision(spec),
    phases: spec.phases,
    firstPhase: firstPhase(spec.phases, status?.inherited),
    pilotAccounts: spec.pilot.accounts,
    floors,
    faulty,
    order: { target, floors: read(floors.map(({ version }) => version)), faulty: read(faulty) },
    ...(status?.reached === undefined ? {} : { reached: status.reached }),
    ...(problem === undefined ? {} : { problem }),
    provider: status?.stopped?.by === "Person" ? "Stopped" : spec.requested,
    monitoring: status?.monitoring?.paused === undefined ? "Run" : "Paused",
    ...(superseded === undefined ? {} : { superseded }),
    ...(announcedAt === undefined ? {} : { announcedAt }),
    ...(generalFrom === undefined ? {} : { generalFrom }),
    ...(pilotsUntil === undefined ? {} : { pilotsUntil }),
  };
}

function pilotsUntilOf({ pilot }: Pick<ClientRolloutSpec, "pilot">, reached: ReachedLedger | undefined): Instant | undefined {
  if (reached?.stage !== "Pilot" || reached.timer.since === undefined) return undefined;
  const since = parseInstant(reached.timer.since);
  return since === undefined ? undefined : since + pilot.minimumDays * DAY - reached.timer.accumulated;
}

/** The rollout that mends this one, from the moment it can be seen and carried out (rule C6); undefined: nobody does. */
export function supersededSentence(self: ListedRollout, all: readonly ListedRollout[]): string | undefined {
  const fixed = all.find(
    (other) => other.spec.supersedes?.name === self.name && other.uid !== self.uid && problemOf(other, all) === undefined,
  );
  return fixed && `ClientRollout ${fixed.name} (${fixed.spec.version}) mends it and goes on in its place`;
}

/** What was stopped for a fixed version that somebody deleted stays stopped (rule C6): it was called faulty. Undefined: there is one. */
export function lostFixSentence(self: ListedRollout, all: readonly ListedRollout[]): string | undefined {
  if (all.some(({ uid, spec }) => uid !== self.uid && spec.supersedes?.name === self.name)) return undefined;
  return `the ClientRollout that mended it was deleted, and what it mended stays stopped; write a version with supersedes: {name: ${self.name}}`;
}

/** The earliest general rollout (rule C2): its own, or for a fixed version that of the first one of its chain. */
export function generalFromOf({
  spec,
  status,
}: {
  readonly spec: Pick<ClientRolloutSpec, "announcedAt" | "generalAfter">;
  readonly status: ClientRollout["status"] | undefined;
}): Instant | undefined {
  const inherited = status?.inherited?.generalFrom;
  if (inherited !== undefined) return parseInstant(inherited);
  const [announced, after] = [
    parseInstant(spec.announcedAt),
    spec.generalAfter === undefined ? undefined : parseDuration(spec.generalAfter),
  ];
  return announced === undefined || after === undefined ? undefined : announced + after;
}
