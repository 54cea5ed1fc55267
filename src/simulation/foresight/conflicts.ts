import type { PopRollout } from "../../api/pop-rollout.ts";
import { missingEvidence } from "./assumptions.ts";
import type { Calendar } from "./calendar-conflicts.ts";
import { counted, dateAt, plural, some } from "./dates.ts";
import type { Excluded, FleetModel } from "./fleet-model.ts";
import { causeOf, whyLate } from "./late-causes.ts";
import { isLeftOut } from "./pop-forecast.ts";
import { tell } from "./told.ts";
import type { Conflict, ConflictKind, ForesightInput, PopForecast } from "./types.ts";

/** One rollout before the look and after it. */
export interface Looked {
  readonly before: PopRollout;
  readonly after: PopRollout;
  readonly pops: readonly PopForecast[];
  readonly calendar: Calendar;
  /** The look went as far as the rollout does: what is not done then is late. */
  readonly complete: boolean;
}

/** Everything about one rollout that people should know before, what keeps it from fitting first. */
export function conflictsOf(
  input: ForesightInput,
  model: FleetModel,
  { before, after, pops, calendar, complete }: Looked,
): readonly Conflict[] {
  // What a longer look would see too is told of a short one as well; of the others it does not know.
  const late = pops.filter((one) => !one.fits && (complete || isHeldItself(model, after, one)));
  const names = new Set(complete ? late.map(({ pop }) => pop) : []);
  // Another rollout that is under way when the look ends is over some time.
  const told = problems(model, after).map((one): Conflict => (complete || one.kind !== "Waiting" ? one : { ...one, severity: "Note" }));
  // Whom no wave reaches because of something that a person has to correct, or to lift, is told by that.
  const waiting = told.length > 0 ? late.filter(({ wave, pop }) => wave !== "" || isWrong(model, pop)) : late;
  return [
    ...told,
    ...refused(model, before),
    ...whyLate(input, model, after, waiting, calendar),
    ...ofCalendar(after, calendar, names),
    ...found(model, after, pops),
    ...leftOut(model, after, pops),
    ...firstVersions(model, after, pops),
    ...assumed(before),
  ];
}

const refused = (model: FleetModel, rollout: PopRollout): Conflict[] =>
  model.assumptions.refused
    .filter(({ of }) => of === rollout.metadata.uid)
    .map(({ message }) => tell({ kind: "Approval", rollout, who: [], message }));

const isWrong = (model: FleetModel, name: string): boolean => {
  const pop = model.pops.get(name)?.pop;
  return pop !== undefined && model.problemOf(pop) !== undefined;
};

/** All that is not done is held by something that a person has to correct, to lift or to say: a longer look would see the same. */
export function isHeldForGood(model: FleetModel, rollout: PopRollout, late: readonly PopForecast[]): boolean {
  if (problems(model, rollout).some(({ kind }) => kind !== "Waiting") || refused(model, rollout).length > 0) return true;
  return late.every((one) => isHeldItself(model, rollout, one));
}

/** One PoP is; nothing is said of the others, which may well go on without it. */
export function isHeldItself(model: FleetModel, rollout: PopRollout, one: PopForecast): boolean {
  const { kind } = causeOf(model, rollout, one);
  return kind === "Invalid" || kind === "Failed" || kind === "Paused";
}

/** What a person has to correct, or has said: nothing goes on by itself. */
function problems(model: FleetModel, rollout: PopRollout): Conflict[] {
  const { conditions = [], halted, stopped, holds = [], assignments = [] } = rollout.status ?? {};
  // That its train was over before a wave opened is told by the PoPs that it did not reach.
  const failed = assignments.some(({ state }) => state === "RolledBack" || state === "RollbackFailed" || state === "RollingBack");
  const accepted = conditions.find(({ type }) => type === "Accepted");
  // Freezes that cannot be read hold the whole fleet (rule W10); as the Fleet's own condition says it.
  const fleet = model.fleet?.status?.conditions?.find(({ type }) => type === "Accepted");
  return [
    ...(fleet?.status === "False" ? [tell({ kind: "Invalid", rollout, who: [], message: `Fleet fleet: ${fleet.message}` })] : []),
    ...(accepted?.status === "False" ? [tell({ kind: "Invalid", rollout, who: [], message: accepted.message })] : []),
    ...(stopped ? [tell({ kind: "Failed", rollout, who: [], message: stopped.because })] : []),
    ...(halted && failed ? [tell({ kind: "Failed", rollout, who: [], message: halted.because })] : []),
    ...holds
      .filter(({ reason }) => reason === "Paused" || reason === "FleetPaused")
      .map(({ message }) => tell({ kind: "Paused", rollout, who: [], message })),
    ...holds.filter(({ reason }) => reason === "FleetMissing").map(({ message }) => tell({ kind: "Invalid", rollout, who: [], message })),
    // Rule F6: another one is under way, and has to be over first.
    ...holds.filter(({ rule }) => rule === "F6").map(({ message }) => tell({ kind: "Waiting", rollout, who: [], message })),
  ];
}

/** Freezes, notice and changes of the clocks, each told once for all PoPs that it concerns. */
function ofCalendar(rollout: PopRollout, { findings }: Calendar, late: ReadonlySet<string>): Conflict[] {
  const grouped = new Map<string, { kind: "Freeze" | "Notice" | "DST"; who: string[] }>();
  for (const { kind, pop, message } of findings) {
    const known = grouped.get(message) ?? { kind, who: [] };
    known.who.push(pop);
    grouped.set(message, known);
  }
  return [...grouped].map(([message, { kind, who }]) =>
    tell({ kind, severity: kind !== "DST" && who.some((pop) => late.has(pop)) ? "Conflict" : "Note", rollout, who, message }),
  );
}

/** PoPs that found no place in one window and still get there in a later one, or need more windows than one. */
function found(model: FleetModel, rollout: PopRollout, pops: readonly PopForecast[]): Conflict[] {
  const fitting = new Map(pops.filter(({ fits }) => fits).map((one) => [one.pop, one]));
  const grouped = new Map<string, { kind: ConflictKind; date: string; who: Set<string> }>();
  for (const { pop, at, kind } of model.refusals) {
    const one = fitting.get(pop);
    if (one === undefined) continue;
    const date = dateAt(one.timeZone, at);
    const known = grouped.get(`${kind}/${date}`) ?? { kind, date, who: new Set<string>() };
    known.who.add(pop);
    grouped.set(`${kind}/${date}`, known);
  }
  const passedOver = [...grouped.values()].map(({ kind, date, who }) => {
    const regions = counted([...who].map((pop) => fitting.get(pop)?.region ?? "no region"));
    return tell({
      kind,
      severity: "Note",
      rollout,
      who: [...who],
      message: `${plural(who.size, "PoP")} ${who.size === 1 ? "finds" : "find"} no place on ${date} and ${who.size === 1 ? "goes" : "go"} on in a later window; regions: ${regions}`,
    });
  });
  const carried = [...fitting.values()].filter(({ windows }) => new Set(windows.map(({ date }) => date)).size > 1);
  const over = carried.map(({ pop, windows }) => `${pop} (${windows.map(({ date, nodes }) => `${date}: ${nodes}`).join(", ")})`);
  return [
    ...passedOver,
    ...(carried.length === 0
      ? []
      : [
          tell({
            kind: "Window",
            severity: "Note",
            rollout,
            who: carried.map(({ pop }) => pop),
            message: `${plural(carried.length, "PoP")} ${carried.length === 1 ? "needs" : "need"} more than one window, mixed until the last one: ${some(over)}`,
          }),
        ]),
  ];
}

const LEFT_OUT_KINDS: Readonly<Record<string, ConflictKind>> = { PinnedByPerson: "Pinned", OtherBase: "OtherBase", FailedBefore: "Failed" };

/** PoPs that get nothing by what they are; where nobody is left that is the conflict. Every one stands in the plan's `leftOut`. */
function leftOut(model: FleetModel, rollout: PopRollout, pops: readonly PopForecast[]): Conflict[] {
  const grouped = new Map<ConflictKind, { who: string[]; messages: string[] }>();
  for (const { pop, reason, message } of leftOutOf(model, rollout)) {
    const kind = LEFT_OUT_KINDS[reason];
    if (kind === undefined) continue;
    const known = grouped.get(kind) ?? { who: [], messages: [] };
    known.who.push(pop);
    known.messages.push(message);
    grouped.set(kind, known);
  }
  return [...grouped].map(([kind, { who, messages }]) =>
    tell({
      kind,
      severity: kind === "Failed" || pops.length === 0 ? "Conflict" : "Note",
      rollout,
      who,
      message: `${plural(who.length, "PoP")} ${who.length === 1 ? "is" : "are"} left out; for example ${messages[0]}`,
    }),
  );
}

/** Members that get nothing by what they are, and PoPs that no wave took for it, by name. */
export function leftOutOf(model: FleetModel, { metadata, status }: PopRollout): readonly Excluded[] {
  const skipped = (status?.assignments ?? [])
    .filter(isLeftOut)
    .map(({ pop, reason = "", message = "" }): Excluded => ({ pop, reason, message }));
  const all = [...skipped, ...model.excluded(metadata.name)].map((one) => ({ ...one, message: foreseen(model, one) }));
  return all.toSorted((a, b) => (a.pop < b.pop ? -1 : 1));
}

/** What a PoP comes to run only within the look is not told as if it ran it now. */
function foreseen(model: FleetModel, { pop, message }: Excluded): string {
  const [said, list = ""] = / runs (\S+(?: and \S+)?), and /.exec(message) ?? [];
  const versions = new Set(list.split(" and "));
  if (said === undefined || [...versions].every((version) => model.runsNow(pop, version))) return message;
  return message.replace(said, ` would run ${[...versions].join(" and ")} by then, and `);
}

function firstVersions(model: FleetModel, rollout: PopRollout, pops: readonly PopForecast[]): Conflict[] {
  const who = pops.filter(({ pop }) => model.pops.get(pop)?.log.runs.some(({ first }) => first)).map(({ pop }) => pop);
  if (who.length === 0) return [];
  const message = `${plural(who.length, "PoP")} without a version: the nodes join at once, without window and grant (P16)`;
  return [tell({ kind: "FirstVersion", severity: "Note", rollout, who, message })];
}

function assumed(rollout: PopRollout): Conflict[] {
  return missingEvidence(rollout).map(({ name, failed, features }) =>
    tell({
      kind: "Evidence",
      severity: failed ? "Conflict" : "Note",
      rollout,
      who: [],
      message: failed
        ? `evidence ${name} has failed; what follows is what would be if it passed, or if an Approval went on without it`
        : features.length > 0
          ? `evidence ${name} (${features.join(", ")} in early availability) has no source that reports on it: no wave opens before an Approval goes on without it; the forecast takes that as given at once`
          : `evidence ${name} is not there yet; the forecast goes on as if it passed at once`,
    }),
  );
}
