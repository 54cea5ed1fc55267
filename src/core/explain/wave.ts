import type { PopCluster } from "../../api/pop-cluster.ts";
import type { Assignment, PopRollout, PopRolloutStatus, WaveStatus } from "../../api/pop-rollout.ts";
import { explanation, troubles, unseenChange, type Explanation } from "./explanation.ts";
import { holdLines, holdText, type ShownHold } from "./hold-lines.ts";
import { momentText } from "./moment.ts";
import { assignmentLine, waveLine } from "./rollout.ts";

/** PoPs told one by one; the others as a number. */
const NAMED = 50;

/**
 * Why one wave of a rollout is where it is: what holds the rollout before or in this wave, each PoP of it with its own holds, and what
 * comes. `pops`: those of the fleet namespace. Undefined when the rollout has no such wave.
 */
export function explainWave(
  { metadata, spec, status = {} }: PopRollout,
  name: string,
  pops: readonly PopCluster[],
): Explanation | undefined {
  const order = namesOf(spec.waves, status);
  const place = order.indexOf(name);
  if (place < 0) return undefined;
  const wave: WaveStatus = status.waves?.find((one) => one.name === name) ?? { name, state: "Pending" };
  const members = (status.assignments ?? []).filter((one) => one.wave === name);
  const isOver = wave.state === "Passed" || wave.state === "Skipped" || status.outcome !== undefined || status.standing === true;
  const holds = isOver
    ? []
    : (status.holds ?? []).filter(({ message }) => !order.slice(place + 1).some((later) => message.includes(`wave ${later}`)));
  const open = members.filter(({ state }) => OPEN.has(state));
  const byName = new Map(pops.map((pop) => [pop.metadata.name, pop]));
  return explanation(
    `Wave ${name} of PoPRollout ${metadata.name} (${place + 1} of ${order.length}) is ${stateWords(wave, open.length, isOver)}`,
    [
      ["Attention", [...unseenChange(metadata.generation, status.observedGeneration), ...troubles(status.conditions)]],
      ["Why not yet", waits(wave, holds, open.length, isOver)],
      ["Wave", [waveLine(wave, status.assignments ?? [])]],
      ["PoPs", [...members.slice(0, NAMED).flatMap((one) => memberLines(one, byName.get(one.pop))), ...left(members.length)]],
      ["What comes", isOver ? [] : whatComes(spec, status, order, place)],
    ],
  );
}

const OPEN: ReadonlySet<string> = new Set(["Assigned", "Rolling", "Baking", "RollingBack"]);

/** The waves of a rollout in their order: as its ledger has them, else as it is written. */
export const waveNames = ({ spec, status = {} }: PopRollout): string[] => namesOf(spec.waves, status);

const namesOf = (written: PopRollout["spec"]["waves"], { waves = [] }: PopRolloutStatus): string[] =>
  (waves.length > 0 ? waves : written).map((one) => one.name);

function stateWords({ state }: WaveStatus, open: number, isOver: boolean): string {
  if (state === "Pending") return isOver ? "not opened any more: the rollout is over" : "to come";
  if (state === "Open")
    return open > 0
      ? `open, ${open === 1 ? "1 of its PoPs is" : `${open} of its PoPs are`} not over`
      : "open, and all of its PoPs are over";
  return state === "Passed" ? "over: it passed" : "over: it was skipped";
}

function waits({ state }: WaveStatus, holds: readonly ShownHold[], open: number, isOver: boolean): string[] {
  if (holds.length > 0) return holdLines(holds, undefined);
  if (isOver) return ["Nothing is waiting."];
  if (state === "Open" && open > 0) return ["It waits for its own PoPs; what holds each of them stands below."];
  return ["Nothing holds it: the next step is being made."];
}

/** A PoP with what the rollout says of it, and under it what the PoP itself waits for while it is not over. */
function memberLines(one: Assignment, pop: PopCluster | undefined): string[] {
  const own = OPEN.has(one.state) && pop?.metadata.uid === one.uid ? (pop.status?.holds ?? []) : [];
  return [assignmentLine(one), ...own.map((hold, index) => `  ${one.pop} ${index + 1}. ${holdText(hold, pop?.spec.timeZone)}`)];
}

const left = (members: number): string[] =>
  members > NAMED ? [`and ${members - NAMED} more: rollward status popro/NAME shows them all`] : [];

function whatComes(
  spec: PopRollout["spec"],
  { waves = [], forecast, endDate }: PopRolloutStatus,
  order: readonly string[],
  place: number,
): string[] {
  const written = spec.waves.find(({ name }) => name === order[place]);
  const before = order
    .slice(0, place)
    .filter((name) => !["Passed", "Skipped"].includes(waves.find((one) => one.name === name)?.state ?? "Pending"));
  const next = order[place + 1];
  const digest = waves[place]?.state === "Pending" ? waves[place]?.digest : undefined;
  return [
    ...(before.length === 0 ? [] : [`It opens after ${before.length === 1 ? "wave" : "waves"} ${before.join(", ")}.`]),
    ...(written?.approval === "Required" && waves[place]?.approval === undefined
      ? [`It needs an Approval${digest === undefined ? " of what it is when it is its turn" : ` that names digest ${digest}`}.`]
      : []),
    ...(written?.bake === undefined ? [] : [`Each of its PoPs bakes for ${written.bake}.`]),
    next === undefined ? "It is the last wave." : `Wave ${next} follows it.`,
    ...(endDate === undefined ? [] : [`The windows before ${endDate} may be used, a date of each PoP's own calendar.`]),
    ...(forecast === undefined ? [] : [`Forecast of ${momentText(forecast.at, undefined)}: ${forecast.message}`]),
  ];
}
