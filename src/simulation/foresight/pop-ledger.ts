import type { PopCluster, PopClusterStatus, PopRun } from "../../api/pop-cluster.ts";
import type { Instant } from "../../core/decision.ts";
import type { PopLog } from "./pop-log.ts";

type Outcome = NonNullable<PopClusterStatus["history"]>[number]["outcome"];

const HISTORY_KEPT = 20;
export const iso = (at: Instant): string => new Date(at).toISOString();

/** A PoP's ledger, as it would stand in the cluster, so that everybody else decides on it as they do there; each change is a new object. */
export class PopLedger {
  pop: PopCluster;
  readonly log: PopLog;

  constructor(pop: PopCluster, log: PopLog) {
    this.pop = pop;
    this.log = log;
    log.known(this.status);
  }

  get status(): PopClusterStatus {
    return this.pop.status ?? {};
  }

  get total(): number {
    return this.status.members?.total ?? 0;
  }

  write(change: Partial<PopClusterStatus>): void {
    this.pop = { ...this.pop, status: { ...this.status, ...change } };
  }

  /** A run is over, and becomes history. */
  end(run: PopRun, outcome: Outcome, now: Instant, evidence?: string): void {
    const { run: _, ...status } = this.status;
    const of = run.takesBack ?? run;
    const entry = {
      version: of.version,
      revision: run.from ?? run.revision,
      startedAt: of.startedAt,
      endedAt: iso(now),
      outcome,
      ...(evidence ? { evidence } : {}),
    };
    this.pop = { ...this.pop, status: { ...status, history: [...(status.history ?? []), entry].slice(-HISTORY_KEPT) } };
  }

  /** Asks for the Fleet's grant, once (rule G14). */
  ask(kind: "Roll" | "Rollback", says: { readonly class?: "Emergency"; readonly version?: string }): void {
    const { grant } = this.status;
    if (grant?.state !== "Asked") this.write({ grant: { id: (grant?.id ?? 0) + 1, kind, state: "Asked", ...says } });
  }

  /** Gives back what was asked for, or held; its id, absent where there was nothing. */
  giveBack(): number | undefined {
    const { grant } = this.status;
    if (grant?.state !== "Asked") return undefined;
    this.write({ grant: { ...grant, state: "Returned" } });
    return grant.id;
  }
}
