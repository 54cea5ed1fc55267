import type { SocketRollout } from "../../api/socket-rollout.ts";
import { oncePer } from "../../core/once-per.ts";
import type { RolloutView } from "../../core/socket/rollout-view.ts";
import { revisionOf } from "../../core/socket/revision.ts";
import { parseDuration } from "../../core/time/duration.ts";
import { parseInstant } from "../../core/time/instant.ts";

const MEASURED = ["download", "install", "failover"] as const;

/** A SocketRollout as sites look at it; made once of each object, because every site looks at every rollout. */
const viewOf = oncePer(({ metadata, spec, status = {} }: SocketRollout, _: undefined): RolloutView => {
  const { seenAt, ramp, stopped, standingSince } = status;
  const measured = MEASURED.flatMap((name) => {
    const text = status.measured?.[name];
    const milliseconds = text === undefined ? undefined : parseDuration(text);
    return milliseconds === undefined ? [] : [[name, milliseconds] as const];
  });
  return {
    name: metadata.name,
    uid: metadata.uid,
    revision: status.revision ?? revisionOf(spec),
    spec,
    announcedAt: parseInstant(spec.announcedAt) ?? Infinity,
    ...(seenAt === undefined ? {} : { seenAt: Date.parse(seenAt) }),
    ...(ramp === undefined ? {} : { ramp }),
    ...(stopped === undefined ? {} : { stopped: stopped.by }),
    accepted: status.conditions?.some(({ type, status: is }) => type === "Accepted" && is === "True") === true,
    measured: Object.fromEntries(measured),
    ...(standingSince === undefined ? {} : { standingSince: Date.parse(standingSince) }),
  };
});

export const rolloutViewOf = (rollout: SocketRollout): RolloutView => viewOf(rollout, undefined);

/** What of a rollout any site's decision depends on; its numbers, which change all the time, are none of it. */
export function shownToSites(rollout: SocketRollout): string {
  const { revision, announcedAt, seenAt, ramp, stopped, accepted, standingSince, spec } = rolloutViewOf(rollout);
  return JSON.stringify([revision, announcedAt, seenAt, ramp?.percent, stopped, accepted, standingSince, spec.paused, spec.models]);
}

/** What besides concerns a site that is planned by it: how long an upgrade takes, and where people read of it. */
export function timesForSites(rollout: SocketRollout): string {
  const { measured, spec } = rolloutViewOf(rollout);
  return JSON.stringify([measured, spec.expected, spec.releaseNotes]);
}
