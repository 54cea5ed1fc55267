import type { HistoryEntry, PopClusterStatus, PopRun, RunSpent } from "../../api/pop-cluster.ts";
import type { WaitingReason } from "../../api/reasons.ts";
import type { Instant } from "../decision.ts";
import { iso } from "./outcome.ts";

type Cause = "working" | "window" | "people" | "soaking";
const CAUSES = ["working", "window", "people", "soaking"] as const satisfies readonly Cause[];

/** What waiting for this is; whatever is not named is the fleet at its work. */
const CAUSE_OF: Readonly<Partial<Record<WaitingReason, Cause>>> = {
  OutsideWindow: "window",
  LastStartPassed: "window",
  WindowTooShort: "window",
  Frozen: "window",
  NoticeNotElapsed: "window",
  Paused: "people",
  FleetPaused: "people",
  AwaitingApproval: "people",
  CordonedByPerson: "people",
  Stopped: "people",
  Halted: "people",
  FailedBefore: "people",
  FirstVersion: "people",
  FleetMissing: "people",
  WindowInvalid: "people",
  TemplateInvalid: "people",
  QueryInvalid: "people",
  NoMembers: "people",
  CredentialsInvalid: "people",
  ClusterChanged: "people",
  AdoptionUnclear: "people",
  UnmanagedPod: "people",
  Soaking: "soaking",
  Baking: "soaking",
};

/**
 * What the time after this status was written goes into, as the ledger alone says it: the first of its holds that stands for something
 * else than work. A version that bakes gains soak whatever else stands there.
 */
export function causeOf({ run, holds = [] }: Pick<PopClusterStatus, "run" | "holds">): Cause {
  if (run?.state === "Baking") return "soaking";
  const waits = holds.map(({ reason }) => CAUSE_OF[reason as WaitingReason]).find((cause) => cause !== undefined);
  return waits ?? (run?.ending === "Stopped" ? "people" : "working");
}

/**
 * The status as it is written at `now`, with how the time of its run was spent: the stretch since the write before counts for what held
 * the run then. Only ever called for a status that is written anyway (G11), so an undisturbed node costs no write more (P14); what is
 * in the ledger survives whoever wrote it. `before`: the status that is overwritten.
 */
export function accounted(before: PopClusterStatus, after: PopClusterStatus, now: Instant): PopClusterStatus {
  const spent = before.run && spentUntil(before, before.run, now);
  const run = after.run && withSpent(before.run, spent, after.run, now);
  const history = before.run && spent ? withEnd(before.run, spent, after.history, now) : after.history;
  return { ...after, ...(run ? { run } : {}), ...(history ? { history } : {}) };
}

const begun = (now: Instant): RunSpent => ({ working: 0, window: 0, people: 0, soaking: 0, until: iso(now) });

function spentUntil(before: PopClusterStatus, { spent }: PopRun, now: Instant): RunSpent {
  if (spent === undefined) return begun(now);
  if (spent.passedAt !== undefined) return spent;
  const cause = causeOf(before);
  // Whole milliseconds, as the server keeps them; a clock that was set back takes nothing away.
  const until = iso(now);
  return { ...spent, [cause]: spent[cause] + Math.max(0, Date.parse(until) - Date.parse(spent.until)), until };
}

function withSpent(before: PopRun | undefined, spent: RunSpent | undefined, run: PopRun, now: Instant): PopRun {
  if (before === undefined || spent === undefined || run.id !== before.id) {
    const { takesBack } = run;
    const taken = takesBack !== undefined && spent !== undefined && takesBack.startedAt === before?.startedAt;
    return { ...run, ...(taken ? { takesBack: { ...takesBack, spent } } : {}), spent: begun(now) };
  }
  const passes = run.state === "Passed" && spent.passedAt === undefined;
  return { ...run, spent: passes ? { ...spent, passedAt: iso(now) } : spent };
}

/** The entry that the run's end has just put into the history; there is none of a run that touched nobody. */
function withEnd(run: PopRun, spent: RunSpent, history: readonly HistoryEntry[] | undefined, now: Instant): HistoryEntry[] | undefined {
  const startedAt = run.takesBack?.startedAt ?? run.startedAt;
  return history?.map((entry) =>
    entry.spent === undefined && entry.startedAt === startedAt && entry.endedAt === iso(now)
      ? { ...entry, spent: sum(run.takesBack?.spent, spent) }
      : entry,
  );
}

/** A way forward and the way back from it. */
function sum(forward: RunSpent | undefined, back: RunSpent): RunSpent {
  if (forward === undefined) return back;
  const passed = forward.passedAt === undefined ? {} : { passedAt: forward.passedAt };
  return CAUSES.reduce<RunSpent>((sums, cause) => ({ ...sums, [cause]: sums[cause] + forward[cause] }), { ...back, ...passed });
}
