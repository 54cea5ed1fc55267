// The commands of `rollward` that documents and runbooks say, read by the program itself: a person at night types them as they stand.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CommanderError, type Command } from "commander";
import { describe, expect, it } from "vitest";
import { commandLine } from "../../src/commands.ts";

const ROOT = join(import.meta.dirname, "../..");
// Decisions speak of commands; nobody follows them.
const PAGES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", ...markdownIn("docs").filter((page) => !page.startsWith("docs/decisions"))];

function markdownIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => join(folder, path));
}

/** Lines that are typed at a prompt, and commands in a sentence; without what a shell takes away. */
function commandsOf(text: string): string[] {
  const typed = [...text.replaceAll(/ \\\n\s*/g, " ").matchAll(/^\$ (?:npx )?rollward (.*)$/gm)];
  const said = [...text.matchAll(/`(?:npx )?rollward ([^`…][^`]*)`/g)];
  return [...typed, ...said].map(([, words]) => words!.replace(/(?: +#| [|>] ).*$/, "").trim());
}

const wordsOf = (command: string): string[] => [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word!);

/** What the program complains of; undefined where it would begin to work. Nothing is carried out. */
async function complaintOf(words: readonly string[]): Promise<string | undefined> {
  const unused = () => expect.fail("nothing is carried out here");
  const program = commandLine({
    out: unused,
    error: unused,
    isTerminal: false,
    connect: unused,
    now: unused,
    readFile: unused,
    exit: unused,
  });
  let complaint = "";
  const idle = (command: Command): void => {
    command.configureOutput({ writeErr: (text) => void (complaint += text), writeOut: () => undefined });
    if (command.commands.length === 0) command.action(() => undefined);
    command.commands.forEach(idle);
  };
  idle(program);
  // A sentence may name a command without what it works on: then it has to exist, and no more.
  if (isPathOf(program, words)) return undefined;
  try {
    await program.parseAsync([...words], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return undefined;
    return complaint || String(error);
  }
  // A window may be in the time of the place that it is used for, and of itself it does not say which place that is.
  if (words[0] === "when" && words[1]?.startsWith("mw/") && !words.includes("--zone")) return "a window of timeZone: Local needs --zone";
  return undefined;
}

const isPathOf = (program: Command, words: readonly string[]): boolean => {
  const found = words.reduce<Command | undefined>((command, word) => command?.commands.find((each) => each.name() === word), program);
  return found !== undefined;
};

describe("the documents say commands that the program takes as they stand", () => {
  it.for(PAGES.filter((page) => commandsOf(readFileSync(join(ROOT, page), "utf8")).length > 0))("%s", async (page) => {
    const wrong: string[] = [];
    for (const command of commandsOf(readFileSync(join(ROOT, page), "utf8"))) {
      const complaint = await complaintOf(wordsOf(command));
      if (complaint !== undefined) wrong.push(`rollward ${command}: ${complaint}`);
    }
    expect(wrong).toEqual([]);
  });

  it("reads them where they stand, and finds what is wrong with them", async () => {
    const text =
      '- `rollward approve popro/NAME`, by\n```\n$ npx rollward users --weeks 6 \\\n    -o csv > a.csv   # all\n$ rollward pause fleet --reason "a b" | cat\n```\n';
    expect(commandsOf(text)).toEqual(["users --weeks 6 -o csv", 'pause fleet --reason "a b"', "approve popro/NAME"]);
    expect(wordsOf('pause fleet --reason "a b"')).toEqual(["pause", "fleet", "--reason", "a b"]);
    expect(await complaintOf(["approve", "popro/NAME"])).toContain("needs --reason <text>");
    expect(await complaintOf(["pause", "fleet", "--becuase", "x"])).toContain("has no option --becuase");
    expect(await complaintOf(["status", "-o", "toml"])).toContain("Allowed choices");
    expect(await complaintOf(["stopp", "pop/NAME"])).toContain("no command rollward stopp");
    expect(await complaintOf(["when", "mw/NAME"])).toContain("--zone");
    expect(await complaintOf(["directory", "import"])).toBeUndefined();
  });

  it("a curl whose answer is looked at prints that status: the page itself may be empty", () => {
    const runbooks = markdownIn("docs/runbooks").flatMap((page) => readFileSync(join(ROOT, page), "utf8").split("\n"));
    const silent = runbooks.filter((line) => /`curl [^`]*`.* answers? [1-5]\d\d/.test(line) && !line.includes("%{http_code}"));
    expect(silent).toEqual([]);
  });
});
