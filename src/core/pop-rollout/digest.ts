import { createHash } from "node:crypto";
import { canonicalJson } from "../canonical-json.ts";
import type { RolloutView } from "./view.ts";
import { hasFailed } from "./view.ts";

const digestOf = (content: object): string => `sha256:${createHash("sha256").update(canonicalJson(content)).digest("hex")}`;

const subjectOf = ({ uid, version, spec }: RolloutView) => ({ rollout: uid, version, class: spec.class });

/** What an Approval of the rollout as a whole names: its UID, version and class (rule F8). */
export const rolloutDigest = (view: RolloutView): string => digestOf(subjectOf(view));

/** What an Approval names that waives a stage: the rollout, the stage, and what was found; other evidence is another decision (rule F8). */
export const stageDigest = (view: RolloutView, stage: string, state: string): string =>
  digestOf({ ...subjectOf(view), stage, evidence: state });

/**
 * What an Approval of a wave names (rule F8): rollout UID, version, class, wave, the UIDs of its members and the outcome of the evidence
 * so far: of the stages, and of the waves before it, with the PoPs that failed. Never times: waiting changes nothing of it.
 */
export function waveDigest(view: RolloutView, wave: string, uids: readonly string[]): string {
  const evidence = {
    stages: (view.ledger.stages ?? []).map(({ name, state }) => [name, state]),
    waves: view.waves.filter(({ state }) => state !== "Pending").map(({ name, state }) => [name, state]),
    failed: view.assignments
      .filter(hasFailed)
      .map(({ uid }) => uid)
      .toSorted(),
  };
  return digestOf({ ...subjectOf(view), wave, members: uids.toSorted(), evidence });
}
