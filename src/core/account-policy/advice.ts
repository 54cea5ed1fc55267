import type { AccountPolicyStatus } from "../../api/account-policy.ts";
import { policyFor } from "../client/policy.ts";
import { counted } from "../text.ts";
import type { AccountPolicyObservation } from "./observation.ts";

type Advice = NonNullable<AccountPolicyStatus["advice"]>;

/** What would make maintenance less felt in this account; empty when nothing would. */
export function adviceFor(seen: Pick<AccountPolicyObservation, "singleSocket" | "singlePoP" | "clients" | "policy">): Advice {
  const { singleSocket, singlePoP } = seen;
  const pair = `${counted(singleSocket, "site")} with one Socket: an upgrade costs minutes; a second Socket makes it a failover of seconds`;
  const tunnel = `${counted(singlePoP, "site")} with tunnels to one PoP: its maintenance costs minutes; add a secondary tunnel to another PoP`;
  return [
    ...(singleSocket > 0 ? [{ kind: "HAPair", sites: singleSocket, message: pair } as const] : []),
    ...(singlePoP > 0 ? [{ kind: "SecondTunnel", sites: singlePoP, message: tunnel } as const] : []),
    ...clientAdvice(seen),
  ];
}

/** Of systems on which the account has Clients: who upgrades them, and who gets a version first (rules C1, C2). */
function clientAdvice({ clients, policy }: Pick<AccountPolicyObservation, "clients" | "policy">): Advice {
  // Nobody counts at the moment: what was told last stands (rule G9).
  if (clients !== undefined && clients.devices === undefined) {
    return (policy.status.advice ?? []).filter(({ kind }) => kind === "PilotGroup" || kind === "Automatic");
  }
  const systems = [...(clients?.devices ?? [])].filter(([, devices]) => devices > 0);
  const of = (os: (typeof systems)[number][0]) => policyFor(policy.spec.clients, os);
  const managed = systems.filter(([os]) => of(os)?.upgrade !== "Automatic");
  const withoutPilot = systems.filter(([os]) => of(os)?.upgrade === "Automatic" && of(os)?.pilotGroup === undefined);
  const sum = (some: typeof systems): number => some.reduce((all, [, devices]) => all + devices, 0);
  const text = (some: typeof systems): string => `${counted(sum(some), "Client")} on ${some.map(([os]) => os).join(", ")}`;
  const pilot = `${text(withoutPilot)} without a pilot group: a version that fails here is found among everybody; name a few users who get it first`;
  const automatic = `${text(managed)} that the account upgrades itself: old versions stay until somebody does; upgrade: Automatic does it in phases`;
  return [
    ...(withoutPilot.length > 0 ? [{ kind: "PilotGroup", devices: sum(withoutPilot), message: pilot } as const] : []),
    ...(managed.length > 0 ? [{ kind: "Automatic", devices: sum(managed), message: automatic } as const] : []),
  ];
}
