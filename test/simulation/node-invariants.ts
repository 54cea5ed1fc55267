import { CLAIM_ANNOTATION, RELEASED_PREFIX, REVISION_LABEL, revisionLabelValue, UPDATING_TAINT } from "../../src/api/names.ts";
import type { PopCluster } from "../../src/api/pop-cluster.ts";
import type { NodeObject } from "../../src/control/kinds.ts";
import { milliseconds } from "../../src/core/pop-cluster/milliseconds.ts";
import { unavailableLimit } from "../../src/core/rollout/budget.ts";
import { sameJson } from "../../src/simulation/cluster/objects.ts";
import type { World } from "../../src/simulation/world.ts";
import type { DrainOrder, Effect } from "./effect.ts";
import { summaryOf } from "./faulty-operator.ts";
import type { Findings } from "./findings.ts";
import type { Outages } from "./outages.ts";
import { claimOf, isActive, labelOf, podReady, ready, tokensOf, type Truth } from "./truth.ts";

export interface NodeInvariantsSettings {
  readonly clock: World["clock"];
  readonly truth: Truth;
  readonly outages: Outages;
  readonly findings: Findings;
  /** Effects that are under way. */
  readonly sent: ReadonlySet<Effect>;
  readonly isPaused: (pop: PopCluster) => boolean;
  readonly isOpen: ((at: number) => boolean) | undefined;
}

/** What may never happen to a node: claims, labels, drains, and the disruptions that they are. */
export class NodeInvariants {
  readonly #clock: World["clock"];
  readonly #truth: Truth;
  readonly #outages: Outages;
  readonly #findings: Findings;
  readonly #sent: ReadonlySet<Effect>;
  readonly #isPaused: (pop: PopCluster) => boolean;
  readonly #isOpen: ((at: number) => boolean) | undefined;

  constructor({ clock, truth, outages, findings, sent, isPaused, isOpen }: NodeInvariantsSettings) {
    this.#clock = clock;
    this.#truth = truth;
    this.#outages = outages;
    this.#findings = findings;
    this.#sent = sent;
    this.#isPaused = isPaused;
    this.#isOpen = isOpen;
  }

  changed(before: NodeObject, after: NodeObject): void {
    const [wasClaim, claim] = [claimOf(before), claimOf(after)];
    const [wasLabel, label] = [labelOf(before), labelOf(after)];
    if (wasClaim === claim && wasLabel === label) return;
    this.#peoplesThingsStay(before, after);
    const { name, uid } = after.metadata;
    const pop = this.#truth.popOf(after);
    this.#findings.trace(`node ${name}: claim ${wasClaim ?? "-"} -> ${claim ?? "-"}, label ${wasLabel ?? "-"} -> ${label ?? "-"}`);
    if (!pop)
      return this.#findings.violated(
        "I17",
        `node ${name} was patched (claim ${wasClaim ?? "none"} → ${claim ?? "none"}, label ${wasLabel ?? "none"} → ${label ?? "none"}) after its PoPCluster was gone`,
      );
    if (claim !== wasClaim) this.#claimChanged(pop, after, wasClaim, claim);
    if (label === wasLabel) return;
    const token = claim ?? "none";
    if (label === undefined) {
      if (token !== "none") this.#findings.onlyOnce("I9", `label off of ${name} (${uid}) under claim ${token}`);
      this.#labelOff(pop, before);
      return;
    }
    if (token !== "none" && isActive(claim)) this.#findings.onlyOnce("I9", `label ${label} on ${name} (${uid}) under claim ${token}`);
    const failed = pop.status?.revisions?.failed?.find((entry) => revisionLabelValue(pop.metadata.name, entry.revision) === label);
    const { run, revisions } = pop.status ?? {};
    // A first version that failed is still all that there is to join, and to go back to.
    const stands =
      run?.kind === "Rollback"
        ? failed?.revision === run.revision
        : failed?.revision === (run?.back ?? revisions?.current) || failed?.revision === revisions?.promoted;
    if (failed && !stands)
      this.#findings.violated("I5", `revision ${failed.revision} was put on node ${name} after its verdict of ${failed.at}`);
  }

  #claimChanged(pop: PopCluster, node: NodeObject, before: string | undefined, claim: string | undefined): void {
    const { name, uid } = node.metadata;
    if (claim === undefined) return this.#findings.violated("G5a", `the claim of node ${name} was removed, not ended: ${before}`);
    this.#findings.onlyOnce("G5a", `claim ${claim} of ${name} (${uid}) became its value`);
    const token = claim.replace(RELEASED_PREFIX, "");
    const known = tokensOf(pop, uid).has(token);
    if (!known && isActive(claim))
      this.#findings.violated("I14", `node ${name} (${uid}) bears claim ${claim}, which is none of this node's`);
    if (!isActive(claim)) return;
    if (this.#isPaused(pop) && pop.status?.run?.kind !== "Rollback")
      this.#findings.violated("I7", `node ${name} was claimed after Paused=True`);
    if (!isActive(before) && !pop.metadata.finalizers?.length)
      this.#findings.violated("P13", `node ${name} was claimed without the finalizer`);
  }

  #labelOff(pop: PopCluster, node: NodeObject): void {
    const effect = [...this.#sent].find((one) => one.target === node.metadata.name && one.name === "label-off");
    const plane = this.#truth.plane(node);
    const pod = this.#truth.podsOn(node).find((one) => podReady(one) && one.metadata.deletionTimestamp === undefined);
    if (pod && ready(node)) this.#disruption("label off", pop, node, effect?.listedAt ?? Number.NEGATIVE_INFINITY);
    // Sessions are cut where the node takes them: a drain of this claim has to be in force, or the node does not serve anyway.
    const { drain } = pop.spec.strategy;
    const drains = drain.start !== undefined && plane?.behaviour.drains;
    if (
      drains &&
      plane.health === "Healthy" &&
      plane.drainToken === undefined &&
      ready(node) &&
      pod &&
      pop.spec.deletionPolicy !== "Delete"
    ) {
      const listedAt = effect?.listedAt ?? Number.NEGATIVE_INFINITY;
      const came = (this.#outages.servingSince(node.metadata.uid) ?? 0) >= listedAt;
      // A process that slept with its effect in hand for about as long as a lease lasts cannot know that it ran out meanwhile.
      const slept = this.#clock.elapsed() - listedAt >= milliseconds(drain.lease) / 3;
      this.#findings.found(came || slept, "H6", `label off of ${node.metadata.name} under live sessions: nothing drains there`);
    }
  }

  /** I1: a disruption of a node that serves starts only while the nodes out other than itself + 1 ≤ maxUnavailable, as P1 counts. */
  #disruption(act: string, pop: PopCluster, node: NodeObject, listedAt: number): void {
    const { name } = node.metadata;
    const { run } = pop.status ?? {};
    const rollback = run?.kind === "Rollback";
    const members = this.#truth.nodesOf(pop);
    const limit = Math.max(
      unavailableLimit(pop.spec.strategy.maxUnavailable, members.length),
      rollback ? pop.spec.rollback.maxUnavailable : 0,
    );
    const out = members.flatMap((other) => {
      const outage = other.metadata.uid === node.metadata.uid ? undefined : this.#outages.outageOf(other);
      return outage ? [{ name: other.metadata.name, ...outage }] : [];
    });
    const gone = this.#outages.goneUnreplaced(pop);
    if (out.length + gone.length + 1 > limit) {
      const unforeseen = out.filter((one) => !one.ours && one.since >= listedAt).length + gone.filter((since) => since >= listedAt).length;
      const came = (this.#outages.servingSince(node.metadata.uid) ?? Number.NEGATIVE_INFINITY) >= listedAt;
      const names = [...out.map((one) => `${one.name} (${one.because})`), ...gone.map(() => "one gone and not replaced")].join(", ");
      const excused = came || out.length + gone.length - unforeseen + 1 <= limit;
      this.#findings.found(excused, "I1", `${act} of ${name} while out: ${names}; maxUnavailable ${limit}; ${summaryOf(pop)}`);
    }
    if (this.#isPaused(pop) && !rollback) this.#findings.violated("I7", `${act} of ${name} after Paused=True`);
    if (this.#clock.elapsed() - listedAt > 10_000 + 5 && !this.#anySlept(name)) {
      this.#findings.violated("G5", `${act} of ${name} on a list of ${this.#clock.elapsed() - listedAt} ms ago`);
    }
    this.#windowAndGrant(act, pop, node, listedAt, rollback);
  }

  #windowAndGrant(act: string, pop: PopCluster, node: NodeObject, listedAt: number, rollback: boolean): void {
    const clock = this.#clock;
    const listed = clock.now() - (clock.elapsed() - listedAt);
    const isOpen = this.#isOpen;
    if (isOpen && !rollback && !isOpen(clock.now()))
      this.#findings.found(isOpen(listed), "W5", `${act} of ${node.metadata.name} outside the window`);
    const fleet = this.#truth.fleet();
    if (!fleet?.status?.disruptions?.some((entry) => entry.uid === pop.metadata.uid)) {
      this.#findings.violated("G14", `${act} of ${node.metadata.name} without an entry of ${pop.metadata.name} in the Fleet's ledger`);
    }
  }

  /** A process that slept with its effect in hand had looked before it slept: the list is as old as the sleep is long. */
  #anySlept(target: string): boolean {
    return [...this.#sent].some((effect) => effect.target === target);
  }

  #peoplesThingsStay(before: NodeObject, after: NodeObject): void {
    const { name } = after.metadata;
    const others = (node: NodeObject) => ({
      labels: without(node.metadata.labels, REVISION_LABEL),
      annotations: without(node.metadata.annotations, CLAIM_ANNOTATION),
      taints: (node.spec?.taints ?? []).filter((taint) => taint.key !== UPDATING_TAINT),
      cordon: node.spec?.unschedulable ?? false,
    });
    if (!sameJson(others(before), others(after))) {
      this.#findings.violated(
        "I16",
        `a write of ours to node ${name} changed what is not ours: ${JSON.stringify(others(before))} → ${JSON.stringify(others(after))}`,
      );
    }
  }

  /** A data plane began to drain. */
  drained(effect: Effect, order: DrainOrder, node: NodeObject, pop: PopCluster): void {
    this.#findings.onlyOnce("I9", `drain.start ${order.token} in container ${order.containerID}`);
    if (!tokensOf(pop, node.metadata.uid).has(order.token))
      this.#findings.violated("I14", `drain.start on ${order.node} with a token that is none of this node's`);
    if (order.sessionsServed) this.#disruption("drain.start", pop, node, effect.listedAt);
  }
}

function without(map: Readonly<Record<string, string>> | undefined, key: string): Record<string, string> {
  const { [key]: _, ...others } = map ?? {};
  return others;
}
