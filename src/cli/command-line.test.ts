import { Option } from "commander";
import { describe, expect, it } from "vitest";
import { CommandLine } from "./command-line.ts";

/** What is said of a command line; "" where it is taken. */
async function saidOf(line: string): Promise<string> {
  let said = "";
  const program = new CommandLine("rollward").exitOverride().configureOutput({ writeErr: (text) => void (said += text) });
  program
    .command("approve")
    .argument("<kind/name>", "for example popro/r-1")
    .requiredOption("--reason <text>", "why; it is kept")
    .option("--refuse", "refuse instead of approve")
    .addOption(new Option("-o, --output <format>", "how to print").choices(["table", "json"]))
    .action(() => undefined);
  const device = program.command("device");
  device
    .command("enroll")
    .requiredOption("--account <name>", "whose devices they are")
    .action(() => undefined);
  device.command("revoke").action(() => undefined);
  const ended = await program.parseAsync(line.split(" "), { from: "user" }).then(
    () => "taken",
    (error: { exitCode?: number }) => error.exitCode,
  );
  expect(ended, said).toBe(said === "" ? "taken" : 1);
  return said;
}

describe("what is wrong with the words of a command is a sentence that says what to write", () => {
  it.each([
    ["approve popro/r-1", "rollward approve needs --reason <text> (why; it is kept): add it to the command"],
    ["device enroll", "rollward device enroll needs --account <name> (whose devices they are): add it to the command"],
    ["approve popro/r-1 --reason", "rollward approve: no value stands behind --reason; write --reason <text> (why; it is kept)"],
    ["approve popro/r-1 -o", "rollward approve: no value stands behind --output; write -o, --output <format> (one of table, json)"],
    [
      "approve --reason x",
      "rollward approve needs <kind/name> (for example popro/r-1) behind its name; rollward approve --help says what it takes",
    ],
    [
      "approve popro/r-1 --reason all green",
      "rollward approve takes one word beside its options, and green is too much: leave it out, or write a text that has spaces in quotes; rollward approve --help says what it takes",
    ],
    [
      "device enroll --account acme S-1 S-2",
      "rollward device enroll takes options alone, and S-1 S-2 is too much: leave it out, or write a text that has spaces in quotes; rollward device enroll --help says what it takes",
    ],
    ["approve popro/r-1 --reason x --refuse=yes", "--refuse of rollward approve takes no value: write --refuse alone, or leave it out"],
    [
      "approve popro/r-1 --reason x --reasn no",
      "rollward approve has no option --reasn; did you mean --reason? rollward approve --help says what it takes",
    ],
    [
      "approve popro/r-1 --reason x --reasn=no",
      "rollward approve has no option --reasn; did you mean --reason? rollward approve --help says what it takes",
    ],
    ["approve popro/r-1 --reason x --because no", "rollward approve has no option --because; rollward approve --help says what it takes"],
    ["approve popro/r-1 --reason x -x", "rollward approve has no option -x; rollward approve --help says what it takes"],
    ["aprove popro/r-1", "there is no command rollward aprove; did you mean rollward approve?"],
    ["device enrol", "there is no command rollward device enrol; did you mean rollward device enroll?"],
    ["device unenlist", "there is no command rollward device unenlist; there are enroll, revoke"],
  ])("rollward %s", async (line, sentence) => {
    expect(await saidOf(line)).toBe(`${sentence}\n`);
  });

  it("commander's own words stay where they say it already", async () => {
    expect(await saidOf("approve popro/r-1 --reason x -o toml")).toContain("Allowed choices are table, json.");
  });

  it("says nothing of what is right", async () => {
    expect(await saidOf("approve popro/r-1 --reason x -o json --refuse")).toBe("");
  });
});
