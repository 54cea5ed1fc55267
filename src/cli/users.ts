import { type Command, Option } from "commander";
import { CLIENT_SYSTEMS, type ClientSystem } from "../api/client-rollout.ts";
import { compareVersions, parseVersion } from "../api/version.ts";
import type { ClientInventory, UserOfVersion, VersionCount } from "../control/client-inventory.ts";
import { isPilot, isSameVersion, policyFor } from "../core/client/policy.ts";
import { userKey } from "../core/client/cohort.ts";
import { closest } from "../core/closest.ts";
import { cleanText } from "../core/text.ts";
import { formatInstant } from "../core/time/instant.ts";
import { policyOf, systemOf } from "./accounts.ts";
import { csvText } from "./csv.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { dataText } from "./formats.ts";
import { noSuchAccount, noSuchGroup } from "./inventory-accounts.ts";
import { inventoryOption, type OpenClients, withClients } from "./inventory-option.ts";
import type { CliIo } from "./io.ts";
import { Refusal } from "./refusal.ts";
import { alignedTable } from "./table.ts";
import { weeksOf } from "./users-by-week.ts";
import { connecting, reporting, withClusterOptions, type ClusterOptions } from "./with-cluster.ts";

const FORMATS = ["table", "json", "csv"] as const;

interface UsersOptions extends ClusterOptions {
  readonly account?: string;
  readonly os?: string;
  readonly version?: string;
  readonly group?: string;
  readonly pilots?: boolean;
  readonly names?: boolean;
  readonly weeks?: string;
  readonly inventory?: string;
  readonly output: (typeof FORMATS)[number];
}

/** `rollward users`: who runs which version, counted or by name, now or over weeks. */
export function registerUsers(program: Command, io: CliIo, open: OpenClients): void {
  withClusterOptions(program.command("users").description("users of the Clients by version: how many, who, and how it came to be"))
    .option("--account <name>", "of this account alone")
    .option("--os <system>", "windows, macos or linux")
    .option("--version <version>", "of this version alone")
    .option("--group <name>", "members of this group of the directory alone (with --account)")
    .option("--pilots", "members of the account's own pilot group alone (with --account); asks the cluster for its AccountPolicy")
    .option("--names", "each user and computer, instead of numbers (with --account)")
    .option("--weeks <number>", "the numbers of each week until now; with --pilots those of the pilot group")
    .addOption(inventoryOption())
    .addOption(new Option("-o, --output <format>", "how to print").choices(FORMATS).default("table"))
    .action((options: UsersOptions) => reporting(io, () => users(io, open, options)));
}

/** What the command line says, read. */
interface Asked {
  readonly account?: string;
  readonly os?: ClientSystem;
  readonly version?: string;
  readonly group?: string;
}

async function users(io: CliIo, open: OpenClients, options: UsersOptions): Promise<ExitCode> {
  const asked = askedFor(options);
  const member = options.pilots === true ? await pilotsOf(io, options, options.account!) : undefined;
  return withClients(open, options.inventory, async (clients) => {
    await refuseVersionOfNobody(clients, asked, options);
    const missing = await whoIsMissing(clients, asked);
    if (missing !== undefined) io.error(`hint: ${missing}\n`);
    if (options.names === true) {
      printNames(io, await named(clients, asked, member), options);
      return EXIT.ok;
    }
    const current = await currentCounts(clients, asked, member);
    const pilots = options.pilots === true;
    if (options.weeks === undefined) printCounts(io, current, false, options);
    else printCounts(io, await weeksOf(clients, current, { ...asked, pilots }, options.weeks, io.now()), true, options);
    return EXIT.ok;
  });
}

/** Some Clients report what is no version; it is asked for as it is listed, and anything else is a slip. */
async function refuseVersionOfNobody(clients: ClientInventory, { account, version = "" }: Asked, { weeks }: UsersOptions): Promise<void> {
  if (version === "" || parseVersion(version) !== undefined || weeks !== undefined) return;
  const reported = await clients.versions(account === undefined ? {} : { account });
  if (reported.some((row) => row.version === version)) return;
  const meant = closest(version, [...new Set(reported.map((row) => row.version))]);
  const instead =
    meant === undefined
      ? "write it as Clients report it, for example 5.12.3,"
      : `did you mean ${cleanText(meant, 64)}? Write it as listed,`;
  throw new Refusal(
    EXIT.badInput,
    `--version is ${JSON.stringify(version)}, which is no version and which no Client reports; ${instead} or "" for those that report none`,
  );
}

/** Nobody there is an answer; that the account or the group is not there is another one. */
const whoIsMissing = async (clients: ClientInventory, { account, group }: Asked): Promise<string | undefined> =>
  account === undefined
    ? undefined
    : ((await noSuchAccount(clients, account)) ?? (group === undefined ? undefined : await noSuchGroup(clients, account, group)));

async function currentCounts(clients: ClientInventory, asked: Asked, member: Membership | undefined): Promise<readonly VersionCount[]> {
  if (member !== undefined || asked.group !== undefined) return counts(asked.account!, await named(clients, asked, member));
  return (await clients.versions(asked)).filter(({ version }) => isAsked(version, asked));
}

function askedFor({ account, os, version, group, pilots, names, weeks }: UsersOptions): Asked {
  const refuse = (sentence: string): never => {
    throw new Refusal(EXIT.badInput, sentence);
  };
  if (group !== undefined && pilots === true) refuse("--group and --pilots are two choices; write one of them");
  const narrow = [
    ["--group", group !== undefined],
    ["--pilots", pilots === true],
    ["--names", names === true],
  ] as const;
  for (const [option, given] of narrow) {
    if (given && account === undefined) refuse(`${option} is about one account; write --account too`);
  }
  if (weeks !== undefined && names === true) refuse("the past is kept in numbers, without names; leave --names out, or --weeks");
  if (weeks !== undefined && group !== undefined)
    refuse(
      `of the past an account's pilots are kept, and not each group of its directory; write --pilots instead of --group, or leave --weeks out`,
    );
  return {
    ...(account === undefined ? {} : { account }),
    ...(os === undefined ? {} : { os: systemOf(os) }),
    ...(version === undefined ? {} : { version }),
    ...(group === undefined ? {} : { group }),
  };
}

const isAsked = (reported: string, { version }: Asked): boolean =>
  version === undefined || reported === version || (version !== "" && isSameVersion(reported, version));

type Membership = (row: UserOfVersion) => boolean;

/** Whoever the account's own policies name as pilots, by system. */
async function pilotsOf(io: CliIo, options: UsersOptions, account: string): Promise<Membership> {
  const cluster = await connecting(io, options);
  try {
    const policy = await policyOf(cluster, account);
    const groups = Object.values(policy.spec.clients ?? {}).filter((one) => one?.pilotGroup !== undefined);
    if (groups.length === 0)
      throw new Refusal(EXIT.nothingToActOn, `AccountPolicy ${policy.metadata.namespace ?? ""} names no pilot group for any system`);
    return (row) => isPilot(policyFor(policy.spec.clients, row.os), row.user, row.groups);
  } finally {
    await cluster.close();
  }
}

/** So many names at a time: the inventory is never held for long. */
const PAGE = 1_000;

async function named(clients: ClientInventory, asked: Asked, member: Membership = () => true): Promise<readonly UserOfVersion[]> {
  const found: UserOfVersion[] = [];
  let after: UserOfVersion | undefined;
  for (;;) {
    const { version: _, ...others } = asked;
    const page = await clients.usersOf({ ...others, account: asked.account!, ...(after === undefined ? {} : { after }), limit: PAGE });
    found.push(...page.filter((row) => isAsked(row.version, asked) && member(row)));
    const last = page.at(-1);
    if (page.length < PAGE || last === undefined) return found;
    after = last;
  }
}

/** Rows of names as numbers: a user with two versions counts for both, as in the inventory's own counters. */
function counts(account: string, rows: readonly UserOfVersion[]): readonly VersionCount[] {
  const groups = Map.groupBy(rows, ({ os, version }) => `${os}\n${version}`);
  return [...groups.values()].map((group) => ({
    account,
    os: group[0]!.os,
    version: group[0]!.version,
    devices: new Set(group.map(({ device }) => device)).size,
    users: new Set(group.map(({ user }) => userKey(user))).size,
  }));
}

type Row = VersionCount & { readonly day?: string };

function printCounts(io: CliIo, rows: readonly Row[], dated: boolean, { output, account }: UsersOptions): void {
  const over = account === undefined && output === "table";
  const sorted = summed(rows, over).toSorted(
    (a, b) =>
      compareText(a.day ?? "", b.day ?? "") ||
      (over ? 0 : compareText(a.account, b.account)) ||
      CLIENT_SYSTEMS.indexOf(a.os) - CLIENT_SYSTEMS.indexOf(b.os) ||
      newestFirst(a.version, b.version),
  );
  if (output === "json") return io.out(dataText(sorted, "json"));
  const heading = [...(dated ? ["day"] : []), over ? "accounts" : "account", "os", "version", "users", "devices"];
  const cells = sorted.map((row) => [...(dated ? [row.day ?? ""] : []), row.account, row.os, row.version, row.users, row.devices]);
  if (output === "csv") return io.out(csvText(heading, cells));
  if (sorted.length === 0) return io.out(dated ? "of these weeks nothing is kept\n" : "no Client of this kind has been heard of\n");
  const share = sorted.map((row) => percentOf(row, sorted));
  const table = cells.map((row, index) => [...row.map((value) => shownCell(value)), share[index]!]);
  return io.out(
    alignedTable(
      [...heading, "of the users"].map((name) => name.toUpperCase()),
      table,
    ),
  );
}

/** For people the accounts of a fleet are too many lines: there they are summed, and counted. */
function summed(rows: readonly Row[], over: boolean): readonly Row[] {
  if (!over) return rows;
  const groups = Map.groupBy(rows, ({ day, os, version }) => `${day ?? ""}\n${os}\n${version}`);
  return [...groups.values()].map((group) => ({
    ...group[0]!,
    account: String(new Set(group.map(({ account }) => account)).size),
    devices: group.reduce((sum, { devices }) => sum + devices, 0),
    users: group.reduce((sum, { users: count }) => sum + count, 0),
  }));
}

/** Of the users of the same system on the same day. */
function percentOf(row: Row, all: readonly Row[]): string {
  const same = all.filter(({ os, day }) => os === row.os && day === row.day);
  const total = same.reduce((sum, { users: count }) => sum + count, 0);
  return total === 0 ? "-" : `${(Math.round((row.users * 1_000) / total) / 10).toFixed(1)} %`;
}

function printNames(io: CliIo, rows: readonly UserOfVersion[], { output }: UsersOptions): void {
  const shown = rows.map((row) => ({ ...row, seenAt: formatInstant(row.seenAt) }));
  if (output === "json") return io.out(dataText(shown, "json"));
  const heading = ["user", "device", "os", "version", "last heard of", "groups"];
  const cells = shown.map(({ user, device, os, version, seenAt, groups }) => [user, device, os, version, seenAt, groups.join(";")]);
  if (output === "csv") return io.out(csvText(heading, cells));
  if (rows.length === 0) return io.out("no such user has been heard of\n");
  return io.out(
    alignedTable(
      heading.map((name) => name.toUpperCase()),
      cells.map((row) => row.map((value) => shownCell(value))),
    ),
  );
}

/** Names come from devices and directories (rule G12); a new installation has no version. */
const shownCell = (value: string | number): string => (value === "" ? "-" : cleanText(String(value), 320));

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Newest first; what is no version, or none, last. */
function newestFirst(a: string, b: string): number {
  const [left, right] = [parseVersion(a), parseVersion(b)];
  if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined) || compareText(a, b);
  return compareVersions(right, left);
}
