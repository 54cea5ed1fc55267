import type { SocketSiteStatus } from "../../api/socket-site.ts";
import type { Decision } from "../decision.ts";
import type { Notice } from "../socket/notice.ts";
import type { SocketSiteAction } from "./action.ts";

/** What is known of the way to the account's receiver. */
export interface NoticeOutlook {
  /** It has answered at once so far: a try may be waited for. */
  readonly isPrompt: (notice: Notice) => boolean;
  /** Its back-off is over: it may be tried again. */
  readonly isDue: (notice: Notice) => boolean;
}

type SiteDecision = Decision<SocketSiteStatus, SocketSiteAction>;

/**
 * In which order a site's plan is written and told (rules W3, B12). A notice that is taken at once goes first, and is written together with
 * the plan, which is then one write and not two; its id follows from the plan, so what is sent twice is one notice (rule I9). A receiver
 * that is slow or away delays no plan: its notice is sent when it is due, beside everything else.
 */
export function noticesFirst(decision: SiteDecision, { isPrompt, isDue }: NoticeOutlook): SiteDecision {
  const prompt = decision.actions.filter((action) => action.kind === "SendNotice" && isPrompt(action.notice));
  if (decision.status !== undefined && prompt.length > 0) {
    const { status: _, ...rest } = decision;
    return { ...rest, actions: prompt, events: [] };
  }
  return { ...decision, actions: decision.actions.filter((action) => action.kind !== "SendNotice" || isDue(action.notice)) };
}
