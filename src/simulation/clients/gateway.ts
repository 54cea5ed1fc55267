import type { ClientPolicies } from "../../api/client-policy.ts";
import type { ClientSystem } from "../../api/client-rollout.ts";
import type { ClientCheckIns, Directory, KnownClient } from "../../control/client-inventory.ts";
import { type AnsweredCall, checkIn } from "../../control/clients/check-in.ts";
import type { AccountView } from "../../core/client/check-in.ts";
import type { ClientAnswer, FleetView } from "../../core/client/no-update.ts";
import { policyFor } from "../../core/client/policy.ts";
import type { ClientRolloutView } from "../../core/client/rollout-view.ts";
import type { Instant } from "../../core/decision.ts";
import type { ClientRequest } from "./client-device.ts";
import type { ClientGateway } from "./client-fleet.ts";

/** An account as a gateway has it in memory. */
export interface GatewayAccount {
  readonly labels: Readonly<Record<string, string>>;
  readonly policies: ClientPolicies | undefined;
  readonly failedPilots: ReadonlySet<string>;
}

/** What a gateway sees of the cluster, asked anew for each batch. */
export interface GatewaySight {
  readonly rollouts: readonly ClientRolloutView[];
  readonly accounts: ReadonlyMap<string, GatewayAccount>;
  readonly fleet: FleetView;
}

const NOBODY: AccountView = { labels: {}, failedPilots: new Set() };

/** An account's policy for one system, as `answer` wants it. */
export const accountView = ({ labels, policies, failedPilots }: GatewayAccount, os: ClientSystem): AccountView => {
  const policy = policyFor(policies, os);
  return { labels, failedPilots, ...(policy === undefined ? {} : { policy }) };
};

/** An honest gateway in memory: one check-in and the inventory are those of the real one (`checkIn`), without the wire between. */
export class MemoryClientGateway implements ClientGateway {
  /** False: it answers nobody. */
  isUp = true;
  readonly #checkIns: ClientCheckIns;
  readonly #sight: () => GatewaySight;
  readonly #directories = new Map<string, Directory>();

  constructor({ checkIns, sight }: { readonly checkIns: ClientCheckIns; readonly sight: () => GatewaySight }) {
    this.#checkIns = checkIns;
    this.#sight = sight;
  }

  async checkIn(requests: readonly ClientRequest[], now: Instant): Promise<readonly (ClientAnswer | undefined)[]> {
    if (!this.isUp) return requests.map(() => undefined);
    const sight = this.#sight();
    await this.#readDirectories();
    const known = await this.#checkIns.known(requests);
    const answered = requests.map((request, index) => this.#answered(request, known[index], sight, now));
    await this.#checkIns.record(answered.flatMap(({ reports }) => reports));
    return answered.map(({ answer }) => answer);
  }

  #answered(
    request: ClientRequest,
    known: KnownClient | undefined,
    { rollouts, accounts, fleet }: GatewaySight,
    now: Instant,
  ): AnsweredCall {
    const { asks, ...call } = request;
    const account = accounts.get(request.account);
    const directory = this.#directories.get(request.account);
    const sight = {
      rollouts,
      account: account === undefined ? NOBODY : accountView(account, request.os),
      fleet,
      ...(directory === undefined ? {} : { directory }),
    };
    return checkIn({ ...call, ...(asks ? { asks: { updatesDisabled: false } } : {}) }, known, sight, now);
  }

  async #readDirectories(): Promise<void> {
    for (const [account, generation] of await this.#checkIns.directories()) {
      if (this.#directories.get(account)?.generation !== generation) {
        this.#directories.set(account, await this.#checkIns.directory(account));
      }
    }
  }
}
