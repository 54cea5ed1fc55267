import type { Command } from "commander";
import { ACCOUNT, clientsOf, hashOf, newToken, SERIAL } from "../control/device-credentials.ts";
import { type DeviceInventory, InventoryUnavailable } from "../control/inventory.ts";
import { parseDuration } from "../core/time/duration.ts";
import { unknownAccount } from "./account-check.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { CliIo } from "./io.ts";
import { inventoryOption, opened } from "./inventory-option.ts";
import { Refusal } from "./refusal.ts";
import { reporting } from "./with-cluster.ts";

/** The registry of devices, open; whoever opened it closes it. */
export type DeviceRegistry = Pick<DeviceInventory, "enroll"> & { close(): Promise<void> };

interface EnrollOptions {
  readonly account: string;
  readonly inventory?: string;
  readonly expires?: string;
  readonly overlap: string;
  readonly file?: string;
  readonly gateway?: boolean;
  readonly clients?: boolean;
}

/**
 * `rollward device enroll SERIAL --account NAME`: binds serials to an account and prints a token for each, once (rules S3, I15). Who can
 * open the inventory may do it; the token itself is kept nowhere.
 */
export function registerDevice(program: Command, io: CliIo, open: (url: string) => Promise<DeviceRegistry>): void {
  program
    .command("device")
    .description("the registry of devices")
    .command("enroll")
    .description("binds a serial to an account and prints its token, once; again: a new token, and the old one for a while")
    .argument("[serials...]", "as on the devices' labels, for example S-1001")
    .requiredOption("--account <name>", "whose devices they are")
    .addOption(inventoryOption())
    .option("--expires <duration>", "how long the tokens are good (default: for ever)")
    .option("--overlap <duration>", "how long older tokens of the same device stay good", "24h")
    .option("-f, --file <path>", "more serials, one a line; - for standard input")
    .option("--gateway", "a token for all devices of the account, instead of one for each")
    .option("--clients", "a token for the account's Clients, good for nothing else")
    .action((serials: readonly string[], options: EnrollOptions) => reporting(io, () => enroll(io, open, serials, options)));
}

async function enroll(
  io: CliIo,
  open: (url: string) => Promise<DeviceRegistry>,
  written: readonly string[],
  options: EnrollOptions,
): Promise<ExitCode> {
  const serials = [...written, ...(options.file === undefined ? [] : await serialsIn(io, options.file))];
  const [expires, overlap] = [lasting("--expires", options.expires), lasting("--overlap", options.overlap) ?? 0];
  refuseBadInput(serials, options);
  const registry = await opened(open, options.inventory);
  const whose = options.gateway === true || options.clients === true ? [undefined] : [...new Set(serials)];
  const foreign: string[] = [];
  try {
    for (const serial of whose) {
      const token = newToken();
      const now = io.now();
      const result = await registry.enroll({
        account: options.clients === true ? clientsOf(options.account) : options.account,
        tokenHash: hashOf(token),
        at: now,
        oldTokensUntil: now + overlap,
        ...(serial === undefined ? {} : { serial }),
        ...(expires === undefined ? {} : { expiresAt: now + expires }),
      });
      // Of 256 bits by chance none comes twice: whoever made the chance repeats itself.
      if (result === "TokenTaken")
        throw new Refusal(
          EXIT.failed,
          `${serial ?? options.account}: its new token is somebody's already; is this machine's source of chance sound?`,
        );
      if (result === "OfAnotherAccount") foreign.push(serial ?? "");
      else io.out(`${serial ?? options.account}\t${token}\n`);
    }
  } catch (error) {
    if (!(error instanceof InventoryUnavailable)) throw error;
    throw new Refusal(
      EXIT.failed,
      `the inventory does not answer (${error.message}); tokens printed so far are good, try the others again`,
    );
  } finally {
    await registry.close();
  }
  await hintOfAccount(io, options);
  if (foreign.length === 0) return EXIT.ok;
  io.error(`${foreign.join(", ")}: bound to another account already, and left there\n`);
  return EXIT.nothingToActOn;
}

/** Said only where a cluster is at hand; it is enrolled all the same. */
async function hintOfAccount(io: CliIo, { account, clients }: EnrollOptions): Promise<void> {
  const unknown = await unknownAccount(io, account);
  if (unknown === undefined) return;
  const so = clients === true ? "nothing is offered to its Clients" : "no site can name these devices";
  io.error(`hint: no namespace belongs to account ${account} yet, so ${so}; ${unknown.instead}\n`);
}

function refuseBadInput(serials: readonly string[], { account, gateway, clients }: EnrollOptions): void {
  const refuse = (sentence: string): never => {
    throw new Refusal(EXIT.badInput, sentence);
  };
  if (!ACCOUNT.test(account)) refuse(`${JSON.stringify(account)} is no account; write it as in the label rollward.dev/account`);
  if (gateway === true && clients === true) refuse("--gateway and --clients are two tokens; ask for one after the other");
  if (clients === true && serials.length > 0) refuse("--clients is one token for all Clients of the account; leave the serials out");
  if (gateway === true && serials.length > 0) refuse("--gateway is one token for all devices of the account; leave the serials out");
  if (gateway !== true && clients !== true && serials.length === 0)
    refuse("no serial was given; write them as arguments, or one a line with -f");
  const bad = serials.find((serial) => !SERIAL.test(serial));
  if (bad !== undefined)
    refuse(`${JSON.stringify(bad)} is no serial; write up to 64 letters, digits, dots and hyphens, for example S-1001`);
}

async function serialsIn(io: CliIo, path: string): Promise<readonly string[]> {
  const text = await io.readFile(path).catch((error: unknown) => {
    throw new Refusal(EXIT.badInput, `${path} could not be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

function lasting(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const parsed = parseDuration(text);
  if (parsed === undefined) throw new Refusal(EXIT.badInput, `${name} is ${JSON.stringify(text)}; write a duration, for example 720h`);
  return parsed;
}
