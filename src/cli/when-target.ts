import type { OccurrenceStatus } from "../api/common.ts";
import type { Fleet } from "../api/fleet.ts";
import type { MaintenanceWindow } from "../api/maintenance-window.ts";
import type { PopCluster } from "../api/pop-cluster.ts";
import { FLEET, MAINTENANCE_WINDOW, POP_CLUSTER } from "../api/resources.ts";
import type { Cluster } from "../control/ports.ts";
import { closest } from "../core/closest.ts";
import { parseDuration } from "../core/time/duration.ts";
import { zoneProblem } from "../core/time/zone.ts";
import { forecast } from "../core/window/forecast.ts";
import { windowProblems, windowZone } from "../core/window/parse.ts";
import { counted } from "../core/text.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { CliIo } from "./io.ts";
import { Refusal } from "./refusal.ts";
import { alignedTable } from "./table.ts";
import { findTarget } from "./target.ts";

export interface WhenTargetOptions {
  readonly namespace: string;
  readonly zone?: string;
  readonly count: number;
  readonly output?: "table" | "json";
}

/** `rollward when pop/NAME | mw/NAME | train`: by the same evaluator as the controllers (rule W9), with the Fleet's freezes. */
export async function whenTarget(cluster: Cluster, text: string, options: WhenTargetOptions, io: CliIo): Promise<ExitCode> {
  const fleet = await cluster.get<Fleet>(FLEET, "fleet", options.namespace);
  if (text === "train") return departures(fleet, options, io);
  if (closest(text, ["train"]) !== undefined && (await cluster.get(POP_CLUSTER, text, options.namespace)) === undefined)
    throw new Refusal(EXIT.nothingToActOn, `there is no PoPCluster ${text} in namespace ${options.namespace}; did you mean train?`);
  const target = await findTarget(cluster, text, options.namespace, ["PoPCluster", "MaintenanceWindow"]);
  const found =
    target.kind === "PoPCluster" ? await ofPop(cluster, target.object, fleet, options, io) : ofWindow(target.object, options, io);
  print(found, options, io);
  return EXIT.ok;
}

interface Found {
  readonly heading: string;
  readonly occurrences: readonly OccurrenceStatus[];
}

async function ofPop(
  cluster: Cluster,
  pop: PopCluster,
  fleet: Fleet | undefined,
  { namespace, count }: WhenTargetOptions,
  io: CliIo,
): Promise<Found> {
  const name = pop.spec.windowRef.name;
  const window = await cluster.get<MaintenanceWindow>(MAINTENANCE_WINDOW, name, namespace);
  if (!window)
    throw new Refusal(
      EXIT.nothingToActOn,
      `PoPCluster ${pop.metadata.name} names MaintenanceWindow ${name}, which does not exist in namespace ${namespace}`,
    );
  const zone = usable(window, pop.spec.timeZone);
  const piece = parseDuration(pop.spec.strategy.perNode.expected);
  const occurrences = forecast({
    spec: window.spec,
    zone,
    freezeZone: pop.spec.timeZone,
    from: io.now(),
    count,
    freezes: fleet?.spec.freezes ?? [],
    ...(piece === undefined ? {} : { pieceMilliseconds: piece }),
  });
  return { heading: `PoP ${pop.metadata.name}, window ${name}, in ${zone}:`, occurrences };
}

function ofWindow(window: MaintenanceWindow, { zone: given, count }: WhenTargetOptions, io: CliIo): Found {
  const zone = usable(window, given);
  return {
    heading: `Window ${window.metadata.name}, in ${zone}:`,
    occurrences: forecast({ spec: window.spec, zone, from: io.now(), count }),
  };
}

/** The zone that the window is read in, or a sentence that says what is missing. */
function usable(window: MaintenanceWindow, zoneOfThing: string | undefined): string {
  const problems = windowProblems(window.spec);
  if (problems.length > 0) throw new Refusal(EXIT.badInput, `MaintenanceWindow ${window.metadata.name}: ${problems.join("; ")}`);
  const zone = windowZone(window.spec, zoneOfThing);
  if (zone === undefined)
    throw new Refusal(
      EXIT.badInput,
      `MaintenanceWindow ${window.metadata.name} is read in the local zone of what it is applied to; give --zone, for example --zone Europe/Berlin`,
    );
  const problem = zoneProblem(zone);
  if (problem !== undefined) throw new Refusal(EXIT.badInput, problem);
  return zone;
}

function print({ heading, occurrences }: Found, { output }: WhenTargetOptions, io: CliIo): void {
  const rows = occurrences.map(({ start, lastStart, end, localStart, note = "" }) => ({
    start,
    ...(lastStart === undefined ? {} : { lastStart }),
    end,
    localStart,
    note,
  }));
  if (output === "json") return io.out(`${JSON.stringify(rows, undefined, 2)}\n`);
  if (rows.length === 0) return io.out(`${heading}\nno coming occurrence\n`);
  const cells = rows.map((row) => [row.start, row.lastStart ?? "", row.end, row.localStart, row.note]);
  return io.out(`${heading}\n${alignedTable(["START", "LAST START", "END", "LOCAL START", "NOTE"], cells)}`);
}

/** Departures stand in the Fleet's status: a train is not a window (rule W8). */
function departures(fleet: Fleet | undefined, { namespace, output, count }: WhenTargetOptions, io: CliIo): ExitCode {
  if (!fleet) throw new Refusal(EXIT.nothingToActOn, `there is no Fleet named fleet in namespace ${namespace}`);
  if (!fleet.spec.train) throw new Refusal(EXIT.nothingToActOn, "the Fleet has no spec.train; write everyWeeks, anchor and length");
  const known = fleet.status?.nextDepartures ?? [];
  if (known.length === 0)
    throw new Refusal(
      EXIT.nothingToActOn,
      "the Fleet's status names no departure yet: no operator has looked at it; start one, then ask again",
    );
  const dates = known.slice(0, count);
  const { everyWeeks } = fleet.spec.train;
  if (count > known.length)
    io.error(`the Fleet's status names ${known.length} departures, not ${count}; the others follow every ${counted(everyWeeks, "week")}\n`);
  io.out(
    output === "json"
      ? `${JSON.stringify(dates, undefined, 2)}\n`
      : `The train departs every ${everyWeeks === 1 ? "week" : `${everyWeeks} weeks`}, next on:\n${dates.map((date) => `  ${date}\n`).join("")}`,
  );
  return EXIT.ok;
}
