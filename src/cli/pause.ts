import type { Command } from "commander";
import { FLEET, POP_CLUSTER, POP_ROLLOUT } from "../api/resources.ts";
import { SOCKET_ROLLOUT } from "../api/socket-rollout.ts";
import type { Cluster, JsonPatchOperation, Kind } from "../control/ports.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { CliIo } from "./io.ts";
import { Refusal } from "./refusal.ts";
import { findTarget } from "./target.ts";
import { withCluster, withClusterOptions, type ClusterOptions } from "./with-cluster.ts";

interface PauseOptions extends ClusterOptions {
  readonly reason?: string;
}

const RESOURCES: Readonly<Record<"Fleet" | "PoPCluster" | "PoPRollout" | "SocketRollout", Kind>> = {
  Fleet: FLEET,
  PoPCluster: POP_CLUSTER,
  PoPRollout: POP_ROLLOUT,
  SocketRollout: SOCKET_ROLLOUT,
};

/** `rollward pause|resume KIND/NAME`: a person's brake on one PoP, one rollout or the whole fleet (rule G13). */
export function registerPause(program: Command, io: CliIo): void {
  const target = "a PoP (pop/fra1), a rollout (popro/r-2026-11-2, sockro/s-18-3-3) or the fleet (fleet)";
  withClusterOptions(
    program
      .command("pause")
      .description("nothing new starts until resumed; what is in hand finishes or is given back")
      .argument("<kind/name>", target),
  )
    .option("--reason <text>", "why, for others to read (fleet only)")
    .action((text: string, options: PauseOptions) => withCluster(io, options, (cluster) => setPaused(io, cluster, text, true, options)));
  withClusterOptions(program.command("resume").description("lifts a pause").argument("<kind/name>", target)).action(
    (text: string, options: PauseOptions) => withCluster(io, options, (cluster) => setPaused(io, cluster, text, false, options)),
  );
}

async function setPaused(
  io: CliIo,
  cluster: Cluster,
  text: string,
  paused: boolean,
  { namespace, reason }: PauseOptions,
): Promise<ExitCode> {
  const { kind, object } = await findTarget(cluster, text, namespace, ["PoPCluster", "PoPRollout", "SocketRollout", "Fleet"]);
  if (reason !== undefined && kind !== "Fleet")
    throw new Refusal(EXIT.badInput, `a ${kind} keeps no reason of its pause; leave --reason out, or write it into an annotation`);
  const subject = `${kind} ${object.metadata.name}`;
  const oldReason = kind === "Fleet" && "reason" in object.spec ? object.spec.reason : undefined;
  if (object.spec.paused === paused && (reason === undefined || reason === oldReason)) {
    io.out(`${subject} is ${paused ? "paused" : "not paused"} already; nothing was written\n`);
    return EXIT.ok;
  }
  const patch: JsonPatchOperation[] = [
    // Another object of the same name is another thing (rule G6).
    { op: "test", path: "/metadata/uid", value: object.metadata.uid },
    { op: "add", path: "/spec/paused", value: paused },
    ...(reason === undefined ? [] : [{ op: "add", path: "/spec/reason", value: reason } as const]),
    // The reason of a pause that is over would be taken for one of the next.
    ...(paused || oldReason === undefined ? [] : [{ op: "remove", path: "/spec/reason" } as const]),
  ];
  await cluster.patch(RESOURCES[kind], object.metadata.name, namespace, patch);
  io.out(
    paused
      ? `${subject} is paused: nothing new starts; ${kind === "SocketRollout" ? "a site in hand is finished, both Sockets of a pair" : "a node that only drains is given back, one whose change was made finishes"}. It counts once the condition Paused is True\n`
      : `${subject} is resumed\n`,
  );
  return EXIT.ok;
}
