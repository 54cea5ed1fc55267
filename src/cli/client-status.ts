import type { AccountPolicy } from "../api/account-policy.ts";
import type { ClientNumbers, ClientRollout } from "../api/client-rollout.ts";
import { explainClientRollout } from "../core/explain/client-rollout.ts";
import { ownPauseUntil, type VersionOfAccount } from "../core/client/own-pause.ts";
import { cleanText } from "../core/text.ts";
import { describeInstant } from "../core/time/format.ts";
import { parseInstant } from "../core/time/instant.ts";
import { gateOf } from "./approve-clients.ts";
import { dataText, type Format } from "./formats.ts";
import { alignedTable } from "./table.ts";

/** Longer cells were not written by us (rule G12). */
const cell = (text: string | undefined): string => (text === undefined ? "-" : cleanText(text, 256));

/** An instant of a status in a zone, which is named. */
export function instantIn(text: string | undefined, zone: string): string {
  const instant = text === undefined ? undefined : parseInstant(text);
  return instant === undefined ? cell(text) : describeInstant(instant, zone);
}

const NUMBERS = ["ELIGIBLE", "OFFERED", "ATTEMPTED", "CONFIRMED", "FAILED", "UNREACHABLE"] as const;
const numberCells = (numbers: ClientNumbers | undefined): string[] =>
  numbers === undefined
    ? NUMBERS.map(() => "-")
    : [numbers.eligible, numbers.offered, numbers.attempted, numbers.confirmed, numbers.failed, numbers.unreachable].map(String);

/** Every rollout of Clients that is not over on one line, or an empty text where there is none. */
export function clientRolloutTable(rollouts: readonly ClientRollout[], zone = "UTC"): string {
  const open = rollouts.filter(({ status }) => status?.stopped === undefined);
  if (open.length === 0) return "";
  const heading = ["CLIENT ROLLOUT", "STATE", "EFFECTIVE", "OS", "VERSION", "STAGE", "CONFIRMED", "FAILED", "WAITS FOR", "UNTIL", "STANDS"];
  const rows = open
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .map(({ metadata, spec, status = {} }) => [
      metadata.name,
      status.conditions?.find(({ type }) => type === "Progressing")?.reason ?? "Unknown",
      status.effective ?? "Unknown",
      spec.os,
      spec.version,
      stageCell(status),
      status.numbers === undefined ? "-" : `${status.numbers.confirmed}/${status.numbers.eligible}`,
      String(status.numbers?.failed ?? 0),
      cell(status.holds?.[0]?.reason),
      instantIn(status.holds?.[0]?.until, zone),
      status.standingSince === undefined ? instantIn(status.forecast?.standsAt, zone) : `since ${instantIn(status.standingSince, zone)}`,
    ]);
  return `${alignedTable(heading, rows)}\n`;
}

function stageCell({ reached }: NonNullable<ClientRollout["status"]>): string {
  if (reached === undefined) return "-";
  if (reached.stage !== "Phase") return reached.stage.toLowerCase();
  return `phase ${reached.phase ?? 1}: ${reached.usersPercent} % of ${reached.accountsPercent} %`;
}

/** The accounts that have a rollout on its way, by the name of their namespace. */
const accountsOf = (
  rollout: ClientRollout,
  policies: readonly AccountPolicy[],
): readonly { readonly account: string; readonly seen: VersionOfAccount; readonly pausedUntil?: string }[] =>
  policies
    .flatMap(({ metadata, spec, status }) => {
      const seen = status?.clients?.find(({ uid }) => uid === rollout.metadata.uid);
      if (seen === undefined) return [];
      const pausedUntil = ownPauseUntil(spec.clients, seen);
      return [{ account: status?.account ?? metadata.namespace ?? "", seen, ...(pausedUntil === undefined ? {} : { pausedUntil }) }];
    })
    .toSorted((a, b) => (a.account < b.account ? -1 : 1));

/**
 * The page *Rollout status* of the provider: state, stages with their honest numbers, the gate of the open one, accounts, and when what
 * opens. `policies` absent: who asks may not read those of all accounts.
 */
export function oneClientRollout(
  rollout: ClientRollout,
  policies: readonly AccountPolicy[] | undefined,
  { output, zone }: { readonly output: Format; readonly zone: string },
): string {
  const { metadata, spec, status = {} } = rollout;
  const { stages = [], reached, forecast, support, effective, reasons = [], holds = [], numbers, chain, standingSince, stopped } = status;
  const accounts = policies === undefined ? undefined : accountsOf(rollout, policies);
  if (output === "json" || output === "yaml") {
    const { name } = metadata;
    const of = accounts?.map(({ account, seen }) => ({ account, ...seen }));
    return dataText(
      {
        name,
        os: spec.os,
        version: spec.version,
        effective,
        reasons,
        reached,
        stages,
        numbers,
        chain,
        holds,
        forecast,
        standingSince,
        stopped,
        support,
        accounts: of,
      },
      output,
    );
  }
  const rows = stages.map(({ name, openedAt, endedAt, outcome, numbers: counted }) => [
    name,
    instantIn(openedAt, zone),
    endedAt === undefined ? "open" : `${instantIn(endedAt, zone)}${outcome === undefined ? "" : ` (${outcome})`}`,
    ...numberCells(counted),
  ]);
  const coming = (forecast?.phases ?? []).map(({ phase, at }) => [
    `phase-${phase}`,
    `opens ${instantIn(at, zone)}`,
    "-",
    ...NUMBERS.map(() => "-"),
  ]);
  const total = numbers === undefined ? [] : [["all", "-", "-", ...numberCells(numbers)]];
  const open = stages.findLast(({ endedAt }) => endedAt === undefined);
  return [
    `${explainClientRollout(rollout).summary}\n`,
    alignedTable(["STAGE", "OPENED", "ENDED", ...NUMBERS], [...rows, ...coming, ...total]),
    [
      `Effective: ${effective ?? "Unknown"}${reasons.length === 0 ? "" : `, ${reasons.map(({ by, message }) => `${by}: ${message}`).join("; ")}`}`,
      ...(open === undefined || standingSince !== undefined ? [] : [`Stage ${open.name}: ${gateOf(spec, open.name)}`]),
      nextLine(status, zone),
      ...holds.filter(({ reason }) => reason === "ArtifactMissing").map(({ reason, message }) => `Attention: ${reason}: ${message}`),
      ...(support === undefined ? [] : [`Support: ${weeksText(support.weeksLeft)}, until ${instantIn(support.endsAt, zone)}`]),
    ]
      .map((line) => `${cleanText(line, 2048)}\n`)
      .join(""),
    ...(accounts === undefined
      ? ["who asks may not read the policies of all accounts; --account NAME shows one\n"]
      : [accountsText(accounts, output, zone)]),
  ].join("\n");
}

function nextLine({ stopped, standingSince, forecast, holds = [] }: NonNullable<ClientRollout["status"]>, zone: string): string {
  if (stopped !== undefined) return `Next: nothing; ${stopped.message}`;
  if (standingSince !== undefined) return `Next: nothing; everybody has been reached since ${instantIn(standingSince, zone)}`;
  const next = forecast?.phases[0];
  if (next !== undefined) return `Next: phase ${next.phase}, ${instantIn(next.at, zone)}, if nothing fails`;
  if (forecast !== undefined) return `Next: everybody is reached and judged ${instantIn(forecast.standsAt, zone)}, if nothing fails`;
  const hold = holds[0];
  return `Next: no time is known${hold === undefined ? "" : `; it waits for ${hold.reason}: ${hold.message}`}`;
}

const weeksText = (weeks: number): string => (weeks < 0 ? "over" : `${weeks} weeks left`);

function accountsText(accounts: ReturnType<typeof accountsOf>, output: Format, zone: string): string {
  if (accounts.length === 0) return "no account has it on its way\n";
  if (output === "wide") return accountTable(accounts, zone);
  const inPhase = accounts.filter(({ seen }) => seen.inPhase).length;
  const held = accounts.filter(({ seen }) => seen.effective !== "Run" || seen.held !== undefined);
  const names = held.slice(0, 5).map(({ account, seen }) => `${account} (${seen.reasons?.[0] ?? seen.effective})`);
  const more = held.length > names.length ? ` and ${held.length - names.length} more` : "";
  const ofThese = held.length === 0 ? "none of them holds it" : `${held.length} hold it or are held: ${names.join(", ")}${more}`;
  return `${cleanText(`Accounts: ${accounts.length}, a phase has reached ${inPhase}; ${ofThese}. Each on a line: -o wide`, 2048)}\n`;
}

function accountTable(accounts: ReturnType<typeof accountsOf>, zone: string): string {
  const heading = ["ACCOUNT", "PHASE", ...NUMBERS, "PILOTS", "EFFECTIVE", "NEXT PHASE", "WHY"];
  const rows = accounts.map(({ account, seen, pausedUntil }) => [account, ...accountCells(seen, pausedUntil, zone)]);
  return alignedTable(heading, rows);
}

const accountCells = (
  { inPhase, numbers, pilot, effective, nextAt, reasons = [] }: VersionOfAccount,
  pausedUntil: string | undefined,
  zone: string,
): string[] => [
  inPhase ? "reached" : "not yet",
  ...numberCells(numbers),
  pilot === undefined ? "-" : `${pilot.confirmed} of ${pilot.eligible}, ${pilot.failed} failed`,
  effective,
  instantIn(nextAt, zone),
  cell([...reasons, ...(pausedUntil === undefined ? [] : [`its pause ends ${instantIn(pausedUntil, zone)}`])].join("; ") || undefined),
];

/** The page *Rollout status* of one account, from its own AccountPolicy and nothing else (rule I15); of one rollout, or of all. */
export function accountClients(
  { metadata, spec, status }: AccountPolicy,
  rollout: string | undefined,
  { output, zone }: { readonly output: Format; readonly zone: string },
): string | undefined {
  const all = status?.clients ?? [];
  const shown = rollout === undefined ? all : all.filter((one) => one.rollout === rollout);
  if (shown.length === 0) return undefined;
  const account = status?.account ?? metadata.namespace ?? "";
  if (output === "json" || output === "yaml") return dataText(rollout === undefined ? shown : { account, ...shown[0]! }, output);
  const rows = shown.map((seen) => [
    seen.rollout,
    seen.os,
    seen.version,
    cell(seen.stage),
    ...accountCells(seen, ownPauseUntil(spec.clients, seen), zone),
    seen.supportWeeksLeft === undefined ? "-" : weeksText(seen.supportWeeksLeft),
  ]);
  const heading = [
    "CLIENT ROLLOUT",
    "OS",
    "VERSION",
    "STAGE",
    "PHASE HERE",
    ...NUMBERS,
    "PILOTS",
    "EFFECTIVE",
    "NEXT PHASE",
    "WHY",
    "SUPPORT",
  ];
  return `Account ${account}\n${alignedTable(heading, rows)}`;
}
