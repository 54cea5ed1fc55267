import type { PopCluster } from "../../src/api/pop-cluster.ts";
import type { NodeObject } from "../../src/control/kinds.ts";
import type { World } from "../../src/simulation/world.ts";
import { claimOf, isActive, labelOf, ready, type Truth } from "./truth.ts";

/** A node that cannot serve, since when the servers know it, and whether our own hand did it. */
interface Outage {
  readonly because: string;
  readonly since: number;
  readonly ours: boolean;
}

/** Which nodes are out, since when, and which are gone: what the budget (P1, P16) has to count, by the servers and the data planes. */
export class Outages {
  readonly #truth: Truth;
  readonly #clock: World["clock"];
  readonly #everServed = new Set<string>();
  readonly #outages = new Map<string, Outage>();
  readonly #servingSince = new Map<string, number>();
  /** When nodes that had served vanished, by UID. */
  readonly #gone = new Map<string, number>();
  /** Members of the run before a rollback, by PoP UID: those gone since then still count. */
  readonly #members = new Map<string, { readonly run: number; readonly uids: ReadonlySet<string> }>();

  constructor(truth: Truth, clock: World["clock"]) {
    this.#truth = truth;
    this.#clock = clock;
  }

  /** Keeps since when each node is out, and since when it serves. */
  track(): void {
    const now = this.#clock.elapsed();
    const present = new Set<string>();
    for (const node of this.#truth.nodes()) {
      const { uid } = node.metadata;
      present.add(uid);
      if (labelOf(node) !== undefined && ready(node) && this.#truth.servingPod(node)) {
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

  outageOf(node: NodeObject): Outage | undefined {
    const found = this.#reasonOut(node);
    return found && { ...found, since: this.#outages.get(node.metadata.uid)?.since ?? this.#clock.elapsed() };
  }

  /** Elapsed instant since which the node serves without a break. */
  servingSince(uid: string): number | undefined {
    return this.#servingSince.get(uid);
  }

  /** P1: everything that keeps a node from serving, by the servers and by the data plane's own ledger. One that never served is joining. */
  #reasonOut(node: NodeObject): { readonly because: string; readonly ours: boolean } | undefined {
    if (!this.#everServed.has(node.metadata.uid)) return undefined;
    const plane = this.#truth.plane(node);
    if (plane?.draining) return { because: `draining ${plane.drainToken}`, ours: true };
    if (labelOf(node) === undefined) return { because: "without label", ours: true };
    const claimed = isActive(claimOf(node));
    if (node.spec?.unschedulable) return { because: "cordoned", ours: false };
    if (node.metadata.deletionTimestamp !== undefined) return { because: "being deleted", ours: false };
    if (!ready(node)) return { because: "NotReady", ours: false };
    if (!this.#truth.servingPod(node)) return { because: "no Ready pod", ours: claimed };
    return undefined;
  }

  /** Keeps whom a run counts as its members. */
  popChanged(pop: PopCluster, before: PopCluster | undefined): void {
    const { run } = pop.status ?? {};
    if (!run) return;
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

  /** Instants at which members of the run went that no serving node replaces (P16). */
  goneUnreplaced(pop: PopCluster): number[] {
    const members = pop.status?.run ? this.#members.get(pop.metadata.uid)?.uids : undefined;
    if (!members) return [];
    const nodes = this.#truth.nodesOf(pop);
    const present = new Set(nodes.map((node) => node.metadata.uid));
    const gone = [...members].filter((uid) => !present.has(uid)).map((uid) => this.#gone.get(uid) ?? Number.NEGATIVE_INFINITY);
    const replacements = nodes.filter((node) => !members.has(node.metadata.uid) && this.#everServed.has(node.metadata.uid)).length;
    return gone.sort((a, b) => b - a).slice(0, Math.max(0, gone.length - replacements));
  }
}
