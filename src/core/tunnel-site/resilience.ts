import type { ConditionReason } from "../../api/conditions.ts";
import type { TunnelReport, TunnelSiteSpec, TunnelSiteStatus } from "../../api/tunnel-site.ts";
import type { ConditionUpdate } from "../conditions.ts";
import { claimedPoPs } from "./tunnels.ts";

type Resilience = NonNullable<TunnelSiteStatus["resilience"]>;

const ADVICE = "add a secondary tunnel to a different PoP";

/** Two different PoPs told of tunnels of this site, whatever they are now; a claim makes nobody dual (rule F2). */
export const resilienceOf = (tunnels: readonly TunnelReport[]): Resilience => (tunnels.length > 1 ? "DualPoP" : "SinglePoP");

/** What a site feels of the maintenance of one of its PoPs: seconds where another tunnel takes over, as far as is known. */
export const impactOn = (pop: string, tunnels: readonly TunnelReport[]): "Seconds" | "Minutes" =>
  tunnels.some((other) => other.pop !== pop && other.up !== "False") && tunnels.some((own) => own.pop === pop) ? "Seconds" : "Minutes";

/** The condition Resilient, with what to do about it. */
export function resilient(spec: TunnelSiteSpec, tunnels: readonly TunnelReport[]): ConditionUpdate {
  const claimed = claimedPoPs(spec);
  const names = tunnels.map(({ pop }) => pop);
  if (tunnels.length > 1) return dual(tunnels);
  if (spec.secondaryPoP === spec.primaryPoP)
    return not("SamePoPTwice", `both tunnels end in PoP ${spec.primaryPoP}, so its maintenance takes both for minutes: ${ADVICE}`);
  if (tunnels.length === 0) {
    const what = claimed.length > 1 ? `neither PoP ${claimed.join(" nor PoP ")} has` : `PoP ${claimed[0]} has not`;
    const next = claimed.length > 1 ? "see that both tunnels are up" : `see that the tunnel is up, and ${ADVICE}`;
    return { type: "Resilient", status: "Unknown", reason: "NotObserved", message: `${what} reported a tunnel of this site yet: ${next}` };
  }
  const unseen = claimed.find((pop) => !names.includes(pop));
  if (spec.secondaryPoP !== undefined && unseen !== undefined)
    return not(
      "SecondTunnelUnseen",
      `a tunnel to PoP ${unseen} is claimed and was never reported by it, so maintenance of PoP ${names[0]} costs minutes: see that it is up, or ${ADVICE}`,
    );
  return not("NoSecondTunnel", `the only tunnel ends in PoP ${names[0]}, whose maintenance costs minutes: ${ADVICE}`);
}

function dual(tunnels: readonly TunnelReport[]): ConditionUpdate {
  const of = (up: TunnelReport["up"]) => tunnels.filter((tunnel) => tunnel.up === up);
  const together = `PoPs ${tunnels.map(({ pop }) => pop).join(" and ")} are never disrupted together by Rollward`;
  const [down] = of("False");
  if (down !== undefined)
    return not("TunnelDown", `the tunnel to PoP ${down.pop} is down since ${down.seenAt}: see that it comes up again; ${together}`);
  const [silent] = of("Unknown");
  if (silent === undefined) return { type: "Resilient", status: "True", reason: "DualPoP", message: `tunnels are up; ${together}` };
  const message = `PoP ${silent.pop} has not told of its tunnel for an hour; ${together}`;
  return { type: "Resilient", status: "Unknown", reason: "TunnelUnknown", message };
}

const not = (reason: ConditionReason<"Resilient">, message: string): ConditionUpdate => ({
  type: "Resilient",
  status: "False",
  reason,
  message,
});
