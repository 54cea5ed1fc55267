import { higherAndLower } from "./majors.ts";
import { remaining, type SiteView, type SocketView } from "./view.ts";

/**
 * Which Socket goes first (rule S2): the standby, by its state and not by its role; a pair on two majors begins with the lower one,
 * whatever the policy says. What is frozen in the ledger stays.
 */
export function inOrder(view: SiteView): readonly SocketView[] {
  const left = remaining(view);
  const frozen = view.upgrade?.order;
  if (frozen !== undefined) return left.toSorted((a, b) => frozen.indexOf(a.serial) - frozen.indexOf(b.serial));
  const lower = higherAndLower(view.sockets)?.lower;
  const first = (socket: SocketView): boolean => {
    if (lower !== undefined) return socket.serial === lower.serial;
    return view.seen.policy.order === "PrimaryFirst" ? socket.role === "Primary" : socket.state === "Standby";
  };
  return left.toSorted((a, b) => Number(first(b)) - Number(first(a)));
}
