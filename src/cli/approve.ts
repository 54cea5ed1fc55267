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
import type { ApproveOptions, Waiting } from "./approve-options.ts";
import { popsWaiting } from "./approve-pops.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { CliIo } from "./io.ts";
import { Refusal } from "./refusal.ts";
import { findTarget } from "./target.ts";
import { withCluster, withClusterOptions } from "./with-cluster.ts";

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
  const waits = kind === "ClientRollout" ? clientsWaiting(rollout, options) : popsWaiting(rollout, options);
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
