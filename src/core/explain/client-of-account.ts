import type { AccountPolicy } from "../../api/account-policy.ts";
import { CLIENT_SYSTEMS } from "../../api/client-rollout.ts";
import { policyFor } from "../client/policy.ts";
import type { ExplainedDevice } from "./client.ts";
import { explanation, type Explanation } from "./explanation.ts";
import { momentText } from "./moment.ts";
import { ownPauseUntil, type VersionOfAccount } from "../client/own-pause.ts";

/** A Client as far as its account's own identity can see. */
export interface ClientOfAccount {
  readonly account: string;
  readonly device: string;
  /** Absent: nobody asked the inventory, which the provider runs. */
  readonly known?: Pick<ExplainedDevice, "os" | "version">;
  readonly policy: AccountPolicy;
  /** The zone in which people read instants. */
  readonly zone: string;
}

/**
 * One Client to whoever may read the namespace of its account alone (rule I15): what comes to the account, why not yet and when, from its
 * AccountPolicy and nothing else. The device's own place in a phase stands in rollouts and the inventory, and is not guessed.
 */
export function explainClientOfAccount({ account, device, known, policy, zone }: ClientOfAccount): Explanation {
  const { spec, status } = policy;
  const all = status?.clients ?? [];
  const shown = known === undefined ? all : all.filter(({ os }) => os === known.os);
  const systems = known === undefined ? CLIENT_SYSTEMS : [known.os];
  const upgraded = systems.map((os) => `${os}: ${policyFor(spec.clients, os)?.upgrade ?? "Managed"}`);
  const runs =
    known === undefined
      ? "Which system and version the device runs stands in the inventory, which the provider runs."
      : `It reports ${known.version === undefined || known.version === "" ? "no version" : known.version}, on ${known.os}.`;
  return explanation(
    `Client ${account}/${device}: what AccountPolicy ${policy.metadata.namespace ?? account}/account tells of its account`,
    [
      [
        "This is the account's view",
        [
          "Who asks may not read the rollouts themselves, so what follows is true of all Clients of the account together.",
          "Which phase reaches this user, and what its device is answered, the provider can say by the same command.",
        ],
      ],
      ["Runs", [runs]],
      ["Policy of the account", [`${upgraded.join(", ")}.`]],
      ["Comes to the account", shown.length === 0 ? ["No version is on its way to it."] : shown.map((seen) => comes(seen, zone))],
      ["Why not yet", shown.flatMap((seen) => why(seen, policy, zone))],
    ],
  );
}

const named = ({ os, version, rollout }: VersionOfAccount): string => `${os} ${version} by ClientRollout ${rollout}`;

function comes(seen: VersionOfAccount, zone: string): string {
  const { stage, inPhase, nextAt, effective } = seen;
  const where = `${stage === undefined ? "no stage is open" : `stage ${stage} is open`}, ${inPhase ? "a phase has reached the account" : "no phase has reached the account yet"}`;
  const next = nextAt === undefined ? "when the next phase opens is not known" : `the next phase opens ${momentText(nextAt, zone)}`;
  if (effective === "Stopped") return `${named(seen)}: it was stopped, and is offered to nobody any more.`;
  return `${named(seen)}: ${where}; ${next}${nextAt === undefined ? "" : ", if nothing fails and nobody pauses it"}.`;
}

function why(seen: VersionOfAccount, { spec }: AccountPolicy, zone: string): string[] {
  const until = ownPauseUntil(spec.clients, seen);
  const ends = until === undefined ? "" : ` The account's own pause ends ${momentText(until, zone)}.`;
  const { effective, reasons = [], held } = seen;
  if (effective === "Run" && reasons.length === 0 && held === undefined) return [];
  const because = reasons.length === 0 ? "" : `: ${reasons.join("; ")}`;
  return [`${seen.version} is ${effective}${because}.${ends}`];
}
