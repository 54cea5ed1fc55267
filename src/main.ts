#!/usr/bin/env node
import { readFile, writeFile } from "node:fs/promises";
import { Command, CommanderError } from "commander";
import { registerApprove } from "./cli/approve.ts";
import { registerCrds } from "./cli/crds.ts";
import { registerDemo } from "./cli/demo/demo.ts";
import { registerDevice } from "./cli/device.ts";
import { registerDirectory } from "./cli/directory.ts";
import { EXIT, EXIT_CODES_HELP } from "./cli/exit-codes.ts";
import { registerExplain } from "./cli/explain.ts";
import type { OpenClients } from "./cli/inventory-option.ts";
import type { CliIo } from "./cli/io.ts";
import { registerNoticeSecret } from "./cli/notice-secret.ts";
import { registerPause } from "./cli/pause.ts";
import { registerPlan } from "./cli/plan.ts";
import { registerReport } from "./cli/report.ts";
import { registerRequests } from "./cli/requests.ts";
import { registerStatus } from "./cli/status.ts";
import { registerStories } from "./cli/stories.ts";
import { registerUpgradeNow } from "./cli/upgrade-now.ts";
import { registerUsers } from "./cli/users.ts";
import { utf8Text } from "./cli/utf8.ts";
import { registerWhen } from "./cli/when.ts";
import { endQuietly } from "./composition/reader-gone.ts";
import { UnusableInput } from "./composition/unusable-input.ts";
import { VERSION } from "./composition/version.ts";
import { SETTINGS } from "./setting-definitions.ts";
import { readSettings } from "./settings.ts";

/** The surroundings of every command: this process. What a command asks of an API server is loaded only when it asks. */
const io: CliIo = {
  out: (text) => void process.stdout.write(text),
  error: (text) => void process.stderr.write(text),
  isTerminal: process.stdout.isTTY ?? false,
  // The line is taken away first: a shorter one would leave the end of it.
  ...(process.stderr.isTTY ? { progress: (line: string) => void process.stderr.write(`\r\u001b[2K${line}`) } : {}),
  connect: async (options) => (await import("./composition/connect.ts")).connect(options),
  now: () => Date.now(),
  readFile: async (path) => utf8Text(await readFile(path === "-" ? "/dev/stdin" : path)),
  exit: (code) => void (process.exitCode = code),
};

process.stdout.on("error", endQuietly);

const program = new Command("rollward")
  .description("rolls new versions through a network service, one node at a time, and takes bad ones back by itself")
  .version(VERSION)
  .addHelpText("after", EXIT_CODES_HELP)
  // So that --version after a command can be that of a Client.
  .enablePositionalOptions()
  .exitOverride();

/** The inventory is loaded where a command asks it. */
const openClients: OpenClients = async (url) => (await import("./inventory/open.ts")).openInventory(url);

registerRun(program);
registerStatus(program, io);
registerExplain(program, io, openClients, async (url) => (await import("./inventory/open.ts")).openInventory(url));
registerWhen(program, io);
registerPlan(program, io, openClients);
registerPause(program, io);
registerRequests(program, io);
registerApprove(program, io);
registerReport(program, io, (path, text) => writeFile(path, text));
registerStories(program, io);
registerUpgradeNow(program, io);
registerUsers(program, io, openClients);
registerDirectory(program, io, openClients);
registerCrds(program, io, VERSION);
registerDevice(program, io, async (url) => (await import("./inventory/open.ts")).openInventory(url));
registerNoticeSecret(program, io, async (path, account) => (await import("./composition/notices.ts")).secretOf(path, account));
registerDemo(program, io, async () => (await import("./composition/demo-ports.ts")).demoPorts());

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // It has said what is wrong with the words; help and version are no error.
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
}

/** `rollward run`: the operator itself. */
function registerRun(parent: Command): void {
  const command = parent.command("run").description("run the operator until it is told to stop (SIGTERM, SIGINT)");
  for (const setting of Object.values(SETTINGS)) command.option(setting.flag, `${setting.description} (${setting.environment})`);
  command.action(async (flags: Record<string, unknown>) => {
    const read = readSettings(flags, process.env);
    if (!read.ok) {
      for (const problem of read.problems) io.error(`${problem}\n`);
      return io.exit(EXIT.badInput);
    }
    const stop = new AbortController();
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
    // The demo runs operators as children: one whose parent is gone ends too.
    process.once("disconnect", () => stop.abort());
    process.channel?.unref();
    try {
      if (read.settings.gateway?.alone === true) {
        const { runGateway } = await import("./composition/run-gateway.ts");
        return await runGateway(read.settings, stop.signal);
      }
      const { runOperator } = await import("./composition/run-operator.ts");
      await runOperator(read.settings, stop.signal);
    } catch (error) {
      if (!(error instanceof UnusableInput)) throw error;
      io.error(`${error.message}\n`);
      io.exit(EXIT.badInput);
    }
  });
}
