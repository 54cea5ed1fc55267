import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** One request that the library sent, and what it was answered. */
interface Exchange {
  readonly status: number;
  readonly sent: { readonly request: { readonly requestid: string; readonly app: readonly [SentApp] } };
  readonly answered: string;
}

interface SentApp {
  readonly version: string;
  readonly cohort?: string;
  readonly event?: readonly { readonly eventtype: number; readonly eventresult: number; readonly errorcode?: number }[];
}

/** One check of the library, with all that followed from it. */
export interface Check {
  /** Of the library's state machine: `CheckingForUpdates(ScheduledTask)`, `InstallingUpdate`, `NoUpdateAvailable` … */
  readonly states: readonly string[];
  readonly wire: readonly Exchange[];
  /** As the library keeps it. */
  readonly cohort: { readonly id: string | null; readonly name: string | null };
}

/** A Client made of a published library of another language, as a process of its own; it keeps what its library keeps. */
export class Counterpart {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: Check[] = [];
  #heard: (() => void) | undefined;
  #errors = "";

  constructor(program: string, url: string, appId: string, device: string) {
    this.#child = spawn(program, [url, appId, device], { stdio: "pipe" });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#errors += text));
    createInterface(this.#child.stdout).on("line", (line) => {
      this.#answers.push(JSON.parse(line) as Check);
      this.#heard?.();
    });
    this.#child.on("close", () => this.#heard?.());
  }

  /** It runs `version`, asks, and installs what it is offered, or fails at it. */
  async check(version: string, outcome: "installs" | "fails" = "installs"): Promise<Check> {
    this.#child.stdin.write(`${version} ${outcome}\n`);
    const heard = new Promise<void>((resolve) => (this.#heard = resolve));
    if (this.#answers.length === 0) await heard;
    const answer = this.#answers.shift();
    if (answer === undefined) throw new Error(`the Client ended: ${this.#errors.slice(-2_000)}`);
    return answer;
  }

  async end(): Promise<void> {
    this.#child.stdin.end();
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "close");
  }
}

/** What the first request was answered: the reason where it was no update. */
export const reasonOf = ({ wire }: Check): string | undefined => /"_reason":"([A-Za-z]+):/.exec(wire[0]?.answered ?? "")?.[1];

/** The events of a check, in their order. */
export const eventsOf = ({ wire }: Check) => wire.flatMap(({ sent }) => sent.request.app[0].event ?? []);
