import type { Command } from "commander";
import { FLEET, POP_CLUSTER, POP_ROLLOUT } from "../api/resources.ts";
import { SOCKET_ROLLOUT } from "../api/socket-rollout.ts";
import type { Cluster, JsonPatchOperation, Kind } from "../control/ports.ts";
import { type AccountPauseOptions, pauseAccount } from "./account-pause.ts";
import { sayToClients } from "./client-words.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { CliIo } from "./io.ts";
import { Refusal } from "./refusal.ts";
import { findTarget, parseTarget } from "./target.ts";
import { withCluster, withClusterOptions, type ClusterOptions } from "./with-cluster.ts";

interface PauseOptions extends ClusterOptions, AccountPauseOptions {}

const RESOURCES: Readonly<Record<"Fleet" | "PoPCluster" | "PoPRollout" | "SocketRollout", Kind>> = {
  Fleet: FLEET,
  PoPCluster: POP_CLUSTER,
  PoPRollout: POP_ROLLOUT,
  SocketRollout: SOCKET_ROLLOUT,
};

/** Beside kinds: the Clients of an account, whose pause stands in its AccountPolicy. */
const CLIENTS = "clients";

/** `rollward pause|resume KIND/NAME`: a person's brake on one PoP, one rollout or the whole fleet (rule G13), or on an account's Clients. */
export function registerPause(program: Command, io: CliIo): void {
  const target =
    "a PoP (pop/fra1), a rollout (popro/r-2026-11-2, sockro/s-18-3-3, cliro/windows-5-12-3), the fleet (fleet), or clients with --account and --os";
  const told = (command: Command): Command =>
    withClusterOptions(command.argument("<kind/name>", target))
      .option("--reason <text>", "why, for others to read (fleet, clients and rollouts of Clients)")
      .option("--account <name>", "clients: whose")
      .option("--os <system>", "clients: windows, macos or linux");
  told(program.command("pause").description("nothing new starts until resumed; what is in hand finishes or is given back"))
    .option("--version <version>", "clients: the version that is paused")
    .option("--until <instant>", "clients: when the pause ends by itself")
    .action((text: string, options: PauseOptions) => withCluster(io, options, (cluster) => say(io, cluster, text, "pause", options)));
  told(program.command("resume").description("lifts a pause")).action((text: string, options: PauseOptions) =>
    withCluster(io, options, (cluster) => say(io, cluster, text, "resume", options)),
  );
}

async function say(io: CliIo, cluster: Cluster, text: string, verb: "pause" | "resume", options: PauseOptions): Promise<ExitCode> {
  if (text.toLowerCase() === CLIENTS) return pauseAccount(io, cluster, verb, options);
  for (const name of ["account", "os", "version", "until"] as const) {
    if (options[name] !== undefined)
      throw new Refusal(EXIT.badInput, `--${name} is for the Clients of an account; write rollward ${verb} ${CLIENTS} …, or leave it out`);
  }
  const { kind } = parseTarget(text, PAUSED);
  if (kind === "ClientRollout") return sayToClients(io, cluster, text, verb, options);
  return setPaused(io, cluster, text, verb === "pause", options);
}

const PAUSED = ["PoPCluster", "PoPRollout", "SocketRollout", "ClientRollout", "Fleet"] as const;

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
