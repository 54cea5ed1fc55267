import type { Approval } from "../../api/approval.ts";
import type { Assignment, PopRollout, PopRolloutStatus, WaveStatus } from "../../api/pop-rollout.ts";
import { explanation, troubles, unseenChange, type Explanation } from "./explanation.ts";
import { holdLines } from "./hold-lines.ts";
import { momentText } from "./moment.ts";
import { counted } from "../text.ts";

/** PoPs named one by one in an explanation; the others as a number. */
const NAMED = 20;

/**
 * Why a rollout is where it is, and when it goes on: its own ledger as sentences. Nothing is computed anew, so what is said here
 * cannot disagree with the operator (architecture).
 */
export function explainRollout({ metadata, spec, status }: PopRollout): Explanation {
  const what = spec.version ?? `content ${spec.content?.version ?? ""}`;
  const subject = `PoPRollout ${metadata.name} (${what})`;
  if (status === undefined) return explanation(`${subject} has no status yet: no operator has looked at it`, []);
  return explanation(`${subject} ${rolloutSummary(status)}`, [
    ["Attention", [...unseenChange(metadata.generation, status.observedGeneration), ...endings(status), ...troubles(status.conditions)]],
    ["Why not yet", waits(status)],
    ["Plan", planLines(status)],
    [
      "Evidence",
      (status.stages ?? []).map(
        ({ name, state, since, evidence }) => `${name}: ${state} since ${momentText(since, undefined)}: ${evidence}`,
      ),
    ],
    ["Waves", (status.waves ?? []).map((wave) => waveLine(wave, status.assignments ?? []))],
    ["Not for these PoPs", (status.excluded ?? []).map(({ reason, message }) => `${reason}: ${message}`)],
    ["PoPs", (status.assignments ?? []).filter(isOfNote).slice(0, NAMED).map(assignmentLine)],
  ]);
}

/** What the rollout does now, in a few words after its name. */
export function rolloutSummary(status: PopRolloutStatus): string {
  const { numbers, outcome, standing, halted, stopped, takenBack, holds = [] } = status;
  const share =
    numbers === undefined
      ? "has reached no PoP yet"
      : numbers.pops === 0
        ? "reaches no PoP"
        : `passed on ${numbers.passed} of ${numbers.pops} PoPs`;
  if (standing) return `stands: ${share}, and who joins later follows to it`;
  const why = halted ?? stopped ?? takenBack;
  if (outcome !== undefined) return `is over (${outcome}): ${why === undefined ? `it ${share}` : why.because}`;
  if (takenBack) return `is being taken back: ${takenBack.because}`;
  if (stopped) return `is stopped: ${stopped.because}`;
  if (halted) return `halted: ${halted.because}`;
  const [first] = holds;
  return first === undefined ? share : `${share}; it waits: ${first.reason}`;
}

/** What an Approval is for, what was done with it, and if nothing, why not and what to write instead. */
export function explainApproval({ metadata, spec, status }: Approval): Explanation {
  const verb = spec.decision === "Approve" ? "approves" : "refuses";
  const accepted = status?.conditions?.find(({ type }) => type === "Accepted");
  return explanation(
    `Approval ${metadata.name}: ${spec.approvedBy} ${verb} ${spec.actions.join(", ")} of ${spec.for.kind} ${spec.for.name}, until ${momentText(spec.expiresAt, undefined)}`,
    [
      ["Attention", [...unseenChange(metadata.generation, status?.observedGeneration), ...troubles(status?.conditions)]],
      [
        "What it does",
        accepted === undefined
          ? ["No operator has looked at it yet."]
          : accepted.status === "False"
            ? []
            : [`${accepted.reason}: ${accepted.message}`],
      ],
      ["Why", [spec.reason]],
      ["Bound to", [`UID ${spec.for.uid}`, `digest ${spec.for.digest}`]],
    ],
  );
}

function endings({ halted, stopped, takenBack, supersededBy }: PopRolloutStatus): string[] {
  return [
    ...(halted ? [`It halted ${momentText(halted.at, undefined)}: ${halted.because}`] : []),
    ...(stopped ? [`It was stopped ${momentText(stopped.at, undefined)}: ${stopped.because}`] : []),
    ...(takenBack ? [`It is taken back since ${momentText(takenBack.at, undefined)}: ${takenBack.because}`] : []),
    ...(supersededBy ? [`PoPRollout ${supersededBy.name} took its place ${momentText(supersededBy.at, undefined)}.`] : []),
  ];
}

function waits({ holds = [], outcome, standing }: PopRolloutStatus): string[] {
  if (holds.length === 0)
    return [outcome !== undefined || standing ? "Nothing is waiting." : "Nothing holds it: the next step is being made."];
  return holdLines(holds, undefined);
}

function planLines({ startDate, endDate, forecast }: PopRolloutStatus): string[] {
  return [
    ...(startDate === undefined || endDate === undefined
      ? []
      : [`Its PoPs may start from ${startDate} until the day before ${endDate}, dates of each PoP's own calendar.`]),
    ...(forecast === undefined ? [] : [`Forecast of ${momentText(forecast.at, undefined)}: ${forecast.message}`]),
  ];
}

export function waveLine(
  { name, state, pops = [], openedAt, endedAt, approval, digest, message }: WaveStatus,
  assignments: readonly Assignment[],
): string {
  const members = assignments.filter((one) => one.wave === name);
  const counts = [...new Set(members.map((one) => one.state))].map(
    (one) => `${members.filter((member) => member.state === one).length} ${one}`,
  );
  const facts = [
    `${name}: ${state}`,
    ...(openedAt === undefined ? [] : [`opened ${momentText(openedAt, undefined)}`]),
    ...(endedAt === undefined ? [] : [`ended ${momentText(endedAt, undefined)}`]),
    ...(pops.length === 0 ? [] : [counted(pops.length, "PoP")]),
    ...counts,
    ...(approval
      ? [`approved by ${approval.by}`]
      : state === "Pending" && digest !== undefined
        ? [`an Approval names digest ${digest}`]
        : []),
    ...(message === undefined ? [] : [message]),
  ];
  return facts.join(", ");
}

/** A PoP that neither simply waits nor simply passed. */
const isOfNote = ({ state, order }: Assignment): boolean =>
  order !== "Go" || (state !== "Assigned" && state !== "Passed" && state !== "Promoted");

export function assignmentLine({ pop, wave, state, since, order, reason, message, because }: Assignment): string {
  const facts = [
    order === "Go" ? "" : `asked to ${ORDER_WORDS[order]}${because === undefined ? "" : ` (${because})`}`,
    reason ?? "",
    message ?? "",
  ];
  return [`${pop} (${wave}): ${state} since ${momentText(since, undefined)}`, ...facts.filter((fact) => fact !== "")].join(", ");
}

const ORDER_WORDS = { Go: "go on", Hold: "hold", Stop: "stop", TakeBack: "take it back" } as const;
