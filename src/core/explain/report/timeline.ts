import { describeInstant } from "../../time/format.ts";
import { formatInstant, parseInstant } from "../../time/instant.ts";
import { zoneProblem } from "../../time/zone.ts";
import type { RunRecord } from "./run-records.ts";
import type { Member, ReportSubject } from "./subject.ts";

export interface TimelineEntry {
  /** UTC. */
  readonly at: string;
  /** The same instant in the zone of the PoP, with the zone's name; absent for what concerns no single PoP. */
  readonly local: string | undefined;
  readonly pop: string | undefined;
  readonly what: string;
}

interface Happened {
  readonly at: string | undefined;
  readonly what: string;
  readonly member?: Member;
}

/** What happened, in order of time; what happened at one instant in the order of rollout, waves, PoPs. */
export function timelineOf(subject: ReportSubject, members: readonly Member[]): TimelineEntry[] {
  const happened = [...ofRollout(subject), ...ofWaves(subject), ...members.flatMap(ofMember), ...ofEnd(subject)];
  return happened
    .flatMap(({ at, what, member }) => {
      const instant = at === undefined ? undefined : parseInstant(at);
      return instant === undefined ? [] : [{ instant, entry: entryOf(instant, what, member) }];
    })
    .toSorted((a, b) => a.instant - b.instant)
    .map(({ entry }) => entry);
}

function entryOf(instant: number, what: string, member: Member | undefined): TimelineEntry {
  const zone = member?.zone;
  const local = zone === undefined || zoneProblem(zone) !== undefined ? undefined : describeInstant(instant, zone);
  return { at: formatInstant(instant), local, pop: member?.assignment.pop, what };
}

function ofRollout({ rollout, approvals }: ReportSubject): Happened[] {
  const { metadata, spec, status = {} } = rollout;
  return [
    { at: metadata.creationTimestamp, what: `${spec.requestedBy} asked for it` },
    { at: spec.announcedAt, what: "it was announced" },
    ...(status.stages ?? []).map(({ name, state, since, evidence }) => ({ at: since, what: `stage ${name} is ${state}: ${evidence}` })),
    ...approvals
      .filter((one) => one.spec.for.uid === metadata.uid)
      .map((one) => ({
        at: one.metadata.creationTimestamp,
        what: `${one.spec.approvedBy} ${one.spec.decision === "Approve" ? "approves" : "refuses"} ${one.spec.actions.join(", ")}: ${one.spec.reason}`,
      })),
    { at: status.emergency?.at, what: `the emergency begins, approved by ${status.emergency?.by ?? ""}` },
    ...(status.freezesLifted ?? []).map(({ at, by, freezes }) => ({ at, what: `${by} lifts freeze ${freezes.join(", ")} for it` })),
  ];
}

function ofWaves({ rollout }: ReportSubject): Happened[] {
  return (rollout.status?.waves ?? []).flatMap(({ name, openedAt, endedAt, pops = [], approval, message }) => [
    {
      at: openedAt,
      what: `wave ${name} opens with ${pops.length} ${pops.length === 1 ? "PoP" : "PoPs"}${approval === undefined ? "" : `, approved by ${approval.by}`}`,
    },
    { at: endedAt, what: `wave ${name} is over${message === undefined ? "" : `: ${message}`}` },
  ]);
}

function ofMember(member: Member): Happened[] {
  const { assignment, runs } = member;
  const { pop, state, since, reason, message } = assignment;
  const why = [reason, message].filter((one) => one !== undefined).join(": ");
  const skipped = state === "Skipped" ? [{ at: since, what: `PoP ${pop} is skipped: ${why}`, member }] : [];
  return [...skipped, ...runs.flatMap((run) => ofRun(member, run))];
}

function ofRun(member: Member, { began, backSince, passed, ended, outcome, evidence, nodes }: RunRecord): Happened[] {
  const { pop, version } = member.assignment;
  const because = evidence === undefined ? "" : `: ${evidence}`;
  return [
    { at: began, what: `PoP ${pop} begins${nodes === undefined ? "" : ` with ${nodes} ${nodes === 1 ? "node" : "nodes"}`}`, member },
    { at: passed, what: `PoP ${pop} has passed`, member },
    { at: backSince, what: `PoP ${pop} takes ${version} back${because}`, member },
    { at: ended, what: `PoP ${pop} ended ${outcome}${because}`, member },
  ];
}

function ofEnd({ rollout: { status = {} } }: ReportSubject): Happened[] {
  const { halted, stopped, takenBack, supersededBy, standingSince, outcome, endedAt } = status;
  return [
    { at: halted?.at, what: `it halts: ${halted?.because ?? ""}` },
    { at: stopped?.at, what: `it is stopped: ${stopped?.because ?? ""}` },
    { at: takenBack?.at, what: `it is taken back: ${takenBack?.because ?? ""}` },
    { at: supersededBy?.at, what: `PoPRollout ${supersededBy?.name ?? ""} takes its place` },
    { at: standingSince, what: "it stands: who joins later follows to it" },
    { at: endedAt, what: `it is over: ${outcome ?? ""}` },
  ];
}
