import type { Fleet, WaitingForGrant } from "../../api/fleet.ts";
import type { MaintenanceWindow } from "../../api/maintenance-window.ts";
import { counted } from "../text.ts";
import { explanation, troubles, unseenChange, type Explanation } from "./explanation.ts";
import { momentText } from "./moment.ts";

/** What the Fleet brakes, and who may disrupt now. */
export function explainFleet({ metadata, spec, status }: Fleet): Explanation {
  const disruptions = status?.disruptions ?? [];
  const paused = spec.paused
    ? `is paused${spec.reason === undefined ? "" : ` (${spec.reason})`}: nothing new starts anywhere`
    : "is not paused";
  const granted = `${counted(disruptions.length, "PoP")} ${disruptions.length === 1 ? "holds" : "hold"} a grant now, and ${spec.maxConcurrentPoPs} at once may`;
  return explanation(`Fleet ${metadata.name} ${paused}; ${granted}`, [
    ["Attention", [...unseenChange(metadata.generation, status?.observedGeneration), ...troubles(status?.conditions)]],
    [
      "Grants",
      disruptions.map(
        ({ pop, id, kind, region, since }) =>
          `${pop}: ${kind}, grant ${id}${region === undefined ? "" : `, region ${region}`}, since ${momentText(since, undefined)}`,
      ),
    ],
    ["Waiting", (status?.waiting ?? []).map((entry) => `${entry.pop}: ${waitingLine(entry, undefined)}`)],
    [
      "Freezes",
      (spec.freezes ?? []).map(
        ({ name, from, to, timeZone, reason }) =>
          `${name}: ${from} to ${to}, both included, ${timeZone ?? "each PoP's own zone"}${reason === undefined ? "" : `: ${reason}`}`,
      ),
    ],
  ]);
}

/** Why a PoP that asked for a grant has none yet (G14), as the Fleet's ledger says it. */
function waitingLine({ kind, id, since, rule, reason, message }: WaitingForGrant, zone: string | undefined): string {
  return `${kind}, grant ${id}, asked for ${momentText(since, zone)}: ${reason} (rule ${rule}): ${message}`;
}

/** What a PoP that waits for its grant has before it: the Fleet's reason, and who is disrupted now. Nothing when it does not wait. */
export function fleetLines({ status }: Fleet, uid: string, zone: string): string[] {
  const entry = status?.waiting?.find((one) => one.uid === uid);
  if (entry === undefined) return [];
  const disrupted = (status?.disruptions ?? []).map(({ pop }) => pop);
  const others = disrupted.length > MOST_NAMED ? ` and ${disrupted.length - MOST_NAMED} more` : "";
  const now = disrupted.length === 0 ? "Nobody is disrupted now." : `Disrupted now: ${disrupted.slice(0, MOST_NAMED).join(", ")}${others}.`;
  return [waitingLine(entry, zone), now];
}

const MOST_NAMED = 8;

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
