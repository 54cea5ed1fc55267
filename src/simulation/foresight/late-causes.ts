import type { PopRollout } from "../../api/pop-rollout.ts";
import type { WaitingReason } from "../../api/reasons.ts";
import { formatInstant } from "../../core/time/instant.ts";
import { describeDay } from "../../core/window/start-dates.ts";
import type { Calendar } from "./calendar-conflicts.ts";
import { counted, plural, some, trainDates } from "./dates.ts";
import type { FleetModel } from "./fleet-model.ts";
import { tell } from "./told.ts";
import type { Conflict, ConflictKind, ForesightInput, PopForecast } from "./types.ts";

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

/** What is in the way of PoPs that do not get there in time; `message` is the same for every PoP of one cause. */
interface Cause {
  readonly kind: ConflictKind;
  readonly message?: string;
}

/** What the PoP itself has wrong comes first: nothing else matters until it is corrected. */
export function causeOf(model: FleetModel, rollout: PopRollout, one: PopForecast): Cause {
  const pop = model.pops.get(one.pop);
  const written = pop && model.problemOf(pop.pop);
  if (written !== undefined) return { kind: "Invalid", message: written };
  if (pop?.log.runs.findLast(({ version }) => version === rollout.spec.version)?.back !== undefined) return { kind: "Failed" };
  const taken = pop && model.takenBy(rollout, pop.pop);
  if (taken !== undefined) return { kind: "Waiting", message: taken };
  const refusal = model.refusals.findLast(({ pop: name }) => name === one.pop);
  const held = pop?.hold && KIND_OF[pop.hold.reason];
  if (refusal !== undefined || held !== undefined) return { kind: refusal?.kind ?? held! };
  const wait = model.waits.get(rollout.metadata.name);
  const began = Date.parse(rollout.status?.startDate ?? "");
  if (wait?.until !== undefined && wait.until > began)
    return {
      kind: "Waiting",
      message: `${wait.other} was under way until ${formatInstant(wait.until)}, and two rollouts never interleave`,
    };
  return { kind: "Window" };
}

/** PoPs that do not get there in time, by what is in their way. */
export function whyLate(
  input: ForesightInput,
  model: FleetModel,
  rollout: PopRollout,
  late: readonly PopForecast[],
  calendar: Calendar,
): Conflict[] {
  const grouped = new Map<string, { readonly cause: Cause; readonly pops: PopForecast[] }>();
  for (const one of late) {
    const cause = causeOf(model, rollout, one);
    const key = `${cause.kind} ${cause.message ?? ""}`;
    const known = grouped.get(key) ?? { cause, pops: [] };
    known.pops.push(one);
    grouped.set(key, known);
  }
  return [...grouped.values()].map(({ cause: { kind, message }, pops }) => {
    const names = some(
      pops.map(({ pop }) => pop),
      6,
    );
    const told = message === undefined ? lateMessage(input, model, kind, { rollout, pops, calendar }) : `PoP ${names}: ${message}`;
    return tell({ kind, rollout, who: pops.map(({ pop }) => pop), message: told });
  });
}

/** PoPs of one cause. */
interface Late {
  readonly rollout: PopRollout;
  readonly pops: readonly PopForecast[];
  readonly calendar: Calendar;
}

function lateMessage(input: ForesightInput, model: FleetModel, kind: ConflictKind, late: Late): string {
  const { pops } = late;
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
      return windowMessage(model, late);
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

function windowMessage(model: FleetModel, { rollout, pops, calendar }: Late): string {
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
  const mixed = pops.filter(({ start }) => start !== undefined);
  const long = mixed.length > 0 ? `${plural(mixed.length, "PoP")} begin and have more nodes than their windows hold, ` : "";
  const opens = usable.length === 0 ? "no window that opens on dates of the train can be used" : `the windows open on ${some(usable)} only`;
  const lost = lostText(calendar, pops);
  const because =
    usable.length < dates.length ? `${opens}${lost === undefined ? "" : `: ${lost}`}` : (lastedToo(model, rollout) ?? first.why ?? opens);
  return `${inWaves}${plural(pops.length, "PoP")} ${pops.length === 1 ? "finds" : "find"} no usable window in ${dates.length === 0 ? text : `the ${text} of the train`}: ${long}${because}`;
}

/** `Sunday 2026-11-29 is lost to freeze peak`, of PoPs that are late. */
export function lostText({ lost }: Calendar, pops: readonly PopForecast[]): string | undefined {
  const found = new Map<string, { readonly date: string; readonly to: string; count: number }>();
  for (const { pop } of pops)
    for (const one of lost.get(pop) ?? []) {
      const key = `${one.date} ${one.to}`;
      const known = found.get(key) ?? { ...one, count: 0 };
      known.count += 1;
      found.set(key, known);
    }
  if (found.size === 0) return undefined;
  const sentences = [...found.values()]
    .toSorted((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : b.count - a.count))
    .map(({ date, to, count }) => `${describeDay(date)} is lost to ${to}${count === pops.length ? "" : ` for ${plural(count, "PoP")}`}`);
  return some(sentences, 4, "; ");
}

/** The wave before the first one that never opens, when that is what took the time, and what kept those of its PoPs that never began. */
function lastedToo(model: FleetModel, rollout: PopRollout): string | undefined {
  const { waves = [], assignments = [] } = rollout.status ?? {};
  const before = waves[waves.findIndex(({ state }) => state === "Pending") - 1];
  if (before === undefined) return undefined;
  const lasted =
    before.endedAt === undefined
      ? `wave ${before.name} is not over by then`
      : `wave ${before.name} is over only at ${formatInstant(Date.parse(before.endedAt))}`;
  const kept = assignments.flatMap(({ pop, wave }) => {
    const member = wave === before.name ? model.pops.get(pop)?.pop : undefined;
    const taken = member && model.takenBy(rollout, member);
    return taken === undefined ? [] : [`${pop}: ${taken}`];
  });
  return kept.length === 0 ? lasted : `${lasted}, for it waits for ${some(kept, 2, "; ")}`;
}
