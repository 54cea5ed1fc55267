import type { Judgement } from "./verdict.ts";
import { listText } from "./wording.ts";

/** What the API server says of one member, independently of every probe and of Prometheus (rule P9). */
export interface WitnessedMember {
  readonly name: string;
  /** The Node's Ready condition; `Unknown` when its lease has gone stale. */
  readonly node: "True" | "False" | "Unknown";
  /** Runs what we rolled out, as far as its label says. */
  readonly changed: boolean;
  /** Its data-plane pod; absent when there is none. */
  readonly pod?: {
    readonly ready: boolean;
    /** Restarts of its containers since our change. */
    readonly restarts: number;
    readonly crashLooping: boolean;
  };
}

export type Testimony = {
  /** VersionBad counts as Unhealthy; the other two hold and alert, and are never a reason to roll back (rule G9). */
  readonly finding: "VersionBad" | "ObserverLost" | "PoPUnreachable";
  readonly message: string;
};

/** Have the reports of most members gone at once? `judgements`: one for each member that was asked. One of one is most. */
export function mostGone(judgements: readonly Judgement[]): boolean {
  const gone = judgements.filter((one) => one.verdict === "Unknown" || one.silent).length;
  return gone * 2 > judgements.length;
}

/**
 * Why most reports went at once, asked of the API server (rule P9). `undefined` members: the API server does not answer either.
 * Leases come first: the node controller marks every pod NotReady when a node's lease is stale, so such a pod is no evidence.
 */
export function askWitness(members: readonly WitnessedMember[] | undefined): Testimony {
  if (members === undefined || members.length === 0) {
    return {
      finding: "PoPUnreachable",
      message: "the probes and the API server of this PoP are silent at once; nothing is started or taken back until one of them answers",
    };
  }
  const stale = members.filter((member) => member.node === "Unknown");
  if (stale.length * 2 > members.length) {
    return {
      finding: "PoPUnreachable",
      message: `${stale.length} of ${members.length} nodes (${names(stale)}) do not renew their leases and most probes are silent: the PoP cannot be reached; nothing is started or taken back until it can`,
    };
  }
  const broken = members.filter(isBroken);
  if (broken.length > 0)
    return {
      finding: "VersionBad",
      message: `most reports are gone and the API server says since our change: ${listText(broken.map(complaint))}`,
    };
  return {
    finding: "ObserverLost",
    message: `most reports are gone, but the API server sees ${members.length - stale.length} of ${members.length} nodes alive and every updated pod Ready: the observer is lost; nothing is started or taken back until reports return`,
  };
}

const names = (members: readonly WitnessedMember[]): string => listText(members.map((member) => member.name));

/** Only a member that runs our version, on a node whose word is fresh, speaks against the version. */
function isBroken({ changed, node, pod }: WitnessedMember): boolean {
  if (!changed || node !== "True") return false;
  return pod === undefined || pod.crashLooping || pod.restarts > 0 || !pod.ready;
}

function complaint({ name, pod }: WitnessedMember): string {
  if (pod === undefined) return `${name} has no pod`;
  if (pod.crashLooping) return `the pod on ${name} crash-loops`;
  if (pod.restarts > 0) return `the pod on ${name} restarted ${pod.restarts === 1 ? "once" : `${pod.restarts} times`}`;
  return `the pod on ${name} is not Ready`;
}
