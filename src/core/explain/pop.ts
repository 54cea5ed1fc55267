import type { PopCluster, PopClusterStatus, PopNodeStatus, PopRun } from "../../api/pop-cluster.ts";
import type { Fleet } from "../../api/fleet.ts";
import { explanation, troubles, unseenChange, type Explanation } from "./explanation.ts";
import { holdLines } from "./hold-lines.ts";
import { momentText } from "./moment.ts";
import { fleetLines } from "./others.ts";

type FailedRevision = NonNullable<NonNullable<PopClusterStatus["revisions"]>["failed"]>[number];
type Assigned = NonNullable<PopClusterStatus["assigned"]>;
type HistoryEntry = NonNullable<PopClusterStatus["history"]>[number];

/**
 * Why a PoP does what it does, and when it goes on: `status.holds` and the ledger as sentences. Nothing is computed anew, so what is
 * said here cannot disagree with the operator (architecture). Who else is disrupted while it waits for a grant, its own status does not
 * say (G11): that stands in the Fleet, where one is given.
 */
export function explainPop(pop: PopCluster, fleet?: Fleet): Explanation {
  const { metadata, spec, status } = pop;
  const subject = `PoPCluster ${metadata.name}`;
  if (status === undefined) {
    return explanation(`${subject} has no status yet: no operator has looked at it`, []);
  }
  const zone = spec.timeZone;
  return explanation(`${subject} ${popSummary(status)}`, [
    [
      "Attention",
      [...unseenChange(metadata.generation, status.observedGeneration), ...troubles(status.conditions), ...sameImages(pop.spec.template)],
    ],
    ["Why not yet", waits(status, zone)],
    ["At the Fleet", fleet === undefined ? [] : fleetLines(fleet, metadata.uid, zone)],
    ["Why this version", wantedLines(pop)],
    ["Asked by people", requestLines(pop)],
    ["Run", status.run === undefined ? [] : runLines(status.run, status, zone)],
    ["Nodes", (status.nodes ?? []).filter(isOfNote).map((node) => nodeLine(node, zone))],
    ["Checks", (status.checks ?? []).filter((check) => check.verdict !== "Healthy").map((check) => checkLine(check, zone))],
    ["Failed revisions", (status.revisions?.failed ?? []).map((one) => failedLine(one, zone))],
    ["Next windows", (status.next ?? []).map(({ start, localStart, note }) => `${localStart} (${start})${suffix(", ", note)}`)],
    ["History", (status.history ?? []).toReversed().map((entry) => historyLine(entry, zone))],
  ]);
}

/** What the PoP does now, in a few words after its name. */
export function popSummary(status: PopClusterStatus): string {
  const { run, holds = [], version } = status;
  const [first] = holds;
  const waits = first === undefined ? "" : `; it waits: ${first.reason}`;
  if (run === undefined) return `${version === undefined ? "runs no version yet" : `runs ${version}`}${waits}`;
  const { done, total } = nodesDone(status);
  const share = total === 0 ? "no node of it is known" : `${done} of ${total} nodes run ${run.version}`;
  switch (run.state) {
    case "Preflight":
      return `is about to go to ${run.version}${waits}`;
    case "Rolling":
      return `is ${run.kind === "Join" ? "bringing nodes in" : "rolling"}: ${share}${waits}`;
    case "RollingBack":
      return `is rolling back: ${share}${waits}`;
    case "Baking":
      return `runs ${run.version}, which bakes${waits}`;
    case "Passed":
      return `runs ${run.version}, which passed and is watched${waits}`;
  }
}

/** How many nodes run the run's revision and serve; nodes that are gone are not counted. Without a run: of the current revision. */
export function nodesDone({ run, nodes = [], revisions }: PopClusterStatus): { readonly done: number; readonly total: number } {
  const there = nodes.filter((node) => node.skipped !== "Gone");
  const revision = run?.revision ?? revisions?.current;
  const done = there.filter((node) => node.revision === revision && (node.step === "Done" || node.step === "Soaking")).length;
  return { done, total: there.length };
}

/**
 * A template without `${version}` brings the same images with every version. It may be meant, where what runs learns its version in
 * another way, so it is told and stops nothing.
 */
function sameImages(template: PopCluster["spec"]["template"]): string[] {
  if (JSON.stringify(template).includes("${version}")) return [];
  const images = [...new Set(template.spec.containers.map(({ image }) => image))].slice(0, 4);
  return [
    `No image of spec.template has \${version} in it (${images.join(", ")}), so every version runs the same images; write it where the version goes, for example registry.example/data-plane:\${version}.`,
  ];
}

function waits(status: PopClusterStatus, zone: string): string[] {
  const { holds = [], run } = status;
  if (holds.length === 0 && (run === undefined || run.state === "Passed")) return ["Nothing is waiting."];
  if (holds.length === 0) return ["Nothing holds it: the next step is being made."];
  return holdLines(holds, zone);
}

/** Who decided on the version and the content: a person, or a rollout, of which wave, by whose approval, on which dates. */
function wantedLines({ spec, status }: PopCluster): string[] {
  const version = spec.version === undefined ? status?.assigned && assignedLine(status.assigned) : pinnedLine("spec.version", spec.version);
  const pinned = spec.content?.version;
  const content =
    pinned === undefined ? status?.assignedContent && assignedLine(status.assignedContent) : pinnedLine("spec.content.version", pinned);
  return [version, content].filter((line) => line !== undefined);
}

const pinnedLine = (field: string, version: string): string => `${version}: a person pinned it by ${field}, and rollouts pass this PoP by.`;

function assignedLine({ version, rollout, wave, class: of, approval, from, to, order, because }: Assigned): string {
  const approved = approval === undefined ? "" : `, opened by Approval ${approval}`;
  const dates = [from === undefined ? "" : ` from ${from}`, to === undefined ? "" : ` before ${to}`].join("");
  const starts =
    of === "Emergency" ? "an emergency, which waits for no window" : `it may start in windows that open${dates || " on any date"}`;
  const ordered = order === "Go" ? "" : ` It orders ${order}${suffix(": ", because)}.`;
  return `${version}: PoPRollout ${rollout} assigns it in wave ${wave}${approved}; ${starts}.${ordered}`;
}

const VERBS = { takeBack: "take back", stop: "stop", retry: "retry" } as const;

function requestLines({ spec, status }: PopCluster): string[] {
  const lines = spec.paused
    ? [`spec.paused is true${status?.pausedAt === undefined ? "" : ` (seen ${status.pausedAt})`}: nothing new starts until it is false.`]
    : [];
  for (const verb of ["takeBack", "stop", "retry"] as const) {
    const request = spec.requests?.[verb];
    if (request === undefined) continue;
    const of = request.revision === undefined ? "" : ` of revision ${request.revision}`;
    const done = status?.handled?.[verb] === request.at;
    lines.push(`${VERBS[verb]}${of}, asked for at ${request.at}: ${done ? "carried out" : "not carried out yet"}.`);
  }
  return lines;
}

function runLines(run: PopRun, status: PopClusterStatus, zone: string): string[] {
  const { done, total } = nodesDone(status);
  const kind = { Join: "First nodes", Roll: "Roll", Rollback: "Rollback" }[run.kind];
  const lines = [
    `${kind} to ${run.version} (revision ${run.revision}), ${run.state} since it began ${momentText(run.startedAt, zone)}; ${total === 0 ? "no node of it is known" : `${done} of ${total} nodes run it and serve`}.`,
  ];
  if (run.cause !== undefined) lines.push(`Why: ${run.cause}`);
  if (run.ending === "Stopped") lines.push("It was stopped by a person or for want of a way back: no further node is started.");
  if (run.ending === "Superseded") lines.push("It was superseded or is not wanted any more: no further node is started for this one.");
  if (run.kind === "Roll" && run.state !== "Passed") {
    lines.push(
      run.back === undefined ? "There is no earlier revision to go back to." : `If it fails, the PoP goes back to revision ${run.back}.`,
    );
  }
  const { grant } = status;
  if (grant?.state === "Asked") lines.push(`It asked the Fleet for grant ${grant.id} (${grant.kind}).`);
  return lines;
}

/** A node that is neither done nor untouched. */
const isOfNote = ({ step }: PopNodeStatus): boolean => step !== "Done" && step !== "Pending";

export function nodeLine({ name, step, since, attempt, sessions, skipped, message }: PopNodeStatus, zone: string): string {
  const facts = [
    attempt > 1 ? `attempt ${attempt}` : "",
    sessions === undefined ? "" : `held ${sessions} sessions`,
    skipped ?? "",
    message ?? "",
  ];
  return [`${name}: ${step} since ${momentText(since, zone)}`, ...facts.filter((fact) => fact !== "")].join(", ");
}

export const checkLine = (
  { name, node, verdict, since, evidence }: NonNullable<PopClusterStatus["checks"]>[number],
  zone: string,
): string => `${name}${node === undefined ? "" : ` on ${node}`} is ${verdict} since ${momentText(since, zone)}: ${evidence}`;

function failedLine({ version, revision, at, evidence }: FailedRevision, zone: string): string {
  const failed = `${version} (revision ${revision}) failed ${momentText(at, zone)}: ${evidence}`;
  return `${failed}. It is not tried again unless a person names it by spec.requests.retry`;
}

const historyLine = ({ version, outcome, startedAt, endedAt, evidence }: HistoryEntry, zone: string): string =>
  `${version}: ${outcome} ${momentText(endedAt, zone)}, begun ${startedAt}${suffix(": ", evidence)}`;

const suffix = (separator: string, text: string | undefined): string => (text === undefined ? "" : `${separator}${text}`);
