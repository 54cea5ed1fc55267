import type { PopClusterStatus, PopRun } from "../../api/pop-cluster.ts";
import type { Hold, Instant } from "../../core/decision.ts";
import type { UsableOccurrence } from "../../core/window/last-start.ts";

export interface UsedWindow {
  /** Of the occurrence; absent where no window counts. */
  readonly occurrence?: UsableOccurrence;
  readonly begins: Instant;
  ends: Instant;
  nodes: number;
}

/** One way to one version, as the forecast saw it. */
export interface RunLog {
  readonly version: string;
  /** When the first node was taken up; of a run that was under way when the look began, when that began. */
  start: Instant | undefined;
  rolledAt?: Instant;
  passedAt?: Instant;
  /** Why it went back. */
  back?: string;
  /** Its nodes join: no window, no grant (rule P16). */
  readonly first: boolean;
  readonly windows: UsedWindow[];
}

/** A window that closed while the PoP had not begun, or had nodes left. */
export interface Missed {
  readonly at: Instant;
  readonly grantId: number;
  readonly hold: Hold;
  readonly done: number;
}

/** What became of one PoP, for the tables: nothing is decided from it. */
export class PopLog {
  readonly runs: RunLog[] = [];
  readonly missed: Missed[] = [];

  began(run: PopRun, now: Instant): void {
    this.runs.push({ version: run.version, start: now, first: run.kind === "Join", windows: [] });
  }

  /** What the ledger knows of runs that are over, or past their last node, when the look begins. */
  known({ history = [], run }: PopClusterStatus): void {
    for (const { version, startedAt, outcome, evidence } of history) {
      const back = outcome === "RolledBack" || outcome === "RollbackFailed" ? { back: evidence ?? "it went back" } : {};
      this.runs.push({ version, start: Date.parse(startedAt), first: false, windows: [], ...back });
    }
    if (run?.state !== "Baking" && run?.state !== "Passed") return;
    const { bake } = run.timers;
    // A bake that stood still does not tell when it began.
    const rolledAt = bake?.since !== undefined && bake.accumulated === 0 ? { rolledAt: Date.parse(bake.since) } : {};
    this.runs.push({ version: run.version, start: Date.parse(run.startedAt), first: run.kind === "Join", windows: [], ...rolledAt });
  }

  /** A run that is under way when the look begins, with so many nodes behind it. */
  resumed(run: PopRun, nodes: number, now: Instant): void {
    const begins = Date.parse(run.takesBack?.startedAt ?? run.startedAt);
    this.runs.push({
      version: run.takesBack?.version ?? run.version,
      start: begins,
      first: run.kind === "Join",
      windows: [{ begins, ends: now, nodes }],
      ...(run.kind === "Rollback" ? { back: run.cause ?? "it goes back" } : {}),
    });
  }

  nodeStarted(now: Instant, occurrence: UsedWindow["occurrence"]): void {
    const run = this.runs.at(-1);
    if (run === undefined) return;
    const last = run.windows.at(-1);
    if (last !== undefined && last.occurrence?.start === occurrence?.start && last.nodes > 0) last.nodes += 1;
    else run.windows.push({ ...(occurrence ? { occurrence } : {}), begins: now, ends: now, nodes: 1 });
  }

  nodeDone(at: Instant): void {
    const window = this.runs.at(-1)?.windows.at(-1);
    if (window !== undefined) window.ends = Math.max(window.ends, at);
  }

  rolled({ version }: PopRun, now: Instant): void {
    const run = this.runs.at(-1);
    if (run?.version === version) run.rolledAt = now;
  }

  passed({ version }: PopRun, now: Instant): void {
    const run = this.runs.findLast((one) => one.version === version);
    if (run !== undefined) run.passedAt = now;
  }

  goesBack({ version }: PopRun, cause: string): void {
    const run = this.runs.findLast((one) => one.version === version);
    if (run !== undefined) run.back = cause;
  }

  gaveBack(grantId: number, hold: Hold, done: number, at: Instant): void {
    this.missed.push({ at, grantId, hold, done });
  }

  contentBegan(version: string, now: Instant): void {
    this.runs.push({ version, start: now, first: false, windows: [{ begins: now, ends: now, nodes: 0 }] });
  }

  contentLoaded(version: string, now: Instant): void {
    const run = this.runs.findLast((one) => one.version === version);
    if (run === undefined) return;
    run.rolledAt = now;
    run.passedAt = now;
    run.windows.at(-1)!.ends = now;
  }
}
