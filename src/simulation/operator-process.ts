import { Operator, type OperatorPorts } from "../control/operator.ts";
import { SECRET } from "../control/kinds.ts";
import type { ClientInventory } from "../control/client-inventory.ts";
import type { Inventory } from "../control/inventory.ts";
import type { Notices } from "../control/notices.ts";
import type { Cluster, ClusterEvent, Forecast, Prober } from "../control/ports.ts";
import type { Told } from "../control/told.ts";
import type { Clock } from "../runtime/clock.ts";
import type { OperatorWatch } from "./operator-watch.ts";
import { SimulatedSites, type SiteTrouble } from "./sites.ts";

export interface SimulatedOperatorOptions {
  readonly clock: Clock;
  readonly hub: Cluster;
  readonly prober: Prober;
  readonly random: () => number;
  readonly namespace: string;
  readonly onEvent: (event: ClusterEvent) => void;
  readonly told?: Partial<Told>;
  readonly watch?: OperatorWatch | undefined;
  readonly forecast?: Forecast;
  readonly inventory?: Inventory | undefined;
  readonly clients?: ClientInventory | undefined;
  readonly clientsCountedEvery?: number | undefined;
  readonly notices?: Notices | undefined;
  /** PoP clusters that cannot be reached, by the name of their kubeconfig Secret. */
  readonly troubles?: ReadonlyMap<string, SiteTrouble>;
}

/** Tells nobody. */
export const QUIET: Told = {
  pop: () => {},
  windowBreached: () => {},
  popGone: () => {},
  rollout: () => {},
  rolloutGone: () => {},
  fleet: () => {},
  site: () => {},
  siteGone: () => {},
  noticeLate: () => {},
  socketRollout: () => {},
  socketRolloutGone: () => {},
  clientRollout: () => {},
  clientRolloutGone: () => {},
  clientVersions: () => {},
  clientsFailed: () => {},
  decided: () => {},
  forecastFailed: () => {},
  queue: () => ({}),
};

/** The real controllers on simulated ports: one operator of perhaps several, which can be crashed. */
export class SimulatedOperator {
  readonly #operator: Operator;
  readonly #term = new AbortController();
  #alive = true;

  constructor(options: SimulatedOperatorOptions) {
    const { clock, hub, prober, random, namespace, watch } = options;
    const ports: OperatorPorts = {
      clock,
      random,
      hub,
      sites: new SimulatedSites(hub, options.troubles),
      prober: watch?.timed(prober) ?? prober,
      events: { publish: (event) => this.#alive && options.onEvent(event), flush: () => Promise.resolve() },
      told: { ...QUIET, ...watch?.told, ...options.told },
      readSecret: async (name) => decoded((await hub.get(SECRET, name, namespace))?.data),
      namespace,
      tzdata: process.versions.tz ?? "unknown",
      ...(options.forecast ? { forecast: options.forecast } : {}),
      inventory: options.inventory,
      notices: options.notices,
      clients: options.clients,
      clientsCountedEvery: options.clientsCountedEvery,
    };
    const operator = new Operator(ports);
    this.#operator = operator;
    watch?.began({ namespace, leads: () => this.#alive, ages: () => operator.ages(), tunnels: () => operator.tunnels() });
  }

  /** Leads at once: which of several leads is not this operator's question here, safety must not rest on it. */
  start(): void {
    void this.#operator.lead(this.#term.signal, () => this.#alive);
  }

  /** Dies between two writes, without goodbye. */
  crash(): void {
    this.#alive = false;
    this.#term.abort(new Error("the operator crashed"));
    this.#operator.stop();
  }
}

function decoded(data: Readonly<Record<string, string>> | undefined): Record<string, string> | undefined {
  return data && Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString("utf8")]));
}
