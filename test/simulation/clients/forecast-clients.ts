import { userKey } from "../../../src/core/client/cohort.ts";
import type { ClientDevice } from "../../../src/simulation/clients/client-device.ts";
import type { PlannedAccount } from "../../../src/simulation/clients/fleet-plan.ts";
import type { ForecastClient } from "../../../src/simulation/clients/forecast-input.ts";

/** What an inventory and an imported directory know of these Clients today: nothing of when they come next, nor of what fails on them. */
export function forecastClients(accounts: readonly PlannedAccount[], clients: readonly ClientDevice[]): readonly ForecastClient[] {
  const groups = new Map(accounts.flatMap(({ members }) => members.map((member) => [userKey(member.user), member.groups])));
  return clients.map(({ account, device, user, os, version, seenAt }) => {
    const known = { account, device, os, version, seenAt };
    return user === undefined ? { ...known, groups: [] } : { ...known, user, groups: groups.get(userKey(user)) ?? [] };
  });
}
