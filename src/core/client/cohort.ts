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
 * and made again drops nobody. Each number is made when it is asked for: of a rollout that has reached everybody, most check-ins ask for none.
 */
export function cohortOf({ account, user, device }: Owner, { os, version }: { readonly os: string; readonly version: string }): Cohort {
  // Two name spaces: a device that is called like a user is not that user.
  const member = () => (user === undefined || userKey(user) === "" ? ["device", device] : ["user", userKey(user)]);
  let [ofAccount, ofUser]: (number | undefined)[] = [];
  return {
    get account() {
      ofAccount ??= stableFraction(JSON.stringify([os, version, "account", account]));
      return ofAccount;
    },
    get user() {
      ofUser ??= stableFraction(JSON.stringify([os, version, account, ...member()]));
      return ofUser;
    },
  };
}

/** A share takes those below it; 100 takes all. So a raised percentage drops nobody. */
export const accountReached = (cohort: Cohort, { accountsPercent: percent }: Pick<Shares, "accountsPercent">): boolean =>
  percent >= 100 || cohort.account * 100 < percent;

/** Of the users in the accounts reached: ask for the account too. */
export const userReached = (cohort: Cohort, { usersPercent: percent }: Pick<Shares, "usersPercent">): boolean =>
  percent >= 100 || cohort.user * 100 < percent;

/** The number of the first phase, from 1, that reaches the user; undefined when none does. */
export function phaseOf(cohort: Cohort, phases: readonly Shares[]): number | undefined {
  const found = phases.findIndex((shares) => accountReached(cohort, shares) && userReached(cohort, shares));
  return found === -1 ? undefined : found + 1;
}
