import type { Approval } from "../../api/approval.ts";
import type { ClientNumbers, ClientRollout } from "../../api/client-rollout.ts";
import type { Fleet } from "../../api/fleet.ts";
import type { ClientRolloutObservation, ObservedRollout } from "../../core/client-rollout/observation.ts";
import type { MissingFile } from "../../core/client/missing-files.ts";
import { NOBODY } from "../../core/client/numbers.ts";
import type { Sample } from "../../core/health/probe.ts";
import type { GatewayReplica } from "../client-inventory.ts";
import type { CountedRollout } from "./client-counts.ts";

/** What one observation of a ClientRollout is made of, wherever it was read. */
export interface ClientRolloutObjects {
  readonly rollout: ClientRollout;
  readonly rollouts: readonly ClientRollout[];
  readonly fleet: Fleet | undefined;
  readonly approvals: readonly Approval[];
  /** Undefined: not counted yet, or the inventory is away. */
  readonly counted: CountedRollout | undefined;
  /** The last census knew its phases: where nothing was counted there is nobody. */
  readonly covered: boolean;
  /** Live gateways that cannot read its file. */
  readonly missing: readonly MissingFile[];
  /** Undefined: gateways leave no sign. */
  readonly replicas: readonly GatewayReplica[] | undefined;
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
  readonly defaultPrometheus: string | undefined;
}

/** Puts the objects together; decides nothing. */
export function clientRolloutObservation(objects: ClientRolloutObjects): ClientRolloutObservation {
  const { rollout, rollouts, fleet, approvals, counted, covered, missing, replicas, samples, defaultPrometheus } = objects;
  const { uid, name, generation = 0 } = rollout.metadata;
  return {
    rollout: { ...observedRollout(rollout), generation },
    others: rollouts.filter(({ metadata }) => metadata.uid !== uid && metadata.deletionTimestamp === undefined).map(observedRollout),
    fleetPaused: fleet?.spec.paused === true,
    approvers: fleet?.spec.approvers ?? [],
    ...(counted === undefined ? {} : { numbers: numbersOf(rollout, counted, covered) }),
    approvals: approvals
      .filter(
        ({ spec, metadata }) => metadata.deletionTimestamp === undefined && spec.for.kind === "ClientRollout" && spec.for.name === name,
      )
      .map(({ metadata, spec }) => ({ name: metadata.name, createdAt: metadata.creationTimestamp ?? "", spec })),
    samples,
    missing,
    ...(defaultPrometheus === undefined ? {} : { defaultPrometheus }),
    ...(replicas === undefined
      ? {}
      : {
          replicas: replicas.map((replica) => ({
            name: replica.name,
            silentMilliseconds: replica.silentMilliseconds,
            confirmed: replica.pauses.get(uid) ?? 0,
          })),
        }),
  };
}

const observedRollout = ({ metadata, spec, status }: ClientRollout): ObservedRollout => ({
  name: metadata.name,
  uid: metadata.uid,
  createdAt: Date.parse(metadata.creationTimestamp ?? "") || 0,
  spec,
  status: status ?? {},
});

/** By stage. One that the census has covered and that has no row is one without anybody; else nobody knows yet, and it is left out. */
function numbersOf({ spec }: ClientRollout, { stages }: CountedRollout, covered: boolean): ReadonlyMap<string, ClientNumbers> {
  if (!covered) return stages;
  const names = ["exposed", "pilot", ...spec.phases.map((_, index) => `phase-${index + 1}`)];
  return new Map([...names.map((stage) => [stage, NOBODY] as const), ...stages]);
}
