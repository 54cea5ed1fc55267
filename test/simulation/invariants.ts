import { CLAIM_ANNOTATION, RELEASED_PREFIX, REVISION_LABEL, revisionLabelValue, UPDATING_TAINT } from "../../src/api/names.ts";
import type { Fleet } from "../../src/api/fleet.ts";
import type { PopCluster, PopNodeStatus } from "../../src/api/pop-cluster.ts";
import { FLEET, POP_CLUSTER } from "../../src/api/resources.ts";
import { NODE, type NodeObject, POD, type PodObject } from "../../src/control/kinds.ts";
import { ApiError } from "../../src/control/ports.ts";
import { milliseconds } from "../../src/core/pop-cluster/milliseconds.ts";
import { claimToken } from "../../src/core/pop-cluster/token.ts";
import { unavailableLimit } from "../../src/core/rollout/budget.ts";
import { sameJson } from "../../src/simulation/cluster/objects.ts";
import type { StoreEvent } from "../../src/simulation/cluster/store.ts";
import type { World } from "../../src/simulation/world.ts";
import { type Effect, type EffectObserver, summaryOf } from "./faulty-operator.ts";

export interface Finding {
  readonly invariant: string;
  readonly at: number;
  readonly message: string;
}

export interface InvariantsOptions {
  /** Is a window open at that calendar instant; without it windows are not looked at. */
  readonly isOpen?: (at: number) => boolean;
  /** Prints every effect and finding; for the replay of a seed. */
  readonly trace?: (line: string) => void;
}

/** A node that cannot serve, since when the servers know it, and whether our own hand did it. */
interface Outage {
  readonly because: string;
  readonly since: number;
  readonly ours: boolean;
}

/**
 * The oracles (rules.md, Invariants), on the store's truth and the data planes' own ledgers, never on what an operator believes. They
 * look at every event of the store and at every drain that a data plane takes.
 *
 * `races` are no violations: the node died, was cordoned, replaced or came back between the live list and the effect that followed it.
 * No protocol over the API server can close that gap; rule G5 only bounds it.
 */
export class Invariants implements EffectObserver {
  readonly violations: Finding[] = [];
  readonly races: Finding[] = [];
  /** Data-plane containers that ran on each node, by node name: restarts are its size less one. */
  readonly containers = new Map<string, Set<string>>();
  readonly #world: World;
  readonly #options: InvariantsOptions;
  readonly #sent = new Set<Effect>();
  readonly #everServed = new Set<string>();
  readonly #outages = new Map<string, Outage>();
  readonly #servingSince = new Map<string, number>();
  /** When nodes that had served vanished, by UID. */
  readonly #gone = new Map<string, number>();
  readonly #once = new Map<string, number>();
  readonly #grantIDs = new Map<string, { readonly id: number; readonly state: string }>();
  /** Members of the run before a rollback, by PoP UID: those gone since then still count. */
  readonly #members = new Map<string, { readonly run: number; readonly uids: ReadonlySet<string> }>();
  readonly #acknowledged = new Set<string>();
  readonly #unsubscribe: () => void;

  constructor(world: World, options: InvariantsOptions = {}) {
    this.#world = world;
    this.#options = options;
    this.#unsubscribe = world.store.subscribe((event) => this.#look(event));
    this.#track();
  }

  stop(): void {
    this.#unsubscribe();
  }

  /** Throws with every violation found so far. */
  check(): void {
    if (this.violations.length === 0) return;
    const lines = this.violations.map(({ invariant, at, message }) => `${new Date(at).toISOString()} ${invariant}: ${message}`);
    throw new Error(`${lines.length} violations:\n${lines.slice(0, 12).join("\n")}`);
  }

  sent(effect: Effect): void {
    this.#sent.add(effect);
    this.#options.trace?.(`${this.#clock()} ${effect.operator} ${effect.index} ${effect.name} ${effect.target} ${effect.detail}`);
  }

  ended(effect: Effect): void {
    this.#sent.delete(effect);
  }

  failed(operator: string, error: unknown): void {
    this.#options.trace?.(`${this.#clock()} ${operator} failed: ${String(error)}`);
    // An answer of a server is weather; anything else is a fault of ours.
    if (!(error instanceof ApiError))
      this.#violated("errors", `operator ${operator} threw ${error instanceof Error ? error.stack : String(error)}`);
  }

  drained(
    effect: Effect,
    order: {
      readonly node: string;
      readonly token: string;
      readonly containerID: string;
      readonly began: boolean;
      readonly sessionsServed: boolean;
    },
  ): void {
    if (!order.began) return;
    const node = this.#node(order.node);
    const pop = node && this.#popOf(node);
    if (!node) return;
    if (!pop) return this.#violated("I17", `drain.start ${order.token} on ${order.node} after its PoPCluster is gone`);
    this.#onlyOnce("I9", `drain.start ${order.token} in container ${order.containerID}`);
    if (!this.#tokensOf(pop, node.metadata.uid).has(order.token))
      this.#violated("I14", `drain.start on ${order.node} with a token that is none of this node's`);
    if (order.sessionsServed) this.#disruption("drain.start", pop, node, effect.listedAt);
    this.#track();
  }

  #look(event: StoreEvent): void {
    const { kind, object, previous } = event;
    if (kind.kind === "Pod") this.#pod(object as unknown as PodObject);
    if (kind.kind === "Node" && event.type === "MODIFIED") this.#nodeChanged(previous as unknown as NodeObject, object);
    if (kind.kind === "PoPCluster") this.#popChanged(event);
    if (kind.kind === "Fleet" && event.type !== "DELETED")
      this.#fleetChanged(previous as unknown as Fleet | undefined, object as unknown as Fleet);
    this.#track();
  }

  #pod(pod: PodObject): void {
    const containerID = pod.status?.containerStatuses?.[0]?.containerID;
    if (!containerID || !pod.spec.nodeName) return;
    this.containers.set(pod.spec.nodeName, (this.containers.get(pod.spec.nodeName) ?? new Set()).add(containerID));
  }

  // -- nodes ---------------------------------------------------------------------------------------------------------------------

  #nodeChanged(before: NodeObject, after: NodeObject): void {
    const [wasClaim, claim] = [claimOf(before), claimOf(after)];
    const [wasLabel, label] = [labelOf(before), labelOf(after)];
    if (wasClaim === claim && wasLabel === label) return;
    this.#peoplesThingsStay(before, after);
    const { name, uid } = after.metadata;
    const pop = this.#popOf(after);
    this.#options.trace?.(
      `${this.#clock()} node ${name}: claim ${wasClaim ?? "-"} -> ${claim ?? "-"}, label ${wasLabel ?? "-"} -> ${label ?? "-"}`,
    );
    if (!pop)
      return this.#violated(
        "I17",
        `node ${name} was patched (claim ${wasClaim ?? "none"} → ${claim ?? "none"}, label ${wasLabel ?? "none"} → ${label ?? "none"}) after its PoPCluster was gone`,
      );
    if (claim !== wasClaim) this.#claimChanged(pop, after, wasClaim, claim);
    if (label === wasLabel) return;
    const token = claim ?? "none";
    if (label === undefined) {
      if (token !== "none") this.#onlyOnce("I9", `label off of ${name} (${uid}) under claim ${token}`);
      this.#labelOff(pop, before);
      return;
    }
    if (token !== "none" && isActive(claim)) this.#onlyOnce("I9", `label ${label} on ${name} (${uid}) under claim ${token}`);
    const failed = pop.status?.revisions?.failed?.find((entry) => revisionLabelValue(pop.metadata.name, entry.revision) === label);
    const { run, revisions } = pop.status ?? {};
    // A first version that failed is still all that there is to join, and to go back to.
    const stands =
      run?.kind === "Rollback"
        ? failed?.revision === run.revision
        : failed?.revision === (run?.back ?? revisions?.current) || failed?.revision === revisions?.promoted;
    if (failed && !stands) this.#violated("I5", `revision ${failed.revision} was put on node ${name} after its verdict of ${failed.at}`);
  }

  #claimChanged(pop: PopCluster, node: NodeObject, before: string | undefined, claim: string | undefined): void {
    const { name, uid } = node.metadata;
    if (claim === undefined) return this.#violated("G5a", `the claim of node ${name} was removed, not ended: ${before}`);
    this.#onlyOnce("G5a", `claim ${claim} of ${name} (${uid}) became its value`);
    const token = claim.replace(RELEASED_PREFIX, "");
    const known = this.#tokensOf(pop, uid).has(token);
    if (!known && isActive(claim)) this.#violated("I14", `node ${name} (${uid}) bears claim ${claim}, which is none of this node's`);
    if (!isActive(claim)) return;
    if (this.#paused(pop) && pop.status?.run?.kind !== "Rollback") this.#violated("I7", `node ${name} was claimed after Paused=True`);
    if (!isActive(before) && !pop.metadata.finalizers?.length) this.#violated("P13", `node ${name} was claimed without the finalizer`);
  }

  #labelOff(pop: PopCluster, node: NodeObject): void {
    const effect = [...this.#sent].find((one) => one.target === node.metadata.name && one.name === "label-off");
    const plane = this.#plane(node);
    const pod = this.#podsOn(node).find((one) => podReady(one) && one.metadata.deletionTimestamp === undefined);
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
      const came = (this.#servingSince.get(node.metadata.uid) ?? 0) >= listedAt;
      // A process that slept with its effect in hand for about as long as a lease lasts cannot know that it ran out meanwhile.
      const slept = this.#world.clock.elapsed() - listedAt >= milliseconds(drain.lease) / 3;
      this.#found(came || slept, "H6", `label off of ${node.metadata.name} under live sessions: nothing drains there`);
    }
  }

  /** I1: a disruption of a node that serves starts only while the nodes out other than itself + 1 ≤ maxUnavailable, as P1 counts. */
  #disruption(act: string, pop: PopCluster, node: NodeObject, listedAt: number): void {
    const { name } = node.metadata;
    const { run } = pop.status ?? {};
    const rollback = run?.kind === "Rollback";
    const members = this.#nodesOf(pop);
    const limit = Math.max(
      unavailableLimit(pop.spec.strategy.maxUnavailable, members.length),
      rollback ? pop.spec.rollback.maxUnavailable : 0,
    );
    const out = members.flatMap((other) => {
      const outage = other.metadata.uid === node.metadata.uid ? undefined : this.#outageOf(other);
      return outage ? [{ name: other.metadata.name, ...outage }] : [];
    });
    const gone = this.#goneUnreplaced(pop);
    if (out.length + gone.length + 1 > limit) {
      const unforeseen = out.filter((one) => !one.ours && one.since >= listedAt).length + gone.filter((since) => since >= listedAt).length;
      const came = (this.#servingSince.get(node.metadata.uid) ?? Number.NEGATIVE_INFINITY) >= listedAt;
      const names = [...out.map((one) => `${one.name} (${one.because})`), ...gone.map(() => "one gone and not replaced")].join(", ");
      const excused = came || out.length + gone.length - unforeseen + 1 <= limit;
      this.#found(excused, "I1", `${act} of ${name} while out: ${names}; maxUnavailable ${limit}; ${summaryOf(pop)}`);
    }
    if (this.#paused(pop) && !rollback) this.#violated("I7", `${act} of ${name} after Paused=True`);
    if (this.#world.clock.elapsed() - listedAt > 10_000 + 5 && !this.#anySlept(name)) {
      this.#violated("G5", `${act} of ${name} on a list of ${this.#world.clock.elapsed() - listedAt} ms ago`);
    }
    this.#windowAndGrant(act, pop, node, listedAt, rollback);
  }

  #windowAndGrant(act: string, pop: PopCluster, node: NodeObject, listedAt: number, rollback: boolean): void {
    const { clock } = this.#world;
    const listed = clock.now() - (clock.elapsed() - listedAt);
    const { isOpen } = this.#options;
    if (isOpen && !rollback && !isOpen(clock.now()))
      this.#found(isOpen(listed), "W5", `${act} of ${node.metadata.name} outside the window`);
    const fleet = this.#fleet();
    if (!fleet?.status?.disruptions?.some((entry) => entry.uid === pop.metadata.uid)) {
      this.#violated("G14", `${act} of ${node.metadata.name} without an entry of ${pop.metadata.name} in the Fleet's ledger`);
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
      this.#violated(
        "I16",
        `a write of ours to node ${name} changed what is not ours: ${JSON.stringify(others(before))} → ${JSON.stringify(others(after))}`,
      );
    }
  }

  // -- PoPClusters and the Fleet ----------------------------------------------------------------------------------------------------

  #popChanged({ type, object, previous }: StoreEvent): void {
    const pop = object as unknown as PopCluster;
    if (type === "DELETED") return this.#popDeleted(pop);
    const before = previous as unknown as PopCluster | undefined;
    const { run, grant } = pop.status ?? {};
    if (!pop.spec.paused) this.#acknowledged.delete(pop.metadata.uid);
    else if (pop.status?.conditions?.some((condition) => condition.type === "Paused" && condition.status === "True"))
      this.#acknowledged.add(pop.metadata.uid);
    if (summaryOf(pop) !== (before ? summaryOf(before) : ""))
      this.#options.trace?.(`${this.#clock()} ${pop.metadata.name}: ${summaryOf(pop)} grant ${grant?.id ?? "-"} ${grant?.state ?? ""}`);
    if (run) {
      const known = this.#members.get(pop.metadata.uid);
      const uids = run.frozen.members.map((member) => member.uid);
      // Those of the run's start; and of the run that it takes back, because who was lost in that one is still missing.
      if (known?.run !== run.id)
        this.#members.set(pop.metadata.uid, {
          run: run.id,
          uids: new Set([...(run.kind === "Rollback" ? (known?.uids ?? []) : []), ...uids]),
        });
      // A person's retry takes gone members out of the run.
      if (before?.status?.handled?.retry !== pop.status?.handled?.retry)
        this.#members.set(pop.metadata.uid, { run: run.id, uids: new Set(run.frozen.members.map((member) => member.uid)) });
    }
    if (grant) {
      const last = this.#grantIDs.get(pop.metadata.uid);
      const reused = last && (grant.id < last.id || (grant.id === last.id && last.state === "Returned" && grant.state === "Asked"));
      const early = last && grant.id > last.id && last.state !== "Returned";
      if (reused) this.#violated("G14", `grant ${grant.id} of ${pop.metadata.name} is asked for again after ${last.id} ${last.state}`);
      if (early) this.#violated("G14", `grant ${grant.id} of ${pop.metadata.name} is asked for before ${last.id} was returned`);
      this.#grantIDs.set(pop.metadata.uid, grant);
    }
    for (const entry of pop.status?.nodes ?? []) this.#stepChanged(pop, before, entry);
  }

  #stepChanged(pop: PopCluster, before: PopCluster | undefined, entry: PopNodeStatus): void {
    const was = before?.status?.nodes?.find((one) => one.uid === entry.uid);
    if (was?.step === entry.step || !["Pending", "Done", "Skipped"].includes(entry.step) || was?.token === undefined) return;
    const node = this.#node(entry.name);
    if (!node || node.metadata.uid !== entry.uid) return;
    const plane = this.#plane(node);
    const cancels = pop.spec.strategy.drain.cancel !== undefined && plane?.behaviour.cancels;
    // RB takes over a drained node under the claim of the run that ended, so only the end of a piece has to find it serving.
    if (cancels && plane.drainToken === was.token && entry.step !== "Skipped" && pop.status?.run?.kind !== "Rollback") {
      this.#violated("R6b", `node ${entry.name} goes ${was.step} → ${entry.step} and still drains with ${was.token}`);
    }
  }

  #popDeleted(pop: PopCluster): void {
    if (pop.metadata.annotations?.["test/unreachable"]) return;
    for (const node of this.#nodesOf(pop)) {
      const claim = claimOf(node);
      if (isActive(claim) && this.#tokensOf(pop, node.metadata.uid).has(claim))
        this.#violated("I17", `PoPCluster ${pop.metadata.name} is gone and node ${node.metadata.name} bears its claim ${claim}`);
      if (node.spec?.taints?.some((taint) => taint.key === UPDATING_TAINT))
        this.#violated("I17", `PoPCluster ${pop.metadata.name} is gone and node ${node.metadata.name} bears our taint`);
      const plane = this.#plane(node);
      if (plane?.drainToken !== undefined && plane.behaviour.cancels)
        this.#violated("I17", `PoPCluster ${pop.metadata.name} is gone and node ${node.metadata.name} still drains`);
    }
  }

  #fleetChanged(before: Fleet | undefined, fleet: Fleet): void {
    const entries = fleet.status?.disruptions ?? [];
    const rolls = entries.filter((entry) => entry.kind === "Roll");
    const grew = rolls.some((entry) => !before?.status?.disruptions?.some((old) => old.uid === entry.uid && old.id === entry.id));
    if (grew && rolls.length > fleet.spec.maxConcurrentPoPs)
      this.#violated("G14", `${rolls.length} PoPs may roll, maxConcurrentPoPs is ${fleet.spec.maxConcurrentPoPs}`);
    for (const old of before?.status?.disruptions ?? []) {
      if (entries.some((entry) => entry.uid === old.uid && entry.id === old.id)) continue;
      const pop = this.#world.store.list(POP_CLUSTER).find((one) => one.metadata.uid === old.uid) as unknown as PopCluster | undefined;
      const inHand = pop?.status?.nodes?.filter((entry) => entry.token !== undefined && ["Claimed", "Updating"].includes(entry.step)) ?? [];
      if (inHand.length > 0 && pop?.status?.grant?.id === old.id)
        this.#violated("G14", `grant ${old.id} of ${old.pop} is struck while ${inHand.map((entry) => entry.name).join(", ")} is in hand`);
    }
  }

  // -- the truth --------------------------------------------------------------------------------------------------------------------

  /** Keeps since when each node is out, and since when it serves. */
  #track(): void {
    const now = this.#world.clock.elapsed();
    const present = new Set<string>();
    for (const object of this.#world.store.list(NODE)) {
      const node = object as unknown as NodeObject;
      const { uid } = node.metadata;
      present.add(uid);
      if (labelOf(node) !== undefined && ready(node) && this.#servingPod(node)) {
        this.#everServed.add(uid);
        if (!this.#servingSince.has(uid)) this.#servingSince.set(uid, now);
      } else this.#servingSince.delete(uid);
      const found = this.#reasonOut(node);
      const known = this.#outages.get(uid);
      if (!found) this.#outages.delete(uid);
      else if (!known || known.ours !== found.ours) this.#outages.set(uid, { ...found, since: now });
      else this.#outages.set(uid, { ...found, since: known.since });
    }
    for (const uid of this.#outages.keys()) if (!present.has(uid)) this.#outages.delete(uid);
    for (const uid of this.#everServed) if (!present.has(uid) && !this.#gone.has(uid)) this.#gone.set(uid, now);
  }

  #outageOf(node: NodeObject): Outage | undefined {
    const found = this.#reasonOut(node);
    return found && { ...found, since: this.#outages.get(node.metadata.uid)?.since ?? this.#world.clock.elapsed() };
  }

  /** P1: everything that keeps a node from serving, by the servers and by the data plane's own ledger. One that never served is joining. */
  #reasonOut(node: NodeObject): { readonly because: string; readonly ours: boolean } | undefined {
    if (!this.#everServed.has(node.metadata.uid)) return undefined;
    const plane = this.#plane(node);
    if (plane?.draining) return { because: `draining ${plane.drainToken}`, ours: true };
    if (labelOf(node) === undefined) return { because: "without label", ours: true };
    const claimed = isActive(claimOf(node));
    if (node.spec?.unschedulable) return { because: "cordoned", ours: false };
    if (node.metadata.deletionTimestamp !== undefined) return { because: "being deleted", ours: false };
    if (!ready(node)) return { because: "NotReady", ours: false };
    if (!this.#servingPod(node)) return { because: "no Ready pod", ours: claimed };
    return undefined;
  }

  #servingPod(node: NodeObject): PodObject | undefined {
    return this.#podsOn(node).find(
      (pod) =>
        podReady(pod) &&
        pod.metadata.deletionTimestamp === undefined &&
        labelOf(node)?.endsWith(`-${pod.metadata.labels?.["rollward.dev/revision"]}`),
    );
  }

  /** Instants at which members of the run went that no serving node replaces (P16). */
  #goneUnreplaced(pop: PopCluster): number[] {
    const members = pop.status?.run ? this.#members.get(pop.metadata.uid)?.uids : undefined;
    if (!members) return [];
    const nodes = this.#nodesOf(pop);
    const present = new Set(nodes.map((node) => node.metadata.uid));
    const gone = [...members].filter((uid) => !present.has(uid)).map((uid) => this.#gone.get(uid) ?? Number.NEGATIVE_INFINITY);
    const replacements = nodes.filter((node) => !members.has(node.metadata.uid) && this.#everServed.has(node.metadata.uid)).length;
    return gone.sort((a, b) => b - a).slice(0, Math.max(0, gone.length - replacements));
  }

  /** Every token that this PoPCluster may ever use for that node UID. */
  #tokensOf(pop: PopCluster, uid: string): ReadonlySet<string> {
    const tokens = new Set<string>();
    for (let run = 0; run <= (pop.status?.runs ?? 0) + 2; run++) {
      for (let attempt = 0; attempt <= 60; attempt++) tokens.add(claimToken(pop.metadata.uid, run, uid, attempt));
    }
    return tokens;
  }

  /** Acknowledged once, it holds until the person lifts it, whatever a condition says meanwhile. */
  #paused(pop: PopCluster): boolean {
    return this.#acknowledged.has(pop.metadata.uid);
  }

  #popOf(node: NodeObject): PopCluster | undefined {
    return (this.#world.store.list(POP_CLUSTER) as unknown as PopCluster[]).find((pop) => selected(pop, node));
  }

  #nodesOf(pop: PopCluster): NodeObject[] {
    return (this.#world.store.list(NODE) as unknown as NodeObject[]).filter((node) => selected(pop, node));
  }

  #node(name: string): NodeObject | undefined {
    return this.#world.store.get(NODE, name);
  }

  #podsOn(node: NodeObject): PodObject[] {
    return (this.#world.store.list(POD) as unknown as PodObject[]).filter(
      (pod) => pod.spec.nodeName === node.metadata.name && pod.metadata.labels?.["rollward.dev/revision"] !== undefined,
    );
  }

  #plane(node: NodeObject) {
    const address = node.status?.addresses?.find((one) => one.type === "InternalIP")?.address;
    return address === undefined ? undefined : this.#world.runtime.listener(address, 8080)?.instance.plane;
  }

  #fleet(): Fleet | undefined {
    return this.#world.store.list(FLEET)[0] as unknown as Fleet | undefined;
  }

  #onlyOnce(invariant: string, effect: string): void {
    const times = (this.#once.get(effect) ?? 0) + 1;
    this.#once.set(effect, times);
    if (times > 1) this.#violated(invariant, `a second effect: ${effect} (${times} times)`);
  }

  #violated(invariant: string, message: string): void {
    this.#found(false, invariant, message);
  }

  #found(race: boolean, invariant: string, message: string): void {
    (race ? this.races : this.violations).push({ invariant, at: this.#world.clock.now(), message });
    this.#options.trace?.(`${this.#clock()} ${race ? "race" : "VIOLATION"} ${invariant}: ${message}`);
  }

  #clock(): string {
    return (this.#world.clock.elapsed() / 1_000).toFixed(3).padStart(9);
  }
}

const claimOf = (node: NodeObject): string | undefined => node.metadata.annotations?.[CLAIM_ANNOTATION];
const labelOf = (node: NodeObject): string | undefined => node.metadata.labels?.[REVISION_LABEL];
const isActive = (claim: string | undefined): claim is string => claim !== undefined && !claim.startsWith(RELEASED_PREFIX);
const ready = (node: NodeObject): boolean => node.status?.conditions?.find((one) => one.type === "Ready")?.status === "True";
const podReady = (pod: PodObject): boolean => pod.status?.conditions?.find((one) => one.type === "Ready")?.status === "True";

const selected = (pop: PopCluster, node: NodeObject): boolean =>
  Object.entries(pop.spec.nodeSelector.matchLabels ?? {}).every(([key, value]) => node.metadata.labels?.[key] === value);

function without(map: Readonly<Record<string, string>> | undefined, key: string): Record<string, string> {
  const { [key]: _, ...others } = map ?? {};
  return others;
}
