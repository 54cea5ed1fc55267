import { compareVersions, parseVersion, satisfies, socketMajor } from "../../api/version.ts";
import type { Hold } from "../decision.ts";
import type { RolloutView } from "../socket/rollout-view.ts";
import { rampReached } from "./ramp.ts";
import { hasFailed } from "./verdict.ts";
import { higherAndLower } from "./majors.ts";
import { isBehind, rolloutOf, type SiteView, type SocketView, type Upgrade } from "./view.ts";

/** A version that could be put on this site, and on which of its Sockets. */
export interface Candidate {
  readonly rollout: RolloutView;
  readonly cause: "Rollout" | "Remedy";
  readonly sockets: readonly SocketView[];
}

/** What could be installed, the newest first, or what holds each of those that were passed over. */
export interface Choice {
  readonly candidate: Candidate | undefined;
  /** Of the newest that applies and was not chosen. */
  readonly holds: readonly Hold[];
}

const version = ({ spec }: RolloutView) => parseVersion(spec.version);
const newestFirst = (a: RolloutView, b: RolloutView): number => {
  const [one, other] = [version(a), version(b)];
  return one === undefined || other === undefined ? 0 : compareVersions(other, one);
};

/**
 * What is eligible here (rule S9): it may be chosen at all, is for the model, for the versions that run, newer than they are (V3), within
 * maximumVersion, in its ramp, without a failed verdict. Of these the newest; a pair on two majors gets its remedy first (S7).
 */
export function choose(view: SiteView): Choice {
  const silent = view.sockets.filter((socket) => socket.version === undefined);
  if (silent.length > 0) return { candidate: undefined, holds: view.seen.rollouts.length > 0 ? silent.map(unread) : [] };
  const rollouts = view.seen.rollouts.filter((rollout) => isOffered(view, rollout)).toSorted(newestFirst);
  const remedy = view.seen.policy.haRemediation === "Automatic" ? remedyOf(view, rollouts) : undefined;
  if (remedy !== undefined) return { candidate: remedy, holds: [] };
  let first: readonly Hold[] | undefined;
  for (const rollout of rollouts) {
    const sockets = behind(view, rollout);
    if (sockets.length === 0) continue;
    const hold = obstacle(view, rollout, sockets);
    if (hold === undefined) return { candidate: { rollout, cause: "Rollout", sockets }, holds: first ?? [] };
    first ??= [hold];
  }
  return { candidate: undefined, holds: first ?? [] };
}

/** Nothing is planned for a Socket that has not said what it runs (rules S3, G9). */
function unread({ serial, report, connected }: SocketView): Hold {
  if (!connected) return { rule: "S3", reason: "NotConnected", message: `${serial} is not connected and has not said what it runs` };
  const said = report?.version === undefined ? "no version" : "a version that cannot be read";
  return { rule: "G9", reason: "HealthUnknown", message: `${serial} reports ${said}; nothing is planned until it says what it runs` };
}

/** The version that the site waits for may still be installed here. */
export function stillEligible(view: SiteView, waits: Upgrade): boolean {
  const rollout = rolloutOf(view, waits);
  if (rollout === undefined || !isOffered(view, rollout)) return false;
  if (waits.cause === "Remedy") {
    const lower = higherAndLower(view.sockets)?.lower;
    const wanted = lower !== undefined && view.seen.policy.haRemediation === "Automatic" && isBehind(lower, waits.version);
    return wanted && unfit(view, rollout, [lower], "") === undefined;
  }
  const sockets = behind(view, rollout);
  return sockets.length > 0 && obstacle(view, rollout, sockets) === undefined;
}

/** It may be chosen at all: accepted, seen, not stopped, and for the model of the site. */
const isOffered = (view: SiteView, rollout: RolloutView): boolean =>
  rollout.accepted && rollout.seenAt !== undefined && rollout.stopped === undefined && fitsModel(view, rollout);

/** The Sockets that it would bring forward; none where it would leave one of the pair on something newer (rules V3, S7). */
function behind(view: SiteView, rollout: RolloutView): readonly SocketView[] {
  const wanted = version(rollout);
  if (wanted === undefined || view.sockets.some((socket) => socket.version !== undefined && compareVersions(socket.version, wanted) > 0))
    return [];
  return view.sockets.filter((socket) => isBehind(socket, rollout.spec.version));
}

const fitsModel = (view: SiteView, { spec }: Pick<RolloutView, "spec">): boolean =>
  spec.models === undefined || view.sockets.every(({ model }) => model !== undefined && spec.models!.includes(model));

/** Why a rollout that applies is not for this site, now or at all; in the order in which it is told. */
function obstacle(view: SiteView, rollout: RolloutView, sockets: readonly SocketView[]): Hold | undefined {
  const { spec, name } = rollout;
  const about = `version ${spec.version} (SocketRollout ${name})`;
  // An upgrade that the site has in its ledger goes on, whatever the ramp or the week's late joiners say now: both only grow.
  const known = view.upgrade?.rollout.uid === rollout.uid && view.upgrade.cause === "Rollout";
  if (!known && rampReached(view.seen.site.uid, rollout) === undefined) {
    // Without how far it is: each step of the ramp would write every site that it has not reached yet (G11).
    const message = `${about} goes to a share of the sites that grows step by step, and this one is not among them yet`;
    return { rule: "S10", reason: "NotInRamp", message };
  }
  if (!known && rollout.late === "Waiting") {
    const message = `${about} is through its ramp; sites that join later follow a few a week, and this one is not among this week's`;
    return { rule: "G4", reason: "NotInRamp", message };
  }
  return unfit(view, rollout, sockets, about);
}

function unfit(view: SiteView, rollout: RolloutView, sockets: readonly SocketView[], about: string): Hold | undefined {
  const { spec, revision } = rollout;
  const maximum = view.seen.site.spec.maximumVersion;
  const cap = maximum === undefined ? undefined : parseVersion(maximum);
  if (cap !== undefined && compareVersions(version(rollout)!, cap) > 0) {
    const message = `${about} is newer than the site's maximumVersion ${maximum}; raise it when the site may have it`;
    return { rule: "S9", reason: "VersionCapped", message };
  }
  const other = spec.from === undefined ? undefined : sockets.find((socket) => !satisfies(socket.version!, spec.from!));
  if (other !== undefined) {
    const message = `${about} is for Sockets on ${spec.from}, and ${other.serial} runs ${other.version!.text}; it goes there by another version first`;
    return { rule: "S9", reason: "OtherBase", message };
  }
  const failed = sockets.find(({ serial }) => hasFailed(view, serial, revision));
  if (failed === undefined) return undefined;
  const message = `${about} failed on ${failed.serial} and has its verdict; a fixed version, or a person who names it (upgradeNow), goes on`;
  return { rule: "G8", reason: "FailedBefore", message };
}

/**
 * What mends a pair on two majors (rule S7): the lower Socket goes to the other's exact version where a rollout still carries it, else to
 * the newest of that major; the higher one is never lowered, and what failed on the lower one is not tried again.
 */
export function remedyOf(view: SiteView, rollouts: readonly RolloutView[] = view.seen.rollouts): Candidate | undefined {
  const pair = higherAndLower(view.sockets);
  if (pair === undefined) return undefined;
  const { lower, higher } = pair;
  const offered = rollouts
    .filter((one) => isOffered(view, one) && version(one) !== undefined && socketMajor(version(one)!) === socketMajor(higher.version!))
    .filter((one) => isBehind(lower, one.spec.version) && unfit(view, one, [lower], "") === undefined)
    .toSorted(newestFirst);
  const exact = offered.find((one) => compareVersions(version(one)!, higher.version!) === 0);
  const rollout = exact ?? offered[0];
  return rollout && { rollout, cause: "Remedy", sockets: [lower] };
}

/** When the newest version that this site does not run was announced; undefined: it runs the newest that is for its model. */
export function behindSince(view: SiteView): number | undefined {
  const newest = view.seen.rollouts.filter((rollout) => isOffered(view, rollout)).toSorted(newestFirst)[0];
  return newest !== undefined && view.sockets.some((socket) => isBehind(socket, newest.spec.version)) ? newest.announcedAt : undefined;
}
