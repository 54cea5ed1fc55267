import type { PopClusterStatus } from "../api/pop-cluster.ts";

/** What the calendar time of a roll went into. */
export type Spent = Record<"working" | "window" | "people" | "soaking", number>;

export interface FinishedRoll {
  readonly outcome: string;
  /** Seconds. */
  readonly spent: Spent;
}

const CAUSE_OF: Readonly<Record<string, keyof Spent>> = {
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
  Soaking: "soaking",
  Baking: "soaking",
};

interface Watched {
  readonly run: number;
  readonly spent: Spent;
  at: number;
  cause: keyof Spent;
}

/**
 * Splits the time of each roll by what it waited for: the stretch between two looks counts for the hold that stood first at the
 * earlier one. A roll ends when it has Passed (the watch that follows disturbs nobody) or when it has its outcome. Only what this
 * process saw is counted; a roll that was under way before it started begins at the first look.
 */
export class RollDurations {
  readonly #watched = new Map<string, Watched>();

  /** Looks at a PoP's status at `now` (calendar milliseconds); answers the roll that ended with it, if one did. */
  observe(key: string, status: PopClusterStatus, now: number): FinishedRoll[] {
    const { run, history } = status;
    const watched = this.#watched.get(key);
    if (watched !== undefined) {
      watched.spent[watched.cause] += Math.max(0, now - watched.at) / 1000;
      watched.at = now;
      watched.cause = causeOf(status);
    }
    const finished: FinishedRoll[] = [];
    if (watched !== undefined && (run === undefined || run.id !== watched.run || run.state === "Passed")) {
      // A rollback is a run of its own; the roll that it takes back ended badly when it began.
      const outcome = run?.id === watched.run ? "Passed" : run?.kind === "Rollback" ? "TakenBack" : (history?.at(-1)?.outcome ?? "Stopped");
      finished.push({ outcome, spent: watched.spent });
      this.#watched.delete(key);
    }
    if (run !== undefined && run.state !== "Passed" && !this.#watched.has(key)) {
      this.#watched.set(key, { run: run.id, at: now, cause: causeOf(status), spent: { working: 0, window: 0, people: 0, soaking: 0 } });
    }
    return finished;
  }

  forget(key: string): void {
    this.#watched.delete(key);
  }
}

const causeOf = (status: PopClusterStatus): keyof Spent => CAUSE_OF[status.holds?.[0]?.reason ?? ""] ?? "working";
