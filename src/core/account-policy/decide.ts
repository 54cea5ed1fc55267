import type { AccountPolicyStatus } from "../../api/account-policy.ts";
import type { Condition } from "../../api/common.ts";
import { sameJson } from "../canonical-json.ts";
import { type ConditionUpdate, setCondition } from "../conditions.ts";
import type { Decision, Hold, Instant } from "../decision.ts";
import { adviceFor } from "./advice.ts";
import { clientsOf } from "./clients.ts";
import type { AccountPolicyObservation } from "./observation.ts";

const MOST_POPS = 64;
const MOST_VERSIONS = 32;

/**
 * What an account sees of itself (rules I15, W10, C5): its sites counted, the PoPs they are connected to, the versions of its Clients, what
 * would make maintenance less felt. It decides nothing about a site; sites read its spec themselves. `status` is absent where nothing changed (G11).
 */
export function decide(seen: AccountPolicyObservation, now: Instant): Decision<AccountPolicyStatus, never> {
  const { policy, account } = seen;
  const problem = problemOf(seen);
  const advice = adviceFor(seen);
  const { clients, wakeAt: clientsWake } = clientsOf(seen, now);
  const updates = [accepted(problem, channelProblem(seen)), follows(advice)];
  const status: AccountPolicyStatus = {
    observedGeneration: policy.generation,
    ...(account === undefined ? {} : { account }),
    sockets: { ...seen.sites, versions: byNumber(seen.sites.versions).slice(0, MOST_VERSIONS) },
    ...(clients.length === 0 ? {} : { clients }),
    ...(seen.pops.length === 0 ? {} : { pops: popsOf(seen) }),
    ...(advice.length === 0 ? {} : { advice }),
    conditions: updates.reduce<Condition[]>(
      (all, update) => setCondition(all, update, policy.generation, now),
      [...(policy.status.conditions ?? [])],
    ),
  };
  const written = !sameJson(status, policy.status);
  const ends = seen.pops.flatMap(({ next }) => next.slice(0, 1).map(({ end }) => Date.parse(end))).filter((end) => end > now);
  const wakes = clientsWake === undefined ? ends : [...ends, clientsWake];
  return {
    ...(written ? { status } : {}),
    actions: [],
    events: written && problem !== undefined && !wasRefused(policy.status) ? [{ ...REFUSED, message: problem.message }] : [],
    probes: [],
    ...(wakes.length > 0 ? { wakeAt: Math.min(...wakes) } : {}),
    holds: problem === undefined ? [] : [problem],
  };
}

const REFUSED = { type: "Warning", reason: "NotAccepted", action: "AcceptPolicy" } as const;

const wasRefused = ({ conditions }: AccountPolicyStatus): boolean =>
  conditions?.some(({ type, status }) => type === "Accepted" && status === "False") === true;

function problemOf({ policy, account, window }: AccountPolicyObservation): Hold | undefined {
  if (account === undefined) {
    const message = `namespace ${policy.namespace} belongs to no account; label it rollward.dev/account=<account>; nothing starts until then`;
    return { rule: "S3", reason: "NoAccount", message };
  }
  if (window?.problem === undefined) return undefined;
  return { rule: "W10", reason: "WindowInvalid", message: `sockets.windowRef ${window.name}: ${window.problem}` };
}

/** Channels that count as not configured: nothing waits for them, and the account hears that nobody is told by them (rule W3). */
function channelProblem({ refusedChannels = [], policy }: AccountPolicyObservation): string | undefined {
  if (refusedChannels.length === 0) return undefined;
  const why = refusedChannels.map(({ name, problem }) => `notices.channels ${name}: ${problem}`).join("; ");
  const left = (policy.spec.notices?.channels.length ?? 0) - refusedChannels.length;
  return `${why}; ${left > 0 ? "notices go to the other channels alone" : "notices stand in status alone, and count from there"}`;
}

function accepted(problem: Hold | undefined, channels: string | undefined): ConditionUpdate {
  if (problem === undefined && channels !== undefined)
    return { type: "Accepted", status: "False", reason: "ChannelNotAllowed", message: channels };
  if (problem === undefined)
    return { type: "Accepted", status: "True", reason: "Accepted", message: "the policy counts for every site beside it" };
  return { type: "Accepted", status: "False", reason: problem.reason, message: problem.message };
}

function follows(advice: ReturnType<typeof adviceFor>): ConditionUpdate {
  const type = "FollowsRecommendations";
  if (advice.length === 0) return { type, status: "True", reason: "Follows", message: "nothing is to be recommended" };
  return { type, status: "False", reason: "CouldDoBetter", message: advice.map(({ message }) => message).join("; ") };
}

/** The most frequent first, so that what is cut off is the least of it. */
const byNumber = <Item extends { readonly version: string; readonly sockets: number }>(versions: readonly Item[]): Item[] =>
  versions.toSorted((a, b) => b.sockets - a.sockets || (a.version < b.version ? -1 : 1));

/** The PoPs with most of its sites; a site with one tunnel feels a roll for minutes, with a second one for seconds. */
function popsOf({ pops, singlePoP }: AccountPolicyObservation): NonNullable<AccountPolicyStatus["pops"]> {
  return pops
    .toSorted((a, b) => b.sites - a.sites || (a.name < b.name ? -1 : 1))
    .slice(0, MOST_POPS)
    .map(({ name, sites, next }) => ({
      name,
      sites,
      ...(next.length === 0 ? {} : { next: next.slice(0, 2) }),
      impact: singlePoP > 0 ? ("Minutes" as const) : ("Seconds" as const),
    }));
}
