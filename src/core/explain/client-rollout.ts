import type { ClientNumbers, ClientRollout, StageRecord } from "../../api/client-rollout.ts";
import { explanation, troubles, unseenChange, type Explanation } from "./explanation.ts";
import { holdLines } from "./hold-lines.ts";
import { momentText } from "./moment.ts";

/** How far a version of the Clients has come, who holds it, what its evidence is, and when what opens (rules C2–C8). */
export function explainClientRollout({ metadata, spec, status }: ClientRollout): Explanation {
  const subject = `ClientRollout ${metadata.name} (${spec.os} ${spec.version})`;
  if (status === undefined) return explanation(`${subject} has no status yet: no operator has looked at it`, []);
  const { holds = [], stages = [], conditions = [], reasons = [], chain = [], numbers } = status;
  return explanation(`${subject} ${stateOf(status)}`, [
    ["Attention", [...unseenChange(metadata.generation, status.observedGeneration), ...troubles(conditions)]],
    ["Held by", [...reasons.map(({ by, message }) => `${by}: ${message}`), ...confirmationLines(status)]],
    ["Waits for", holdLines(holds, undefined)],
    ["Stages", stages.map(stageLine)],
    ["Numbers", numbers === undefined ? [] : [`All stages: ${numbersText(numbers)}.`]],
    ["Mends", chain.length > 1 ? [`Chain: ${chain.join(", then ")}.`] : []],
    ["Forecast", forecastLines(status)],
    ["Rules", rulesLines(spec)],
  ]);
}

type Status = NonNullable<ClientRollout["status"]>;

function stateOf({ stopped, standingSince, reached, effective, inherited }: Status): string {
  if (stopped !== undefined) return `offers nothing any more: ${stopped.message}`;
  const paused = effective === "Paused" ? ", and is paused" : "";
  if (standingSince !== undefined) return `stands: everybody goes to it${paused}`;
  switch (reached?.stage) {
    case undefined:
      return `is open to nobody yet${paused}`;
    case "Exposed":
      return `goes to the devices on ${inherited?.versions.join(", ") ?? "the faulty version"} first${paused}`;
    case "Pilot":
      return `is with its pilots${paused}`;
    default: {
      const share = `${reached!.usersPercent} % of the users of ${reached!.accountsPercent} % of the accounts`;
      return `is in phase ${reached!.phase ?? 1}: ${share}${paused}`;
    }
  }
}

/** A pause that not every gateway has confirmed is told as what it is. */
function confirmationLines({ reasons = [], effective, conditions = [] }: Status): string[] {
  if (reasons.length === 0 || effective !== "Run") return [];
  const paused = conditions.find(({ type }) => type === "Paused");
  return paused === undefined ? [] : [`Not confirmed by every gateway yet: ${paused.message}`];
}

const OUTCOMES: Readonly<Record<NonNullable<StageRecord["outcome"]>, string>> = {
  Passed: "its evidence passed",
  FewButPassed: "few, and they passed",
  NobodyEligible: "nobody was eligible",
  Approved: "a person approved it",
};

function stageLine({ name, openedAt, endedAt, outcome, approval, numbers }: StageRecord): string {
  const over = endedAt === undefined ? "" : ` to ${momentText(endedAt, undefined)}`;
  const how = outcome === undefined ? "" : ` (${OUTCOMES[outcome]}${approval === undefined ? "" : `, Approval ${approval}`})`;
  return `${name} from ${momentText(openedAt, undefined)}${over}${how}: ${numbers === undefined ? "not counted yet" : numbersText(numbers)}`;
}

export const numbersText = ({ eligible, offered, attempted, confirmed, failed, unreachable }: ClientNumbers): string =>
  `${eligible} eligible, ${offered} offered, ${attempted} attempted, ${confirmed} confirmed, ${failed} failed, ${unreachable} unreachable`;

function forecastLines({ forecast, support }: Status): string[] {
  const left = support === undefined ? undefined : support.weeksLeft === 0 ? "is over" : `ends in ${support.weeksLeft} weeks`;
  return [
    ...(forecast?.phases ?? []).map(({ phase, at }) => `Phase ${phase} opens ${momentText(at, undefined)}, if nothing fails.`),
    ...(forecast === undefined ? [] : [`Everybody is reached and judged ${momentText(forecast.standsAt, undefined)}.`]),
    ...(support === undefined ? [] : [`Its support ${left}: ${momentText(support.endsAt, undefined)}.`]),
  ];
}

function rulesLines({ health, floors = [], exposedGate, supersedes }: ClientRollout["spec"]): string[] {
  const figure = health.prometheus === undefined ? "" : `, or when ${health.prometheus.query} is not ${health.prometheus.passIf}`;
  return [
    `It pauses by itself when failures show, beyond chance, that more than ${health.failedPercentAtMost} % of the devices fail${figure}.`,
    ...(supersedes === undefined ? [] : [exposedText(exposedGate)]),
    ...floors.map(({ version, reason }) => `Devices older than ${version} go there first${reason === undefined ? "" : `: ${reason}`}.`),
  ];
}

const exposedText = (gate: ClientRollout["spec"]["exposedGate"]): string =>
  `Nobody else gets it before the devices on the faulty version did${gate === undefined ? "" : ` (at most ${gate.failedPercentAtMost} % of ${gate.attemptedAtLeast} may fail)`}.`;
