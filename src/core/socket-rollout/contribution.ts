import type { SocketSite } from "../../api/socket-site.ts";
import { compareVersions, parseVersion, satisfies } from "../../api/version.ts";
import type { Instant } from "../decision.ts";
import { placeInRamp } from "../rollout/ramp-steps.ts";
import type { RolloutView } from "../socket/rollout-view.ts";

/** What one site counts as in a rollout's numbers. Plain and small: 100,000 sites share a few hundred of them. */
export interface Contribution {
  /** In the ramp from the first percent above it on; 0 where the site has been planned by this rollout. */
  readonly bucket: number;
  readonly offered: boolean;
  readonly attempted: boolean;
  readonly confirmed: boolean;
  readonly failed: boolean;
  readonly unreachable: boolean;
  /** It would start by this rollout and has no plan of it: a late joiner once the rollout stands (rule G4). */
  readonly asks: boolean;
  /** The first of what holds it, while it is not confirmed. */
  readonly reason?: string;
  /** The end of the window that it is planned for. */
  readonly plannedEnd?: Instant;
}

type Rolled = Pick<RolloutView, "uid" | "revision"> & { readonly spec: Pick<RolloutView["spec"], "version" | "models" | "from"> };
type Status = NonNullable<SocketSite["status"]>;

/** Where a site stands in the ramp of a rollout, 0 to 100: another place in each rollout (rules S10, G7). */
export const rampPlace = (siteUid: string, { uid, spec }: Pick<Rolled, "uid" | "spec">): number =>
  placeInRamp(siteUid, { uid, version: spec.version });

/**
 * A site in the numbers of a rollout, from the site's own status, so that a lost inventory makes no failure forgotten (rule S10).
 * Undefined: the rollout does not apply to it, because of its model, its versions or its maximumVersion.
 */
export function contributionOf(site: Pick<SocketSite, "metadata" | "spec" | "status">, rollout: Rolled): Contribution | undefined {
  const { spec, status = {} } = site;
  if (!isFor(site, rollout)) return undefined;
  const places = spec.sockets.map(({ serial }) => placeOf(status.sockets?.find((one) => one.serial === serial)?.version, rollout.spec));
  const planned = status.upgrade?.rollout.uid === rollout.uid ? status.upgrade : undefined;
  // Every Socket says what it runs, none runs something newer, and those that are behind are on versions that it is for (rules S9, V3).
  if (planned === undefined && places.includes("Elsewhere")) return undefined;
  const runs = places.map((place) => place === "There");
  const all = runs.every(Boolean);
  const confirmed = all && (planned === undefined || planned.step === "Completed");
  const failures = failuresOf(status, rollout.revision);
  const failed = !confirmed && spec.sockets.some(({ serial }, index) => !runs[index] && failures.includes(serial));
  const attempts = (status.sockets ?? []).flatMap(({ lastAttempt }) => (lastAttempt?.version === rollout.spec.version ? lastAttempt : []));
  const done = (planned?.done?.length ?? 0) > 0;
  const state = planned?.command?.state;
  const begun = state === "Proceeding" || state === "Succeeded" || state === "Failed";
  const reason = confirmed ? undefined : status.holds?.[0]?.reason;
  return {
    bucket: planned === undefined ? Math.floor(rampPlace(site.metadata.uid, rollout)) : 0,
    offered: done || attempts.length > 0 || planned?.command !== undefined,
    attempted: done || failed || begun || attempts.some(({ outcome }) => outcome !== "Withdrawn"),
    confirmed,
    failed,
    unreachable: planned?.step === "Skipped" && (planned.reason === "NotConnected" || planned.reason === "Unstable"),
    asks: planned === undefined && !all && failures.length === 0,
    ...(reason === undefined ? {} : { reason }),
    ...(planned?.planned?.start === undefined || planned.window === undefined ? {} : { plannedEnd: Date.parse(planned.window.end) }),
  };
}

function isFor({ spec, status }: Pick<SocketSite, "spec" | "status">, { spec: { version, models } }: Rolled): boolean {
  const cap = spec.maximumVersion === undefined ? undefined : parseVersion(spec.maximumVersion);
  const target = parseVersion(version);
  if (target === undefined || (cap !== undefined && compareVersions(target, cap) > 0)) return false;
  return (
    models === undefined ||
    spec.sockets.every(({ serial, model }) => {
      const reported = status?.sockets?.find((one) => one.serial === serial)?.model ?? model;
      return reported !== undefined && models.includes(reported);
    })
  );
}

/** Where a Socket's version is for a rollout. */
type Place = "There" | "Behind" | "Elsewhere";

const MOST_PLACES = 1_000;
const places = new WeakMap<Rolled["spec"], Map<string, Place>>();

/** Remembered for each version, because nearly all Sockets run one of a few. Bounded: devices say what they like. */
function placeOf(version: string | undefined, spec: Rolled["spec"]): Place {
  if (version === undefined) return "Elsewhere";
  const known = places.get(spec) ?? new Map<string, Place>();
  const place = known.get(version) ?? placed(version, spec);
  if (known.size < MOST_PLACES) places.set(spec, known.set(version, place));
  return place;
}

function placed(version: string, { version: wanted, from }: Rolled["spec"]): Place {
  const [runs, target] = [parseVersion(version), parseVersion(wanted)];
  if (runs === undefined || target === undefined) return "Elsewhere";
  const order = compareVersions(runs, target);
  if (order === 0) return "There";
  return order < 0 && (from === undefined || satisfies(runs, from)) ? "Behind" : "Elsewhere";
}

/** Serials on which this revision failed, once or for good (rules S5, G8). */
const failuresOf = ({ verdicts }: Status, revision: string): readonly string[] =>
  (verdicts ?? []).flatMap((one) => (one.revision === revision ? one.serial : []));
