import type { Fleet } from "../../src/api/fleet.ts";
import type { PopCluster } from "../../src/api/pop-cluster.ts";
import type { NodeObject, PodObject } from "../../src/control/kinds.ts";
import { ApiError } from "../../src/control/ports.ts";
import type { StoreEvent } from "../../src/simulation/cluster/store.ts";
import type { World } from "../../src/simulation/world.ts";
import type { DrainOrder, Effect, EffectObserver } from "./effect.ts";
import { type Finding, Findings } from "./findings.ts";
import { LedgerInvariants } from "./ledger-invariants.ts";
import { NodeInvariants } from "./node-invariants.ts";
import { Outages } from "./outages.ts";
import { Truth } from "./truth.ts";

export interface InvariantsOptions {
  /** Is a window open at that calendar instant; without it windows are not looked at. */
  readonly isOpen?: (at: number) => boolean;
  /** Prints every effect and finding; for the replay of a seed. */
  readonly trace?: (line: string) => void;
}

/**
 * The oracles (rules.md, Invariants), on the store's truth and the data planes' own ledgers, never on what an operator believes. They
 * look at every event of the store and at every drain that a data plane takes.
 */
export class Invariants implements EffectObserver {
  /** Data-plane containers that ran on each node, by node name: restarts are its size less one. */
  readonly containers = new Map<string, Set<string>>();
  readonly #findings: Findings;
  readonly #truth: Truth;
  readonly #outages: Outages;
  readonly #nodes: NodeInvariants;
  readonly #ledgers: LedgerInvariants;
  readonly #sent = new Set<Effect>();
  readonly #unsubscribe: () => void;

  constructor(world: World, { isOpen, trace }: InvariantsOptions = {}) {
    const { clock } = world;
    this.#findings = new Findings(clock, trace);
    this.#truth = new Truth(world);
    this.#outages = new Outages(this.#truth, clock);
    this.#ledgers = new LedgerInvariants(this.#truth, this.#findings);
    this.#nodes = new NodeInvariants({
      clock,
      truth: this.#truth,
      outages: this.#outages,
      findings: this.#findings,
      sent: this.#sent,
      isPaused: (pop) => this.#ledgers.isPaused(pop),
      isOpen,
    });
    this.#unsubscribe = world.store.subscribe((event) => this.#look(event));
    this.#outages.track();
  }

  get violations(): readonly Finding[] {
    return this.#findings.violations;
  }

  get races(): readonly Finding[] {
    return this.#findings.races;
  }

  stop(): void {
    this.#unsubscribe();
  }

  /** Throws with every violation found so far. */
  check(): void {
    this.#findings.check();
  }

  sent(effect: Effect): void {
    this.#sent.add(effect);
    this.#findings.trace(`${effect.operator} ${effect.index} ${effect.name} ${effect.target} ${effect.detail}`);
  }

  ended(effect: Effect): void {
    this.#sent.delete(effect);
  }

  failed(operator: string, error: unknown): void {
    this.#findings.trace(`${operator} failed: ${String(error)}`);
    // An answer of a server is weather; anything else is a fault of ours.
    if (!(error instanceof ApiError))
      this.#findings.violated("errors", `operator ${operator} threw ${error instanceof Error ? error.stack : String(error)}`);
  }

  drained(effect: Effect, order: DrainOrder): void {
    const node = order.began ? this.#truth.node(order.node) : undefined;
    if (!node) return;
    const pop = this.#truth.popOf(node);
    if (!pop) return this.#findings.violated("I17", `drain.start ${order.token} on ${order.node} after its PoPCluster is gone`);
    this.#nodes.drained(effect, order, node, pop);
    this.#outages.track();
  }

  #look({ type, kind, object, previous }: StoreEvent): void {
    if (kind.kind === "Pod") this.#pod(object as unknown as PodObject);
    if (kind.kind === "Node" && type === "MODIFIED") this.#nodes.changed(previous as unknown as NodeObject, object);
    if (kind.kind === "PoPCluster") this.#popChanged(type, object as unknown as PopCluster, previous as unknown as PopCluster | undefined);
    if (kind.kind === "Fleet" && type !== "DELETED")
      this.#ledgers.fleetChanged(previous as unknown as Fleet | undefined, object as unknown as Fleet);
    this.#outages.track();
  }

  #popChanged(type: StoreEvent["type"], pop: PopCluster, before: PopCluster | undefined): void {
    if (type === "DELETED") return this.#ledgers.popDeleted(pop);
    this.#ledgers.popChanged(pop, before);
    this.#outages.popChanged(pop, before);
  }

  #pod(pod: PodObject): void {
    const containerID = pod.status?.containerStatuses?.[0]?.containerID;
    if (!containerID || !pod.spec.nodeName) return;
    this.containers.set(pod.spec.nodeName, (this.containers.get(pod.spec.nodeName) ?? new Set()).add(containerID));
  }
}
