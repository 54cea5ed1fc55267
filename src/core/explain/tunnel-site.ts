import type { TunnelReport, TunnelSite } from "../../api/tunnel-site.ts";
import { explanation, troubles, unseenChange, type Explanation } from "./explanation.ts";
import { momentText } from "./moment.ts";

const SAYS = {
  True: "says that a tunnel is up",
  False: "says that every tunnel is down",
  Unknown: "has not told of it for an hour; it counts as if it were there",
} as const satisfies Record<TunnelReport["up"], string>;

/** What PoPs say of a site, whether it is resilient, and which window it will feel. */
export function explainTunnelSite({ metadata, spec, status }: TunnelSite): Explanation {
  const subject = `TunnelSite ${metadata.namespace ?? ""}/${metadata.name}`;
  if (status === undefined) return explanation(`${subject} has no status yet: no operator has looked at it`, []);
  const { tunnels = [], upcoming = [], conditions = [], resilience } = status;
  const resilient = conditions.find(({ type }) => type === "Resilient");
  const claims = [spec.primaryPoP, ...(spec.secondaryPoP === undefined ? [] : [spec.secondaryPoP])];
  return explanation(`${subject} is ${resilience ?? "not followed"}${resilient ? ` (${resilient.reason})` : ""}`, [
    [
      "Attention",
      [
        ...unseenChange(metadata.generation, status.observedGeneration),
        ...troubles(conditions),
        ...(resilient?.status === "Unknown" ? [`Resilient is Unknown (${resilient.reason}): ${resilient.message}`] : []),
      ],
    ],
    ["Claimed", [`${claims.join(" and ")}: a claim limits nothing, only what PoPs report does.`]],
    [
      "Reported",
      tunnels.length === 0
        ? ["No PoP has reported a tunnel of this site."]
        : tunnels.map(({ pop, up, seenAt }) => `${pop} ${SAYS[up]}, since ${momentText(seenAt, undefined)}`),
    ],
    [
      "Upcoming",
      upcoming.map(
        ({ pop, localStart, start, end, impact, version }) =>
          `${pop}${version === undefined ? "" : ` goes to ${version}`} ${localStart} (${start} to ${end}): ${impact.toLowerCase()} without a tunnel`,
      ),
    ],
  ]);
}
