import type { ClientRolloutSpec } from "../../api/client-rollout.ts";
import { compareVersions, isZero, parseVersion, versionProblem } from "../../api/version.ts";
import type { Hold, Instant } from "../decision.ts";
import { isSameVersion } from "./policy.ts";

/** A ClientRollout among the others, as far as they look at each other. */
export interface ListedRollout {
  readonly name: string;
  readonly uid: string;
  readonly createdAt: Instant;
  readonly spec: Pick<ClientRolloutSpec, "os" | "version" | "floors" | "supersedes">;
  /** What it took over is in its status: the rollout that it mends may be gone. */
  readonly inherited: boolean;
}

/** Why a rollout cannot be carried out as it is written, with what to write instead (rules V1, C6, C8); undefined: it can. */
export function problemOf(rollout: ListedRollout, all: readonly ListedRollout[]): Hold | undefined {
  const { version, os } = rollout.spec;
  const invalid = versionProblem(version) ?? zeroProblem(version);
  if (invalid !== undefined) return { rule: "V1", reason: "RangeInvalid", message: `${invalid}; nothing is offered until then` };
  const older = all.find((other) => other.uid !== rollout.uid && carriesTheSame(rollout, other) && cameBefore(other, rollout));
  if (older !== undefined) {
    const message = `ClientRollout ${older.name} carries ${version} to ${os} and is older; only that one counts; delete one of them`;
    return { rule: "C7", reason: "AnnouncedTwice", message };
  }
  return floorProblem(rollout.spec) ?? supersedesProblem(rollout, all);
}

const zeroProblem = (version: string): string | undefined =>
  isZero(parseVersion(version)!)
    ? `${version} is what a new installation reports, so nobody could be told to have it; write a version with a number other than 0`
    : undefined;

const carriesTheSame = (one: ListedRollout, other: ListedRollout): boolean =>
  one.spec.os === other.spec.os && isSameVersion(one.spec.version, other.spec.version);

/** The older one counts; of two of one instant the one with the smaller UID, so that both agree. */
const cameBefore = (one: ListedRollout, other: ListedRollout): boolean =>
  one.createdAt < other.createdAt || (one.createdAt === other.createdAt && one.uid < other.uid);

function floorProblem({ version, floors = [] }: ListedRollout["spec"]): Hold | undefined {
  const target = parseVersion(version)!;
  for (const floor of floors) {
    const [read, invalid] = [parseVersion(floor.version), versionProblem(floor.version)];
    const message = invalid ?? `floor ${floor.version} is not older than ${version}; write an older version, or take the floor out`;
    if (read === undefined || compareVersions(read, target) >= 0) {
      return { rule: "C8", reason: "FloorInvalid", message: `${message}; nothing is offered until then` };
    }
  }
  return undefined;
}

function supersedesProblem(rollout: ListedRollout, all: readonly ListedRollout[]): Hold | undefined {
  const { supersedes, os, version } = rollout.spec;
  if (supersedes === undefined) return undefined;
  const mended = all.find(({ name }) => name === supersedes.name);
  const refuse = (found: string): Hold => ({ rule: "C6", reason: "SupersedesUnknown", message: `supersedes ${supersedes.name}: ${found}` });
  if (mended === undefined) {
    return rollout.inherited
      ? undefined
      : refuse("there is no such ClientRollout; write the name of the faulty one; nothing is offered until then");
  }
  if (mended.spec.os !== os) return refuse(`it is for ${mended.spec.os}, this one for ${os}; write the name of one for ${os}`);
  const [fixed, faulty] = [parseVersion(version), parseVersion(mended.spec.version)];
  if (fixed !== undefined && faulty !== undefined && compareVersions(fixed, faulty) > 0) return undefined;
  return refuse(`its version ${mended.spec.version} is not older than ${version}, so ${version} cannot mend it; write a newer version`);
}
