import type { PopClusterStatus } from "../../api/pop-cluster.ts";
import type { Instant } from "../decision.ts";
import { fail } from "./content.ts";
import type { Outcome } from "./outcome.ts";
import { type Asked, handled, nothingToDo, retryContent } from "./requests.ts";
import type { PopView } from "./view.ts";

/** What a rollout orders for the content that it assigned (P15, F4): taken back, or tried again; once for each value. */
export function contentOrders(view: PopView, now: Instant): Outcome | undefined {
  const { contentAssignment: assigned } = view;
  if (!assigned) return undefined;
  const { status } = view.seen.pop;
  const asked = (at: string, key: Asked["key"]): Asked => ({
    at,
    key,
    by: `PoPRollout ${assigned.rollout}`,
    of: `the order of PoPRollout ${assigned.rollout}`,
    revision: assigned.version,
  });
  const isOpen = ({ key, at }: Asked) => status.handled?.[key] !== at;
  if (assigned.order === "TakeBack" && assigned.orderedAt !== undefined) {
    const back = asked(assigned.orderedAt, "assignedContentTakeBack");
    if (isOpen(back)) return takenBack(view, assigned.version, back, now);
  }
  if (assigned.retryAt === undefined) return undefined;
  const again = asked(assigned.retryAt, "assignedContentRetry");
  if (!isOpen(again)) return undefined;
  const failed = status.content?.failed?.some(({ version }) => version === assigned.version);
  return failed ? retryContent(status, again) : { ledger: handled(status, again) };
}

function takenBack(view: PopView, version: string, asked: Asked, now: Instant): Outcome {
  const { status } = view.seen.pop;
  const state: NonNullable<PopClusterStatus["content"]> = status.content ?? {};
  const evidence = `taken back by ${asked.by} at ${asked.at}`;
  const told = (to: string) => [
    {
      type: "Warning" as const,
      reason: "ContentFailed",
      action: "LoadContent",
      message: `content ${version} goes back to ${to}: ${evidence}`,
    },
  ];
  if (state.state === "Loading" && state.target === version) {
    return { ledger: handled(fail(view, state, evidence, now), asked), events: told(state.current ?? "none") };
  }
  if (state.current !== version || state.state === "RollingBack") return { ledger: handled(status, asked) };
  const { previous, previousSource, source, ...rest } = state;
  if (previous === undefined)
    return nothingToDo(view, "takeBack", asked, `the ledger does not say which content was in use before ${version}; it stays`);
  const back = {
    ...rest,
    current: previous,
    ...(previousSource ? { source: previousSource } : {}),
    target: version,
    ...(source ? { targetSource: source } : {}),
  };
  return { ledger: handled(fail(view, back, evidence, now), asked), events: told(previous) };
}
