import { Command } from "commander";
import { closest } from "../core/closest.ts";

/**
 * A command whose complaints about its words say what to write instead; those of its subcommands too. Takes commander's error codes, and
 * leaves a message as it is where that says it already (a choice, an unknown command with a near one).
 */
export class CommandLine extends Command {
  override createCommand(name?: string): CommandLine {
    return new CommandLine(name);
  }

  override error(message: string, options?: { readonly exitCode?: number; readonly code?: string }): never {
    const [, quoted = ""] = /'([^']*)'/.exec(message) ?? [];
    return super.error(this.#instead(options?.code ?? "", quoted) ?? message, options);
  }

  #instead(code: string, quoted: string): string | undefined {
    const name = this.#path();
    const option = this.options.find(({ flags }) => flags === quoted);
    const about = option?.argChoices === undefined ? (option?.description ?? "see its help") : `one of ${option.argChoices.join(", ")}`;
    const help = `${name} --help says what it takes`;
    switch (code) {
      case "commander.missingMandatoryOptionValue":
        return `${name} needs ${quoted} (${about}): add it to the command`;
      case "commander.optionMissingArgument":
        return `${name}: no value stands behind ${option?.long ?? quoted}; write ${quoted} (${about})`;
      case "commander.missingArgument": {
        const argument = this.registeredArguments.find((known) => known.name() === quoted);
        return `${name} needs <${quoted}>${argument?.description ? ` (${argument.description})` : ""} behind its name; ${help}`;
      }
      case "commander.excessArguments":
        return this.#tooMany(name, help);
      case "commander.unknownOption":
        return this.#unknownOption(name, quoted, help);
      case "commander.unknownCommand": {
        const meant = closest(quoted, this.#subcommands());
        return `there is no command ${name} ${quoted}; ${meant === undefined ? `there are ${this.#subcommands().join(", ")}` : `did you mean ${name} ${meant}?`}`;
      }
      default:
        return undefined;
    }
  }

  #tooMany(name: string, help: string): string {
    const taken = this.registeredArguments.length;
    const extra = this.args.slice(taken).join(" ");
    const takes = taken === 0 ? "options alone" : `${taken === 1 ? "one word" : `${taken} words`} beside its options`;
    return `${name} takes ${takes}, and ${extra} is too much: leave it out, or write a text that has spaces in quotes; ${help}`;
  }

  #unknownOption(name: string, flag: string, help: string): string {
    const [option = "", ...value] = flag.split("=");
    const known = this.options.flatMap(({ long }) => long ?? []);
    if (value.length > 0 && known.includes(option)) return `${option} of ${name} takes no value: write ${option} alone, or leave it out`;
    // Without their dashes, which would make every option near to every other.
    const meant = option.startsWith("--")
      ? closest(
          option.slice(2),
          known.map((long) => long.slice(2)),
        )
      : undefined;
    return `${name} has no option ${option}; ${meant === undefined ? "" : `did you mean --${meant}? `}${help}`;
  }

  /** As it is typed: rollward device enroll. */
  #path(): string {
    return this.parent === null ? this.name() : `${(this.parent as CommandLine).#path()} ${this.name()}`;
  }

  #subcommands(): string[] {
    return this.commands.map((command) => command.name());
  }
}
