import { revisionLabelValue } from "../../../src/api/names.ts";
import type { PopCluster } from "../../../src/api/pop-cluster.ts";
import { unavailableLimit } from "../../../src/core/rollout/budget.ts";
import type { World } from "../../../src/simulation/world.ts";
import type { Findings } from "../findings.ts";
import { labelOf } from "../truth.ts";
import type { FleetCalendar } from "./fleet-calendar.ts";
import type { FleetTruth, KnownNode } from "./fleet-truth.ts";
import type { PartnerTruth } from "./partner-truth.ts";
import type { Verdicts } from "./verdicts.ts";

export interface DisruptionSettings {
  readonly clock: World["clock"];
  readonly truth: FleetTruth;
  readonly partners: PartnerTruth;
  readonly calendar: FleetCalendar;
  readonly verdicts: Verdicts;
  readonly findings: Findings;
  /** PoPCluster, PoPRollout or Fleet of that name whose pause was acknowledged and not lifted since. */
  readonly isPaused: (kind: string, name: string) => boolean;
  /** Elapsed instant at which the PoP's entry in the Fleet's ledger was written. */
  readonly grantedAt: (uid: string) => number | undefined;
}

/** A list is at most ten seconds old when an effect is sent, and effects of these storms are under way for two at most. */
const UNFORESEEN = 15_000;

/** What has to be true whenever a node goes out by our hand, judged from nodes, the Fleet's ledger and specs alone. */
export class DisruptionInvariants {
  readonly #its: DisruptionSettings;

  constructor(settings: DisruptionSettings) {
    this.#its = settings;
  }

  changed(before: KnownNode | undefined, after: KnownNode): void {
    const pop = this.#its.truth.pops.get(after.pop);
    if (after.ours && !before?.ours) this.#begins(pop, before, after);
    if (before && labelOf(before.object) !== labelOf(after.object)) this.#labelled(pop, after);
  }

  #begins(pop: PopCluster | undefined, before: KnownNode | undefined, node: KnownNode): void {
    const { truth, findings, grantedAt } = this.#its;
    const { name } = node.object.metadata;
    if (!pop) return findings.violated("I17", `node ${name} went out by our hand, and there is no PoPCluster ${node.pop}`);
    const { run } = pop.status ?? {};
    findings.trace(`out: ${name} ${run?.kind}/${run?.state} ${run?.version}`);
    this.#neverBothPartners(pop, name);
    const serves = before !== undefined && before.outSince === undefined;
    if (serves) this.#withinCapacity(pop, node);
    // Who joins, or is brought back from where it serves nobody, takes nothing from the fleet.
    if (serves && grantedAt(pop.metadata.uid) === undefined)
      findings.violated(
        "G14",
        `node ${name} went out without an entry of ${pop.metadata.name} (${pop.metadata.uid}) in the Fleet's ledger`,
      );
    const most = (truth.fleet?.spec.maxConcurrentPoPs ?? 1) + (truth.fleet?.spec.maxConcurrentRollbacks ?? 0);
    const out = truth.disrupted();
    if (serves && out.length > most && !truth.justEdited("Fleet/fleet"))
      findings.violated("G14", `${out.length} PoPs are out by our hand, the Fleet lets ${most}: ${out.join(", ")}`);
    if (serves && run?.kind !== "Rollback") this.#forward(pop, name);
  }

  /** I2, derived from claims, taints and labels of nodes and from what data planes report of tunnels. */
  #neverBothPartners({ metadata }: PopCluster, node: string): void {
    const { truth, partners, findings, grantedAt } = this.#its;
    const of = (uid: string | undefined) => (uid === undefined ? undefined : grantedAt(uid));
    for (const partner of partners.partnersOf(metadata.name)) {
      if (!truth.isDisrupted(partner)) continue;
      // A pair that shows only after both were granted: both finish, what nobody knew cannot be kept.
      const granted = Math.max(of(metadata.uid) ?? Infinity, of(truth.pops.get(partner)?.metadata.uid) ?? Infinity);
      if (Number.isFinite(granted) && !partners.partnersOf(metadata.name, granted).has(partner)) continue;
      findings.violated(
        "I2",
        `node ${node} of ${metadata.name} went out while ${partner}, with which it shares a site, is out by our hand`,
      );
    }
  }

  /** I1: the others that are out, whoever took them out, and this one are within the PoP's budget. */
  #withinCapacity(pop: PopCluster, node: KnownNode): void {
    const { truth, clock, findings } = this.#its;
    const members = truth.nodesOf(node.pop);
    const rollback = pop.status?.run?.kind === "Rollback" ? pop.spec.rollback.maxUnavailable : 0;
    const limit = Math.max(unavailableLimit(pop.spec.strategy.maxUnavailable, members.length), rollback);
    const since = clock.elapsed() - UNFORESEEN;
    const others = members.filter((one) => one.served && one.object.metadata.uid !== node.object.metadata.uid);
    const out = others.filter((one) => one.ours || (one.outSince ?? Infinity) < since);
    if (out.length + 1 > limit)
      findings.violated(
        "I1",
        `node ${node.object.metadata.name} went out while ${out.map((one) => one.object.metadata.name).join(", ")} is out; the budget is ${limit}`,
      );
  }

  #forward(pop: PopCluster, node: string): void {
    const { truth, findings, isPaused, verdicts } = this.#its;
    const { name, uid } = pop.metadata;
    const { run } = pop.status ?? {};
    for (const [kind, of] of [
      ["PoPCluster", name],
      ["Fleet", "fleet"],
    ] as const)
      if (isPaused(kind, of)) findings.violated("I7", `node ${node} went out for a roll after ${kind} ${of} said Paused=True`);
    if (!run) return findings.violated("I14", `node ${node} went out and ${name} is in no run`);
    const failed = verdicts.of(uid, run.revision);
    if (failed !== undefined) findings.violated("I5", `node ${node} went out for ${run.version}, which has failed on ${name}`);
    // Nodes that only come home to what the PoP runs follow its own window, and no rollout (G4).
    const firstWay = run.back !== run.revision && run.timers.watch === undefined && !run.superseded;
    const shares = firstWay ? truth.assignments(pop, run.version) : [];
    const emergency = shares.some(({ rollout }) => rollout.spec.class === "Emergency");
    this.#inItsWindow(pop, node, emergency, shares);
    if (firstWay) this.#asAssigned(pop, node, run.version, shares);
  }

  /** I20: within an occurrence that the rollout's train may use, early enough to end in it (W4). An emergency obeys freezes alone (F8). */
  #inItsWindow(pop: PopCluster, node: string, emergency: boolean, shares: ReturnType<FleetTruth["assignments"]>): void {
    const { calendar, findings, truth, clock } = this.#its;
    if (truth.justEdited(`PoPCluster/${pop.metadata.name}`, `MaintenanceWindow/${pop.spec.windowRef.name}`, "Fleet/fleet")) return;
    const lifted = shares.flatMap(({ one }) => one.liftedFreezes ?? []);
    const dates = shares.map(({ one }) => one).filter(({ from }) => from !== undefined);
    const why = [0, UNFORESEEN].map((before) => calendar.refusal(pop, clock.now() - before, { emergency, lifted, dates }));
    if (why.every((one) => one !== undefined)) findings.violated("I20", `node ${node} went out ${why[0]}`);
  }

  /** I13, I14: a version gets to a PoP by its own UID, in a wave that has opened, as long as the rollout says go; or a person pinned it. */
  #asAssigned(pop: PopCluster, node: string, version: string, shares: ReturnType<FleetTruth["assignments"]>): void {
    const { truth, findings, isPaused } = this.#its;
    if (pop.spec.version === version || truth.justEdited(`PoPCluster/${pop.metadata.name}`)) return;
    const given = shares.filter(({ one }) => one.state !== "Skipped");
    if (given.length === 0)
      return findings.violated(
        "I14",
        `node ${node} went out for ${version}, which no rollout assigns to ${pop.metadata.name} ${pop.metadata.uid}`,
      );
    const open = given.filter(
      ({ rollout, one }) => one.late || rollout.status?.waves?.some((wave) => wave.name === one.wave && wave.state !== "Pending"),
    );
    if (open.length === 0) findings.violated("I13", `node ${node} went out for ${version}, and wave ${given[0]!.one.wave} has not opened`);
    for (const { rollout } of given)
      if (isPaused("PoPRollout", rollout.metadata.name))
        findings.violated("I7", `node ${node} went out for ${version} after PoPRollout ${rollout.metadata.name} said Paused=True`);
    for (const { rollout } of given)
      if (this.#its.isPaused("Ended", rollout.metadata.name))
        findings.violated(
          "F4",
          `node ${node} went out for ${version}, and PoPRollout ${rollout.metadata.name} had halted, stopped or been superseded`,
        );
  }

  /** I5: no label of a revision that has failed here, except on the way back to it. */
  #labelled(pop: PopCluster | undefined, node: KnownNode): void {
    const { findings, verdicts } = this.#its;
    const label = labelOf(node.object);
    if (!pop || label === undefined) return;
    const { run, revisions } = pop.status ?? {};
    const revision = verdicts.named(pop.metadata.uid).find((one) => revisionLabelValue(pop.metadata.name, one) === label);
    if (revision === undefined) return;
    const stands =
      run?.kind === "Rollback" ? revision === run.revision : [run?.back ?? revisions?.current, revisions?.promoted].includes(revision);
    if (!stands)
      findings.violated(
        "I5",
        `the label of ${revision}, which has failed on ${pop.metadata.name}, was put on ${node.object.metadata.name}`,
      );
  }
}
