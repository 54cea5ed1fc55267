import type { Instant } from "../decision.ts";
import { WEEK } from "../time/civil.ts";
import type { SocketSiteAction } from "./action.ts";
import type { Outcome } from "./outcome.ts";
import type { SiteView } from "./view.ts";

/**
 * Rows that live and that the ledger does not name: of a restored inventory, or of a ledger that was restored. What nobody has is taken
 * back; what a device may have is waited for, a week from its last start, and holds the site (rules S1, I4).
 */
export function strays({ inventory, command }: SiteView, now: Instant): Outcome {
  const wakes: Instant[] = [];
  const actions: SocketSiteAction[] = [];
  for (const { id, state, notAfter } of inventory.commands.values()) {
    if (id === command?.id) continue;
    if (state === "Open") actions.push({ kind: "WithdrawCommand", id });
    if (state !== "Given" && state !== "Proceeding") continue;
    if (now >= notAfter + WEEK) actions.push({ kind: "GiveUpCommand", id });
    else wakes.push(notAfter + WEEK);
  }
  return { actions, wakes };
}
