import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { registerApprove } from "./cli/approve.ts";
import { CommandLine } from "./cli/command-line.ts";
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
import { registerWhen } from "./cli/when.ts";
import { UnusableInput } from "./composition/unusable-input.ts";
import { VERSION } from "./composition/version.ts";
import { SETTINGS } from "./setting-definitions.ts";
import { readSettings } from "./settings.ts";

/** The inventory is loaded where a command asks it. */
const openClients: OpenClients = async (url) => (await import("./inventory/open.ts")).openInventory(url);

/** Every command of `rollward`, in these surroundings. What a command needs of the world is loaded only when it runs. */
export function commandLine(io: CliIo): CommandLine {
  const program = new CommandLine("rollward")
    .description("rolls new versions through a network service, one node at a time, and takes bad ones back by itself")
    .version(VERSION)
    .addHelpText("after", EXIT_CODES_HELP)
    // So that --version after a command can be that of a Client.
    .enablePositionalOptions()
    .exitOverride();

  registerRun(program, io);
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
  return program;
}

/** `rollward run`: the operator itself. */
function registerRun(parent: Command, io: CliIo): void {
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
