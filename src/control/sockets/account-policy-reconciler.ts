import { ACCOUNT_POLICY, type AccountPolicy, type AccountPolicyStatus } from "../../api/account-policy.ts";
import { decide } from "../../core/account-policy/decide.ts";
import type { AccountPolicyObservation, SeenClients } from "../../core/account-policy/observation.ts";
import type { Decision } from "../../core/decision.ts";
import { windowProblems } from "../../core/window/parse.ts";
import type { Reconciler } from "../../runtime/reconcile.ts";
import { announce } from "../announce.ts";
import type { HubCaches } from "../hub-caches.ts";
import type { Notices } from "../notices.ts";
import type { Cluster, EventSink } from "../ports.ts";
import { asWritten } from "../status-refused.ts";
import type { Told } from "../told.ts";
import type { TunnelIndex } from "../tunnels/tunnel-index.ts";
import { splitKey } from "../object-key.ts";
import type { SiteIndex } from "./site-index.ts";

export interface AccountPolicyReconcilerPorts {
  readonly hub: Cluster;
  readonly hubCaches: HubCaches;
  readonly index: SiteIndex;
  readonly tunnels: TunnelIndex;
  readonly notices?: Notices | undefined;
  readonly events: EventSink;
  readonly told: Told;
  readonly namespace: string;
  /** What is known of an account's Clients; undefined: there is no rollout of Clients. */
  readonly clientsSeenBy: (policy: AccountPolicy, account: string) => Promise<SeenClients | undefined>;
}

export interface ObservedAccountPolicy {
  readonly policy: AccountPolicy;
  readonly seen: AccountPolicyObservation;
}

type PolicyDecision = Decision<AccountPolicyStatus, never>;

/** AccountPolicies on the one loop, by `<namespace>/<name>`: what an account sees of its own sites, and of no other's (rule I15). */
export class AccountPolicyReconciler implements Reconciler<ObservedAccountPolicy, AccountPolicyStatus, never, never, PolicyDecision> {
  readonly kind = "AccountPolicy";
  readonly #ports: AccountPolicyReconcilerPorts;

  constructor(ports: AccountPolicyReconcilerPorts) {
    this.#ports = ports;
  }

  async observe(key: string): Promise<ObservedAccountPolicy | undefined> {
    const [namespace, name] = splitKey(key);
    const policy = this.#ports.hubCaches.accountPolicies.get(name, namespace);
    return policy && this.#observed(policy);
  }

  async observeLive(key: string): Promise<ObservedAccountPolicy | undefined> {
    const [namespace, name] = splitKey(key);
    const policy = await this.#ports.hub.get<AccountPolicy>(ACCOUNT_POLICY, name, namespace);
    return policy && this.#observed(policy);
  }

  decide({ seen }: ObservedAccountPolicy, now: number): PolicyDecision {
    return decide(seen, now);
  }

  async claim({ policy }: ObservedAccountPolicy, status: AccountPolicyStatus): Promise<undefined> {
    const what = `AccountPolicy ${policy.metadata.namespace}/${policy.metadata.name}`;
    await asWritten(what, status, this.#ports.hub.updateStatus<AccountPolicy>(ACCOUNT_POLICY, { ...policy, status }));
    return undefined;
  }

  act(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  isDisruptive(): boolean {
    return false;
  }

  tell(_key: string, { policy }: ObservedAccountPolicy, decision: PolicyDecision, done: "Claimed" | "Acted" | "Rested"): void {
    if (done === "Rested") return;
    const { events, told } = this.#ports;
    const { name, namespace = "" } = policy.metadata;
    announce(events, decision.events, { apiVersion: ACCOUNT_POLICY.apiVersion, kind: this.kind, metadata: policy.metadata });
    told.decided({ kind: this.kind, namespace, name, decision });
  }

  forget(): void {}

  async #observed(policy: AccountPolicy): Promise<ObservedAccountPolicy> {
    const { hubCaches, index, namespace: fleetNamespace } = this.#ports;
    const { namespace = "", generation = 0 } = policy.metadata;
    const account = index.accountOf(namespace);
    const { sites, pops, singleSocket } = index.told(namespace);
    const clients = account === undefined ? undefined : await this.#ports.clientsSeenBy(policy, account);
    const seen: AccountPolicyObservation = {
      policy: { namespace, generation, spec: policy.spec, status: policy.status ?? {} },
      ...(account === undefined ? {} : { account }),
      ...this.#window(policy),
      refusedChannels: this.#refusedChannels(policy),
      sites,
      pops: [...pops].flatMap(([name, count]) => {
        const pop = hubCaches.pops.get(name, fleetNamespace);
        return pop === undefined ? [] : [{ name, sites: count, next: pop.status?.next ?? [] }];
      }),
      singlePoP: this.#singlePoP(namespace),
      ...(clients === undefined ? {} : { clients }),
      singleSocket,
    };
    return { policy, seen };
  }

  #window({ metadata, spec }: AccountPolicy): Pick<AccountPolicyObservation, "window"> {
    const name = spec.sockets.windowRef?.name;
    if (name === undefined) return {};
    const found = this.#ports.hubCaches.accountWindows.get(name, metadata.namespace);
    const problem =
      found === undefined ? "it does not exist in this namespace; create it, or name another one" : windowProblems(found.spec)[0];
    return { window: { name, ...(problem === undefined ? {} : { problem }) } };
  }

  #refusedChannels({ metadata, spec }: AccountPolicy): NonNullable<AccountPolicyObservation["refusedChannels"]> {
    const account = this.#ports.index.accountOf(metadata.namespace ?? "") ?? "";
    return (spec.notices?.channels ?? []).flatMap(({ name, url }) => {
      const problem = this.#ports.notices?.refusal?.(url, account);
      return problem === undefined ? [] : [{ name, problem }];
    });
  }

  #singlePoP(namespace: string): number {
    const { tunnels, hubCaches } = this.#ports;
    const sites = [...tunnels.inNamespace(namespace)].map((key) => hubCaches.tunnelSites.get(splitKey(key)[1], namespace));
    return sites.filter((site) => site?.status?.resilience === "SinglePoP").length;
  }
}
