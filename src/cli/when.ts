import { type Command, Option } from "commander";
import { parseAllDocuments } from "yaml";
import type { OccurrenceStatus } from "../api/common.ts";
import type { MaintenanceWindowSpec } from "../api/maintenance-window.ts";
import { formatDuration, durationProblem, parseDuration } from "../core/time/duration.ts";
import { formatInstant, parseInstant } from "../core/time/instant.ts";
import { zoneProblem } from "../core/time/zone.ts";
import { forecast } from "../core/window/forecast.ts";
import { windowZone } from "../core/window/parse.ts";
import { readWindow } from "../core/window/read.ts";
import { EXIT } from "./exit-codes.ts";
import type { CliIo } from "./io.ts";
import { alignedTable } from "./table.ts";
import { whenTarget } from "./when-target.ts";
import { withCluster } from "./with-cluster.ts";

/** What the command takes from its surroundings, so that a test gives it all of it. */
export interface WhenIo {
  out(text: string): void;
  /** Where problems go; `out` when left out. */
  err?(text: string): void;
  /** The calendar's now, in milliseconds; a function where the program lives longer than one command. */
  readonly now: number | (() => number);
  /** The text of a file; rejects when it cannot be read. */
  readFile(path: string): Promise<string>;
}

export interface WhenOptions {
  readonly file: string;
  /** The zone of the thing that the window is applied to. */
  readonly zone?: string;
  readonly announcedAt?: string;
  readonly notice?: string;
  readonly count?: string;
  readonly output?: "table" | "json";
}

export const EXIT_OK = 0;
/** The input is at fault: nothing was computed. */
export const EXIT_BAD_INPUT = 2;

/** The provider's floor where neither the window nor the command line names a notice (rule W3). */
const DEFAULT_NOTICE = "48h";
const MAXIMUM_COUNT = 1_000;

/** A sentence for the person at the terminal; ends the command with exit code 2. */
class BadInput extends Error {
  readonly sentences: readonly string[];
  constructor(sentences: readonly string[]) {
    super(sentences.join("\n"));
    this.sentences = sentences;
  }
}

const refuse = (...sentences: string[]): never => {
  throw new BadInput(sentences);
};

async function read(path: string, io: WhenIo): Promise<string> {
  try {
    return await io.readFile(path);
  } catch (error) {
    return refuse(
      `${path} cannot be read (${error instanceof Error ? error.message : String(error)}); name a file that holds a MaintenanceWindow`,
    );
  }
}

/** The one MaintenanceWindow of a file, which may hold other objects beside it. */
function windowIn(path: string, text: string): MaintenanceWindowSpec {
  if (text.trim() === "") refuse(`${path} is empty; give a file with kind: MaintenanceWindow and its spec`);
  const documents = parseAllDocuments(text);
  const broken = documents.flatMap((document) => ("errors" in document ? document.errors : []));
  if (broken.length > 0) refuse(`${path} is no YAML: ${broken[0]!.message.split("\n")[0]!.replace(/:$/, "")}; correct it and try again`);
  const objects = documents.map((document) => ("toJS" in document ? document.toJS({ maxAliasCount: 100 }) : undefined) as unknown);
  const windows = objects.filter(
    (value): value is Record<string, unknown> => isMap(value) && (value["kind"] ?? "MaintenanceWindow") === "MaintenanceWindow",
  );
  if (windows.length > 1) refuse(`${path} holds ${windows.length} MaintenanceWindows; give a file with one`);
  const window = windows[0];
  if (window === undefined) {
    const kinds = objects.filter(isMap).map((value) => String(value["kind"]));
    const found = kinds.length > 0 ? ` (found ${kinds.join(", ")})` : "";
    return refuse(`${path} holds no MaintenanceWindow${found}; give a file with kind: MaintenanceWindow and its spec`);
  }
  if (window["spec"] === undefined && window["schedule"] !== undefined)
    refuse(`${path}: schedule stands beside spec; write it under spec:`);
  const { spec, problems } = readWindow(window["spec"]);
  return spec ?? refuse(...problems.map((problem) => `${path}: ${problem}`));
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

function zoneOf(spec: MaintenanceWindowSpec, given: string | undefined): string {
  const problem = given === undefined ? undefined : zoneProblem(given);
  if (problem !== undefined) refuse(`--zone: ${problem}`);
  return (
    windowZone(spec, given) ??
    refuse("the window is in local time (timeZone: Local), another instant in each zone; give --zone, for example --zone Europe/Berlin")
  );
}

function announcedAt(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return (
    parseInstant(text) ??
    refuse(
      `--announced-at is ${JSON.stringify(text)}, which is no instant; write date, time and offset, for example 2023-03-03T18:00+09:00`,
    )
  );
}

function noticeOf(spec: MaintenanceWindowSpec, options: WhenOptions): number | undefined {
  const problem = options.notice === undefined ? undefined : durationProblem("--notice", options.notice);
  if (problem !== undefined) refuse(problem);
  if (options.notice === undefined && options.announcedAt === undefined) return undefined;
  return parseDuration(options.notice ?? spec.notice ?? DEFAULT_NOTICE);
}

function countOf(text: string | undefined): number {
  const count = text === undefined ? 5 : Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= MAXIMUM_COUNT) return count;
  return refuse(`-n is ${JSON.stringify(text)}; write a whole number from 1 to ${MAXIMUM_COUNT}`);
}

/** The occurrences of a window file, with the sentence above the table. */
async function occurrencesOf(options: WhenOptions, io: WhenIo) {
  const announced = announcedAt(options.announcedAt);
  const count = countOf(options.count);
  if (options.output !== undefined && options.output !== "table" && options.output !== "json")
    refuse(`-o is ${JSON.stringify(options.output)}; write json or table`);
  const spec = windowIn(options.file, await read(options.file, io));
  const zone = zoneOf(spec, options.zone);
  if (options.zone !== undefined && options.zone !== zone) {
    io.err?.(`the window has a zone of its own and is read in ${zone}; --zone ${options.zone} only dates its freezes\n`);
  }
  const notice = noticeOf(spec, options);
  const from = announced ?? (typeof io.now === "number" ? io.now : io.now());
  const promised = notice === undefined ? {} : { notBefore: from + notice };
  const found = forecast({ spec, zone, freezeZone: options.zone ?? zone, from, count, ...promised });
  const since = `${announced === undefined ? "from" : "announced"} ${formatInstant(from)}`;
  return { found, heading: `In ${zone}, ${since}${notice === undefined ? "" : `, notice ${formatDuration(notice)}`}:` };
}

function complain(io: WhenIo, text: string): void {
  if (io.err === undefined) io.out(text);
  else io.err(text);
}

function table(heading: string, found: readonly OccurrenceStatus[]): string {
  if (found.length === 0) return `${heading}\nno coming occurrence\n`;
  const rows = found.map(({ start, end, localStart, note = "" }) => [start, end, localStart, note]);
  return `${heading}\n${alignedTable(["START", "END", "LOCAL START", "NOTE"], rows)}`;
}

/**
 * `rollward when -f window.yaml`: the next occurrences of a window, as the controllers compute them (rule W9). With `--announced-at` the
 * search begins there, also in the past, and only occurrences with the full notice count (rule W3). Answers the exit code: 0, or 2
 * for bad input, with sentences that say what to write instead.
 */
export async function when(options: WhenOptions, io: WhenIo): Promise<number> {
  try {
    const { found, heading } = await occurrencesOf(options, io);
    const rows = found.map(({ start, end, localStart, note = "" }) => ({ start, end, localStart, note }));
    io.out(options.output === "json" ? `${JSON.stringify(rows, undefined, 2)}\n` : table(heading, found));
    return EXIT_OK;
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    for (const sentence of error.sentences) complain(io, `${sentence}\n`);
    return EXIT_BAD_INPUT;
  }
}

type WhenFlags = Omit<WhenOptions, "file"> & { readonly file?: string; readonly kubeconfig?: string; readonly namespace: string };

/** Adds the subcommand: a file, or an object of a cluster. `-n` counts occurrences here, so the namespace has no short flag. */
export function registerWhen(program: Command, io: CliIo): Command {
  return program
    .command("when")
    .description(
      "the next occurrences of a window, of a PoP's window, or the next departures of the release train, in local time and in UTC",
    )
    .argument("[kind/name]", "pop/NAME, mw/NAME or train, of a cluster; or give -f")
    .option("-f, --file <path>", "a file that holds a MaintenanceWindow")
    .option("--zone <zone>", "the IANA zone of what the window is applied to; needed for timeZone: Local")
    .option("--announced-at <instant>", "begin here, and count only occurrences that keep the notice")
    .option("--notice <duration>", "the notice to keep (default: the window's, else 48h)")
    .option("-n, --count <number>", "how many occurrences", "5")
    .option("--kubeconfig <path>", "the kubeconfig to use (default: KUBECONFIG, then ~/.kube/config)")
    .option("--namespace <name>", "the fleet namespace", "fleet")
    .addOption(new Option("-o, --output <format>", "how to print").choices(["table", "json"]).default("table"))
    .action(async (target: string | undefined, flags: WhenFlags) => {
      const whenIo: WhenIo = { out: io.out, err: (text) => io.error(text), now: () => io.now(), readFile: io.readFile };
      if (target !== undefined && flags.file !== undefined) return refused(io, "name an object of the cluster or give -f, not both");
      if (target !== undefined)
        return withCluster(io, flags, (cluster) => whenTarget(cluster, target, { ...flags, count: countOf(flags.count) }, io));
      if (flags.file === undefined) return refused(io, "nothing to look at; give -f window.yaml, or name pop/NAME, mw/NAME or train");
      const code = await when({ ...flags, file: flags.file }, whenIo);
      return io.exit(code === EXIT_OK ? EXIT.ok : EXIT.badInput);
    });
}

function refused(io: CliIo, sentence: string): void {
  io.error(`${sentence}\n`);
  io.exit(EXIT.badInput);
}
