import type { PopCluster } from "../../../api/pop-cluster.ts";
import type { ClusterEvent } from "../../../control/ports.ts";
import type { Voice } from "../narration.ts";

/** PoP by PoP: what forty of them do, without their nodes. */
export const FLEET_VOICE: Voice = {
  pop: (before, after) => {
    const sentence = popSentence(before, after);
    return sentence === undefined ? [] : [sentence];
  },
  event: ({ reason, note, regarding }: ClusterEvent) =>
    regarding.kind === "PoPRollout" ? `${regarding.name} says ${reason}: ${note}` : undefined,
};

function popSentence(before: PopCluster | undefined, { metadata, status }: PopCluster): string | undefined {
  const { name } = metadata;
  const { run, content } = status ?? {};
  const last = before?.status;
  if (content?.current !== undefined && content.current !== last?.content?.current && content.state !== "Loading")
    return `${name} has loaded ${content.current}`;
  if (!run || (run.id === last?.run?.id && run.state === last.run.state)) return undefined;
  switch (run.state) {
    case "Rolling":
      return run.kind === "Join" ? undefined : `${name} rolls to ${run.version}`;
    case "RollingBack":
      return `${name} goes back to ${run.version}: ${run.cause ?? "no cause is given"}`;
    case "Baking":
      return run.kind === "Join" ? undefined : `${name} runs ${run.version} and bakes`;
    case "Passed":
      return run.kind === "Join" ? undefined : `${name} passed with ${run.version}`;
    default:
      return undefined;
  }
}
