import { expect, it } from "vitest";
import { clientPolicy } from "../../api/client-policy.ts";
import { isPilot, isSameVersion, ownPilotFailed, selects } from "./policy.ts";

it.each([
  [0, 0, false],
  [3, 0, false],
  [3, 1, true],
  [100, 1, false],
  [100, 2, true],
])("[C2] of an account's own pilots %i attempted and %i failed, where 1 percent may: holds the account %s", (attempted, failed, holds) => {
  expect(ownPilotFailed({ attempted, failed }, 1)).toBe(holds);
});

it("[C2] a pilot is named, however his name is spelt, or is in a group that is named; a device without a user by its groups alone", () => {
  const policy = clientPolicy.parse({ upgrade: "Automatic", pilotGroup: { users: ["Anna@ACME.example"], groups: ["it"] } });
  expect(isPilot(policy, "anna@acme.example", [])).toBe(true);
  expect(isPilot(policy, "berta@acme.example", ["sales", "it"])).toBe(true);
  expect(isPilot(policy, "berta@acme.example", ["IT"])).toBe(false);
  expect(isPilot(policy, undefined, [])).toBe(false);
  expect(isPilot(undefined, "anna@acme.example", ["it"])).toBe(false);
});

it("[C2] the provider's own accounts are told by all labels of the selector; a selector without labels names nobody", () => {
  const internal = { matchLabels: { internal: "true", ring: "0" } };
  expect(selects(internal, { internal: "true", ring: "0", other: "x" })).toBe(true);
  expect(selects(internal, { internal: "true" })).toBe(false);
  expect(selects({ matchLabels: {} }, { internal: "true" })).toBe(false);
  expect(selects(undefined, { internal: "true" })).toBe(false);
});

it("[V1] 5.12 and 5.12.0 are one version; texts that are none are equal only to themselves", () => {
  expect(isSameVersion("5.12", "5.12.0.0")).toBe(true);
  expect(isSameVersion("5.12", "5.13")).toBe(false);
  expect(isSameVersion("latest", "latest")).toBe(true);
});
