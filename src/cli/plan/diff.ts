import type { PopRollout } from "../../api/pop-rollout.ts";
import type { FleetForecast, RolloutPlan } from "../../simulation/foresight/types.ts";
import { alignedTable } from "../table.ts";

/** How a plan differs from the one that runs. */
export interface RolloutDiff {
  readonly rollout: string;
  /** Nothing runs of it, or its forecast is not there yet. */
  readonly isNew: boolean;
  readonly fits: readonly [before: boolean | undefined, after: boolean];
  readonly finishDate: readonly [before: string | undefined, after: string | undefined];
  /** PoPs that begin on each local date. */
  readonly dates: readonly { readonly date: string; readonly before: number; readonly after: number }[];
  /** PoPs that are in another wave, or in none. */
  readonly waves: readonly { readonly pop: string; readonly before: string | undefined; readonly after: string | undefined }[];
}

/** Each planned rollout beside its status in the cluster; dates and waves, never seconds. */
export const diffOf = ({ rollouts }: FleetForecast, running: readonly PopRollout[]): readonly RolloutDiff[] =>
  rollouts.map((plan) =>
    rolloutDiff(
      plan,
      running.find(({ metadata }) => metadata.name === plan.name),
    ),
  );

function rolloutDiff(plan: RolloutPlan, running: PopRollout | undefined): RolloutDiff {
  const { forecast, assignments = [] } = running?.status ?? {};
  const before = new Map((forecast?.windows ?? []).map(({ date, pops }) => [date, pops]));
  const after = new Map(plan.dates.map(({ date, pops }) => [date, pops]));
  const dates = [...new Set([...before.keys(), ...after.keys()])]
    .toSorted()
    .map((date) => ({ date, before: before.get(date) ?? 0, after: after.get(date) ?? 0 }));
  const waveOf = new Map(plan.pops.map(({ pop, wave }) => [pop, wave === "" ? undefined : wave]));
  const moved = assignments
    .filter(({ state }) => state !== "Skipped")
    .map(({ pop, wave }) => ({ pop, before: wave, after: waveOf.get(pop) }))
    .filter((one) => one.before !== one.after);
  return {
    rollout: plan.name,
    isNew: forecast === undefined,
    fits: [forecast?.fits, plan.fits],
    finishDate: [forecast?.finishAt?.slice(0, 10), plan.finishAt?.slice(0, 10)],
    dates: dates.filter((one) => one.before !== one.after),
    waves: moved,
  };
}

export function diffText(diffs: readonly RolloutDiff[]): string {
  return diffs.map(oneText).join("");
}

function oneText({ rollout, isNew, fits, finishDate, dates, waves }: RolloutDiff): string {
  if (isNew) return `${rollout}: nothing of it runs yet, everything is new\n`;
  const lines = [
    ...(fits[0] === fits[1] ? [] : [`fits: ${fits[0]} → ${fits[1]}\n`]),
    ...(finishDate[0] === finishDate[1] ? [] : [`finishes: ${finishDate[0] ?? "-"} → ${finishDate[1] ?? "-"}\n`]),
    ...(dates.length === 0
      ? []
      : [
          alignedTable(
            ["DATE", "RUNNING", "PLANNED"],
            dates.map(({ date, before, after }) => [date, String(before), String(after)]),
          ),
        ]),
    ...(waves.length === 0
      ? []
      : [
          alignedTable(
            ["POP", "RUNNING", "PLANNED"],
            waves.map(({ pop, before, after }) => [pop, before ?? "-", after ?? "-"]),
          ),
        ]),
  ];
  return `${rollout}: ${lines.length === 0 ? "as the running plan\n" : `\n${lines.join("")}`}`;
}
