import { createHash } from "node:crypto";
import type { Command } from "commander";
import { Option } from "commander";
import { APPROVAL_ACTIONS, type Approval } from "../api/approval.ts";
import { API_VERSION } from "../api/common.ts";
import type { ClientRollout } from "../api/client-rollout.ts";
import type { PopRollout } from "../api/pop-rollout.ts";
import type { Fleet } from "../api/fleet.ts";
import type { MaintenanceWindow } from "../api/maintenance-window.ts";
import { APPROVAL, FLEET, MAINTENANCE_WINDOW } from "../api/resources.ts";
import { ApiError, type Cluster, type Draft, type Kind, type KubernetesObject } from "../control/ports.ts";
import { closest } from "../core/closest.ts";
import { durationProblem, parseDuration } from "../core/time/duration.ts";
import { clientsWaiting } from "./approve-clients.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { CliIo } from "./io.ts";
import { Refusal } from "./refusal.ts";
import { findTarget } from "./target.ts";
import { withCluster, withClusterOptions, type ClusterOptions } from "./with-cluster.ts";

type Action = (typeof APPROVAL_ACTIONS)[number];

export interface ApproveOptions extends ClusterOptions {
  readonly reason: string;
  readonly refuse?: boolean;
  readonly action?: Action;
  readonly freeze: readonly string[];
  readonly digest?: string;
  readonly stage?: string;
  readonly wave?: string;
  readonly for: string;
}

/** Who the API server takes us for; an Approval bears exactly this name. */
const SELF_SUBJECT_REVIEW: Kind<KubernetesObject & { readonly status?: { readonly userInfo?: { readonly username?: string } } }> = {
  apiVersion: "authentication.k8s.io/v1",
  kind: "SelfSubjectReview",
  plural: "selfsubjectreviews",
  namespaced: false,
};

/** `rollward approve popro/NAME --reason …`: writes the Approval of what waits now, bound to its digest (rule F8). */
export function registerApprove(program: Command, io: CliIo): void {
  withClusterOptions(
    program
      .command("approve")
      .description("decides on what waits for a person: writes an Approval bound to it")
      .argument("<kind/name>", "for example popro/r-2026-11-2 or cliro/windows-5-12-3"),
  )
    .requiredOption("--reason <text>", "why; it is kept")
    .option("--refuse", "refuse instead of approve")
    .addOption(new Option("--action <action>", "what is decided on (default: what the rollout waits for)").choices(APPROVAL_ACTIONS))
    .option(
      "--freeze <name>",
      "a freeze that is lifted for it (repeatable)",
      (name: string, before: readonly string[]) => [...before, name],
      [],
    )
    .option("--stage <name>", "the stage whose evidence is waived (default: the first that is not passed)")
    .option("--wave <name>", "the wave that may open (default: the next one)")
    .option("--digest <digest>", "refuse to write unless exactly this waits, for example the digest of a plan")
    .option("--for <duration>", "how long it may be used", "24h")
    .action((text: string, options: ApproveOptions) => withCluster(io, options, (cluster) => approve(io, cluster, text, options)));
}

async function approve(io: CliIo, cluster: Cluster, text: string, options: ApproveOptions): Promise<ExitCode> {
  const { kind, object: rollout } = await findTarget(cluster, text, options.namespace, ["PoPRollout", "ClientRollout"]);
  const open = parseDuration(options.for);
  if (open === undefined) throw new Refusal(EXIT.badInput, durationProblem("--for", options.for) ?? `--for ${options.for} is no duration`);
  const waits = kind === "ClientRollout" ? clientsWaiting(rollout, options) : whatWaits(rollout, options);
  const unknown = options.freeze.length > 0 ? await unknownFreezes(cluster, options) : undefined;
  if (unknown !== undefined) throw new Refusal(EXIT.nothingToActOn, `${kind} ${rollout.metadata.name}: ${unknown}; nothing was written`);
  const review = await cluster.create(SELF_SUBJECT_REVIEW, {
    apiVersion: "authentication.k8s.io/v1",
    kind: "SelfSubjectReview",
    metadata: {},
  });
  const approvedBy = review.status?.userInfo?.username;
  if (!approvedBy)
    throw new Refusal(EXIT.failed, "the API server did not say who you are (SelfSubjectReview), so no Approval can bear your name");
  if (kind === "PoPRollout" && approvedBy === rollout.spec.requestedBy)
    throw new Refusal(EXIT.nothingToActOn, `${approvedBy} asked for PoPRollout ${rollout.metadata.name}; somebody else has to decide`);
  const draft = approvalDraft(rollout, waits, approvedBy, new Date(io.now() + open).toISOString(), options);
  const written = await cluster.create<Approval>(APPROVAL, draft);
  io.out(
    `Approval ${written.metadata.name}: ${approvedBy} ${options.refuse ? "refuses" : "approves"} ${waits.actions.join(", ")} of ${waits.subject}\n${waits.shown === undefined ? "" : `${waits.shown}\n`}`,
  );
  return EXIT.ok;
}

/** Why a freeze that is named is none of the Fleet and of the windows; what a person may not read is not asked. */
async function unknownFreezes(cluster: Cluster, { freeze, namespace }: ApproveOptions): Promise<string | undefined> {
  const read = async (): Promise<readonly { readonly name: string }[] | undefined> => {
    try {
      const [fleet, windows] = await Promise.all([
        cluster.get<Fleet>(FLEET, "fleet", namespace),
        cluster.list<MaintenanceWindow>(MAINTENANCE_WINDOW, { namespace }),
      ]);
      return [...(fleet?.spec.freezes ?? []), ...windows.flatMap(({ spec }) => spec.freezes ?? [])];
    } catch (error) {
      if (error instanceof ApiError && error.code === 403) return undefined;
      throw error;
    }
  };
  const found = await read();
  const names = found && [...new Set(found.map(({ name }) => name))].toSorted();
  const odd = names && freeze.find((name) => !names.includes(name));
  if (names === undefined || odd === undefined) return undefined;
  const meant = closest(odd, names);
  const instead =
    names.length === 0
      ? "there is none at all"
      : meant === undefined
        ? `there are ${names.slice(0, 10).join(", ")}`
        : `did you mean ${meant}?`;
  return `there is no freeze ${odd}; ${instead}`;
}

export interface Waiting {
  readonly actions: readonly Action[];
  readonly digest: string;
  readonly subject: string;
  /** What the decision is about, for whoever decides. */
  readonly shown?: string;
}

/** What the person saw is what is meant: the digest that stands in status, or a refusal when nothing waits. */
function whatWaits(rollout: PopRollout, options: ApproveOptions): Waiting {
  const { freeze, digest: expected, stage, wave } = options;
  const name = `PoPRollout ${rollout.metadata.name}`;
  const { spec, status = {} } = rollout;
  const waves = status.waves ?? spec.waves.map((one) => ({ name: one.name, state: "Pending" as const, digest: undefined }));
  const stages = status.stages ?? spec.stages.map((one) => ({ name: one.name, state: "Waiting" as const, digest: undefined }));
  const ofWave = wave === undefined ? undefined : whyNot(name, "wave", wave, waves);
  const ofStage = stage === undefined ? undefined : whyNot(name, "stage", stage, stages);
  if (ofWave ?? ofStage) throw new Refusal(EXIT.nothingToActOn, `${ofWave ?? ofStage}; nothing was written`);
  const found = subjectOf(rollout, options);
  if (found === undefined) {
    const why = wave === undefined ? "nothing waits for an approval" : `wave ${wave} waits for no approval (${opening(rollout, wave)})`;
    throw new Refusal(EXIT.nothingToActOn, `${name}: ${why}; nothing was written`);
  }
  if (expected !== undefined && expected !== found.digest) {
    throw new Refusal(
      EXIT.nothingToActOn,
      `${name}: what waits has digest ${found.digest}, not ${expected}: it changed since; look at it again (rollward explain popro/${rollout.metadata.name})`,
    );
  }
  const lifts = freeze.length > 0 ? (["LiftFreeze"] as const) : [];
  return {
    actions: [...new Set<Action>([found.action, ...lifts])],
    digest: found.digest,
    subject: found.of === undefined ? name : `${name}, ${found.of}`,
  };
}

/** Why nothing can be decided on the part that a person named, or undefined when it waits with a digest. */
function whyNot(
  rollout: string,
  sort: "wave" | "stage",
  named: string,
  parts: readonly { readonly name: string; readonly state: string; readonly digest?: string | undefined }[],
): string | undefined {
  const part = parts.find(({ name }) => name === named);
  if (part?.digest !== undefined) return undefined;
  if (part !== undefined) {
    const waits = part.state === "Pending" || part.state === "Waiting";
    const why = waits ? "its turn has not come, so it has no digest that could be approved yet" : "it waits for nobody";
    return `${rollout}: ${sort} ${named} is ${part.state}: ${why}`;
  }
  const names = parts.map(({ name }) => name);
  const meant = closest(named, names);
  const instead = names.length === 0 ? `it has no ${sort}s` : meant === undefined ? `it has ${names.join(", ")}` : `did you mean ${meant}?`;
  return `${rollout} has no ${sort} ${named}; ${instead}`;
}

interface Subject {
  readonly action: Action;
  readonly digest: string;
  readonly of?: string;
}

/** How a wave opens or has opened that nobody has to approve now. */
function opening({ status }: PopRollout, name: string): string {
  const { state, approval } = status?.waves?.find((wave) => wave.name === name) ?? {};
  if (approval !== undefined) return `${approval.by} approved it`;
  return state === "Pending" ? "it opens without one" : `it is ${state}`;
}

/** The rollout as a whole (an emergency, a retry, freezes), a stage whose evidence is not there, or the next wave. */
function subjectOf(
  { spec, status = {} }: PopRollout,
  { action, stage: ofStage, wave: ofWave, refuse, freeze }: ApproveOptions,
): Subject | undefined {
  const emergency = spec.class === "Emergency" && status.emergency === undefined;
  const whole: Action | undefined = action ?? (emergency ? "Emergency" : status.halted ? "RetryFailed" : undefined);
  if (ofStage === undefined && ofWave === undefined && whole !== undefined && whole !== "Promote")
    return status.digest === undefined ? undefined : { action: whole, digest: status.digest };
  const stage = (status.stages ?? []).find(({ name, state }) => (ofStage ? name === ofStage : state === "Waiting" || state === "Failed"));
  if (stage?.digest !== undefined && ofWave === undefined) return { action: "Promote", digest: stage.digest, of: `stage ${stage.name}` };
  if (ofStage !== undefined) return undefined;
  const wave = (status.waves ?? []).find(({ name, state }) => (ofWave ? name === ofWave : state === "Pending"));
  if (wave?.digest === undefined) return undefined;
  const subject = (decided: Action): Subject => ({ action: decided, digest: wave.digest!, of: `wave ${wave.name}` });
  if (action !== undefined && action !== "Promote") return subject(action);
  const required = spec.waves.find(({ name }) => name === wave.name)?.approval === "Required";
  // A refusal holds a wave that would open by itself too.
  if (refuse || (required && wave.state === "Pending" && wave.approval === undefined)) return subject("Promote");
  return action === undefined && freeze.length > 0 ? subject("LiftFreeze") : undefined;
}

function approvalDraft(
  { kind, metadata }: Pick<PopRollout | ClientRollout, "kind" | "metadata">,
  { actions, digest }: Waiting,
  approvedBy: string,
  expiresAt: string,
  { namespace, reason, refuse, freeze }: ApproveOptions,
): Draft<Approval> {
  const spec: Approval["spec"] = {
    for: { kind, name: metadata.name, uid: metadata.uid, digest },
    actions: [...actions],
    ...(freeze.length > 0 ? { freezes: [...freeze] } : {}),
    decision: refuse ? "Refuse" : "Approve",
    reason,
    approvedBy,
    expiresAt,
  };
  // The same decision written twice is one object; another decision is another one.
  const mark = createHash("sha256")
    .update(JSON.stringify([digest, actions, spec.decision, approvedBy, expiresAt]))
    .digest("hex")
    .slice(0, 8);
  return { apiVersion: API_VERSION, kind: "Approval", metadata: { name: `${metadata.name.slice(0, 200)}-${mark}`, namespace }, spec };
}
