import type { PopNodeStatus } from "../../api/pop-cluster.ts";
import type { Instant } from "../decision.ts";
import { iso } from "./outcome.ts";

/** A node that waits for its turn after an attempt: what that attempt measured is over, its number and token are never used again. */
export const pendingEntry = (entry: PopNodeStatus, now: Instant, message: string | undefined): PopNodeStatus => ({
  name: entry.name,
  uid: entry.uid,
  ...(entry.revision === undefined ? {} : { revision: entry.revision }),
  step: "Pending",
  since: iso(now),
  attempt: entry.attempt,
  ...(entry.token === undefined ? {} : { token: entry.token }),
  ...(entry.counters === undefined ? {} : { counters: entry.counters }),
  ...(message === undefined ? {} : { message: message.slice(0, 1024) }),
});
