import type { Command } from "commander";
import pico from "picocolors";
import { SOCKET_SITE, type SocketSite } from "../api/socket-site.ts";
import type { Cluster } from "../control/ports.ts";
import type { ShownStory } from "../core/explain/story.ts";
import { cleanText } from "../core/text.ts";
import { describeInstant } from "../core/time/format.ts";
import { parseInstant } from "../core/time/instant.ts";
import { zoneProblem } from "../core/time/zone.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { dataText, outputOption, type Format } from "./formats.ts";
import type { CliIo } from "./io.ts";
import { Refusal } from "./refusal.ts";
import { alignedTable } from "./table.ts";
import { withCluster } from "./with-cluster.ts";

interface StoriesOptions {
  readonly kubeconfig?: string;
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly history?: boolean;
  readonly output: Format;
}

/** `rollward stories -A | -n ACCOUNT`: pairs that cannot rely on their failover, the worst first, and what to do (rules S6, S7). */
export function registerStories(program: Command, io: CliIo): void {
  program
    .command("stories")
    .description("pairs left on two majors: how bad, what does not work, since when, and the remedy")
    .option("-A, --all-namespaces", "of every account")
    .option("-n, --namespace <name>", "of the account with this namespace")
    .option("--history", "those that are resolved too")
    .option("--kubeconfig <path>", "the kubeconfig to use (default: KUBECONFIG, then ~/.kube/config)")
    .addOption(outputOption())
    .action((options: StoriesOptions) =>
      withCluster(io, { ...options, namespace: options.namespace ?? "" }, (cluster) => stories(io, cluster, options)),
    );
}

/** One story with the site that it is of. */
interface Told {
  readonly site: string;
  readonly zone: string;
  readonly story: ShownStory;
}

async function stories(io: CliIo, cluster: Cluster, { namespace, allNamespaces, history, output }: StoriesOptions): Promise<ExitCode> {
  if ((namespace === undefined) === (allNamespaces !== true))
    throw new Refusal(EXIT.badInput, "name the account's namespace by -n, or write -A for every account; one of the two");
  const sites = await cluster.list<SocketSite>(SOCKET_SITE, namespace === undefined ? {} : { namespace });
  const open = sites.flatMap((site) => toldOf(site, site.status?.ha?.story)).toSorted(bySeverity);
  const resolved = history ? sites.flatMap((site) => toldOf(site, ...(site.status?.ha?.history ?? []))).toSorted(byEnd) : [];
  if (output === "json" || output === "yaml") io.out(dataText([...open, ...resolved].map(storyData), output));
  else io.out(storyText(io, open, resolved, history === true));
  return EXIT.ok;
}

const toldOf = ({ metadata, spec }: SocketSite, ...found: readonly (ShownStory | undefined)[]): Told[] =>
  found.flatMap((story) =>
    story === undefined ? [] : [{ site: `${metadata.namespace ?? ""}/${metadata.name}`, zone: spec.timeZone, story }],
  );

const SEVERITIES = ["Degraded", "AtRisk"] as const satisfies readonly ShownStory["severity"][];

/** The worst first, of equal ones the oldest, then by name. */
const bySeverity = (a: Told, b: Told): number =>
  SEVERITIES.indexOf(a.story.severity) - SEVERITIES.indexOf(b.story.severity) ||
  compare(a.story.openedAt, b.story.openedAt) ||
  compare(a.site, b.site);

const byEnd = (a: Told, b: Told): number => compare(b.story.resolvedAt ?? "", a.story.resolvedAt ?? "") || compare(a.site, b.site);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function storyText(io: CliIo, open: readonly Told[], resolved: readonly Told[], history: boolean): string {
  const bold = pico.createColors(io.isTerminal).bold;
  const headed = (table: string): string => table.replace(/^.*/, bold);
  const heading = ["SITE", "SEVERITY", "LOWER", "HIGHER", "MISSING MAJORS", "SINCE", "REMEDY"];
  const rows = open.map((told) => [...common(told), remedyText(told)]);
  const parts = [open.length === 0 ? "no story is open\n" : headed(alignedTable(heading, rows))];
  if (history) {
    const before = resolved.map((told) => [...common(told), moment(told.story.resolvedAt, told.zone)]);
    parts.push(
      resolved.length === 0 ? "none is resolved that is still kept\n" : headed(alignedTable([...heading.slice(0, -1), "RESOLVED"], before)),
    );
  }
  return parts.join("\n");
}

const common = ({ site, zone, story: { severity, lower, higher, missingMajors, openedAt } }: Told): string[] =>
  [
    site,
    severity,
    `${lower.serial} ${lower.version}`,
    `${higher.serial} ${higher.version}`,
    missingMajors.join(", ") || "-",
    moment(openedAt, zone),
  ].map((text) => cleanText(text, 256));

function remedyText({ zone, story: { remedy } }: Told): string {
  if (remedy === undefined) return "-";
  if (remedy.action === "AwaitFixedVersion") return "wait for a fixed version";
  const when = remedy.at === undefined ? "on request (rollward upgrade-now)" : moment(remedy.at, zone);
  return cleanText(`${remedy.serial} to ${remedy.version ?? "its partner's version"}, ${when}`, 256);
}

/** On the site's own clock, with its zone; a zone that cannot be read leaves UTC. */
function moment(text: string | undefined, zone: string): string {
  const instant = text === undefined ? undefined : parseInstant(text);
  if (text === undefined || instant === undefined) return text ?? "-";
  return zoneProblem(zone) === undefined ? describeInstant(instant, zone) : text;
}

/** What a script wants of a story; instants are UTC. */
function storyData({ site, zone, story }: Told) {
  const { resolvedAt, ...rest } = story;
  return {
    site,
    timeZone: zone,
    state: resolvedAt === undefined ? "Open" : "Resolved",
    ...rest,
    ...(resolvedAt === undefined ? {} : { resolvedAt }),
  };
}
