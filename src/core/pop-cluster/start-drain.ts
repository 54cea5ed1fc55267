import type { PopAction } from "./action.ts";
import { sequenceOf } from "./claim.ts";
import { drainedPod, instanceOf, isOf } from "./drain.ts";
import { milliseconds } from "./milliseconds.ts";
import type { InHand } from "./piece-in-hand.ts";
import { sessionIds } from "./scrape.ts";
import { type PopView, seenNode } from "./view.ts";

/** The drain call is a level with the token: repeated every lease / 3 until the container instance has answered, and after. */
export function startDrain(view: PopView, { node, entry }: InHand): PopAction[] {
  const { drain } = view.seen.pop.spec.strategy;
  const instance = instanceOf(drainedPod(node));
  if (!drain.start || !instance) return [];
  const answer = view.seen.drains.get(node.member.uid);
  const lease = milliseconds(drain.lease);
  const same = answer?.verb === "start" && answer.token === entry.token && isOf(answer, instance);
  const wait = same && answer.status >= 200 && answer.status < 300 ? lease / 3 : 1_000;
  if (same && answer.ageMilliseconds < wait) return [];
  const pod = drainedPod(node)!;
  const ids = view.seen.drainedSessions.get(node.member.uid)?.token === entry.token ? undefined : sessionIds(view, pod);
  return [
    {
      kind: "StartDrain",
      node: seenNode(node.member),
      token: entry.token,
      sequence: sequenceOf(entry),
      instance,
      endpoint: drain.start.http,
      leaseSeconds: lease / 1000,
      ...(ids ? { sessions: ids } : {}),
    },
  ];
}

/** The data plane refuses this token: it heard its cancel, its lease ran out, or it is another container. The node is given back (H2). */
export function refusedDrain(view: PopView, { node, entry }: Pick<InHand, "node" | "entry">): string | undefined {
  const answer = view.seen.drains.get(node.member.uid);
  if (answer?.token !== entry.token || answer.refusal === undefined) return undefined;
  return `its data plane refuses the drain: ${answer.refusal}`;
}
