import { durationText } from "../../core/explain/report/duration-text.ts";
import { describeInstant } from "../../core/time/format.ts";
import type { FleetForecast, PopForecast, RolloutPlan } from "../../simulation/foresight/types.ts";

type Change<Value> = readonly [before: Value | undefined, after: Value | undefined];

/** One PoP that is reached at other instants, in another wave, or not at all any more. */
export interface PopDiff {
  readonly pop: string;
  /** When its first node is taken up, and when its last one is done. */
  readonly start: Change<string>;
  readonly end: Change<string>;
  readonly wave: Change<string>;
  /** Seconds by which it starts later, or earlier if negative; absent where one of the plans does not reach it. */
  readonly startsLaterBySeconds?: number;
  readonly message: string;
}

/** How a plan of one rollout differs from the one that runs. */
export interface RolloutDiff {
  readonly rollout: string;
  /** Nothing of it is in the cluster. */
  readonly isNew: boolean;
  readonly fits: Change<boolean>;
  readonly finishAt: Change<string>;
  readonly pops: readonly PopDiff[];
}

export interface PlanDiff {
  /** Objects that the files change or bring, `Kind name`. */
  readonly changed: readonly string[];
  readonly rollouts: readonly RolloutDiff[];
  /** It is the plan that runs. */
  readonly same: boolean;
}

/** Two plans of the same moment: of what stands in the cluster, and of what would with the files laid over it. Instants are compared. */
export function diffOf(running: FleetForecast, planned: FleetForecast, changed: readonly string[]): PlanDiff {
  const rollouts = planned.rollouts.map((plan) =>
    rolloutDiff(
      running.rollouts.find(({ name }) => name === plan.name),
      plan,
    ),
  );
  return { changed, rollouts, same: rollouts.every(isSame) };
}

const isSame = ({ isNew, fits, finishAt, pops }: RolloutDiff): boolean =>
  !isNew && fits[0] === fits[1] && finishAt[0] === finishAt[1] && pops.length === 0;

function rolloutDiff(before: RolloutPlan | undefined, after: RolloutPlan): RolloutDiff {
  const was = new Map((before?.pops ?? []).map((pop) => [pop.pop, pop]));
  const is = new Map(after.pops.map((pop) => [pop.pop, pop]));
  // In the order of the new plan, then those that it leaves out.
  const names = [...is.keys(), ...[...was.keys()].filter((name) => !is.has(name))];
  return {
    rollout: after.name,
    isNew: before === undefined,
    fits: [before?.fits, after.fits],
    finishAt: [before?.finishAt, after.finishAt],
    pops: before === undefined ? [] : names.flatMap((name) => popDiff(name, was.get(name), is.get(name))),
  };
}

function popDiff(pop: string, before: PopForecast | undefined, after: PopForecast | undefined): PopDiff[] {
  const wave = [waveOf(before), waveOf(after)] as const;
  if (before?.start === after?.start && before?.end === after?.end && wave[0] === wave[1] && before !== undefined && after !== undefined)
    return [];
  const later = between(before?.start, after?.start);
  return [
    {
      pop,
      start: [before?.start, after?.start],
      end: [before?.end, after?.end],
      wave,
      ...(later === undefined ? {} : { startsLaterBySeconds: later / 1_000 }),
      message: `${pop} ${whatOf(before, after)}${whyOf(before, after)}`,
    },
  ];
}

const waveOf = (pop: PopForecast | undefined): string | undefined => (pop === undefined || pop.wave === "" ? undefined : pop.wave);

const between = (before: string | undefined, after: string | undefined): number | undefined =>
  before === undefined || after === undefined ? undefined : Date.parse(after) - Date.parse(before);

function whatOf(before: PopForecast | undefined, after: PopForecast | undefined): string {
  if (after === undefined) return "is no part of it any more";
  if (before === undefined)
    return after.start === undefined ? "is new, and is not reached" : `is new, and starts at ${momentOf(after.start, after)}`;
  const parts = [turn("starts", before.start, after.start, after), turn("is done", before.end, after.end, after)].filter(
    (one) => one !== "",
  );
  return parts.length === 0 ? `is in wave ${waveOf(after) ?? "none"} instead of ${waveOf(before) ?? "none"}` : parts.join("; ");
}

/** `starts 1 h later, at … instead of …`. */
function turn(verb: string, before: string | undefined, after: string | undefined, pop: PopForecast): string {
  if (before === after) return "";
  if (after === undefined) return `${verb} not at all, instead of ${momentOf(before!, pop)}`;
  if (before === undefined) return `${verb} at ${momentOf(after, pop)}, instead of not at all`;
  return `${verb} ${shift(between(before, after)!)}, at ${momentOf(after, pop)} instead of ${before}`;
}

const momentOf = (instant: string, { timeZone }: PopForecast): string => `${instant} (${describeInstant(Date.parse(instant), timeZone)})`;

/** Milliseconds as `1 h later`; earlier if negative. */
const shift = (milliseconds: number): string => `${durationText(Math.abs(milliseconds))} ${milliseconds < 0 ? "earlier" : "later"}`;

/** What of the two plans explains it; where nothing of the PoP itself does, others were before it. */
function whyOf(before: PopForecast | undefined, after: PopForecast | undefined): string {
  if (before === undefined || after === undefined) return "";
  const [was, is] = [before.windows[0], after.windows[0]];
  const reasons = [
    waveOf(before) !== waveOf(after) && before.start !== after.start
      ? `wave ${waveOf(after) ?? "none"} instead of ${waveOf(before) ?? "none"}`
      : "",
    before.timeZone === after.timeZone ? "" : `its zone is ${after.timeZone} instead of ${before.timeZone}`,
    before.nodes === after.nodes ? "" : `${after.nodes} nodes instead of ${before.nodes}`,
    was === undefined || is === undefined || was.start === is.start ? "" : windowShift(was, is),
    before.start !== undefined && after.start === undefined ? (after.why ?? "") : "",
  ].filter((one) => one !== "");
  if (reasons.length > 0) return ` (${reasons.join("; ")})`;
  return before.start === after.start && before.end === after.end ? "" : " (its window is the same: others are before it, or no more)";
}

function windowShift(was: PopForecast["windows"][number], is: PopForecast["windows"][number]): string {
  const by = shift(between(was.start, is.start)!);
  return was.date === is.date ? `its window opens ${by}` : `its window of ${is.date} instead of ${was.date}`;
}

/** For people, each change a sentence. */
export function diffSentences({ changed, rollouts, same }: PlanDiff): string[] {
  const brought = changed.length === 0 ? [] : [`The files change ${changed.join(", ")}.`];
  if (same) return [...brought, "The plan is the one that runs."];
  return [...brought, ...rollouts.flatMap(rolloutSentences)];
}

function rolloutSentences(diff: RolloutDiff): string[] {
  const { rollout, isNew, fits, finishAt, pops } = diff;
  if (isNew) return [`${rollout}: nothing of it runs yet, everything is new.`];
  if (isSame(diff)) return [`${rollout}: as the plan that runs.`];
  const turned = fits[0] === fits[1] ? [] : [fits[1] ? `${rollout} fits now.` : `${rollout} does not fit any more.`];
  const later = between(...finishAt);
  const finish =
    finishAt[0] === finishAt[1]
      ? []
      : [
          later === undefined
            ? `${rollout}: its last node is done at ${finishAt[1] ?? "no time that is foreseen"} instead of ${finishAt[0] ?? "no time that was foreseen"}.`
            : `${rollout}: its last node is done ${shift(later)}, at ${finishAt[1]} instead of ${finishAt[0]}.`,
        ];
  return [...turned, ...finish, ...pops.map(({ message }) => `${message}.`)];
}
