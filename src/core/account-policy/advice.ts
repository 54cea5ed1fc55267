import type { AccountPolicyStatus } from "../../api/account-policy.ts";
import type { AccountPolicyObservation } from "./observation.ts";

type Advice = NonNullable<AccountPolicyStatus["advice"]>;

const counted = (sites: number): string => (sites === 1 ? "1 site" : `${sites} sites`);

/** What would make maintenance less felt in this account; empty when nothing would. */
export function adviceFor({ singleSocket, singlePoP }: Pick<AccountPolicyObservation, "singleSocket" | "singlePoP">): Advice {
  const pair = `${counted(singleSocket)} with one Socket: an upgrade costs minutes; a second Socket makes it a failover of seconds`;
  const tunnel = `${counted(singlePoP)} with tunnels to one PoP: its maintenance costs minutes; add a secondary tunnel to another PoP`;
  return [
    ...(singleSocket > 0 ? [{ kind: "HAPair", sites: singleSocket, message: pair } as const] : []),
    ...(singlePoP > 0 ? [{ kind: "SecondTunnel", sites: singlePoP, message: tunnel } as const] : []),
  ];
}
