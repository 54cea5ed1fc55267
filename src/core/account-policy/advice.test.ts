import { expect, it } from "vitest";
import { accountPolicyStatus } from "../../api/account-policy.ts";
import { adviceFor } from "./advice.ts";

it("an account is told what would make maintenance less felt, with the number of its sites, and nothing when nothing would", () => {
  const advice = adviceFor({ singleSocket: 1, singlePoP: 3 });
  expect(advice.map(({ kind, message }) => [kind, message.split(":")[0]])).toEqual([
    ["HAPair", "1 site with one Socket"],
    ["SecondTunnel", "3 sites with tunnels to one PoP"],
  ]);
  expect(accountPolicyStatus.parse({ advice })).toEqual({ advice });
  expect(adviceFor({ singleSocket: 0, singlePoP: 0 })).toEqual([]);
});
