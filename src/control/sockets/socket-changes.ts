import type { Fleet } from "../../api/fleet.ts";
import type { MaintenanceWindow } from "../../api/maintenance-window.ts";
import type { SocketRollout } from "../../api/socket-rollout.ts";
import { PopChanges } from "../pop-changes.ts";
import type { HubCaches } from "../hub-caches.ts";
import { sitePop } from "./observe-site.ts";
import { rolloutViewOf, shownToSites, timesForSites } from "./rollout-views.ts";
import { keyOf, splitKey } from "../object-key.ts";
import type { SiteIndex } from "./site-index.ts";
import type { SocketWork } from "./socket-work.ts";

const POLICY = "account";

interface Shown {
  readonly shown: string;
  readonly models: string;
  readonly times: string;
  readonly percent: number;
  readonly stands: boolean;
}

/**
 * Which change looks again at which site, rollout and policy. A change only wakes; it is told as narrowly as it concerns somebody, because
 * of 100,000 sites nearly all have nothing to do with it.
 */
export class SocketChanges {
  readonly #caches: HubCaches;
  readonly #index: SiteIndex;
  readonly #fleetNamespace: string;
  readonly #work: () => SocketWork | undefined;
  /** What sites saw of each rollout last, and its ramp. */
  readonly #rollouts = new Map<string, Shown>();
  readonly #generations = new Map<string, string>();
  #fleet = "";
  #paused: boolean | undefined;

  constructor(caches: HubCaches, index: SiteIndex, fleetNamespace: string, work: () => SocketWork | undefined) {
    this.#caches = caches;
    this.#index = index;
    this.#fleetNamespace = fleetNamespace;
    this.#work = work;
  }

  listen(): void {
    const [caches, index, work] = [this.#caches, this.#index, this.#work];
    caches.socketSites.onChange((site, deleted) => {
      const key = keyOf(site);
      if (deleted) work()?.siteDeleted(key, site);
      this.#counted(site.metadata.namespace ?? "");
    });
    caches.socketRollouts.onChange((rollout, deleted) => this.#rolloutChanged(rollout, deleted));
    caches.accountPolicies.onChange((policy, deleted) => {
      const key = keyOf(policy);
      if (!this.#isNewSpec(`policy ${key}`, policy, deleted)) return;
      work()?.policy(key);
      this.#wake(index.inNamespace(policy.metadata.namespace ?? ""));
    });
    caches.accountWindows.onChange((window, deleted) => this.#windowChanged(window, deleted));
    caches.fleets.onChange((fleet, deleted) => this.#fleetChanged(fleet, deleted));
    const ofPops = new PopChanges((pop) => [sitePop(pop), pop.status?.next]);
    const ofSites = new PopChanges(sitePop);
    caches.pops.onChange((pop, deleted) => {
      const { name } = pop.metadata;
      if (ofSites.matters(pop, deleted)) this.#wake(index.active(name));
      if (!ofPops.matters(pop, deleted)) return;
      const namespaces = new Set([...index.connectedTo(name)].map((key) => splitKey(key)[0]));
      for (const namespace of namespaces) work()?.retell(`${namespace}/${POLICY}`);
    });
    caches.tunnelSites.onChange(({ metadata }) => work()?.retell(`${metadata.namespace ?? ""}/${POLICY}`));
    caches.namespaces.onChange(({ metadata }) => work()?.retell(`${metadata.name}/${POLICY}`));
  }

  #wake(keys: Iterable<string>): void {
    const work = this.#work();
    if (work !== undefined) for (const key of keys) work.site(key);
  }

  #counted(namespace: string): void {
    const work = this.#work();
    if (work === undefined) return;
    for (const { metadata } of this.#caches.socketRollouts.list()) work.recount(metadata.name);
    if (this.#caches.accountPolicies.get(POLICY, namespace) !== undefined) work.retell(`${namespace}/${POLICY}`);
  }

  #isNewSpec(name: string, { metadata }: Pick<MaintenanceWindow, "metadata">, deleted: boolean): boolean {
    const generation = `${metadata.uid} ${metadata.generation}`;
    const isNew = deleted || this.#generations.get(name) !== generation;
    if (deleted) this.#generations.delete(name);
    else this.#generations.set(name, generation);
    return isNew;
  }

  #windowChanged(window: MaintenanceWindow, deleted: boolean): void {
    const { namespace = "" } = window.metadata;
    if (!this.#isNewSpec(`window ${keyOf(window)}`, window, deleted)) return;
    const isDefault =
      this.#caches.fleets.get("fleet", this.#fleetNamespace)?.spec.accounts?.defaultSocketWindow?.name === window.metadata.name;
    if (namespace !== this.#fleetNamespace) {
      this.#wake(this.#index.inNamespace(namespace));
      this.#work()?.policy(`${namespace}/${POLICY}`);
    } else if (isDefault) this.#wake(this.#index.keys());
  }

  #fleetChanged({ spec }: Fleet, deleted: boolean): void {
    const promised = deleted ? "none" : JSON.stringify([spec.freezes, spec.accounts]);
    const paused = deleted ? undefined : spec.paused;
    if (promised !== this.#fleet) this.#wake(this.#index.keys());
    else if (paused !== this.#paused) this.#wake(this.#index.active());
    if (paused !== this.#paused) for (const { metadata } of this.#caches.socketRollouts.list()) this.#work()?.rollout(metadata.name);
    this.#fleet = promised;
    this.#paused = paused;
  }

  #rolloutChanged(rollout: SocketRollout, deleted: boolean): void {
    const { uid, name } = rollout.metadata;
    const before = this.#rollouts.get(uid);
    const after = deleted ? undefined : shownOf(rollout);
    if (after === undefined) this.#rollouts.delete(uid);
    else this.#rollouts.set(uid, after);
    const isNewSpec = this.#isNewSpec(`rollout ${uid}`, rollout, deleted);
    const work = this.#work();
    if (work === undefined) return;
    if (isNewSpec) work.rollout(name);
    // What is announced twice, or superseded, the others tell.
    if (before?.stands !== after?.stands) for (const { metadata } of this.#caches.socketRollouts.list()) work.rollout(metadata.name);
    if (after === undefined) this.#wake(this.#index.keys());
    else if (before?.shown !== after.shown) this.#wake(this.#reached(rollout, before, after, isNewSpec));
    else if (before.times !== after.times) this.#wake(this.#index.active());
  }

  /** Sites that are not confirmed; where nothing but the ramp has grown, those that it has reached with it. */
  #reached(rollout: SocketRollout, before: Shown | undefined, after: Shown, isNewSpec: boolean): Iterable<string> {
    // Also those that it is not for any more: what it planned there falls away.
    if (before !== undefined && before.models !== after.models) return this.#index.keys();
    const tally = this.#index.tallyOf(rollout);
    const onlyRamp = !isNewSpec && before !== undefined && 0 < before.percent && before.percent < after.percent;
    return onlyRamp ? tally.open(before.percent, after.percent) : tally.open();
  }
}

const shownOf = (rollout: SocketRollout): Shown => {
  const { ramp, standingSince } = rolloutViewOf(rollout);
  return {
    shown: shownToSites(rollout),
    models: JSON.stringify(rollout.spec.models ?? []),
    times: timesForSites(rollout),
    percent: ramp?.percent ?? 0,
    stands: standingSince !== undefined,
  };
};
