import type { SocketRollout } from "../../api/socket-rollout.ts";
import type { SocketSite } from "../../api/socket-site.ts";
import { compareVersions, parseVersion, satisfies } from "../../api/version.ts";
import { explanation, troubles, unseenChange, type Explanation } from "./explanation.ts";
import { holdLines } from "./hold-lines.ts";
import { stepsToCome } from "../rollout/ramp-steps.ts";
import { formatInstant } from "../time/instant.ts";
import { momentText } from "./moment.ts";

/**
 * How far a version of the Sockets has come, what holds it, and when it is through (rule S10). `sites`: all that there are, for why none of
 * them counts.
 */
export function explainSocketRollout({ metadata, spec, status }: SocketRollout, sites?: readonly SocketSite[]): Explanation {
  const subject = `SocketRollout ${metadata.name} (${spec.version})`;
  if (status === undefined) return explanation(`${subject} has no status yet: no operator has looked at it`, []);
  const { numbers, ramp, holds = [], skipped = [], forecast, stopped, standingSince, conditions = [], lateJoiners } = status;
  const reached = `has reached ${ramp?.percent ?? 0} % of the sites`;
  const state =
    stopped === undefined
      ? standingSince === undefined
        ? reached
        : "stands: sites that join later follow"
      : `starts nothing more: ${stopped.message}`;
  return explanation(`${subject} ${state}`, [
    ["Attention", [...unseenChange(metadata.generation, status.observedGeneration), ...troubles(conditions)]],
    ["Waits for", holdLines(holds, undefined)],
    [
      "Numbers",
      numbers === undefined
        ? []
        : [
            `${numbers.sites} sites, ${numbers.inRamp} in the ramp: ${numbers.offered} offered, ${numbers.attempted} attempted, ${numbers.confirmed} confirmed, ${numbers.failed} failed, ${numbers.unreachable} unreachable.`,
            ...(numbers.sites > 0 ? [] : [whyNone(spec, sites)]),
            `It stops by itself when more than ${spec.failureBudget.failedPercent} % of at least ${spec.failureBudget.attemptedAtLeast} attempted sites fail.`,
          ],
    ],
    [
      "Ramp",
      [
        ...(ramp?.opened ?? []).map(({ percent, at }) => `${percent} % since ${momentText(at, undefined)}`),
        ...(ramp === undefined || stopped !== undefined ? [] : stepsToCome(spec.ramp, ramp).map(toCome)),
      ],
    ],
    ["Sites that wait", skipped.map(({ reason, sites }) => `${reason}: ${sites}`)],
    [
      "Forecast",
      [
        ...(forecast?.finishAt === undefined || stopped !== undefined
          ? []
          : [`Through ${momentText(forecast.finishAt, undefined)}, if nothing fails.`]),
        ...(lateJoiners === undefined
          ? []
          : [`Late joiners: ${lateJoiners.admitted} in the week from ${momentText(lateJoiners.week, undefined)}.`]),
      ],
    ],
  ]);
}

const toCome = ({ percent, at }: ReturnType<typeof stepsToCome>[number]): string =>
  at === undefined
    ? `${percent} % at a time that nobody knows while something holds the ramp`
    : `${percent} % from ${formatInstant(at)}, if nothing holds it`;

type Spec = SocketRollout["spec"];

/** Why no site counts, by the first of what keeps each of them away; the same order in which a site is counted. */
function whyNone(spec: Spec, sites: readonly SocketSite[] | undefined): string {
  const counts =
    "a site counts when all its Sockets are enrolled, have said what they run, and are of a model and a version that it is for";
  if (sites === undefined) return `No site counts: ${counts}.`;
  if (sites.length === 0) return "No site counts: there is no SocketSite at all.";
  const reasons = new Map<string, number>();
  for (const site of sites) reasons.set(awayOf(spec, site), (reasons.get(awayOf(spec, site)) ?? 0) + 1);
  const found = [...reasons].toSorted(([, one], [, other]) => other - one).map(([reason, number]) => `${number} ${reason}`);
  return `No site counts of ${sites.length}: ${found.join(", ")}; ${counts}.`;
}

function awayOf({ version, models, from }: Spec, { spec, status }: SocketSite): string {
  const target = parseVersion(version);
  const cap = spec.maximumVersion === undefined ? undefined : parseVersion(spec.maximumVersion);
  const known = spec.sockets.map(({ serial, model }) => {
    const told = status?.sockets?.find((one) => one.serial === serial);
    return { model: told?.model ?? model, version: told?.version === undefined ? undefined : parseVersion(told.version) };
  });
  if (target === undefined || known.some((one) => one.version === undefined)) return "with a Socket that has not said what it runs";
  if (models !== undefined && known.some(({ model }) => model === undefined || !models.includes(model))) return "of another model";
  if (cap !== undefined && compareVersions(target, cap) > 0) return "with an older maximumVersion";
  if (known.some((one) => compareVersions(one.version!, target) > 0)) return "on something newer";
  if (from !== undefined && known.some((one) => !satisfies(one.version!, from))) return `not on ${from}`;
  return "not looked at yet";
}
