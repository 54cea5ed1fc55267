import { type Command, Option } from "commander";
import { ACCOUNT_LABEL } from "../api/names.ts";
import { versionProblem } from "../api/version.ts";
import { closest } from "../core/closest.ts";
import { durationProblem, parseDuration } from "../core/time/duration.ts";
import { parseLocalDate, DAY } from "../core/time/civil.ts";
import { parseInstant } from "../core/time/instant.ts";
import { zoneProblem } from "../core/time/zone.ts";
import { foresee, HORIZON, LONGEST } from "../simulation/foresight/foresee.ts";
import type { FleetForecast, ForesightInput } from "../simulation/foresight/types.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { dataText } from "./formats.ts";
import { inventoryOption, type OpenClients, withClients } from "./inventory-option.ts";
import type { CliIo } from "./io.ts";
import { allowed, NAMESPACE } from "./accounts.ts";
import { type ClientPlan, type PlannedNamespace, planClients } from "./plan/clients.ts";
import { clientPlanTable } from "./plan/clients-table.ts";
import { diffOf, type PlanDiff, diffSentences } from "./plan/diff.ts";
import { planPage } from "./plan/html.ts";
import { type ManifestObject, type Manifests, OF_ACCOUNTS, readManifests } from "./plan/manifests.ts";
import { withProgress } from "./plan/progress.ts";
import { planTable } from "./plan/table.ts";
import { type Assumed, changedBy, laidOver, NODES_ANNOTATION, NOTHING, readCluster, standingIn, worldOf } from "./plan/world.ts";
import { Refusal } from "./refusal.ts";
import { reporting, withCluster, withClusterOptions, type ClusterOptions } from "./with-cluster.ts";

interface PlanOptions extends ClusterOptions {
  readonly file?: readonly string[];
  readonly cluster?: boolean;
  readonly until?: string;
  readonly from?: string;
  readonly nodesPerPop: string;
  readonly running: string;
  readonly diff?: boolean;
  readonly inventory?: string;
  readonly whatIfPaused?: string;
  readonly zone: string;
  readonly output: "table" | "json" | "yaml" | "html";
}

const MOST_NODES = 1_000;

/** `rollward plan -f FILE…`: which PoP, which window, when, whether it fits, and what is in conflict (rule F7). Nothing is written. */
export function registerPlan(program: Command, io: CliIo, open: OpenClients): void {
  const collect = (path: string, paths: readonly string[] = []) => [...paths, path];
  withClusterOptions(
    program
      .command("plan")
      .description("what would happen, when, and to whom: by the operator's own decisions, before anything is applied"),
  )
    .option("-f, --file <path>", "manifests: several documents, several files; - is the standard input", collect)
    .option("--cluster", "begin with what the cluster has, the files laid over it; without -f the cluster alone")
    .option("--until <duration or date>", "how far to look, for example 840h or 2026-12-31 (default: 840h, and to the end of every train)")
    .option("--from <instant>", "look as if it were then (default: now)")
    .option("--nodes-per-pop <number>", `nodes of a PoP that neither the cluster nor its annotation ${NODES_ANNOTATION} tells`, "4")
    .option("--running <version>", "what PoPs run of which nobody tells it", "0.0.0")
    .option(
      "--diff",
      `how it differs from the plan that runs in the cluster (with --cluster); ends with ${EXIT.differs} if it fits and does`,
    )
    .addOption(inventoryOption())
    .option(
      "--what-if-paused <moment>",
      "Clients: what a pause then would leave, for example day6 (after its first stage opens), or an instant",
    )
    .option("--zone <zone>", "the zone of instants of Clients", "UTC")
    .addOption(new Option("-o, --output <format>", "how to print").choices(["table", "json", "yaml", "html"]).default("table"))
    .action(async (options: PlanOptions) => {
      if (!options.cluster) return reporting(io, () => plan({ cluster: NOTHING, namespaces: [], open }, options, io));
      return withCluster(io, options, async (cluster) => {
        const namespaces = await allowed(() => cluster.list(NAMESPACE, { labelSelector: ACCOUNT_LABEL }));
        return plan({ cluster: await readCluster(cluster, options.namespace), namespaces: namespaces ?? [], open }, options, io);
      });
    });
}

/** What stands, and where Clients are kept. */
interface Standing {
  readonly cluster: Manifests;
  readonly namespaces: readonly PlannedNamespace[];
  readonly open: OpenClients;
}

/** Kinds that a plan of Clients is made of; files of them alone ask for nothing of PoPs. */
const OF_CLIENTS: ReadonlySet<string> = new Set(["ClientRollout", "AccountPolicy"]);

async function plan(standing: Standing, options: PlanOptions, io: CliIo): Promise<ExitCode> {
  const { cluster } = standing;
  const { now, until, taken } = askedFor(options, io);
  const { namespace } = options;
  const files = await readFiles(options.file ?? [], cluster, namespace, io);
  refuseSlips(files, namespace);
  const { input, assumed } = worldOf(cluster, files, namespace, now, taken);
  const isOf = (clients: boolean): boolean => files.length === 0 || files.some(({ kind }) => OF_CLIENTS.has(kind) === clients);
  const clients = isOf(true)
    ? await ofClients(standing, files, { now, until, fleetPaused: input.fleet?.spec.paused === true }, options)
    : undefined;
  const pops = isOf(false) && input.rollouts.length > 0;
  if (!pops && clients === undefined)
    throw new Refusal(
      EXIT.badInput,
      `there is no PoPRollout${isOf(true) ? ", and no ClientRollout that is not over," : ""} to plan in namespace ${namespace}; give its manifest with -f`,
    );
  const code = pops ? planPops({ cluster, files, input, assumed, now, until, taken, clients }, options, io) : EXIT.ok;
  if (clients === undefined) return code;
  if (!pops) printClients(clients, options, io);
  return code === EXIT.ok && clients.rollouts.some(({ held }) => held !== undefined) ? EXIT.doesNotFit : code;
}

/** Undefined: there is no rollout of Clients to plan. */
async function ofClients(
  { cluster, namespaces, open }: Standing,
  files: readonly ManifestObject[],
  { now, until, fleetPaused }: { readonly now: number; readonly until: number | undefined; readonly fleetPaused: boolean },
  { namespace, inventory, whatIfPaused, zone }: PlanOptions,
): Promise<ClientPlan | undefined> {
  const problem = zoneProblem(zone);
  if (problem !== undefined) throw new Refusal(EXIT.badInput, `--zone: ${problem}`);
  const rollouts = laidOver(cluster.clientRollouts, "ClientRollout", files, namespace, now);
  if (!rollouts.some(({ status }) => status?.stopped === undefined && status?.standingSince === undefined)) return undefined;
  const policies = laidOver(cluster.policies, "AccountPolicy", files, namespace, now);
  const input = { rollouts, policies, namespaces, fleetNamespace: namespace, fleetPaused, now, until, pausedOn: whatIfPaused };
  return inventory === undefined ? planClients(input) : withClients(open, inventory, (clients) => planClients({ ...input, clients }));
}

interface PopPlan {
  readonly cluster: Manifests;
  readonly files: readonly ManifestObject[];
  readonly input: ForesightInput;
  readonly assumed: readonly string[];
  readonly now: number;
  readonly until: number | undefined;
  readonly taken: Assumed;
  readonly clients: ClientPlan | undefined;
}

function planPops({ cluster, files, input, assumed, now, until, taken, clients }: PopPlan, options: PlanOptions, io: CliIo): ExitCode {
  const { namespace } = options;
  const { forecast, diff } = withProgress(io, until ?? now + HORIZON, (onStep): { forecast: FleetForecast; diff?: PlanDiff } => {
    const look = (seen: ForesightInput): FleetForecast =>
      foresee({ ...seen, ...(until === undefined ? {} : { until }), ...(onStep ? { onStep } : {}) });
    const planned = look(input);
    if (!options.diff) return { forecast: planned };
    const running = look({ ...worldOf(cluster, [], namespace, now, taken).input, thorough: false });
    return { forecast: planned, diff: diffOf(running, planned, changedBy(files, cluster, namespace)) };
  });
  print(forecast, assumed, diff, clients, options, io);
  if (!forecast.fits) return isNotKnown(forecast) ? EXIT.notKnown : EXIT.doesNotFit;
  return diff === undefined || diff.same ? EXIT.ok : EXIT.differs;
}

/** A namespace that is nearly the fleet's: the object would be left out, and the plan would fit without it. */
function refuseSlips(files: readonly ManifestObject[], namespace: string): void {
  for (const { kind, metadata } of files) {
    const written = metadata.namespace ?? namespace;
    if (OF_ACCOUNTS.has(kind) || written === namespace || closest(written, [namespace]) === undefined) continue;
    throw new Refusal(
      EXIT.badInput,
      `${kind} ${metadata.name} is in namespace ${written}, and the plan is of namespace ${namespace}; write namespace: ${namespace}, or give -n ${written}`,
    );
  }
}

/** The look ended before everything was seen, and nothing that it saw does not fit, or is in conflict. */
const isNotKnown = ({ complete, rollouts, conflicts }: FleetForecast): boolean =>
  !complete && rollouts.every((plan) => plan.fits || !plan.complete) && conflicts.every(({ severity }) => severity === "Note");

/** What the command line says, read; refuses what cannot be meant. */
function askedFor(options: PlanOptions, io: CliIo): { readonly now: number; readonly until: number | undefined; readonly taken: Assumed } {
  const now = options.from === undefined ? io.now() : instantOf(options.from);
  const until = options.until === undefined ? undefined : untilOf(options.until, now);
  const nodesPerPop = countOf(options.nodesPerPop);
  const wrong = versionProblem(options.running);
  if (wrong !== undefined) throw new Refusal(EXIT.badInput, `--running: ${wrong}`);
  if (options.diff && !options.cluster)
    throw new Refusal(EXIT.badInput, "--diff compares with the plan that runs in a cluster; give --cluster too");
  if (options.file === undefined && !options.cluster)
    throw new Refusal(EXIT.badInput, "there is nothing to plan; give -f manifests.yaml, or --cluster");
  return { now, until, taken: { nodesPerPop, running: options.running } };
}

function print(
  forecast: FleetForecast,
  assumed: readonly string[],
  diff: PlanDiff | undefined,
  clients: ClientPlan | undefined,
  { output, zone }: PlanOptions,
  io: CliIo,
): void {
  const sentences = diff === undefined ? [] : diffSentences(diff);
  if (output === "json" || output === "yaml")
    io.out(dataText({ ...forecast, assumed, ...(diff ? { diff } : {}), ...(clients ? { clients } : {}) }, output));
  else if (output === "html") io.out(planPage(forecast, assumed, sentences));
  else
    io.out(
      [
        planTable(forecast, assumed),
        ...(diff === undefined ? [] : ["\n", ...sentences.map((one) => `${one}\n`)]),
        clients === undefined ? "" : clientPlanTable(clients, zone),
      ].join(""),
    );
}

function printClients(clients: ClientPlan, { output, zone, diff }: PlanOptions, io: CliIo): void {
  const only = "is of PoPs, and there is no PoPRollout here; write -o table, json or yaml, without --diff";
  if (output === "html") throw new Refusal(EXIT.badInput, `the page of -o html ${only}`);
  if (diff === true) throw new Refusal(EXIT.badInput, `--diff ${only}`);
  if (output === "table") io.out(`From ${clients.from} to ${clients.until}\n${clientPlanTable(clients, zone)}`);
  else io.out(dataText({ clients }, output));
}

async function readFiles(paths: readonly string[], cluster: Manifests, namespace: string, io: CliIo): Promise<readonly ManifestObject[]> {
  // Loaded where it is needed: whoever runs another command, or the operator, needs no evaluator of rules.
  const { admissionOver } = await import("./plan/admission/refusals.ts");
  const admission = admissionOver(standingIn(cluster, namespace));
  const read = await Promise.all(paths.map(async (path) => readManifests(path, await textOf(path, io), admission)));
  const problems = read.flatMap((file) => file.problems);
  if (problems.length > 0) throw new Refusal(EXIT.badInput, problems.join("\n"));
  const objects = read.flatMap((file) => file.objects);
  const seen = new Set<string>();
  for (const { kind, metadata } of objects) {
    const key = `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
    if (seen.has(key)) throw new Refusal(EXIT.badInput, `${kind} ${metadata.name} is given twice; give each object once`);
    seen.add(key);
  }
  return objects;
}

async function textOf(path: string, io: CliIo): Promise<string> {
  try {
    return await io.readFile(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Refusal(EXIT.badInput, `${path} cannot be read (${why}); name a file that holds manifests`);
  }
}

function instantOf(text: string): number {
  const found = parseInstant(text);
  if (found !== undefined) return found;
  throw new Refusal(
    EXIT.badInput,
    `--from is ${JSON.stringify(text)}, which is no instant; write date, time and offset, for example 2026-11-13T12:00Z`,
  );
}

/** A length of time, or the end of a date in UTC. */
function untilOf(text: string, now: number): number {
  const day = parseLocalDate(text);
  const length = parseDuration(text);
  const until = day !== undefined ? (day + 1) * DAY : length === undefined ? undefined : now + length;
  if (until === undefined) throw new Refusal(EXIT.badInput, `${durationProblem("--until", text)}; or a date, for example 2026-12-31`);
  if (until <= now) throw new Refusal(EXIT.badInput, `--until is ${text}, which is over; write a date to come, or a length such as 840h`);
  if (until > now + LONGEST) throw new Refusal(EXIT.badInput, `--until is ${text}, more than a year; write a nearer date`);
  return until;
}

function countOf(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= MOST_NODES) return count;
  throw new Refusal(EXIT.badInput, `--nodes-per-pop is ${JSON.stringify(text)}; write a whole number from 1 to ${MOST_NODES}`);
}
