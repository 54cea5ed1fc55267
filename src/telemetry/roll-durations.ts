import type { PopClusterStatus, RunSpent } from "../api/pop-cluster.ts";

const CAUSES = ["working", "window", "people", "soaking"] as const;

interface FinishedRoll {
  readonly outcome: string;
  /** Seconds. */
  readonly spent: Readonly<Record<(typeof CAUSES)[number], number>>;
}

/**
 * The roll that ended between two statuses of a PoP, with the time that its ledger accounts to it; none when nothing did. A roll ends
 * when it has Passed (the watch that follows disturbs nobody) or when it has its outcome; the rollback that follows a roll is one of
 * its own, and the roll is then TakenBack.
 */
export function finishedRoll(before: PopClusterStatus, after: PopClusterStatus): FinishedRoll | undefined {
  const { run } = before;
  if (run === undefined || run.spent?.passedAt !== undefined) return undefined;
  if (after.run?.id === run.id) return after.run.spent?.passedAt === undefined ? undefined : finished("Passed", after.run.spent);
  if (after.run?.kind === "Rollback" && after.run.takesBack?.spent !== undefined) return finished("TakenBack", after.run.takesBack.spent);
  const startedAt = run.takesBack?.startedAt ?? run.startedAt;
  const known = new Set(before.history?.map(({ endedAt }) => endedAt));
  const entry = after.history?.find((one) => one.startedAt === startedAt && !known.has(one.endedAt));
  return entry?.spent && finished(entry.outcome, entry.spent, run.takesBack?.spent);
}

/** `counted`: what of it another roll has been told with already. */
function finished(outcome: string, spent: RunSpent, counted?: RunSpent): FinishedRoll {
  const [working, window, people, soaking] = CAUSES.map((cause) => (spent[cause] - (counted?.[cause] ?? 0)) / 1000);
  return { outcome, spent: { working: working!, window: window!, people: people!, soaking: soaking! } };
}
