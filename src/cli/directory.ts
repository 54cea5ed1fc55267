import { type Command, Option } from "commander";
import { ACCOUNT_LABEL } from "../api/names.ts";
import type { Directory, DirectoryMember } from "../control/client-inventory.ts";
import { ACCOUNT } from "../control/device-credentials.ts";
import { userKey } from "../core/client/cohort.ts";
import { counted } from "../core/text.ts";
import { unknownAccount } from "./account-check.ts";
import { readDirectory } from "./directory-file.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { dataText } from "./formats.ts";
import { inventoryOption, type OpenClients, withClients } from "./inventory-option.ts";
import type { CliIo } from "./io.ts";
import { Refusal } from "./refusal.ts";
import { reporting } from "./with-cluster.ts";

interface ImportOptions {
  readonly account: string;
  readonly inventory?: string;
  readonly dryRun?: boolean;
  readonly output: "table" | "json";
}

/** `rollward directory import FILE --account NAME`: who is in which groups and whose computer is which, of one account (rule C3). */
export function registerDirectory(program: Command, io: CliIo, open: OpenClients): void {
  program
    .command("directory")
    .description("users, their groups and their computers")
    .command("import")
    .description("replaces the directory of one account by that of a file")
    .argument(
      "<file>",
      "CSV with the columns user, groups, devices (several with ; between), or the same as JSON or YAML; - is standard input",
    )
    .requiredOption("--account <name>", "whose directory it is")
    .addOption(inventoryOption())
    .option("--dry-run", "say what would change, and import nothing")
    .addOption(new Option("-o, --output <format>", "how to print").choices(["table", "json"]).default("table"))
    .action((file: string, options: ImportOptions) => reporting(io, () => importDirectory(io, open, file, options)));
}

async function importDirectory(io: CliIo, open: OpenClients, file: string, options: ImportOptions): Promise<ExitCode> {
  const { account, inventory, dryRun = false, output } = options;
  if (!ACCOUNT.test(account))
    throw new Refusal(EXIT.badInput, `${JSON.stringify(account)} is no account; write it as in the label rollward.dev/account`);
  const text = await io.readFile(file).catch((error: unknown) => {
    throw new Refusal(EXIT.badInput, `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  const { members, problems } = readDirectory(text);
  if (problems.length > 0)
    throw new Refusal(EXIT.badInput, [...shown(problems).map((problem) => `${file}: ${problem}`), "nothing was imported"].join("\n"));
  await refuseSlip(io, account);
  return withClients(open, inventory, async (clients) => {
    const before = await clients.directory(account);
    const changes = changesOf(before, members);
    const numbers = numbersOf(members);
    const imported = dryRun ? undefined : await clients.importDirectory(account, members);
    const after = imported === undefined ? {} : { generation: imported.generation };
    if (output === "json") io.out(dataText({ account, dryRun, ...numbers, changes, ...after }, "json"));
    else io.out(report(account, dryRun, numbers, changes));
    return EXIT.ok;
  });
}

/** Where a cluster is at hand: an account that is spelt nearly as one that there is, is refused; one that may come is taken with a hint. */
async function refuseSlip(io: CliIo, account: string): Promise<void> {
  const unknown = await unknownAccount(io, account);
  if (unknown === undefined) return;
  const belongs = `no namespace belongs to account ${account}`;
  if (unknown.meant !== undefined) {
    const own = `if it is another account, label its namespace ${ACCOUNT_LABEL}=${account} first`;
    throw new Refusal(EXIT.nothingToActOn, `${belongs}; ${unknown.instead} Nothing was imported; ${own}`);
  }
  io.error(`hint: ${belongs} yet, so its directory groups nobody; ${unknown.instead}\n`);
}

const MOST_PROBLEMS = 20;

/** A file of another form has a problem in each line; the first ones tell it. */
const shown = (problems: readonly string[]): readonly string[] =>
  problems.length <= MOST_PROBLEMS
    ? problems
    : [...problems.slice(0, MOST_PROBLEMS), `and ${problems.length - MOST_PROBLEMS} more like these`];

interface Numbers {
  readonly users: number;
  readonly groups: number;
  readonly devices: number;
}

const numbersOf = (members: readonly DirectoryMember[]): Numbers => ({
  users: members.length,
  groups: new Set(members.flatMap(({ groups }) => groups)).size,
  devices: members.reduce((sum, { devices }) => sum + devices.length, 0),
});

interface Changes {
  readonly usersAdded: number;
  readonly usersGone: number;
  /** In both, in other groups than before. */
  readonly usersRegrouped: number;
  readonly devicesAdded: number;
  readonly devicesGone: number;
  /** Of another user than before: such a device moves with its new user from then on. */
  readonly devicesMoved: number;
}

function changesOf(before: Directory, members: readonly DirectoryMember[]): Changes {
  const groups = new Map(members.map((member) => [userKey(member.user), member.groups] as const));
  const owners = new Map(members.flatMap((member) => member.devices.map((device) => [userKey(device), userKey(member.user)] as const)));
  const sorted = (names: readonly string[]): string => [...new Set(names)].toSorted().join("\n");
  // A user without groups may be known as the owner of a device alone.
  const known = new Set([...before.groups.keys(), ...[...before.owners.values()].map(userKey)]);
  const staying = [...groups].filter(([user]) => known.has(user));
  return {
    usersAdded: groups.size - staying.length,
    usersGone: [...known].filter((user) => !groups.has(user)).length,
    usersRegrouped: staying.filter(([user, names]) => sorted(before.groups.get(user) ?? []) !== sorted(names)).length,
    devicesAdded: [...owners.keys()].filter((device) => !before.owners.has(device)).length,
    devicesGone: [...before.owners.keys()].filter((device) => !owners.has(device)).length,
    devicesMoved: [...owners].filter(([device, user]) => before.owners.has(device) && userKey(before.owners.get(device)!) !== user).length,
  };
}

function report(account: string, dryRun: boolean, { users, groups, devices }: Numbers, changes: Changes): string {
  const has = `${counted(users, "user")} in ${counted(groups, "group")}, ${counted(devices, "device")}`;
  const { usersAdded, usersGone, usersRegrouped, devicesAdded, devicesGone, devicesMoved } = changes;
  const lines = [
    [usersAdded, "come"],
    [usersGone, "go"],
    [usersRegrouped, "are in other groups than before"],
  ] as const;
  const ofUsers = lines.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  const ofDevices = (
    [
      [devicesAdded, "come"],
      [devicesGone, "go"],
      [devicesMoved, "have another user than before"],
    ] as const
  )
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${count} ${what}`);
  return [
    dryRun ? `the directory of ${account} would have ${has}; nothing was imported` : `the directory of ${account} has ${has}`,
    `users: ${ofUsers.join(", ") || "as before"}`,
    `devices: ${ofDevices.join(", ") || "as before"}`,
    "",
  ].join("\n");
}
