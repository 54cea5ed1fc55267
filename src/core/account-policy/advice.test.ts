import { expect, it } from "vitest";
import { accountPolicySpec, accountPolicyStatus } from "../../api/account-policy.ts";
import type { ClientSystem } from "../../api/client-rollout.ts";
import { adviceFor } from "./advice.ts";

const policy = (clients: object = {}) => ({ namespace: "acme", generation: 1, spec: accountPolicySpec.parse({ clients }), status: {} });
const clients = (...devices: (readonly [ClientSystem, number])[]) => ({ rollouts: [], policyTwice: false, devices: new Map(devices) });

it("an account is told what would make maintenance less felt, with the number of its sites, and nothing when nothing would", () => {
  const advice = adviceFor({ singleSocket: 1, singlePoP: 3, policy: policy() });
  expect(advice.map(({ kind, message }) => [kind, message.split(":")[0]])).toEqual([
    ["HAPair", "1 site with one Socket"],
    ["SecondTunnel", "3 sites with tunnels to one PoP"],
  ]);
  expect(accountPolicyStatus.parse({ advice })).toEqual({ advice });
  expect(adviceFor({ singleSocket: 0, singlePoP: 0, policy: policy() })).toEqual([]);
});

it("[C1] [C2] it is told of systems that nobody upgrades, and of those that have no pilot group, where it has Clients", () => {
  const seen = {
    singleSocket: 0,
    singlePoP: 0,
    policy: policy({ windows: { upgrade: "Automatic" }, macos: { upgrade: "Automatic", pilotGroup: { groups: ["it"] } } }),
    clients: clients(["Windows", 40], ["macOS", 7], ["Linux", 2]),
  };
  const advice = adviceFor(seen);
  expect(advice.map(({ kind, devices, message }) => [kind, devices, message.split(":")[0]])).toEqual([
    ["PilotGroup", 40, "40 Clients on Windows without a pilot group"],
    ["Automatic", 2, "2 Clients on Linux that the account upgrades itself"],
  ]);
  expect(accountPolicyStatus.parse({ advice })).toEqual({ advice });
  expect(adviceFor({ ...seen, clients: clients(["macOS", 7], ["Linux", 0]) })).toEqual([]);
  // While nobody counts, what was told last stands (rule G9).
  const { devices: _, ...uncounted } = clients();
  expect(adviceFor({ ...seen, clients: uncounted, policy: { ...seen.policy, status: { advice } } })).toEqual(advice);
});
