import type { ClientPolicies, ClientPolicy } from "../../api/client-policy.ts";
import { CLIENT_SYSTEMS, type ClientSystem } from "../../api/client-rollout.ts";
import { compareVersions, parseVersion } from "../../api/version.ts";
import type { Instant } from "../decision.ts";
import { parseInstant } from "../time/instant.ts";
import { userKey } from "./cohort.ts";

const KEYS = { Windows: "windows", macOS: "macos", Linux: "linux" } as const satisfies Record<ClientSystem, keyof ClientPolicies>;

/** The account's policy for one system; undefined: it is not named, so the account manages it itself (rule C1). */
export const policyFor = (policies: ClientPolicies | undefined, os: ClientSystem): ClientPolicy | undefined => policies?.[KEYS[os]];

/** How a system is called in `spec.clients`. */
export const policyKey = (os: ClientSystem): keyof ClientPolicies => KEYS[os];

/** Versions as texts, equal when they mean the same: `5.12` and `5.12.0` (rule V1). */
export function isSameVersion(one: string, other: string): boolean {
  const [left, right] = [parseVersion(one), parseVersion(other)];
  return left !== undefined && right !== undefined ? compareVersions(left, right) === 0 : one === other;
}

/** The account's pause of this version, while it is in force (rule C5); a newer version is not held by it. */
export function pauseInForce(policy: ClientPolicy | undefined, version: string, now: Instant): ClientPolicy["pause"] {
  const pause = policy?.pause;
  if (pause === undefined || !isSameVersion(pause.version, version)) return undefined;
  const until = pause.until === undefined ? undefined : parseInstant(pause.until);
  return until === undefined || now < until ? pause : undefined;
}

/** Whether the user is in the account's own pilot group (rule C2). */
export const isPilot = (policy: ClientPolicy | undefined, user: string | undefined, groups: readonly string[]): boolean =>
  policy?.pilotGroup !== undefined && isMember(policy.pilotGroup, user, groups);

/** Whether a user is in a pilot group by name, or one of his groups is. */
export function isMember(
  group: { readonly users?: readonly string[] | undefined; readonly groups?: readonly string[] | undefined },
  user: string | undefined,
  groups: readonly string[],
): boolean {
  const named = user !== undefined && group.users?.some((member) => userKey(member) === userKey(user)) === true;
  return named || group.groups?.some((name) => groups.includes(name)) === true;
}

/** Who an account's own pilots are, of one system (rule C2): users by name, and members of groups of its directory. */
export interface PilotGroup {
  readonly account: string;
  readonly os: ClientSystem;
  readonly users: readonly string[];
  readonly groups: readonly string[];
}

/** The pilot groups of one account, of each system that has one. */
export const pilotGroupsOf = (account: string, policies: ClientPolicies | undefined): readonly PilotGroup[] =>
  CLIENT_SYSTEMS.flatMap((os) => {
    const group = policyFor(policies, os)?.pilotGroup;
    return group === undefined ? [] : [{ account, os, users: group.users ?? [], groups: group.groups ?? [] }];
  });

/** The account goes on although its own pilots of this version failed (rule C2). */
export const pilotOverruled = (policy: ClientPolicy | undefined, version: string): boolean =>
  policy?.overrulePilot !== undefined && isSameVersion(policy.overrulePilot.version, version);

/** Whether the provider's selector names an account by the labels of its namespace; one without labels names nobody. */
export function selects(
  selector: { readonly matchLabels?: Readonly<Record<string, string>> | undefined } | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  const wanted = Object.entries(selector?.matchLabels ?? {});
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
}

/**
 * Whether an account's own pilots failed (rule C2), which holds that account alone: more than the limit of those that attempted. There is
 * no minimum: a pilot group is small, and an account that knows better overrules it.
 */
export const ownPilotFailed = (
  { attempted, failed }: { readonly attempted: number; readonly failed: number },
  failedPercentAtMost: number,
): boolean => failed * 100 > failedPercentAtMost * attempted;
