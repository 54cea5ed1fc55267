import type { SocketSiteStatus } from "../../api/socket-site.ts";
import type { Decision, Hold, Instant } from "../decision.ts";
import type { SocketSiteAction } from "./action.ts";
import { announce } from "./announce.ts";
import { finish } from "./finish.ts";
import { follow } from "./follow.ts";
import { hints } from "./hints.ts";
import { missed } from "./missed.ts";
import { notices } from "./notices.ts";
import type { SocketSiteObservation } from "./observation.ts";
import { inOrder, type Rule } from "./outcome.ts";
import { plan } from "./plan.ts";
import { presence } from "./presence.ts";
import { request } from "./request.ts";
import { start } from "./start.ts";
import { isAway, statusOf, worthWriting } from "./status.ts";
import { ha } from "./story.ts";
import { strays } from "./strays.ts";
import { at } from "./view.ts";
import { recordVerdicts } from "./verdict.ts";

/** How a site goes on, in this order; each rule sees what the ones before it have settled. */
const RULES: readonly Rule[] = [
  presence,
  strays,
  follow,
  finish,
  request,
  announce,
  plan,
  start,
  missed,
  plan,
  ha,
  recordVerdicts,
  notices,
  hints,
];

const UNAVAILABLE: Hold = {
  rule: "G9",
  reason: "InventoryUnavailable",
  message: "the inventory does not answer; nothing is offered, concluded or told as lost until it does",
};

/**
 * The decision about one site at one moment (rules S1–S14, W3–W7). Nothing touches a Socket but a command row, which is inserted in the
 * pass after its claim. Pure: the same observation and time give the same answer; `status` is absent where nothing changed (G11).
 */
export function decide(seen: SocketSiteObservation, now: Instant): Decision<SocketSiteStatus, SocketSiteAction> {
  const { inventory, site } = seen;
  if (inventory === undefined) return away(seen, now);
  if (site.deleting) return { actions: withdrawals(inventory.commands.values()), events: [], probes: [], holds: [] };
  const pass = inOrder(RULES, seen, inventory, now);
  const holds = onlyOnce([...pass.view.problems, ...pass.holds]);
  const status = statusOf(pass.view, holds, now);
  const written = worthWriting(pass.view, status, now);
  const wakes = [...pass.wakes, ...holds.flatMap(({ until }) => until ?? [])].filter((wake) => Number.isFinite(wake) && wake > now);
  return {
    ...(written ? { status } : {}),
    actions: pass.actions,
    events: written ? pass.events : [],
    probes: [],
    ...(wakes.length > 0 ? { wakeAt: Math.min(...wakes) } : {}),
    holds,
  };
}

/**
 * Without the inventory nothing is concluded. Sites that are in their window or have a command in hand say so, and nobody else: 100,000 of
 * them would be written at each outage (rules G9, G11).
 */
function away({ site: { deleting, status } }: SocketSiteObservation, now: Instant): Decision<SocketSiteStatus, SocketSiteAction> {
  const decision = { actions: [], events: [], probes: [], holds: deleting ? [] : [UNAVAILABLE] };
  const { upgrade } = status;
  const isOpen = upgrade?.start !== undefined && at(upgrade.start) <= now && upgrade.window !== undefined && now <= at(upgrade.window.end);
  if (deleting || isAway(status) || (upgrade?.command === undefined && !(isOpen && upgrade.planned !== undefined))) return decision;
  const { rule, reason, message } = UNAVAILABLE;
  return { ...decision, status: { ...status, holds: [{ rule, reason, message }] } };
}

/** Rules that come to the same conclusion say it once. */
const onlyOnce = (holds: readonly Hold[]): readonly Hold[] =>
  holds.filter((hold, index) => holds.findIndex((one) => one.rule === hold.rule && one.message === hold.message) === index);

/** A site that goes takes back what nobody has; what a device has, it finishes. */
const withdrawals = (rows: Iterable<{ readonly id: string; readonly state: string }>): readonly SocketSiteAction[] =>
  [...rows].flatMap(({ id, state }) => (state === "Open" ? [{ kind: "WithdrawCommand", id } as const] : []));
