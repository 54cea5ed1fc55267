import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accountReached, cohortOf, type Owner, phaseOf, type Shares, userReached } from "./cohort.ts";

const V1 = { os: "Windows", version: "5.12.3" };
const V2 = { os: "Windows", version: "5.12.4" };
const owners = (accounts: number, users: number): Owner[] =>
  Array.from({ length: accounts * users }, (_, index) => ({
    account: `account-${index % accounts}`,
    user: `user-${index}@example.com`,
    device: `d-${index}`,
  }));
const reached = (owner: Owner, of: typeof V1, shares: Shares): boolean => {
  const cohort = cohortOf(owner, of);
  return accountReached(cohort, shares) && userReached(cohort, shares);
};
/** A name of blanks alone is no name. */
const user = fc.string({ minLength: 1 }).filter((name) => name.trim() !== "");
const owner = fc.record({ account: fc.string(), user, device: fc.string() });
const percent = fc.integer({ min: 0, max: 100 });

describe("the cohort of a user", () => {
  it("[C3] raising a percentage, of accounts or of users, drops nobody", () => {
    fc.assert(
      fc.property(owner, percent, percent, percent, percent, (one, accounts, users, moreAccounts, moreUsers) => {
        const before = reached(one, V1, { accountsPercent: accounts, usersPercent: users });
        const after = reached(one, V1, {
          accountsPercent: Math.max(accounts, moreAccounts),
          usersPercent: Math.max(users, moreUsers),
        });
        expect(before && !after).toBe(false);
      }),
    );
  });

  it("[C3] 0 percent takes nobody, 100 takes everybody, 20 percent of the users of 25 percent of the accounts one in twenty", () => {
    const everybody = owners(400, 100);
    const share = (accountsPercent: number, usersPercent: number) =>
      everybody.filter((one) => reached(one, V1, { accountsPercent, usersPercent })).length / everybody.length;
    expect([share(0, 100), share(100, 0), share(100, 100)]).toEqual([0, 0, 1]);
    expect(share(25, 20)).toBeCloseTo(0.05, 2);
  });

  it("[G7] another version finds other users: of the first tenth of one, a tenth is in the first tenth of the next", () => {
    const everybody = owners(1, 20_000);
    const tenth = { accountsPercent: 100, usersPercent: 10 };
    const first = everybody.filter((one) => reached(one, V1, tenth));
    const both = first.filter((one) => reached(one, V2, tenth));
    expect(first.length / everybody.length).toBeCloseTo(0.1, 1);
    expect(both.length / first.length).toBeGreaterThan(0.07);
    expect(both.length / first.length).toBeLessThan(0.13);
  });

  it("[C3] a user's two computers move together, however his name is spelt; a device without a user goes by itself", () => {
    fc.assert(
      fc.property(owner, fc.string(), (one, other) => {
        expect(cohortOf({ ...one, device: other }, V1)).toEqual(cohortOf(one, V1));
      }),
    );
    const spelt = (user: string) => cohortOf({ account: "acme", user, device: "d" }, V1);
    expect(spelt("Ren\u00e9@ACME.example ")).toEqual(spelt("rene\u0301@acme.example"));
    const alone = (device: string) => cohortOf({ account: "acme", device }, V1).user;
    expect(alone("d-1")).not.toBe(alone("d-2"));
    expect(cohortOf({ account: "acme", user: " ", device: "d-1" }, V1).user).toBe(alone("d-1"));
  });

  it("[I15] a device that is called like a user of another account, or of its own, is not that user", () => {
    const anna = cohortOf({ account: "acme", user: "anna", device: "x" }, V1);
    expect(cohortOf({ account: "acme", device: "anna" }, V1).user).not.toBe(anna.user);
    expect(cohortOf({ account: "globex", user: "anna", device: "x" }, V1).user).not.toBe(anna.user);
  });

  it("[C3] the phase of a user is the first that reaches him", () => {
    const phases = [
      { accountsPercent: 5, usersPercent: 20 },
      { accountsPercent: 25, usersPercent: 50 },
      { accountsPercent: 100, usersPercent: 100 },
    ];
    expect(phaseOf({ account: 0.04, user: 0.19 }, phases)).toBe(1);
    expect(phaseOf({ account: 0.05, user: 0.19 }, phases)).toBe(2);
    expect(phaseOf({ account: 0.04, user: 0.5 }, phases)).toBe(3);
    expect(phaseOf({ account: 0.04, user: 0.5 }, phases.slice(0, 2))).toBeUndefined();
  });

  it("[G7] is the same on every machine and in every release: whoever was reached stays reached", () => {
    const anna = cohortOf({ account: "acme", user: "anna@acme.example", device: "d-1" }, V1);
    expect([anna.account.toFixed(6), anna.user.toFixed(6)]).toMatchInlineSnapshot(`
      [
        "0.376863",
        "0.499982",
      ]
    `);
  });
});
