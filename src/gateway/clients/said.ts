import type { ClientReport } from "../../control/client-inventory.ts";
import { meaningOf, type OmahaEvent } from "../../omaha/event.ts";

/** What all events of one request say together: the last one that ended something, else that it began (rule C4). */
export function saidBy(events: readonly OmahaEvent[]): ClientReport["said"] {
  const meant = events.map((event) => ({ event, meaning: meaningOf(event) }));
  const ended = meant.findLast(({ meaning }) => meaning === "Failed" || meaning === "Installed" || meaning === "Cancelled");
  const told = ended ?? meant.find(({ meaning }) => meaning === "Began");
  if (told === undefined || told.meaning === "Other") return undefined;
  const { errorCode } = told.event;
  return { meaning: told.meaning, ...(told.meaning === "Failed" && errorCode !== undefined ? { errorCode } : {}) };
}
