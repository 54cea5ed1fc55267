import type { PopRollout } from "../../api/pop-rollout.ts";
import type { WaitingReason } from "../../api/reasons.ts";
import { cap } from "../../core/text.ts";
import { formatInstant } from "../../core/time/instant.ts";
import { missingEvidence } from "./assumptions.ts";
import { type Calendar, calendarOf } from "./calendar-conflicts.ts";
import { counted, dateAt, plural, some, trainDates } from "./dates.ts";
import type { FleetModel } from "./fleet-model.ts";
import { isLeftOut } from "./pop-forecast.ts";
import type { Conflict, ConflictKind, ForesightInput, PopForecast } from "./types.ts";

const NAMED = 16;
const MOST_TEXT = 1024;

/** Everything about one rollout that people should know before, what keeps it from fitting first. */
export function conflictsOf(
  input: ForesightInput,
  model: FleetModel,
  before: PopRollout,
  after: PopRollout,
  pops: readonly PopForecast[],
): readonly Conflict[] {
  const late = pops.filter(({ fits }) => !fits);
  const models = pops.flatMap(({ pop }) => model.pops.get(pop) ?? []);
  const calendar = calendarOf(input, model, after, models);
  const names = new Set(late.map(({ pop }) => pop));
  const told = problems(after);
  // Whom no wave reaches because of something that a person has to correct, or to lift, is told by that.
  const waiting = told.length > 0 ? late.filter(({ wave }) => wave !== "") : late;
  return [
    ...told,
    ...model.assumptions.refused
      .filter(({ of }) => of === before.metadata.uid)
      .map(({ message }) => tell({ kind: "Approval", rollout: after, who: [], message })),
    ...whyLate(input, model, after, waiting, calendar),
    ...ofCalendar(after, calendar, names),
    ...found(model, after, pops),
    ...leftOut(after),
    ...firstVersions(model, after, pops),
    ...assumed(before),
  ];
}

interface Told {
  readonly kind: ConflictKind;
  readonly severity?: Conflict["severity"];
  readonly rollout: PopRollout;
  readonly who: readonly string[];
  readonly message: string;
}

const tell = ({ kind, severity = "Conflict", rollout, who, message }: Told): Conflict => ({
  kind,
  severity,
  rollout: rollout.metadata.name,
  who: who.toSorted().slice(0, NAMED),
  count: who.length,
  message: cap(message, MOST_TEXT),
});

/** What a person has to correct, or has said: nothing goes on by itself. */
function problems(rollout: PopRollout): Conflict[] {
  const { conditions = [], halted, stopped, holds = [], assignments = [] } = rollout.status ?? {};
  // That its train was over before a wave opened is told by the PoPs that it did not reach.
  const failed = assignments.some(({ state }) => state === "RolledBack" || state === "RollbackFailed" || state === "RollingBack");
  const accepted = conditions.find(({ type }) => type === "Accepted");
  return [
    ...(accepted?.status === "False" ? [tell({ kind: "Invalid", rollout, who: [], message: accepted.message })] : []),
    ...(stopped ? [tell({ kind: "Failed", rollout, who: [], message: stopped.because })] : []),
    ...(halted && failed ? [tell({ kind: "Failed", rollout, who: [], message: halted.because })] : []),
    ...holds
      .filter(({ reason }) => reason === "Paused" || reason === "FleetPaused")
      .map(({ message }) => tell({ kind: "Paused", rollout, who: [], message })),
    ...holds.filter(({ reason }) => reason === "FleetMissing").map(({ message }) => tell({ kind: "Invalid", rollout, who: [], message })),
    ...holds.filter(({ rule }) => rule === "F6").map(({ message }) => tell({ kind: "Waiting", rollout, who: [], message })),
  ];
}

const KIND_OF: Partial<Record<WaitingReason, ConflictKind>> = {
  Frozen: "Freeze",
  NoticeNotElapsed: "Notice",
  Paused: "Paused",
  FleetPaused: "Paused",
  FailedBefore: "Failed",
  BudgetExhausted: "Capacity",
  ClusterUnreachable: "Unreachable",
  PartnerDisrupted: "DualTunnel",
  NoMembers: "Capacity",
};

/** PoPs that do not get there in time, by what is in their way. */
function whyLate(
  input: ForesightInput,
  model: FleetModel,
  rollout: PopRollout,
  late: readonly PopForecast[],
  calendar: Calendar,
): Conflict[] {
  const grouped = new Map<ConflictKind, PopForecast[]>();
  for (const one of late) {
    const refusal = model.refusals.findLast(({ pop }) => pop === one.pop);
    const held = model.pops.get(one.pop)?.hold;
    const back = model.pops.get(one.pop)?.log.runs.findLast(({ version }) => version === rollout.spec.version)?.back;
    const kind = back !== undefined ? "Failed" : (refusal?.kind ?? (held && KIND_OF[held.reason]) ?? "Window");
    grouped.set(kind, [...(grouped.get(kind) ?? []), one]);
  }
  return [...grouped].map(([kind, pops]) =>
    tell({ kind, rollout, who: pops.map(({ pop }) => pop), message: lateMessage(input, kind, rollout, pops, calendar) }),
  );
}

function lateMessage(
  input: ForesightInput,
  kind: ConflictKind,
  rollout: PopRollout,
  pops: readonly PopForecast[],
  calendar: Calendar,
): string {
  const who = plural(pops.length, "PoP");
  const regions = counted(pops.map(({ region }) => region ?? "no region"));
  const example = pops[0]?.why ?? "";
  const fleet = input.fleet?.spec;
  switch (kind) {
    case "DualTunnel":
      return `${who} find no moment at which none of their dual-tunnel partners is disrupted, by region: ${regions}; ${tied(input, pops)}; for example ${pops[0]?.pop}: ${example}`;
    case "Region":
      return `${who} find their regions busy (maxConcurrentPerRegion ${fleet?.maxConcurrentPerRegion}): ${regions}; a higher limit, longer windows or fewer PoPs a region would do; for example ${pops[0]?.pop}: ${example}`;
    case "FleetLimit":
      return `${who} find maxConcurrentPoPs ${fleet?.maxConcurrentPoPs} used up while their windows are open, by region: ${regions}; for example ${pops[0]?.pop}: ${example}`;
    case "Window":
      return windowMessage(input, rollout, pops, calendar);
    default:
      return `${who} by region ${regions}: ${example}`;
  }
}

/** How closely two-tunnel sites tie these PoPs to all others. */
function tied({ partners, pops: all }: ForesightInput, pops: readonly PopForecast[]): string {
  const most = Math.max(0, ...pops.map(({ pop }) => partners.get(pop)?.size ?? 0));
  const complete = most === all.length - 1 && all.every(({ metadata }) => (partners.get(metadata.name)?.size ?? 0) === most);
  return complete
    ? `every one of the ${all.length} PoPs shares sites with every other, so they roll one at a time`
    : `they share sites with up to ${most} other PoPs`;
}

function windowMessage({ windows }: ForesightInput, rollout: PopRollout, pops: readonly PopForecast[], calendar: Calendar): string {
  const { dates, text } = trainDates(rollout.status ?? {});
  const waves = [...new Set(pops.map(({ wave }) => wave))].filter((wave) => wave !== "");
  const pending = (rollout.status?.waves ?? []).filter(({ state }) => state === "Pending").map(({ name }) => name);
  const inWaves =
    pops.every(({ wave }) => wave === "") && pending.length > 0
      ? `wave ${pending.join(", ")} never opens: `
      : waves.length > 0
        ? `wave ${some(waves)}: `
        : "";
  const first = pops[0]!;
  const usable = [...new Set(pops.flatMap(({ pop }) => calendar.usable.get(pop) ?? []))].toSorted();
  const rare = windows
    .filter(({ spec }) => (spec.schedule.everyWeeks ?? 1) > 1)
    .map(({ metadata, spec }) => `MaintenanceWindow ${metadata.name} occurs every ${spec.schedule.everyWeeks} weeks`);
  const mixed = pops.filter(({ start }) => start !== undefined);
  const long = mixed.length > 0 ? `${plural(mixed.length, "PoP")} begin and have more nodes than their windows hold, ` : "";
  const opens = usable.length === 0 ? "no window that opens on dates of the train can be used" : `the windows open on ${some(usable)} only`;
  const because =
    usable.length < dates.length
      ? `${opens}${rare.length > 0 ? `, because ${rare.join("; ")}` : ""}`
      : (lastedToo(rollout) ?? first.why ?? opens);
  return `${inWaves}${plural(pops.length, "PoP")} ${pops.length === 1 ? "finds" : "find"} no usable window in ${dates.length === 0 ? text : `the ${text} of the train`}: ${long}${because}`;
}

/** The wave before the first one that never opens, when that is what took the time. */
function lastedToo({ status }: PopRollout): string | undefined {
  const waves = status?.waves ?? [];
  const before = waves[waves.findIndex(({ state }) => state === "Pending") - 1];
  if (before === undefined) return undefined;
  return before.endedAt === undefined
    ? `wave ${before.name} is not over by then`
    : `wave ${before.name} is over only at ${formatInstant(Date.parse(before.endedAt))}`;
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
            message: `${plural(carried.length, "PoP")} need more than one window, mixed until the last one: ${some(over)}`,
          }),
        ]),
  ];
}

const LEFT_OUT_KINDS: Readonly<Record<string, ConflictKind>> = { PinnedByPerson: "Pinned", OtherBase: "OtherBase", FailedBefore: "Failed" };

function leftOut(rollout: PopRollout): Conflict[] {
  const grouped = new Map<ConflictKind, { who: string[]; message: string }>();
  for (const one of (rollout.status?.assignments ?? []).filter(isLeftOut)) {
    const kind = LEFT_OUT_KINDS[one.reason ?? ""];
    if (kind === undefined) continue;
    const known = grouped.get(kind) ?? { who: [], message: one.message ?? "" };
    known.who.push(one.pop);
    grouped.set(kind, known);
  }
  return [...grouped].map(([kind, { who, message }]) =>
    tell({
      kind,
      severity: kind === "Failed" ? "Conflict" : "Note",
      rollout,
      who,
      message: `${plural(who.length, "PoP")} are left out; for example ${message}`,
    }),
  );
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
