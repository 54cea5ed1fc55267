import type { AccountPolicy } from "../../api/account-policy.ts";
import { explanation, troubles, unseenChange, type Explanation } from "./explanation.ts";

/** What an account sees of itself: its sites, the PoPs they use and when these are maintained, what would help (rule I15). */
export function explainAccountPolicy({ metadata, spec, status }: AccountPolicy): Explanation {
  const subject = `AccountPolicy ${metadata.namespace ?? ""}`;
  if (status === undefined) return explanation(`${subject} has no status yet: no operator has looked at it`, []);
  const { sockets, pops = [], advice = [], conditions = [] } = status;
  const channels = spec.notices?.channels ?? [];
  const told = channels.length === 0 ? "status and calendar alone" : channels.map(({ name }) => name).join(", then ");
  const summary =
    sockets === undefined
      ? "has no sites yet"
      : `has ${sockets.sites} sites, ${sockets.pairs} of them pairs; ${sockets.upToDate} are up to date`;
  return explanation(`${subject} ${summary}`, [
    ["Attention", [...unseenChange(metadata.generation, status.observedGeneration), ...troubles(conditions)]],
    [
      "Sites",
      sockets === undefined
        ? []
        : [
            `${sockets.planned} planned, ${sockets.haNotReady} pairs not ready, ${sockets.notConnected} not connected.`,
            ...sockets.versions.map(({ version, sockets: count }) => `${version}: ${count} Sockets`),
          ],
    ],
    ["Policy", [`Order of a pair: ${spec.sockets.order}; a pair on two majors: ${spec.sockets.haRemediation}; notices go to ${told}.`]],
    [
      "PoPs",
      pops.map(({ name, sites, next = [], impact }) => {
        const when = next[0] === undefined ? "no window is known" : `next window ${next[0].localStart}`;
        return `${name}: ${sites} sites, ${when}${impact === undefined ? "" : `, ${impact.toLowerCase()} of interruption`}`;
      }),
    ],
    ["Advice", advice.map(({ message }) => message)],
  ]);
}
