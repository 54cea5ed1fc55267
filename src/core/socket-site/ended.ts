import type { SocketSiteStatus } from "../../api/socket-site.ts";
import type { Instant } from "../decision.ts";
import { cleanText } from "../text.ts";
import { rescheduled } from "./missed.ts";
import type { Outcome } from "./outcome.ts";
import { LATE_REASON } from "./piece.ts";
import { afterFailure, hasFailed } from "./verdict.ts";
import { iso, remaining, rolloutOf, type SiteView, type Upgrade, withLedger, withUpgrade } from "./view.ts";

type Attempt = NonNullable<NonNullable<SocketSiteStatus["sockets"]>[number]["lastAttempt"]>;

/** How one command ended. */
export interface End {
  readonly outcome: Attempt["outcome"];
  readonly reason?: string;
  readonly message?: string;
  /** It began to install after its last start (rule S14). */
  readonly late?: boolean;
}

const MESSAGE_LIMIT = 256;

/** The ledger after the end of the command in hand (rules S5, S8, S12): the other Socket's turn, the next window, or done. */
export function ended(view: SiteView, end: End, now: Instant): Outcome {
  const { upgrade, command } = view;
  if (upgrade === undefined || command === undefined) return {};
  const { command: _, connectedSince: __, ...rest } = upgrade;
  const ledger = attempted(view, upgrade, end, now);
  const free: Upgrade = end.outcome === "Confirmed" ? { ...rest, done: [...(rest.done ?? []), command.serial] } : rest;
  const message = `${command.serial}: ${free.version} ${TOLD[end.outcome]}${end.message === undefined ? "" : ` (${cleanText(end.message, MESSAGE_LIMIT)})`}`;
  const told =
    end.outcome === "Withdrawn"
      ? []
      : [{ type: end.outcome === "Confirmed" ? "Normal" : "Warning", reason: end.outcome, action: "Upgrade", message } as const];
  const next = withLedger(view, withUpgrade(ledger, free));
  return { ledger: withUpgrade(ledger, after(next, free, command.serial, end, message, now)), events: told };
}

const TOLD = { Confirmed: "is confirmed", Failed: "failed", Withdrawn: "was withdrawn", Unknown: "ended unknown" } as const;

function after(view: SiteView, free: Upgrade, serial: string, end: End, message: string, now: Instant): Upgrade {
  if (end.outcome === "Confirmed") {
    return remaining(view).length === 0 ? completed(free, now) : { ...free, step: "InProgress", since: iso(now) };
  }
  if (end.outcome === "Withdrawn" && free.cause !== "Request") return resumed(free, now);
  const step = end.outcome === "Failed" ? "Failed" : "Skipped";
  const told = { ...free, step, since: iso(now), reason: end.reason ?? end.outcome, message } as const;
  // With its verdict it is not tried again: no next start is told, which nobody would keep.
  const over = end.outcome === "Failed" && hasFailed(view, serial, rolloutOf(view, free)?.revision ?? "");
  return over ? unplanned(told) : rescheduled(view, told, now);
}

/** Everything that moves is over; what it ran by stays to be read. */
export function completed(upgrade: Upgrade, now: Instant): Upgrade {
  const { reason: _, message: __, ...rest } = unplanned(upgrade);
  return { ...rest, step: "Completed", since: iso(now) };
}

function unplanned(upgrade: Upgrade): Upgrade {
  const { planned: _, change: __, command: ___, ...rest } = upgrade;
  return rest;
}

/** Taken back before anybody had it: as if it had never been claimed. Past its last start the window is missed, and a later rule says so. */
function resumed(free: Upgrade, now: Instant): Upgrade {
  if ((free.done?.length ?? 0) > 0) return free;
  const { order: _, ...rest } = free;
  return { ...rest, step: "Scheduled", since: iso(now) };
}

/** The attempt on its Socket, and the verdict of a failed one. */
function attempted({ ledger, ...view }: SiteView, upgrade: Upgrade, end: End, now: Instant): SocketSiteStatus {
  const { command, rollout } = upgrade;
  const { serial, id, version } = command!;
  const reason = end.reason ?? (end.late === true ? LATE_REASON : undefined);
  const lastAttempt: Attempt = {
    command: id,
    version,
    endedAt: iso(now),
    outcome: end.outcome,
    ...(reason === undefined ? {} : { reason }),
    ...(end.message === undefined ? {} : { message: cleanText(end.message, MESSAGE_LIMIT) }),
  };
  const sockets = (ledger.sockets ?? []).map((socket) => (socket.serial === serial ? { ...socket, lastAttempt } : socket));
  const revision = rolloutOf({ ledger, ...view }, upgrade)?.revision ?? rollout.uid;
  const failed =
    end.outcome === "Failed" ? { verdicts: afterFailure(ledger.verdicts, { serial, revision, reason: reason ?? "Failed" }, now) } : {};
  return { ...ledger, sockets, ...failed };
}
