import type { AccountPolicy } from "../../api/account-policy.ts";
import { CLIENT_SYSTEMS } from "../../api/client-rollout.ts";
import { explanation, troubles, unseenChange, type Explanation } from "./explanation.ts";

/** What an account sees of itself: its sites and Clients, the PoPs they use and when these are maintained, what would help (rule I15). */
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
    ["Clients", [...policyLines(spec), ...(status.clients ?? []).map(clientLine)]],
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

type Spec = AccountPolicy["spec"];
type OfRollout = NonNullable<NonNullable<AccountPolicy["status"]>["clients"]>[number];

/** Nothing where the account says nothing of Clients at all: it may have none. */
function policyLines({ clients }: Spec): string[] {
  if (clients === undefined) return [];
  return CLIENT_SYSTEMS.map((os) => {
    const policy = clients[POLICY_NAMES[os]];
    if (policy?.upgrade !== "Automatic") return `${os}: Managed, nothing is offered.`;
    const { users = [], groups = [] } = policy.pilotGroup ?? {};
    const pilots = [...groups.map((group) => `group ${group}`), ...(users.length === 0 ? [] : [`${users.length} users by name`])];
    const until = policy.pause?.until === undefined ? "" : ` until ${policy.pause.until}`;
    const pause = policy.pause === undefined ? "" : ` ${policy.pause.version} is paused${until}: ${policy.pause.reason}.`;
    return `${os}: Automatic, ${policy.experience}; pilots: ${pilots.join(", ") || "none"}.${pause}`;
  });
}

const POLICY_NAMES = { Windows: "windows", macOS: "macos", Linux: "linux" } as const;

function clientLine({ rollout, os, version, stage, inPhase, numbers, effective, reasons = [], nextAt }: OfRollout): string {
  const where = `${stage === undefined ? "not begun" : `in stage ${stage}`}, ${inPhase ? "a phase has reached the account" : "no phase has reached the account yet"}`;
  const counted =
    numbers === undefined
      ? "not counted yet"
      : `${numbers.confirmed} of ${numbers.eligible} devices have it, ${numbers.failed} failed, ${numbers.unreachable} unreachable`;
  const held = effective === "Run" ? "" : `; ${effective}${reasons.length === 0 ? "" : `: ${reasons.join("; ")}`}`;
  const next = nextAt === undefined ? "" : `; the next phase opens ${nextAt}, if nothing fails`;
  return `${os} ${version} (ClientRollout ${rollout}): ${where}; ${counted}${held}${next}.`;
}
