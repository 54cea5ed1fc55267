import type { Command } from "commander";
import pico from "picocolors";
import { ACCOUNT_POLICY, type AccountPolicy } from "../api/account-policy.ts";
import { CLIENT_ROLLOUT, type ClientRollout } from "../api/client-rollout.ts";
import type { PopCluster } from "../api/pop-cluster.ts";
import type { PopRollout } from "../api/pop-rollout.ts";
import { FLEET, POP_CLUSTER, POP_ROLLOUT } from "../api/resources.ts";
import { SOCKET_ROLLOUT, type SocketRollout } from "../api/socket-rollout.ts";
import { ApiError, type Cluster } from "../control/ports.ts";
import { nodesDone, popSummary } from "../core/explain/pop.ts";
import { closest } from "../core/closest.ts";
import { zoneProblem } from "../core/time/zone.ts";
import { allowed, policyOf } from "./accounts.ts";
import { accountClients, clientRolloutTable, oneClientRollout } from "./client-status.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { dataText, outputOption, type Format } from "./formats.ts";
import type { CliIo } from "./io.ts";
import { approvalsIn, approvalTable, oneRollout, rolloutTable } from "./rollout-status.ts";
import { oneSite, oneSocketRollout, socketRolloutTable } from "./socket-status.ts";
import { alignedTable } from "./table.ts";
import { Refusal } from "./refusal.ts";
import { findTarget, parseTarget } from "./target.ts";
import { withCluster, withClusterOptions, type ClusterOptions } from "./with-cluster.ts";

interface StatusOptions extends ClusterOptions {
  readonly output: Format;
  readonly account?: string;
  readonly zone: string;
}

/** `rollward status [NAME]`: every rollout and PoP on one line; one PoP node by node, or one rollout PoP by PoP. */
export function registerStatus(program: Command, io: CliIo): void {
  withClusterOptions(
    program
      .command("status")
      .description("what every rollout and PoP does; with NAME, node by node or PoP by PoP")
      .argument("[name]", "a PoP, popro/NAME, sockro/NAME, cliro/NAME or site/NAMESPACE/NAME"),
  )
    .option("--account <name>", "of Clients what this account sees of them, from its own namespace alone")
    .option("--zone <zone>", "the zone of instants of Clients", "UTC")
    .addOption(outputOption())
    .action((name: string | undefined, options: StatusOptions) =>
      withCluster(io, options, async (cluster) => {
        const { namespace, output, account, zone } = options;
        const problem = zoneProblem(zone);
        if (problem !== undefined) throw new Refusal(EXIT.badInput, `--zone: ${problem}`);
        if (account !== undefined) return showAccount(io, cluster, account, name, options);
        if (name === undefined) {
          const [pops, rollouts, ofSockets, ofClients] = await Promise.all([
            cluster.list(POP_CLUSTER, { namespace }),
            cluster.list(POP_ROLLOUT, { namespace }),
            cluster.list(SOCKET_ROLLOUT, { namespace }),
            cluster.list(CLIENT_ROLLOUT, { namespace }),
          ]);
          if (output === "table" || output === "wide")
            io.out(approvalTable(io, await approvalsIn(cluster, namespace), [...rollouts, ...ofClients], output === "wide"));
          const shown = showAll(io, options, pops, { rollouts, ofSockets, ofClients });
          const nothing = pops.length + rollouts.length + ofSockets.length + ofClients.length === 0;
          return nothing && !(await hasFleet(cluster, namespace)) ? noFleet(io, namespace) : shown;
        }
        const target = await findTarget(cluster, name, namespace, [
          "PoPCluster",
          "PoPRollout",
          "SocketRollout",
          "ClientRollout",
          "SocketSite",
        ]);
        if (target.kind === "PoPCluster") return showOne(io, options, target.object);
        if (target.kind === "PoPRollout") io.out(oneRollout(target.object, output));
        else if (target.kind === "SocketRollout") io.out(oneSocketRollout(target.object, output));
        else if (target.kind === "ClientRollout") {
          const policies = await allowed(() => cluster.list<AccountPolicy>(ACCOUNT_POLICY));
          io.out(oneClientRollout(target.object, policies, { output, zone }));
        } else io.out(oneSite(target.object, output));
        return EXIT.ok;
      }),
    );
}

/** What an account sees of its Clients, of one rollout or of all: nothing but its own namespace is read (rule I15). */
async function showAccount(
  io: CliIo,
  cluster: Cluster,
  account: string,
  text: string | undefined,
  { output, zone }: StatusOptions,
): Promise<ExitCode> {
  const rollout = text === undefined ? undefined : parseTarget(text.includes("/") ? text : `cliro/${text}`, ["ClientRollout"]).name;
  const policy = await policyOf(cluster, account);
  const shown = accountClients(policy, rollout, { output, zone });
  if (shown !== undefined) {
    io.out(shown);
    return EXIT.ok;
  }
  const known = (policy.status?.clients ?? []).map((one) => one.rollout);
  const meant = rollout === undefined ? undefined : closest(rollout, known);
  const has = known.length === 0 ? "no version of its Clients is on its way to it" : `it has ${known.join(", ")}`;
  const what = rollout === undefined ? "" : `knows no ClientRollout ${rollout}; `;
  throw new Refusal(EXIT.nothingToActOn, `account ${account} ${what}${meant === undefined ? has : `did you mean ${meant}?`}`.trim());
}

/** Whether the namespace is that of a fleet; true too for whoever may not read its Fleet. */
async function hasFleet(cluster: Cluster, namespace: string): Promise<boolean> {
  try {
    return (await cluster.get(FLEET, "fleet", namespace)) !== undefined;
  } catch (error) {
    if (error instanceof ApiError && error.code === 403) return true;
    throw error;
  }
}

/** A name that was mistyped would else pass for a fleet that is at rest. */
function noFleet(io: CliIo, namespace: string): ExitCode {
  io.error(`there is no Fleet object in namespace ${namespace} either; write the fleet namespace with -n\n`);
  return EXIT.nothingToActOn;
}

function showAll(
  io: CliIo,
  { output, namespace, zone }: StatusOptions,
  pops: readonly PopCluster[],
  {
    rollouts,
    ofSockets,
    ofClients,
  }: {
    readonly rollouts: readonly PopRollout[];
    readonly ofSockets: readonly SocketRollout[];
    readonly ofClients: readonly ClientRollout[];
  },
): ExitCode {
  const sorted = pops.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  if (output === "json" || output === "yaml") io.out(dataText(sorted.map(popData), output));
  else {
    io.out(rolloutTable(io, rollouts));
    io.out(socketRolloutTable(ofSockets));
    io.out(clientRolloutTable(ofClients, zone));
    if (sorted.length === 0) io.error(`there is no PoPCluster in namespace ${namespace}\n`);
    else io.out(popTable(io, sorted, output === "wide"));
  }
  return EXIT.ok;
}

function popTable(io: CliIo, pops: readonly PopCluster[], wide: boolean): string {
  const heading = ["NAME", "STATE", "VERSION", "TARGET", "NODES", "WAITS FOR", "UNTIL", ...(wide ? ["REGION", "NEXT WINDOW", "WHY"] : [])];
  const rows = pops.map((pop) => {
    const { state, version, target, nodes, holds, region, next } = popData(pop);
    const [hold] = holds;
    return [
      pop.metadata.name,
      state,
      version ?? "-",
      target ?? "-",
      `${nodes.done}/${nodes.total}`,
      hold?.reason ?? "-",
      hold?.until ?? "-",
      ...(wide ? [region ?? "-", next ?? "-", hold?.message ?? "-"] : []),
    ];
  });
  const [top, ...lines] = alignedTable(heading, rows).trimEnd().split("\n");
  const colours = pico.createColors(io.isTerminal);
  const painted = lines.map((line, index) => (readyOf(pops[index]!)?.status === "False" ? colours.red(line) : line));
  return `${[colours.bold(top), ...painted].join("\n")}\n`;
}

function showOne(io: CliIo, { output }: StatusOptions, pop: PopCluster): ExitCode {
  const { run, revisions, nodes = [] } = pop.status ?? {};
  if (output === "json" || output === "yaml") {
    io.out(
      dataText(
        {
          ...popData(pop),
          run: run && { id: run.id, kind: run.kind, state: run.state, version: run.version, startedAt: run.startedAt },
          nodes,
        },
        output,
      ),
    );
    return EXIT.ok;
  }
  const heading = ["NODE", "STEP", "REVISION", "SINCE", "SESSIONS", "RECONNECT", "NOTE"];
  const rows = nodes.map(({ name, step, revision, since, sessions, reconnectSeconds, skipped, message }) => [
    name,
    step,
    revision ?? "-",
    since,
    sessions === undefined ? "-" : String(sessions),
    reconnectSeconds === undefined ? "-" : `${reconnectSeconds} s`,
    [skipped, message].filter((one) => one !== undefined).join(": ") || "-",
  ]);
  const current = revisions?.current === undefined ? "" : `, revision ${revisions.current}`;
  io.out(`${pop.metadata.name} ${pop.status === undefined ? "has no status yet" : popSummary(pop.status)}${current}\n`);
  io.out(rows.length === 0 ? "no nodes are known yet\n" : alignedTable(heading, rows));
  return EXIT.ok;
}

const readyOf = (pop: PopCluster) => pop.status?.conditions?.find((condition) => condition.type === "Ready");

/** What a script wants of a PoP; instants are UTC or carry their offset. */
function popData(pop: PopCluster) {
  const { status = {}, spec, metadata } = pop;
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    state: readyOf(pop)?.reason ?? "Unknown",
    ready: readyOf(pop)?.status ?? "Unknown",
    version: status.version,
    target: status.run?.version,
    nodes: nodesDone(status),
    paused: spec.paused,
    region: spec.region,
    next: status.next?.[0]?.localStart,
    holds: status.holds ?? [],
  };
}
