import { describe, expect, it } from "vitest";
import { type AccountPolicy, accountPolicySpec } from "../../api/account-policy.ts";
import { ACCOUNT_LABEL } from "../../api/names.ts";
import { clientAccounts } from "./accounts.ts";
import { clientRollout } from "./client.examples.ts";
import { failedPilotsOf } from "./failed-pilots.ts";

const namespace = (name: string, account?: string, labels = {}) => ({
  metadata: { name, labels: { ...labels, ...(account === undefined ? {} : { [ACCOUNT_LABEL]: account }) } },
});
const policy = (of: string, generation = 1): Pick<AccountPolicy, "metadata" | "spec" | "status"> => ({
  metadata: { name: "account", namespace: of, uid: of, resourceVersion: "1", generation },
  spec: accountPolicySpec.parse({ clients: { windows: { upgrade: "Automatic" } } }),
  status: { account: of },
});

describe("[C1] whose policy counts for a Client", () => {
  it("the one beside the label of its account, with the labels of that namespace", () => {
    const accounts = clientAccounts([namespace("acme-eu", "acme", { ring: "own" }), namespace("other")], [policy("acme-eu", 7)], "fleet");
    expect([...accounts]).toMatchObject([
      ["acme", { namespace: "acme-eu", labels: { ring: "own" }, generation: 7, policies: { windows: { upgrade: "Automatic" } } }],
    ]);
  });

  it("none in an account without one, in two namespaces with one each, and in the provider's own namespace", () => {
    const names = [namespace("a", "acme"), namespace("b", "acme"), namespace("c", "globex"), namespace("fleet", "initech")];
    const accounts = clientAccounts(names, [policy("a"), policy("b"), policy("fleet")], "fleet");
    expect([...accounts].map(([name, { policies, generation }]) => [name, policies, generation])).toEqual([
      ["acme", undefined, undefined],
      ["globex", undefined, undefined],
    ]);
    expect(clientAccounts(names, [policy("b")], "fleet").get("acme")).toMatchObject({ namespace: "b", generation: 1 });
  });
});

describe("[C2] rollouts of which an account's own pilots failed", () => {
  const numbers = { eligible: 10, offered: 10, attempted: 10, confirmed: 9, failed: 1, unreachable: 0 };
  const told = (uid: string, failed: number) => ({
    clients: [
      {
        rollout: "windows-5-12-3",
        uid,
        os: "Windows",
        version: "5.12.3",
        inPhase: false,
        effective: "Run" as const,
        pilot: { ...numbers, failed },
      },
    ],
  });

  it("are those with more failures than the rollout allows; an older object of that name is another one", () => {
    const rollouts = [clientRollout({ spec: { pilot: { failedPercentAtMost: 10 } } })];
    const { uid } = rollouts[0]!.metadata;
    expect(failedPilotsOf(told(uid, 2), rollouts)).toEqual(new Set([uid]));
    expect(failedPilotsOf(told(uid, 1), rollouts)).toEqual(new Set());
    expect(failedPilotsOf(told("uid-before", 2), rollouts)).toEqual(new Set());
    expect(failedPilotsOf(undefined, rollouts)).toEqual(new Set());
  });
});
