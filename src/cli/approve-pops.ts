import type { PopRollout } from "../api/pop-rollout.ts";
import { closest } from "../core/closest.ts";
import type { Action, ApproveOptions, Waiting } from "./approve-options.ts";
import { EXIT } from "./exit-codes.ts";
import { Refusal } from "./refusal.ts";

/** What the person saw is what is meant: the digest that stands in status, or a refusal when nothing waits. */
export function popsWaiting(rollout: PopRollout, options: ApproveOptions): Waiting {
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
