import type { Fleet } from "../../src/api/fleet.ts";
import { UPDATING_TAINT } from "../../src/api/names.ts";
import type { PopCluster, PopNodeStatus } from "../../src/api/pop-cluster.ts";
import { summaryOf } from "./faulty-operator.ts";
import type { Findings } from "./findings.ts";
import { claimOf, isActive, tokensOf, type Truth } from "./truth.ts";

/** What may never stand in the ledgers of PoPClusters and the Fleet, whatever the nodes do. */
export class LedgerInvariants {
  readonly #truth: Truth;
  readonly #findings: Findings;
  readonly #grantIDs = new Map<string, { readonly id: number; readonly state: string }>();
  readonly #acknowledged = new Set<string>();

  constructor(truth: Truth, findings: Findings) {
    this.#truth = truth;
    this.#findings = findings;
  }

  /** Acknowledged once, it holds until the person lifts it, whatever a condition says meanwhile. */
  isPaused(pop: PopCluster): boolean {
    return this.#acknowledged.has(pop.metadata.uid);
  }

  popChanged(pop: PopCluster, before: PopCluster | undefined): void {
    const { grant } = pop.status ?? {};
    if (!pop.spec.paused) this.#acknowledged.delete(pop.metadata.uid);
    else if (pop.status?.conditions?.some((condition) => condition.type === "Paused" && condition.status === "True"))
      this.#acknowledged.add(pop.metadata.uid);
    if (summaryOf(pop) !== (before ? summaryOf(before) : ""))
      this.#findings.trace(`${pop.metadata.name}: ${summaryOf(pop)} grant ${grant?.id ?? "-"} ${grant?.state ?? ""}`);
    if (grant) {
      const last = this.#grantIDs.get(pop.metadata.uid);
      const reused = last && (grant.id < last.id || (grant.id === last.id && last.state === "Returned" && grant.state === "Asked"));
      const early = last && grant.id > last.id && last.state !== "Returned";
      if (reused)
        this.#findings.violated("G14", `grant ${grant.id} of ${pop.metadata.name} is asked for again after ${last.id} ${last.state}`);
      if (early) this.#findings.violated("G14", `grant ${grant.id} of ${pop.metadata.name} is asked for before ${last.id} was returned`);
      this.#grantIDs.set(pop.metadata.uid, grant);
    }
    for (const entry of pop.status?.nodes ?? []) this.#stepChanged(pop, before, entry);
  }

  #stepChanged(pop: PopCluster, before: PopCluster | undefined, entry: PopNodeStatus): void {
    const was = before?.status?.nodes?.find((one) => one.uid === entry.uid);
    if (was?.step === entry.step || !["Pending", "Done", "Skipped"].includes(entry.step) || was?.token === undefined) return;
    const node = this.#truth.node(entry.name);
    if (!node || node.metadata.uid !== entry.uid) return;
    const plane = this.#truth.plane(node);
    const cancels = pop.spec.strategy.drain.cancel !== undefined && plane?.behaviour.cancels;
    // RB takes over a drained node under the claim of the run that ended, so only the end of a piece has to find it serving.
    if (cancels && plane.drainToken === was.token && entry.step !== "Skipped" && pop.status?.run?.kind !== "Rollback") {
      this.#findings.violated("R6b", `node ${entry.name} goes ${was.step} → ${entry.step} and still drains with ${was.token}`);
    }
  }

  popDeleted(pop: PopCluster): void {
    if (pop.metadata.annotations?.["test/unreachable"]) return;
    for (const node of this.#truth.nodesOf(pop)) {
      const claim = claimOf(node);
      if (isActive(claim) && tokensOf(pop, node.metadata.uid).has(claim))
        this.#findings.violated("I17", `PoPCluster ${pop.metadata.name} is gone and node ${node.metadata.name} bears its claim ${claim}`);
      if (node.spec?.taints?.some((taint) => taint.key === UPDATING_TAINT))
        this.#findings.violated("I17", `PoPCluster ${pop.metadata.name} is gone and node ${node.metadata.name} bears our taint`);
      const plane = this.#truth.plane(node);
      if (plane?.drainToken !== undefined && plane.behaviour.cancels)
        this.#findings.violated("I17", `PoPCluster ${pop.metadata.name} is gone and node ${node.metadata.name} still drains`);
    }
  }

  fleetChanged(before: Fleet | undefined, fleet: Fleet): void {
    const entries = fleet.status?.disruptions ?? [];
    const rolls = entries.filter((entry) => entry.kind === "Roll");
    const grew = rolls.some((entry) => !before?.status?.disruptions?.some((old) => old.uid === entry.uid && old.id === entry.id));
    if (grew && rolls.length > fleet.spec.maxConcurrentPoPs)
      this.#findings.violated("G14", `${rolls.length} PoPs may roll, maxConcurrentPoPs is ${fleet.spec.maxConcurrentPoPs}`);
    for (const old of before?.status?.disruptions ?? []) {
      if (entries.some((entry) => entry.uid === old.uid && entry.id === old.id)) continue;
      const pop = this.#truth.pops().find((one) => one.metadata.uid === old.uid);
      const inHand = pop?.status?.nodes?.filter((entry) => entry.token !== undefined && ["Claimed", "Updating"].includes(entry.step)) ?? [];
      if (inHand.length > 0 && pop?.status?.grant?.id === old.id)
        this.#findings.violated(
          "G14",
          `grant ${old.id} of ${old.pop} is struck while ${inHand.map((entry) => entry.name).join(", ")} is in hand`,
        );
    }
  }
}
