import { describe, expect, it } from "vitest";
import { accountPolicySpec, accountPolicyStatus } from "../../api/account-policy.ts";
import { HOUR } from "../time/civil.ts";
import { decide } from "./decide.ts";
import type { AccountPolicyObservation } from "./observation.ts";

const NOON = Date.parse("2026-11-24T12:00:00Z");
const SUNDAY = { start: "2026-11-29T00:00:00Z", end: "2026-11-29T04:00:00Z", localStart: "2026-11-29T01:00+01:00[Europe/Berlin]" };

const seenAs = (given: Partial<AccountPolicyObservation> = {}): AccountPolicyObservation => ({
  policy: { namespace: "acme", generation: 2, spec: accountPolicySpec.parse({}), status: {} },
  account: "acme",
  sites: { sites: 3, pairs: 1, upToDate: 1, planned: 1, haNotReady: 0, notConnected: 0, versions: [{ version: "17.2", sockets: 4 }] },
  pops: [{ name: "fra1", sites: 3, next: [SUNDAY] }],
  singlePoP: 0,
  singleSocket: 0,
  ...given,
});
const statusOf = (given: Partial<AccountPolicyObservation> = {}) =>
  accountPolicyStatus.parse(JSON.parse(JSON.stringify(decide(seenAs(given), NOON).status)));

describe("an account's view", () => {
  it("[I15] counts its own sites and the PoPs they use, the most frequent version first", () => {
    const status = statusOf({
      sites: { ...seenAs().sites, versions: [...Array(40).keys()].map((index) => ({ version: `17.${index}`, sockets: index })) },
      pops: [
        { name: "ber1", sites: 1, next: [] },
        { name: "fra1", sites: 2, next: [SUNDAY, SUNDAY, SUNDAY] },
      ],
    });
    expect(status.sockets!.versions[0]).toEqual({ version: "17.39", sockets: 39 });
    expect(status.sockets!.versions).toHaveLength(32);
    expect(status.pops!.map(({ name, next }) => [name, next?.length])).toEqual([
      ["fra1", 2],
      ["ber1", undefined],
    ]);
  });

  it("tells what would make maintenance less felt", () => {
    const status = statusOf({ singleSocket: 2, singlePoP: 1 });
    expect(status.advice!.map(({ kind, sites }) => [kind, sites])).toEqual([
      ["HAPair", 2],
      ["SecondTunnel", 1],
    ]);
    expect(status.conditions!.map(({ type, status: is, reason }) => `${type} ${is} ${reason}`)).toEqual([
      "Accepted True Accepted",
      "FollowsRecommendations False CouldDoBetter",
    ]);
    expect(status.pops![0]!.impact).toBe("Minutes");
  });

  it("[W10] without an account, or with a window that cannot be read, it says what to correct", () => {
    const { account: _, ...nobody } = seenAs();
    expect(decide(nobody, NOON).holds).toMatchObject([{ reason: "NoAccount" }]);
    const refused = statusOf({ window: { name: "sundays", problem: "MaintenanceWindow sundays does not exist" } });
    expect(refused.conditions![0]).toMatchObject({ status: "False", reason: "WindowInvalid" });
    expect(refused.conditions![0]!.message).toContain("sundays does not exist");
  });

  it("[W3] a channel that the provider does not allow is named, with what is done instead; nothing else of the policy stops", () => {
    const url = "https://hooks.acme.example/";
    const channels = ["operations", "chat"].map((name) => ({ name, url }));
    const policy = { ...seenAs().policy, spec: accountPolicySpec.parse({ notices: { channels } }) };
    const refused = channels.map(({ name }) => ({ name, problem: "the provider allows no notices to hooks.acme.example" }));
    const accepted = (given: Partial<AccountPolicyObservation>) => statusOf({ policy, ...given }).conditions![0]!;
    expect(accepted({ refusedChannels: refused.slice(0, 1) })).toMatchObject({
      status: "False",
      reason: "ChannelNotAllowed",
      message: "notices.channels operations: the provider allows no notices to hooks.acme.example; notices go to the other channels alone",
    });
    expect(accepted({ refusedChannels: refused }).message).toContain("notices stand in status alone, and count from there");
    expect(accepted({ refusedChannels: [] })).toMatchObject({ status: "True", reason: "Accepted" });
    expect(decide(seenAs({ policy, refusedChannels: refused }), NOON).holds).toEqual([]);
  });

  it("[G11] the same an hour later is no write, and the end of a PoP's window wakes it", () => {
    const first = decide(seenAs(), NOON);
    const again = seenAs({ policy: { ...seenAs().policy, status: first.status! } });
    expect(decide(again, NOON + HOUR).status).toBeUndefined();
    expect(first.wakeAt).toBe(Date.parse(SUNDAY.end));
  });
});
