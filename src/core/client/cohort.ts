import type { ReachedLedger } from "../../api/client-rollout.ts";
import { stableFraction } from "../window/spread.ts";

/** Whose computer it is, as far as that is known; texts are stripped and capped (rule G12). */
export interface Owner {
  readonly account: string;
  /** Absent: the device is its own user. */
  readonly user?: string;
  readonly device: string;
}

/** Where account and user stand in the order of one version: two stable numbers in [0, 1). */
export interface Cohort {
  readonly account: number;
  readonly user: number;
}

/** How far a rollout has come, or a phase reaches, in percent. */
export type Shares = Pick<ReachedLedger, "accountsPercent" | "usersPercent">;

/** One person under each of his spellings: what directories and computers call him differs in case and in Unicode form. */
export const userKey = (user: string): string => user.normalize("NFC").trim().toLowerCase();

/**
 * The cohort of a user for one version (rules C3, G7): the same for all his computers, another one for each version. The salt is system
 * and version and no UID: a plan of a rollout that does not exist yet names the users of the real one, and a rollout that was deleted
 * and made again drops nobody.
 */
export function cohortOf({ account, user, device }: Owner, { os, version }: { readonly os: string; readonly version: string }): Cohort {
  // Two name spaces: a device that is called like a user is not that user.
  const member = user === undefined || userKey(user) === "" ? ["device", device] : ["user", userKey(user)];
  return {
    account: stableFraction(JSON.stringify([os, version, "account", account])),
    user: stableFraction(JSON.stringify([os, version, account, ...member])),
  };
}

/** A share takes those below it; 100 takes all. So a raised percentage drops nobody. */
const isIn = (fraction: number, percent: number): boolean => percent >= 100 || fraction * 100 < percent;

export const accountReached = (cohort: Cohort, shares: Shares): boolean => isIn(cohort.account, shares.accountsPercent);

/** Of the users in the accounts reached: ask for the account too. */
export const userReached = (cohort: Cohort, shares: Shares): boolean => isIn(cohort.user, shares.usersPercent);

/** The number of the first phase, from 1, that reaches the user; undefined when none does. */
export function phaseOf(cohort: Cohort, phases: readonly Shares[]): number | undefined {
  const found = phases.findIndex((shares) => accountReached(cohort, shares) && userReached(cohort, shares));
  return found === -1 ? undefined : found + 1;
}
