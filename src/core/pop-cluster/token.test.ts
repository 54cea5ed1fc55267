import { expect, it } from "vitest";
import { claimToken, isActive, released } from "./token.ts";

it("[G5a] a token is a short hash of PoPCluster UID, run, node UID and attempt: each of them makes another one", () => {
  const token = claimToken("pop", 3, "node", 1);
  expect(token).toMatch(/^[a-z2-7]{16}$/);
  expect(claimToken("pop", 3, "node", 1)).toBe(token);
  const others = [
    claimToken("other", 3, "node", 1),
    claimToken("pop", 4, "node", 1),
    claimToken("pop", 3, "other", 1),
    claimToken("pop", 3, "node", 2),
  ];
  expect(new Set([token, ...others]).size).toBe(5);
});

it("[G5a] a claim is never removed, it is ended: none and an ended one are free, anything else is taken", () => {
  expect([undefined, released("abc"), "released:abc", "abc"].map(isActive)).toEqual([false, false, false, true]);
});
