import type { Fleet } from "../../api/fleet.ts";
import type { MaintenanceWindow } from "../../api/maintenance-window.ts";
import { explanation, troubles, unseenChange, type Explanation } from "./explanation.ts";
import { momentText } from "./moment.ts";

/** What the Fleet brakes, and who may disrupt now. */
export function explainFleet({ metadata, spec, status }: Fleet): Explanation {
  const disruptions = status?.disruptions ?? [];
  const paused = spec.paused
    ? `is paused${spec.reason === undefined ? "" : ` (${spec.reason})`}: nothing new starts anywhere`
    : "is not paused";
  return explanation(`Fleet ${metadata.name} ${paused}; ${disruptions.length} of ${spec.maxConcurrentPoPs} PoPs may disrupt now`, [
    ["Attention", [...unseenChange(metadata.generation, status?.observedGeneration), ...troubles(status?.conditions)]],
    [
      "Grants",
      disruptions.map(
        ({ pop, id, kind, region, since }) =>
          `${pop}: ${kind}, grant ${id}${region === undefined ? "" : `, region ${region}`}, since ${momentText(since, undefined)}`,
      ),
    ],
    [
      "Freezes",
      (spec.freezes ?? []).map(
        ({ name, from, to, timeZone, reason }) =>
          `${name}: ${from} to ${to}, both included, ${timeZone ?? "each PoP's own zone"}${reason === undefined ? "" : `: ${reason}`}`,
      ),
    ],
  ]);
}

/** When a window opens, and whom it is too short for. */
export function explainWindow({ metadata, spec, status }: MaintenanceWindow): Explanation {
  const zone =
    spec.timeZone === "Local"
      ? "is in the local time of whatever it is applied to; each PoP shows its own next windows"
      : `is in ${spec.timeZone}`;
  const short = status?.tooShortFor ?? [];
  return explanation(`MaintenanceWindow ${metadata.name} ${zone}`, [
    [
      "Attention",
      [
        ...unseenChange(metadata.generation, status?.observedGeneration),
        ...troubles(status?.conditions),
        ...(short.length === 0 ? [] : [`It is too short for ${short.join(", ")}.`]),
      ],
    ],
    [
      "Next",
      (status?.next ?? []).map(
        ({ start, end, localStart, note }) => `${localStart} (${start} to ${end})${note === undefined ? "" : `, ${note}`}`,
      ),
    ],
  ]);
}
