import { compareVersions, parseVersion, rangeProblem, versionProblem } from "../../api/version.ts";
import type { Hold } from "../decision.ts";
import type { SocketRolloutObservation } from "./observation.ts";

type Other = SocketRolloutObservation["others"][number];

/** Why a rollout cannot be carried out as it is written, as a sentence that says what to write instead (rules V1, W3); undefined: it can. */
export function problemOf({ rollout, others }: SocketRolloutObservation): Hold | undefined {
  const { version, from } = rollout.spec;
  const invalid = versionProblem(version) ?? (from === undefined ? undefined : rangeProblem(from));
  if (invalid !== undefined) return { rule: "V1", reason: "RangeInvalid", message: `${invalid}; nothing starts until then` };
  const older = others.find((other) => isSame(rollout.spec, other) && isOlder(other, rollout));
  if (older === undefined) return undefined;
  const message = `SocketRollout ${older.name} carries ${version} to the same models and is older; only that one counts; delete one of them`;
  return { rule: "S9", reason: "AnnouncedTwice", message };
}

/** The same version for one model at least. */
function isSame({ version, models }: SocketRolloutObservation["rollout"]["spec"], other: Other): boolean {
  const [one, its] = [parseVersion(version), parseVersion(other.version)];
  return one !== undefined && its !== undefined && compareVersions(one, its) === 0 && share(models, other.models);
}

export const share = (one: readonly string[] | undefined, other: readonly string[] | undefined): boolean =>
  one === undefined || other === undefined || one.some((model) => other.includes(model));

/** The older one counts; of two of one instant the one with the smaller UID, so that both agree. */
const isOlder = (one: Pick<Other, "createdAt" | "uid">, other: Pick<Other, "createdAt" | "uid">): boolean =>
  one.createdAt < other.createdAt || (one.createdAt === other.createdAt && one.uid < other.uid);
