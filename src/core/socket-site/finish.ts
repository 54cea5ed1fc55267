import type { Instant } from "../decision.ts";
import { completed } from "./ended.ts";
import { higherAndLower } from "./majors.ts";
import type { Outcome } from "./outcome.ts";
import { hasBegun, runs, type SiteView, type Upgrade, withUpgrade } from "./view.ts";

/** What was planned or begun is there, whoever brought it: nothing is left to do. */
export function finish(view: SiteView, now: Instant): Outcome | undefined {
  const { upgrade } = view;
  if (upgrade === undefined || view.command !== undefined) return undefined;
  if ((upgrade.planned === undefined && !hasBegun(upgrade)) || !isThere(view, upgrade)) return undefined;
  return { ledger: withUpgrade(view.ledger, completed(upgrade, now)) };
}

function isThere({ sockets }: SiteView, { version, cause, order = [] }: Upgrade): boolean {
  if (cause === "Request") return sockets.every((socket) => !order.includes(socket.serial) || runs(socket, version));
  if (cause === "Rollout") return sockets.every((socket) => runs(socket, version));
  return sockets.every((socket) => socket.version !== undefined) && higherAndLower(sockets) === undefined;
}
