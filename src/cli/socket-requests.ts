import type { SocketRollout } from "../api/socket-rollout.ts";
import type { RolloutVerb } from "./rollout-requests.ts";

type Refuse = (why: string) => never;

/** What a request would do to a rollout of Sockets: it can be stopped; a Socket takes nothing back but what failed on it (rule V3). */
export function socketRolloutRequest({ spec, status = {} }: SocketRollout, verb: RolloutVerb, refuse: Refuse): string {
  if (verb === "takeBack")
    return refuse(
      "a Socket that runs a version keeps it, one on which it failed has gone back by itself; roll a fixed version, which is newer",
    );
  if (verb === "retry")
    return refuse(
      "a site tries again by itself in its next window; after a verdict, roll a fixed version, or ask one site with rollward upgrade-now",
    );
  if (status.stopped !== undefined) return refuse(`it was stopped already: ${status.stopped.message}`);
  return `${spec.version} is asked to start on no further site; a pair in hand is finished`;
}
