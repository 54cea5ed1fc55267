import type { ApprovalSpec } from "../../api/approval.ts";
import type { Fleet } from "../../api/fleet.ts";
import type { PopRollout } from "../../api/pop-rollout.ts";
import type { Instant } from "../../core/decision.ts";
import type { ObservedApproval, PopRolloutObservation, StageEvidence } from "../../core/pop-rollout/observation.ts";
import { cleanText } from "../../core/text.ts";

/** An Approval that nobody has given, and that the forecast goes on as if somebody had. */
export interface AssumedApproval {
  readonly rollout: string;
  readonly action: "Promote" | "Emergency";
  readonly wave?: string;
  readonly digest: string;
  /** When the rollout began to wait for it. */
  readonly from: Instant;
}

/** Until then nobody approves, by wave: to find out how long people may take. */
export type ApprovalDelays = ReadonlyMap<string, Instant>;

const NEVER = "9999-12-31T00:00:00Z";

/** People's decisions that are due and missing are taken as given at once; what somebody refused stays refused (rule F8). */
export class Assumptions {
  readonly approvals: AssumedApproval[] = [];
  /** What people have said no to, by the UID of the rollout. */
  readonly refused: { readonly of: string; readonly approval: string; readonly message: string }[] = [];
  readonly #given = new Map<string, ObservedApproval[]>();
  readonly #fleet: Fleet | undefined;
  readonly #delays: ApprovalDelays;

  constructor(fleet: Fleet | undefined, delays: ApprovalDelays = new Map()) {
    this.#fleet = fleet;
    this.#delays = delays;
  }

  of(uid: string): readonly ObservedApproval[] {
    return this.#given.get(uid) ?? [];
  }

  /**
   * What the rollout waits for as its status now says: given here, and true when there is something new to decide on; or the instant at
   * which it is given.
   */
  give(rollout: PopRollout, real: readonly ObservedApproval[], now: Instant): boolean | Instant {
    const due = this.#due(rollout).filter((one) => !this.#isDecided(rollout, real, one));
    let later: Instant | undefined;
    let gave = false;
    for (const one of due) {
      const at = one.wave === undefined ? undefined : this.#delays.get(`${rollout.metadata.uid}/${one.wave}`);
      if (!this.approvals.some(({ digest }) => digest === one.digest)) this.approvals.push({ ...one, from: now });
      if (at !== undefined && at > now) {
        later = Math.min(later ?? Infinity, at);
        continue;
      }
      this.#record(rollout, one, now);
      gave = true;
    }
    return gave || (later ?? false);
  }

  #due({ metadata, spec, status = {} }: PopRollout): Omit<AssumedApproval, "from">[] {
    const rollout = metadata.name;
    if (spec.class === "Emergency" && status.emergency === undefined && status.digest !== undefined)
      return [{ rollout, action: "Emergency", digest: status.digest }];
    return (status.waves ?? []).flatMap((wave): Omit<AssumedApproval, "from">[] => {
      const required = spec.waves.find(({ name }) => name === wave.name)?.approval === "Required";
      if (!required || wave.state !== "Pending" || wave.digest === undefined || wave.approval !== undefined) return [];
      return [{ rollout, action: "Promote", wave: wave.name, digest: wave.digest }];
    });
  }

  #isDecided(
    { metadata }: PopRollout,
    real: readonly ObservedApproval[],
    { digest, action, wave }: Omit<AssumedApproval, "from">,
  ): boolean {
    const decides = ({ spec }: ObservedApproval) =>
      spec.for.digest === digest && spec.for.uid === metadata.uid && spec.actions.includes(action);
    const no = real.find((one) => decides(one) && one.spec.decision === "Refuse");
    if (no !== undefined && !this.refused.some(({ approval }) => approval === no.name)) {
      const what = wave === undefined ? "the emergency" : `wave ${wave}`;
      const message = `${what} is refused by ${cleanText(no.spec.approvedBy, 128)} (Approval ${no.name}): ${cleanText(no.spec.reason, 300)}`;
      this.refused.push({ of: metadata.uid, approval: no.name, message });
    }
    return no !== undefined || this.of(metadata.uid).some(decides);
  }

  #record({ metadata, spec: { requestedBy } }: PopRollout, { action, digest }: Omit<AssumedApproval, "from">, now: Instant): void {
    const approvers = this.#fleet?.spec.approvers ?? [];
    const approvedBy = approvers.find((user) => user !== requestedBy) ?? "somebody-else";
    const spec: ApprovalSpec = {
      for: { kind: "PoPRollout", name: metadata.name, uid: metadata.uid, digest },
      actions: [action],
      decision: "Approve",
      reason: "assumed by the forecast",
      approvedBy,
      expiresAt: NEVER,
    };
    const given = this.#given.get(metadata.uid) ?? [];
    given.push({ name: `assumed-${given.length + 1}`, createdAt: new Date(now).toISOString(), spec });
    this.#given.set(metadata.uid, given);
  }
}

/** Every stage is taken as passed: what evidence will say nobody knows, and which windows follow does not depend on it. */
export const assumedEvidence = ({ spec }: PopRollout): PopRolloutObservation["evidence"] =>
  new Map(
    spec.stages.map(({ name }): [string, StageEvidence] => [
      name,
      { verdict: "Passed", evidence: "assumed by the forecast", ageMilliseconds: 0 },
    ]),
  );

interface MissingEvidence {
  readonly name: string;
  readonly failed: boolean;
  /** Features in early availability, on which nobody reports; empty for a stage with a check. */
  readonly features: readonly string[];
}

/** Stages whose evidence is not there yet. */
export const missingEvidence = ({ spec, status }: PopRollout): readonly MissingEvidence[] => {
  if (status?.outcome !== undefined || (status?.waves ?? []).some(({ state }) => state !== "Pending")) return [];
  return spec.stages.flatMap(({ name, features = [] }) => {
    const state = status?.stages?.find((stage) => stage.name === name)?.state;
    return state === "Passed" || state === "Waived" ? [] : [{ name, failed: state === "Failed", features }];
  });
};
