import type { Assignment, PopRollout, PopRolloutStatus } from "../../../api/pop-rollout.ts";
import type { Instant } from "../../decision.ts";
import { cleanText } from "../../text.ts";
import { formatInstant } from "../../time/instant.ts";
import { troubles } from "../explanation.ts";
import { momentText } from "../moment.ts";
import { rolloutSummary } from "../rollout.ts";
import { durationText } from "./duration-text.ts";
import { CAUSES, CAUSE_WORDS, memberTimes, sumOf, type MemberTimes, type Times } from "./member-times.ts";
import { runsOf } from "./run-records.ts";
import type { Member, ReportSubject } from "./subject.ts";
import { timelineOf, type TimelineEntry } from "./timeline.ts";

/** How a rollout went, as plain data. Instants as text: in UTC, and beside it in the zone of the PoP that they concern. */
export interface Report {
  readonly title: string;
  /** False when the rollout is over: then nothing of the report changes any more but the watch. */
  readonly inProgress: boolean;
  readonly asOf: string;
  readonly summary: readonly string[];
  readonly timeline: readonly TimelineEntry[];
  /** Milliseconds. */
  readonly durations: { readonly pops: readonly MemberTimes[]; readonly sum: Times; readonly note: string };
  readonly waves: readonly WaveReport[];
  readonly skipped: readonly MemberReport[];
  readonly failed: readonly MemberReport[];
  readonly evidence: readonly EvidenceReport[];
  readonly approvals: readonly ApprovalReport[];
}

interface WaveReport {
  readonly name: string;
  readonly state: string;
  readonly opened: string | undefined;
  readonly ended: string | undefined;
  readonly pops: readonly string[];
  /** For example `3 Passed, 1 RolledBack`. */
  readonly members: string;
  readonly approvedBy: string | undefined;
}

interface MemberReport {
  readonly pop: string;
  readonly wave: string;
  readonly state: string;
  readonly since: string;
  readonly why: string;
}

interface EvidenceReport {
  readonly of: string;
  readonly found: string;
  readonly since: string;
  readonly text: string;
}

interface ApprovalReport {
  readonly name: string;
  readonly by: string;
  readonly decision: string;
  readonly actions: readonly string[];
  readonly reason: string;
  readonly at: string;
  readonly used: readonly string[];
  /** What it says of itself while nothing has used it. */
  readonly unused: string | undefined;
}

/** What is longer was not written by us. */
const TEXT_LIMIT = 2048;

/** The report of a rollout at `now`, also of one that is still in progress. Every text is stripped and capped (rule G12). */
export function reportOf(subject: ReportSubject, now: Instant): Report {
  const { rollout } = subject;
  const { metadata, spec, status = {} } = rollout;
  const members = membersOf(subject);
  const inProgress = status.outcome === undefined && status.standing !== true;
  const pops = members.map((member) => memberTimes(member, status));
  const sum = sumOf(pops);
  return clean({
    title: `PoPRollout ${metadata.name}: ${spec.version ?? `content ${spec.content?.version ?? ""}`}`,
    inProgress,
    asOf: formatInstant(now),
    summary: summaryOf(subject, sum, inProgress, now),
    timeline: timelineOf(subject, members),
    durations: { pops, sum, note: spec.content === undefined ? DURATIONS_NOTE : CONTENT_NOTE },
    waves: wavesOf(status),
    skipped: members.filter(({ assignment }) => assignment.state === "Skipped").map(skippedReport),
    failed: members.flatMap(failures),
    evidence: [...stagesOf(status), ...members.flatMap((member) => verdictsOf(member, rollout))],
    approvals: approvalsOf(subject),
  });
}

const DURATIONS_NOTE =
  "Calendar time of each PoP from the beginning of its run until it passed or ended, by what it went into; the way back is in it. " +
  "What it waited before that, after its wave had opened, stands apart.";
const CONTENT_NOTE = "Content is loaded in place and disrupts nobody: there are no runs, so no durations are kept.";

function membersOf({ rollout, pops }: ReportSubject): Member[] {
  const byName = new Map(pops.map((pop) => [pop.metadata.name, pop]));
  const order = new Map(rollout.status?.waves?.map(({ name }, index) => [name, index]));
  const place = ({ wave }: Assignment): number => order.get(wave) ?? order.size;
  return (rollout.status?.assignments ?? [])
    .toSorted((a, b) => place(a) - place(b) || (a.pop < b.pop ? -1 : 1))
    .map((assignment) => {
      const found = byName.get(assignment.pop);
      // A new object under the old name is another PoP (G6).
      const pop = found?.metadata.uid === assignment.uid ? found : undefined;
      return { assignment, pop, zone: pop?.spec.timeZone, runs: pop === undefined ? [] : runsOf(pop, rollout) };
    });
}

function summaryOf({ rollout, fleet }: ReportSubject, sum: Times, inProgress: boolean, now: Instant): string[] {
  const { spec, status = {} } = rollout;
  const { numbers, startDate, endDate, forecast } = status;
  const freezes = (fleet?.spec.freezes ?? []).filter(
    ({ from, to }) => startDate !== undefined && endDate !== undefined && from < endDate && to >= startDate,
  );
  const parts = sum.total === 0 ? [] : CAUSES.map((cause) => `${durationText(sum[cause])} ${CAUSE_WORDS[cause]}`);
  return [
    rollout.status === undefined ? "It has no status yet: no operator has looked at it." : `It ${rolloutSummary(status)}.`,
    ...(inProgress ? troubles(status.conditions) : []),
    ...(inProgress ? [`It is in progress: this is how it stood ${momentText(formatInstant(now), undefined)}.`] : []),
    `${spec.requestedBy} asked for it${spec.class === "Emergency" ? " as an emergency" : ""}${spec.reason === undefined ? "" : `: ${spec.reason}`}.`,
    ...(startDate === undefined || endDate === undefined
      ? []
      : [`Its PoPs could start from ${startDate} until the day before ${endDate}, dates of each PoP's own calendar.`]),
    ...(numbers === undefined
      ? []
      : [`Of ${numbers.pops} PoPs: ${numbers.passed} passed, ${numbers.failed} failed, ${numbers.skipped} skipped, ${numbers.open} open.`]),
    ...(parts.length === 0 ? [] : [`All PoPs together took ${durationText(sum.total)}: ${parts.join(", ")}.`]),
    ...(inProgress && forecast !== undefined ? [`Forecast: ${forecast.message}`] : []),
    ...(inProgress && fleet?.spec.paused === true
      ? [`The Fleet is paused${fleet.spec.reason === undefined ? "" : `: ${fleet.spec.reason}`}.`]
      : []),
    ...freezes.map(
      ({ name, from, to, reason }) =>
        `Freeze ${name} lay in its dates: ${from} to ${to}, both included${reason === undefined ? "" : `: ${reason}`}.`,
    ),
  ];
}

function wavesOf({ waves = [], assignments = [] }: PopRolloutStatus): WaveReport[] {
  return waves.map(({ name, state, openedAt, endedAt, approval, pops = [] }) => {
    const states = assignments.filter((one) => one.wave === name).map((one) => one.state);
    const counts = [...new Set(states)].map((one) => `${states.filter((other) => other === one).length} ${one}`);
    return {
      name,
      state,
      opened: openedAt === undefined ? undefined : momentText(openedAt, undefined),
      ended: endedAt === undefined ? undefined : momentText(endedAt, undefined),
      pops,
      members: counts.join(", "),
      approvedBy: approval?.by,
    };
  });
}

const skippedReport = ({ assignment: { pop, wave, state, since, reason, message }, zone }: Member): MemberReport => ({
  pop,
  wave,
  state,
  since: momentText(since, zone),
  why: [reason, message].filter((one) => one !== undefined).join(": "),
});

const FAILED: ReadonlySet<string> = new Set(["RolledBack", "RollbackFailed", "Stopped"]);

/** Every run of it that went wrong, one that was tried again with success included; else what the rollout itself says. */
function failures(member: Member): MemberReport[] {
  const { assignment, zone, runs } = member;
  const { pop, wave } = assignment;
  const ended = runs
    .filter(({ outcome, ended }) => ended !== undefined && FAILED.has(outcome))
    .map(({ outcome, ended, evidence }) => ({ pop, wave, state: outcome, since: momentText(ended!, zone), why: evidence ?? "" }));
  const said = FAILED.has(assignment.state) || assignment.state === "RollingBack";
  return ended.length > 0 || !said ? ended : [skippedReport(member)];
}

const stagesOf = ({ stages = [] }: PopRolloutStatus): EvidenceReport[] =>
  stages.map(({ name, state, since, evidence }) => ({
    of: `stage ${name}`,
    found: state,
    since: momentText(since, undefined),
    text: evidence,
  }));

/** What the checks of a PoP said of the version: the verdict that stands, or how they are while it is judged. */
function verdictsOf({ assignment, pop, zone, runs }: Member, { spec }: PopRollout): EvidenceReport[] {
  const of = `PoP ${assignment.pop}`;
  const failed = (pop?.status?.revisions?.failed ?? []).filter(({ version }) => version === spec.version);
  const verdicts = failed.map(({ at, evidence }) => ({ of, found: "Failed", since: momentText(at, zone), text: evidence }));
  const checks = pop?.status?.checks ?? [];
  const judged = runs.find(({ current, outcome }) => current && outcome !== "RollingBack");
  if (judged === undefined || checks.length === 0) return verdicts;
  const bad = checks.filter(({ verdict }) => verdict !== "Healthy");
  const text =
    bad.length === 0
      ? checks.length === 1
        ? "its check is healthy"
        : `all ${checks.length} checks are healthy`
      : `${bad.length} of ${checks.length} checks: ${bad
          .slice(0, 5)
          .map(({ name, node, verdict, evidence }) => `${name}${node === undefined ? "" : ` on ${node}`} ${verdict} (${evidence})`)
          .join("; ")}`;
  return [...verdicts, { of, found: bad.length === 0 ? "Healthy" : bad[0]!.verdict, since: momentText(judged.began, zone), text }];
}

function approvalsOf({ rollout, approvals }: ReportSubject): ApprovalReport[] {
  return approvals
    .filter(({ spec }) => spec.for.uid === rollout.metadata.uid)
    .toSorted((a, b) => ((a.metadata.creationTimestamp ?? "") < (b.metadata.creationTimestamp ?? "") ? -1 : 1))
    .map(({ metadata, spec, status }) => ({
      name: metadata.name,
      by: spec.approvedBy,
      decision: spec.decision,
      actions: spec.actions,
      reason: spec.reason,
      at: metadata.creationTimestamp === undefined ? "" : momentText(metadata.creationTimestamp, undefined),
      used: (status?.used ?? []).map((one) => `${one.action} for ${one.for}, ${momentText(one.at, undefined)}`),
      unused: status?.conditions?.find(({ type }) => type === "Accepted")?.message,
    }));
}

/** The same with every text on one line and of bounded length. */
function clean<Of>(value: Of): Of {
  if (typeof value === "string") return cleanText(value, TEXT_LIMIT) as Of;
  if (Array.isArray(value)) return value.map((one: unknown) => clean(one)) as Of;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, clean(one as unknown)])) as Of;
}
