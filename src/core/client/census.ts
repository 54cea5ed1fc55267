import type { ClientSystem } from "../../api/client-rollout.ts";
import type { AccountView } from "./check-in.ts";
import { cohortOf, type Owner } from "./cohort.ts";
import { deviceIs, readReported } from "./device-version.ts";
import { isPilot, selects } from "./policy.ts";
import type { ClientRolloutView } from "./rollout-view.ts";
import { reachingPhase } from "./stage.ts";

/** A device as a census meets it. */
export interface CensusDevice extends Owner {
  readonly os: ClientSystem;
  /** What it said last that it runs. */
  readonly version?: string;
  /** Groups of its user by the imported directory. */
  readonly groups: readonly string[];
  /** By UID of the rollout the stage by which it was reached already. */
  readonly reached: (rollout: string) => string | undefined;
}

/**
 * The stage of a rollout that reaches a device first, as things are now (rules C1–C3, C6): its eligible ones are counted by this, before a
 * stage opens, so that a stage that opens scans nothing. Once reached it keeps its stage, whatever it runs now. Undefined: none will, its
 * account manages the system itself, or it runs this version, a newer one, one that nobody can read, or one that has to go elsewhere first.
 */
export function censusStage(
  rollout: ClientRolloutView,
  device: CensusDevice,
  { labels, policy }: Pick<AccountView, "labels" | "policy">,
): string | undefined {
  const reached = device.reached(rollout.uid);
  if (reached !== undefined) return reached;
  if (policy?.upgrade !== "Automatic") return undefined;
  const reported = readReported(device.version);
  if (reported === "Unreadable") return undefined;
  const runs = deviceIs(reported, rollout);
  if (runs === "Faulty") return "exposed";
  if (runs !== "Older" && runs !== "None") return undefined;
  if (isPilot(policy, device.user, device.groups) || selects(rollout.pilotAccounts, labels)) return "pilot";
  return `phase-${reachingPhase(cohortOf(device, rollout), rollout) ?? rollout.phases.length}`;
}
