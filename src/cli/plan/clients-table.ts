import { cleanText, counted } from "../../core/text.ts";
import { describeInstant } from "../../core/time/format.ts";
import { parseInstant } from "../../core/time/instant.ts";
import { alignedTable } from "../table.ts";
import type { ClientPlan, PausedPlan, PlannedCurve, PlannedRollout, PlannedStage } from "./clients.ts";
import { wrapped } from "./wrapped.ts";

/** What a terminal shows in a line without folding it. */
const WIDTH = 120;

/** The plan of Clients for people: each rollout stage by stage, then the users of each system by version, week by week. Instants in `zone`. */
export function clientPlanTable(plan: ClientPlan, zone: string): string {
  const moment = (text: string): string => {
    const instant = parseInstant(text);
    return instant === undefined ? text : describeInstant(instant, zone);
  };
  return [
    ...plan.rollouts.map((rollout) => rolloutText(rollout, moment)),
    ...plan.curves.map((curve) => curveText(curve, moment)),
    ...plan.paused.map((paused) => `${wrapped(pausedText(paused, moment), WIDTH, "  ")}\n\n`),
    ...plan.assumed.map((sentence) => `${wrapped(`assumed: ${sentence}`, WIDTH, "  ")}\n`),
  ].join("");
}

type Moment = (text: string) => string;

function rolloutText({ name, os, version, stages, standsAt, held, depends }: PlannedRollout, moment: Moment): string {
  const isCounted = stages.some(({ users }) => users !== undefined);
  const heading = [
    "STAGE",
    "OPENS",
    "ACCOUNTS",
    "OF THEIR USERS",
    ...(isCounted ? ["USERS", "COMPUTERS", "IN ACCOUNTS", "USERS SO FAR", ""] : ["OF ALL USERS"]),
  ];
  const rows = stages.map((stage) => [
    stage.name,
    moment(stage.opensAt),
    ...shares(stage),
    ...(isCounted ? counts(stage) : [ofAll(stage)]),
  ]);
  const end = standsAt === undefined ? "" : `everybody is reached and judged ${moment(standsAt)}, if nothing fails\n`;
  const because = held ?? depends;
  const act = held === undefined ? ", and nobody has to act" : " until a person acts";
  const why = because === undefined ? "" : `${wrapped(`nothing more is foreseen${act}: ${cleanText(because, 1024)}`, WIDTH, "  ")}\n`;
  return `\n${name} (${os} ${version})\n${rows.length === 0 ? "" : alignedTable(heading, rows)}${end}${why}\n`;
}

const percent = (value: number | undefined): string => (value === undefined ? "-" : `${value} %`);
const shares = ({ accountsPercent, usersPercent }: PlannedStage): string[] => [percent(accountsPercent), percent(usersPercent)];
const counts = ({ users, devices, accounts, reachedUsers, sure }: PlannedStage): string[] => [
  ...[users, devices, accounts, reachedUsers].map((value) => (value === undefined ? "-" : String(value))),
  sure === false ? "or later" : "",
];

/** The share of all users is that of the accounts times that of their users, where accounts are alike. */
const ofAll = ({ accountsPercent, usersPercent }: PlannedStage): string =>
  accountsPercent === undefined || usersPercent === undefined ? "-" : `about ${Math.round(accountsPercent * usersPercent) / 100} %`;

function curveText({ os, users, weeks, left, band }: PlannedCurve, moment: Moment): string {
  const versions = (weeks[0]?.byVersion ?? []).map(({ version }) => version);
  const heading = ["", ...versions.map((version) => (version === "" ? "none" : cleanText(version, 40)))];
  const rows = weeks.map(({ at, byVersion }) => [
    moment(at),
    ...byVersion.map((one) =>
      one.low === one.users && one.high === one.users ? String(one.users) : `${one.users} (${one.low}–${one.high})`,
    ),
  ]);
  const never =
    left.length === 0 ? "" : `never reached until then: ${left.map(({ reason, users: count }) => `${count} (${reason})`).join(", ")}\n`;
  return `${os}: ${counted(users, "user")} by version\n${alignedTable(heading, rows)}${never}${wrapped(`band: ${band}`, WIDTH, "  ")}\n\n`;
}

function pausedText({ rollout, at, stage, byVersion, waiting, nobody }: PausedPlan, moment: Moment): string {
  const begun = `a pause of ${rollout} on ${moment(at)} would find it ${stage === undefined ? "before its first stage" : `in stage ${stage}`}`;
  if (nobody !== undefined) return `${begun}; the inventory has heard of no Client on ${nobody}, so nobody can be counted`;
  if (byVersion === undefined) return `${begun}; --inventory tells who would be left on which version`;
  const left = byVersion
    .map(({ version, users, low, high }) => `${users} on ${version === "" ? "none" : version} (${low}–${high})`)
    .join(", ");
  return `${begun}, and leave ${left}; ${waiting ?? 0} of those that it has reached had not come for it`;
}
