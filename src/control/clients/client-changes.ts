import type { ClientRollout } from "../../api/client-rollout.ts";
import type { HubCaches } from "../hub-caches.ts";
import type { ClientWork } from "./client-work.ts";

/** What an account is told of a rollout, and what the others look at. */
interface Shown {
  readonly accounts: string;
  readonly others: string;
}

/** Looks again at what is not of Clients alone. */
export interface ClientWakes {
  /** The AccountPolicy of a namespace. */
  policy(namespace: string): void;
  approval(name: string): void;
}

/** Which change looks again at which rollout and policy of Clients, and when somebody may be eligible for another stage. */
export class ClientChanges {
  readonly #caches: HubCaches;
  readonly #fleetNamespace: string;
  readonly #work: () => ClientWork | undefined;
  readonly #wakes: ClientWakes;
  readonly #shown = new Map<string, Shown>();
  readonly #generations = new Map<string, string>();

  constructor(caches: HubCaches, fleetNamespace: string, work: () => ClientWork | undefined, wakes: ClientWakes) {
    this.#caches = caches;
    this.#fleetNamespace = fleetNamespace;
    this.#work = work;
    this.#wakes = wakes;
  }

  listen(): void {
    const { clientRollouts, fleets, approvals, accountPolicies, namespaces } = this.#caches;
    clientRollouts.onChange((rollout, deleted) => this.#rolloutChanged(rollout, deleted));
    let paused: string | undefined;
    fleets.onChange(({ metadata, spec }, deleted) => {
      if (metadata.namespace !== this.#fleetNamespace) return;
      const now = JSON.stringify(deleted ? [] : [spec.paused, spec.approvers]);
      if (now !== paused) this.#work()?.rollouts();
      paused = now;
    });
    approvals.onChange(({ spec }) => {
      if (spec.for.kind === "ClientRollout") this.#work()?.rollout(spec.for.name);
    });
    accountPolicies.onChange(({ metadata }, deleted) => {
      const seen = deleted ? undefined : `${metadata.uid} ${metadata.generation}`;
      const { namespace = "" } = metadata;
      if (this.#generations.get(namespace) === seen) return;
      if (seen === undefined) this.#generations.delete(namespace);
      else this.#generations.set(namespace, seen);
      this.#work()?.recount();
    });
    namespaces.onChange(() => this.#work()?.recount());
  }

  /** Approvals say on themselves what they are good for. */
  #approvals(rollout: string): void {
    for (const { metadata, spec } of this.#caches.approvals.list())
      if (spec.for.kind === "ClientRollout" && spec.for.name === rollout) this.#wakes.approval(metadata.name);
  }

  #rolloutChanged(rollout: ClientRollout, deleted: boolean): void {
    const { uid, name } = rollout.metadata;
    const before = this.#shown.get(uid);
    const after = deleted ? undefined : shownOf(rollout);
    if (after === undefined) this.#shown.delete(uid);
    else this.#shown.set(uid, after);
    const work = this.#work();
    if (work === undefined) return;
    // Of two of one version the older counts, a fixed one takes over from the faulty one, and each hears of it from the other.
    if (before?.others !== after?.others) {
      work.rollouts();
      work.recount();
      this.#approvals(name);
    } else work.rollout(name);
    if (before?.accounts !== after?.accounts)
      for (const { metadata } of this.#caches.accountPolicies.list()) this.#wakes.policy(metadata.namespace ?? "");
  }
}

const shownOf = ({ metadata, spec, status = {} }: ClientRollout): Shown => {
  const { effective, reasons, reached, forecast, support, stopped, inherited, standingSince } = status;
  const stage = [reached?.stage, reached?.phase, reached?.accountsPercent, reached?.usersPercent];
  return {
    accounts: JSON.stringify([metadata.generation, effective, reasons, stage, forecast?.phases, support?.weeksLeft, stopped]),
    others: JSON.stringify([
      metadata.generation,
      spec.version,
      stage,
      inherited,
      stopped !== undefined,
      standingSince !== undefined,
      status.digest,
    ]),
  };
};
