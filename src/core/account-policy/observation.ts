import type { AccountPolicySpec, AccountPolicyStatus } from "../../api/account-policy.ts";
import type { ClientNumbers, ClientRollout, ClientSystem } from "../../api/client-rollout.ts";
import type { OccurrenceStatus } from "../../api/common.ts";

/** Everything that is known about one AccountPolicy at one moment: what stands in its own namespace, counted, and public facts of PoPs. */
export interface AccountPolicyObservation {
  readonly policy: {
    readonly namespace: string;
    readonly generation: number;
    readonly spec: AccountPolicySpec;
    readonly status: AccountPolicyStatus;
  };
  /** The account that the namespace is labelled with; absent: NoAccount. */
  readonly account?: string;
  /** The window that `sockets.windowRef` names exists and can be read; absent: none is named. */
  readonly window?: { readonly name: string; readonly problem?: string };
  /** Channels of the policy that nothing is sent to, and why; the others count in their order (rule W3). */
  readonly refusedChannels?: readonly { readonly name: string; readonly problem: string }[];
  readonly sites: NonNullable<AccountPolicyStatus["sockets"]>;
  /** Sites of the account by the PoP that they are connected to. */
  readonly pops: readonly { readonly name: string; readonly sites: number; readonly next: readonly OccurrenceStatus[] }[];
  /** TunnelSites of the account with one PoP, and sites with one Socket. */
  readonly singlePoP: number;
  readonly singleSocket: number;
  /** Its Clients; absent: the operator has no rollout of Clients, or the namespace is nobody's. */
  readonly clients?: SeenClients;
}

/** What is known of an account's Clients. */
export interface SeenClients {
  readonly rollouts: readonly AccountRollout[];
  /** By system; absent: the inventory does not tell. */
  readonly devices?: ReadonlyMap<ClientSystem, number>;
  /** Another namespace of the account has an AccountPolicy too, so none counts. */
  readonly policyTwice: boolean;
  /** Gateway replicas by their last sign; absent: they leave none, and ten seconds count instead (rule G15). */
  readonly replicas?: readonly {
    readonly silentMilliseconds: number;
    /** The generation of this policy that it answers by. */
    readonly generation?: number;
  }[];
}

/** A rollout of the fleet with what was counted in this account. */
export interface AccountRollout extends Pick<ClientRollout, "spec" | "status"> {
  readonly metadata: Pick<ClientRollout["metadata"], "name" | "uid">;
  /** Absent: not counted yet, or the inventory is away; what was told last stands. */
  readonly numbers?: { readonly all: ClientNumbers; readonly pilots: ClientNumbers };
}
