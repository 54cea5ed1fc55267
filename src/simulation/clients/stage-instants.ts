import type { ClientRollout, ClientRolloutStatus } from "../../api/client-rollout.ts";
import { decide } from "../../core/client-rollout/decide.ts";
import type { ObservedRollout } from "../../core/client-rollout/observation.ts";
import type { Instant } from "../../core/decision.ts";
import { parseInstant } from "../../core/time/instant.ts";

/** When the stages of one rollout open, as far as no device has to be known. */
export interface StageInstants {
  readonly stages: readonly { readonly name: string; readonly at: Instant }[];
  readonly stands?: Instant;
  /** What only a person can end. */
  readonly held?: string;
  /** Nothing is wrong, and nothing is to come at an instant that can be known: it is over, or devices decide. */
  readonly depends?: string;
}

/**
 * The stages of a rollout that opened and are to come, by its own decision and where nobody has counted a device (rule F7 for Clients): if
 * nothing fails, nobody pauses it and each gate has its evidence in time. One that is not announced yet is looked at when it is.
 */
export function stageInstants(rollout: ClientRollout, others: readonly ClientRollout[], now: Instant, fleetPaused: boolean): StageInstants {
  const at = Math.max(now, parseInstant(rollout.spec.announcedAt) ?? now);
  const { generation = 1 } = rollout.metadata;
  const decision = decide(
    {
      rollout: { ...observed(rollout), generation },
      others: others.map(observed),
      fleetPaused,
      approvals: [],
      samples: new Map(),
    },
    at,
  );
  const status: ClientRolloutStatus = decision.status ?? rollout.status ?? {};
  const opened = (status.stages ?? []).flatMap(({ name, openedAt }) => stageAt(name, openedAt));
  const coming = (status.forecast?.phases ?? []).flatMap(({ phase, at: opens }) => stageAt(`phase-${phase}`, opens));
  const stands = parseInstant(status.standingSince ?? status.forecast?.standsAt ?? "");
  const why = stands === undefined ? whyNoMore(status, decision.holds) : {};
  return { stages: [...opened, ...coming], ...(stands === undefined ? {} : { stands }), ...why };
}

const stageAt = (name: string, text: string): { readonly name: string; readonly at: Instant }[] => {
  const at = parseInstant(text);
  return at === undefined ? [] : [{ name, at }];
};

function whyNoMore(
  { stopped, reached, inherited }: ClientRolloutStatus,
  holds: ReturnType<typeof decide>["holds"],
): Pick<StageInstants, "held" | "depends"> {
  if (stopped !== undefined) return { depends: stopped.message };
  // That devices are not counted is what was asked for here.
  const braking = holds.find(({ until, reason }) => until === undefined && reason !== "InventoryUnavailable");
  if (braking !== undefined) return { held: braking.message };
  if (reached?.stage !== "Exposed") return {};
  const faulty = inherited?.versions.join(", ") ?? "the faulty version";
  return { depends: `devices on ${faulty} get it first; how soon enough of them show that it is well, only they know` };
}

const observed = ({ metadata, spec, status }: ClientRollout): ObservedRollout => ({
  name: metadata.name,
  uid: metadata.uid,
  createdAt: Date.parse(metadata.creationTimestamp ?? "") || 0,
  spec,
  status: status ?? {},
});
