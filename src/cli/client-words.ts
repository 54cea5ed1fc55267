import { CLIENT_ROLLOUT, type ClientRollout } from "../api/client-rollout.ts";
import { isConflict, type Cluster, type JsonPatchOperation } from "../control/ports.ts";
import { formatInstant, parseInstant } from "../core/time/instant.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { CliIo } from "./io.ts";
import { Refusal } from "./refusal.ts";
import { findTarget } from "./target.ts";

export type ClientVerb = "pause" | "resume" | "stop";

/** How often a word is written again when somebody else wrote in between. */
const TRIES = 5;
const LONGEST_REASON = 1024;

/** `rollward pause|resume|stop clientrollout/NAME`: the provider's word on one version of the Clients (rule C5). */
export async function sayToClients(
  io: CliIo,
  cluster: Cluster,
  text: string,
  verb: ClientVerb,
  { namespace, reason }: { readonly namespace: string; readonly reason?: string },
): Promise<ExitCode> {
  for (let tries = 1; ; tries += 1) {
    const { object } = await findTarget(cluster, text, namespace, ["ClientRollout"]);
    const { name, uid, resourceVersion } = object.metadata;
    const said = { pause, resume, stop }[verb](object, reasonOf(verb, reason), io.now());
    if ("nothing" in said) {
      io.out(`ClientRollout ${name} ${said.nothing}; nothing was written\n`);
      return EXIT.ok;
    }
    try {
      await cluster.patch(CLIENT_ROLLOUT, name, namespace, [
        // Another object of the same name is another thing (rule G6); a word that was said meanwhile has to be seen first.
        { op: "test", path: "/metadata/uid", value: uid },
        { op: "test", path: "/metadata/resourceVersion", value: resourceVersion },
        ...said.patch,
      ]);
      io.out(`ClientRollout ${name} ${said.sentence}\n`);
      return EXIT.ok;
    } catch (error) {
      if (!isConflict(error) || tries === TRIES) throw error;
    }
  }
}

/** Shown to everybody whom it holds, so a brake without one is refused, by the API server too. */
export function reasonOf(verb: string, reason: string | undefined): string {
  const text = reason?.trim() ?? "";
  if (text === "" && verb !== "resume")
    throw new Refusal(EXIT.badInput, `say why by --reason "…": it is shown to everybody whom the ${verb} holds`);
  if (text.length > LONGEST_REASON)
    throw new Refusal(EXIT.badInput, `--reason has ${text.length} characters; write at most ${LONGEST_REASON}`);
  return text;
}

type Said = { readonly patch: readonly JsonPatchOperation[]; readonly sentence: string } | { readonly nothing: string };

const set = (path: string, value: unknown): JsonPatchOperation => ({ op: "add", path, value });

function refuse({ metadata }: ClientRollout, why: string): never {
  throw new Refusal(EXIT.nothingToActOn, `ClientRollout ${metadata.name}: ${why}; nothing was written`);
}

/** A rollout that offers nothing any more takes no word; what the next one is, is said. */
function refuseOver(rollout: ClientRollout): void {
  const { spec, status } = rollout;
  if (status?.stopped?.by === "Superseded") refuse(rollout, `it offers nothing any more: ${status.stopped.message}; speak to that one`);
  if (spec.requested === "Stopped")
    refuse(rollout, `it was stopped, which is for ever: ${spec.reason ?? ""}; write a ClientRollout that supersedes it`);
}

function pause(rollout: ClientRollout, reason: string): Said {
  refuseOver(rollout);
  const { requested, reason: before } = rollout.spec;
  if (requested === "Paused" && before === reason) return { nothing: "is paused already" };
  return {
    patch: [set("/spec/requested", "Paused"), set("/spec/reason", reason)],
    sentence:
      "is paused: nothing of it is offered any more, installations in hand finish. Effective says Paused once every gateway confirmed it",
  };
}

/** Lifts the provider's pause and an automatic one, each where there is one. Accounts' own pauses are theirs. */
function resume(rollout: ClientRollout, reason: string, now: number): Said {
  refuseOver(rollout);
  if (reason !== "") throw new Refusal(EXIT.badInput, "what goes on needs no reason; leave --reason out");
  const { spec, status } = rollout;
  const byItself = status?.monitoring?.paused;
  const requested = parseInstant(spec.requests?.resume?.at ?? "");
  const asked = requested !== undefined && formatInstant(requested) !== status?.handled?.resume;
  const patch: JsonPatchOperation[] = [];
  const lifted: string[] = [];
  if (spec.requested === "Paused") {
    patch.push(set("/spec/requested", "Run"));
    // The reason of a pause that is over would be taken for one of the next.
    if (spec.reason !== undefined) patch.push({ op: "remove", path: "/spec/reason" });
    lifted.push("the provider's pause");
  }
  if (byItself !== undefined && !asked) {
    const value = { at: new Date(now).toISOString() };
    patch.push(spec.requests === undefined ? set("/spec/requests", { resume: value }) : set("/spec/requests/resume", value));
    lifted.push(`its automatic pause (${byItself.message}); what failed until now counts as judged`);
  }
  if (lifted.length > 0) return { patch, sentence: `is resumed: lifted ${lifted.join(", and ")}` };
  if (byItself !== undefined) return { nothing: "was asked to go on already, and no operator has looked at it since" };
  const fleet = status?.reasons?.some(({ by }) => by === "Fleet") === true;
  return { nothing: fleet ? "is held by the Fleet's pause alone: rollward resume fleet" : "is not paused" };
}

function stop(rollout: ClientRollout, reason: string): Said {
  const { spec, status } = rollout;
  if (status?.stopped !== undefined) refuse(rollout, `it was stopped already: ${status.stopped.message}`);
  refuseOver(rollout);
  return {
    patch: [set("/spec/requested", "Stopped"), set("/spec/reason", reason)],
    sentence: `is stopped for ever: ${spec.version} is offered to nobody any more, who has it keeps it. Mend it by a ClientRollout with supersedes: {name: ${rollout.metadata.name}}`,
  };
}
