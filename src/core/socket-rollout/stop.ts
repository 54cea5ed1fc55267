import type { SocketRolloutStatus } from "../../api/socket-rollout.ts";
import { compareVersions, parseVersion, socketMajor } from "../../api/version.ts";
import type { Instant } from "../decision.ts";
import { formatInstant, parseInstant } from "../time/instant.ts";
import { share } from "./accept.ts";
import { exceedsFailureBudget } from "./failures.ts";
import type { SocketRolloutObservation } from "./observation.ts";

type Stopped = NonNullable<SocketRolloutStatus["stopped"]>;

/** Who or what has ended the rollout for ever (rules S10, G4); what is in hand finishes as S8 says. Undefined: it goes on. */
export function stoppedBy(seen: SocketRolloutObservation, now: Instant): Stopped | undefined {
  const { spec, status } = seen.rollout;
  if (status.stopped !== undefined) return status.stopped;
  const at = formatInstant(now);
  const asked = stopAsked(seen);
  if (asked !== undefined) return { at, by: "Person", message: `a person asked at ${asked} to stop it; a newer SocketRollout goes on` };
  if (exceedsFailureBudget(seen)) {
    const { failed, attempted } = seen.numbers;
    const message = `${failed} of ${attempted} sites failed, more than ${spec.failureBudget.failedPercent} %; a fixed version goes on`;
    return { at, by: "Failures", message };
  }
  const newer = seen.others.find((other) => replaces(seen, other));
  return newer && { at, by: "Superseded", message: `SocketRollout ${newer.name} (${newer.version}) stands in its place` };
}

/** A person's word, once for each value of `at`. */
export function stopAsked({ rollout: { spec, status } }: SocketRolloutObservation): string | undefined {
  const asked = spec.requests?.stop?.at;
  const when = asked === undefined ? undefined : parseInstant(asked);
  const handled = status.handled?.stop;
  return when !== undefined && (handled === undefined || parseInstant(handled) !== parseInstant(formatInstant(when))) ? asked : undefined;
}

/** A newer one of the same major, for all its models, that stands: it is the current version then. Another major mends no mixed pair. */
function replaces({ rollout: { spec } }: SocketRolloutObservation, other: SocketRolloutObservation["others"][number]): boolean {
  const [one, its] = [parseVersion(spec.version), parseVersion(other.version)];
  if (other.standing !== true || one === undefined || its === undefined || !share(spec.models, other.models)) return false;
  const covers = other.models === undefined || spec.models?.every((model) => other.models!.includes(model)) === true;
  return covers && socketMajor(one) === socketMajor(its) && compareVersions(its, one) > 0;
}
