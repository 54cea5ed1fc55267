import type { Instant } from "../decision.ts";
import { MINUTE } from "../time/civil.ts";
import type { Outcome } from "./outcome.ts";
import { at, hasBegun, type SiteView } from "./view.ts";

/** So long before its planned start a site begins to poll every 10 s (rule S14). */
const AHEAD = 30 * MINUTE;
/** A device learns it at its next ordinary poll, at most 5 minutes later. */
const TOLD_AHEAD = AHEAD + 10 * MINUTE;

/** Tells the gateway when the devices of this site are to poll more often, and when first: not all at the window's first second. */
export function hints(view: SiteView, now: Instant): Outcome | undefined {
  const { upgrade, inventory } = view;
  const first = upgrade?.command === undefined ? upgrade?.start : upgrade.command.notBefore;
  const active = upgrade?.command !== undefined || upgrade?.planned !== undefined || hasBegun(upgrade);
  if (upgrade === undefined || !active || first === undefined || upgrade.window === undefined) return undefined;
  const plan = { from: at(first) - AHEAD, until: at(upgrade.window.end), first: at(first) };
  if (now >= plan.until) return undefined;
  if (now < at(first) - TOLD_AHEAD) return { wakes: [at(first) - TOLD_AHEAD] };
  const known = inventory.polls;
  // Once the site has begun, what stands lasts until its end; only a new end or an earlier first poll is told again.
  const told =
    known !== undefined && known.until === plan.until && (hasBegun(upgrade) || (known.first === plan.first && known.from === plan.from));
  const serials = view.sockets.flatMap(({ serial, report }) => (report === undefined ? [] : [serial]));
  return told || serials.length === 0 ? undefined : { actions: [{ kind: "HintPolls", serials, ...plan }] };
}
