import type { Command } from "commander";
import type { PopCluster } from "../api/pop-cluster.ts";
import { POP_CLUSTER, POP_ROLLOUT } from "../api/resources.ts";
import { SOCKET_ROLLOUT } from "../api/socket-rollout.ts";
import { isConflict, type Cluster, type JsonPatchOperation, type Kind } from "../control/ports.ts";
import { sayToClients } from "./client-words.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { CliIo } from "./io.ts";
import { Refusal } from "./refusal.ts";
import { rolloutRequest } from "./rollout-requests.ts";
import { socketRolloutRequest } from "./socket-requests.ts";
import { findTarget, parseTarget, type Target } from "./target.ts";
import { withCluster, withClusterOptions, type ClusterOptions } from "./with-cluster.ts";

type Verb = "stop" | "takeBack" | "retry";

interface RequestOptions extends ClusterOptions {
  readonly revision?: string;
  readonly reason?: string;
}

const COMMANDS: readonly { readonly name: string; readonly verb: Verb; readonly description: string; readonly revision: string }[] = [
  {
    name: "stop",
    verb: "stop",
    description: "no further node of a PoP, or no further PoP or site of a rollout, starts the version",
    revision: "only if this revision rolls",
  },
  {
    name: "take-back",
    verb: "takeBack",
    description: "rolls back what rolls or is watched, on one PoP or on all of a rollout",
    revision: "only if this revision rolls or is watched",
  },
  {
    name: "retry",
    verb: "retry",
    description: "tries a failed or stopped revision again; a rollout goes on where it halted",
    revision: "the revision (default: the one that the PoP should run)",
  },
];

/** How often a request is written again when somebody else wrote in between. */
const TRIES = 5;

/** `rollward stop|take-back|retry NAME`: a person's word to one PoP or rollout, carried out once (`spec.requests`). */
export function registerRequests(program: Command, io: CliIo): void {
  for (const { name, verb, description, revision } of COMMANDS) {
    withClusterOptions(
      program
        .command(name)
        .description(description)
        .argument("<kind/name>", "for example pop/fra1, popro/r-2026-11-2 or (stop) sockro/s-18-3-3, cliro/windows-5-12-3"),
    )
      .option("--revision <revision>", revision)
      .option("--reason <text>", "why, for everybody whom it holds (stop of a rollout of Clients)")
      .action((text: string, options: RequestOptions) => withCluster(io, options, (cluster) => say(io, cluster, text, verb, options)));
  }
}

/** A rollout of Clients is stopped by its own word, with a reason; whoever has a version keeps it. */
async function say(io: CliIo, cluster: Cluster, text: string, verb: Verb, options: RequestOptions): Promise<ExitCode> {
  const { kind, name } = parseTarget(text, [...REQUESTED, "ClientRollout"]);
  if (kind === "ClientRollout") {
    if (verb === "stop") return sayToClients(io, cluster, text, "stop", options);
    const instead =
      verb === "takeBack"
        ? "a Client is never taken back to an older version (rule V3); stop it, and write a ClientRollout that supersedes it"
        : "a device tries again at its next check-ins by itself; rollward resume lifts an automatic pause, a fixed version mends the rest";
    throw new Refusal(EXIT.nothingToActOn, `ClientRollout ${name}: ${instead}; nothing was written`);
  }
  if (options.reason !== undefined)
    throw new Refusal(EXIT.badInput, `a ${kind} keeps no reason; leave --reason out, or write it into an annotation`);
  return request(io, cluster, text, verb, options);
}

const REQUESTED = ["PoPCluster", "PoPRollout", "SocketRollout"] as const;

async function request(io: CliIo, cluster: Cluster, text: string, verb: Verb, options: RequestOptions): Promise<ExitCode> {
  for (let tries = 1; ; tries += 1) {
    const target = await findTarget(cluster, text, options.namespace, REQUESTED);
    const { name } = target.object.metadata;
    const act = whatItDoes(target, verb, options.revision);
    try {
      await cluster.patch(RESOURCES[target.kind], name, options.namespace, requestPatch(target.object, verb, act.revision, io.now()));
      io.out(`${target.kind} ${name}: ${act.sentence}; rollward explain ${SHORT[target.kind]}/${name} says what comes of it\n`);
      return EXIT.ok;
    } catch (error) {
      // The operator writes the status all the time; what was checked above has to be checked again on what stands there now.
      if (!isConflict(error) || tries === TRIES) throw error;
    }
  }
}

type Requested = Extract<Target, { kind: "PoPCluster" | "PoPRollout" | "SocketRollout" }>;
const RESOURCES: Readonly<Record<Requested["kind"], Kind>> = {
  PoPCluster: POP_CLUSTER,
  PoPRollout: POP_ROLLOUT,
  SocketRollout: SOCKET_ROLLOUT,
};
const SHORT = { PoPCluster: "pop", PoPRollout: "popro", SocketRollout: "sockro" } as const;

function requestPatch(object: Requested["object"], verb: Verb, revision: string | undefined, now: number): JsonPatchOperation[] {
  const value = { ...(revision === undefined ? {} : { revision }), at: new Date(now).toISOString() };
  return [
    { op: "test", path: "/metadata/uid", value: object.metadata.uid },
    { op: "test", path: "/metadata/resourceVersion", value: object.metadata.resourceVersion },
    object.spec.requests === undefined
      ? { op: "add", path: "/spec/requests", value: { [verb]: value } }
      : { op: "add", path: `/spec/requests/${verb}`, value },
  ];
}

interface Act {
  /** The revision that is named in the request: what the person saw is what is meant, also if it changes before it is read. */
  readonly revision?: string;
  readonly sentence: string;
}

/** What the request would do, or a refusal when there is nothing to act on. */
function whatItDoes(target: Requested, verb: Verb, revision: string | undefined): Act {
  const subject = `${target.kind} ${target.object.metadata.name}`;
  const refuse = (why: string): never => {
    throw new Refusal(EXIT.nothingToActOn, `${subject}: ${why}; nothing was written`);
  };
  if (target.kind === "PoPCluster") return { stop: stopRoll, takeBack, retry }[verb](target.object, revision, refuse);
  if (revision !== undefined) throw new Refusal(EXIT.badInput, "a rollout has one version; leave --revision out");
  if (target.kind === "SocketRollout") return { sentence: socketRolloutRequest(target.object, verb, refuse) };
  return { sentence: rolloutRequest(target.object, verb, refuse) };
}

type Refuse = (why: string) => never;

function stopRoll({ status }: PopCluster, revision: string | undefined, refuse: Refuse): Act {
  const run = status?.run;
  if (run === undefined || run.state !== "Rolling" || run.kind === "Rollback")
    return refuse("no roll is under way, so there is nothing to stop");
  if (run.ending === "Stopped") return refuse(`the roll to ${run.version} is stopped already`);
  if (revision !== undefined && revision !== run.revision)
    return refuse(`revision ${revision} does not roll, ${run.revision} does (${run.version})`);
  return { revision: run.revision, sentence: `the roll to ${run.version} is asked to stop` };
}

function takeBack({ status }: PopCluster, revision: string | undefined, refuse: Refuse): Act {
  const run = status?.run;
  if (run?.kind === "Rollback") return refuse(`it is rolling back to ${run.version} already`);
  if (run === undefined || run.state === "Preflight")
    return refuse("no version is being rolled or watched, so there is nothing to take back");
  if (run.back === undefined) return refuse(`${run.version} is its first version, there is none to go back to`);
  if (revision !== undefined && revision !== run.revision)
    return refuse(`revision ${revision} is neither rolled nor watched, ${run.revision} is (${run.version})`);
  return { revision: run.revision, sentence: `${run.version} is asked to be taken back to revision ${run.back}` };
}

function retry({ status }: PopCluster, revision: string | undefined, refuse: Refuse): Act {
  const { run, revisions, nodes = [] } = status ?? {};
  const failed = revisions?.failed ?? [];
  const named = revision ?? revisions?.wanted;
  const known = failed.some((one) => one.revision === named) || (run?.ending !== undefined && run.revision === named);
  const left = nodes.some((node) => node.skipped === "Gone" || node.step === "Failed");
  if (!known && !left) {
    const others =
      failed.length === 0
        ? ""
        : `; these failed: ${failed.map((one) => `${one.revision} (${one.version})`).join(", ")}, name one by --revision`;
    return refuse(
      named === undefined ? `it has no revision to retry${others}` : `revision ${named} neither failed nor was stopped here${others}`,
    );
  }
  return {
    ...(named === undefined ? {} : { revision: named }),
    sentence: `revision ${named ?? "(the one it should run)"} is asked to be tried again`,
  };
}
