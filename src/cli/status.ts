import type { Command } from "commander";
import pico from "picocolors";
import type { PopCluster } from "../api/pop-cluster.ts";
import type { PopRollout } from "../api/pop-rollout.ts";
import { FLEET, POP_CLUSTER, POP_ROLLOUT } from "../api/resources.ts";
import { SOCKET_ROLLOUT, type SocketRollout } from "../api/socket-rollout.ts";
import { ApiError, type Cluster } from "../control/ports.ts";
import { nodesDone, popSummary } from "../core/explain/pop.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { dataText, outputOption, type Format } from "./formats.ts";
import type { CliIo } from "./io.ts";
import { approvalsIn, approvalTable, oneRollout, rolloutTable } from "./rollout-status.ts";
import { oneSite, oneSocketRollout, socketRolloutTable } from "./socket-status.ts";
import { alignedTable } from "./table.ts";
import { findTarget } from "./target.ts";
import { withCluster, withClusterOptions, type ClusterOptions } from "./with-cluster.ts";

interface StatusOptions extends ClusterOptions {
  readonly output: Format;
}

/** `rollward status [NAME]`: every rollout and PoP on one line; one PoP node by node, or one rollout PoP by PoP. */
export function registerStatus(program: Command, io: CliIo): void {
  withClusterOptions(
    program
      .command("status")
      .description("what every rollout and PoP does; with NAME, node by node or PoP by PoP")
      .argument("[name]", "a PoP, popro/NAME, sockro/NAME or site/NAMESPACE/NAME"),
  )
    .addOption(outputOption())
    .action((name: string | undefined, options: StatusOptions) =>
      withCluster(io, options, async (cluster) => {
        const { namespace, output } = options;
        if (name === undefined) {
          const [pops, rollouts, ofSockets] = await Promise.all([
            cluster.list(POP_CLUSTER, { namespace }),
            cluster.list(POP_ROLLOUT, { namespace }),
            cluster.list(SOCKET_ROLLOUT, { namespace }),
          ]);
          if (output === "table" || output === "wide")
            io.out(approvalTable(io, await approvalsIn(cluster, namespace), rollouts, output === "wide"));
          const shown = showAll(io, options, pops, { rollouts, ofSockets });
          const nothing = pops.length + rollouts.length + ofSockets.length === 0;
          return nothing && !(await hasFleet(cluster, namespace)) ? noFleet(io, namespace) : shown;
        }
        const target = await findTarget(cluster, name, namespace, ["PoPCluster", "PoPRollout", "SocketRollout", "SocketSite"]);
        if (target.kind === "PoPCluster") return showOne(io, options, target.object);
        if (target.kind === "PoPRollout") io.out(oneRollout(target.object, output));
        else if (target.kind === "SocketRollout") io.out(oneSocketRollout(target.object, output));
        else io.out(oneSite(target.object, output));
        return EXIT.ok;
      }),
    );
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
  { output, namespace }: StatusOptions,
  pops: readonly PopCluster[],
  { rollouts, ofSockets }: { readonly rollouts: readonly PopRollout[]; readonly ofSockets: readonly SocketRollout[] },
): ExitCode {
  const sorted = pops.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  if (output === "json" || output === "yaml") io.out(dataText(sorted.map(popData), output));
  else {
    io.out(rolloutTable(io, rollouts));
    io.out(socketRolloutTable(ofSockets));
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
