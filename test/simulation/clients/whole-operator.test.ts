import { afterEach, describe, expect, it } from "vitest";
import { CLIENT_ROLLOUT, type ClientRollout } from "../../../src/api/client-rollout.ts";
import { ACCOUNT_POLICY } from "../../../src/api/account-policy.ts";
import { FLEET } from "../../../src/api/resources.ts";
import { namespaceDraft, policyDraft } from "../../../src/cli/demo/clients/cast.ts";
import { HourlyRhythm } from "../../../src/cli/demo/clients/rhythm.ts";
import { EmbeddedStage } from "../../../src/cli/demo/embedded-stage.ts";
import { NAMESPACE_KIND } from "../../../src/cli/demo/kinds.ts";
import type { Draft } from "../../../src/control/ports.ts";
import { clientRollout } from "../../../src/core/client/client.examples.ts";
import { DAY, HOUR, WEEK } from "../../../src/core/time/civil.ts";
import { faultsOf } from "../../../src/simulation/clients/faults.ts";
import { type PlannedAccount, planClients } from "../../../src/simulation/clients/fleet-plan.ts";
import { clientForecast } from "../../../src/simulation/clients/forecast.ts";
import { FLEET_NAMESPACE, fleetDraft } from "../../../src/simulation/world.ts";
import { forecastClients } from "./forecast-clients.ts";
import { breachesOf } from "./judge.ts";

const START = Date.parse("2026-11-02T08:00:00Z");
const ANNOUNCED = "2026-11-02T09:00:00Z";
const NAME = "windows-5-12-3";
const HABITS = { every: 20 * HOUR, jitter: 0.5, away: { share: 0.04, from: DAY, to: 5 * DAY } };
const gate = { attemptedAtLeast: 10, failedPercentAtMost: 20, patience: "48h" };
const SPEC = {
  pilot: { accounts: { matchLabels: { "rollward.dev/ring": "own" } }, minimumDevices: 5, failedPercentAtMost: 20 },
  phases: [
    { accountsPercent: 40, usersPercent: 40, for: "96h", gate },
    { accountsPercent: 70, usersPercent: 70, for: "120h", gate },
    { accountsPercent: 100, usersPercent: 100, for: "168h", gate },
  ],
};

const TEMPO = { soak: "1s", bake: "1m", checkInterval: "1s", stretchMilliseconds: 0, beforeLastStartMilliseconds: 0 };

/** The whole operator on an API server in memory, Clients behind a gateway that reads that server, and nothing of either made by hand. */
async function stageOf(accounts: readonly PlannedAccount[], seed: number): Promise<EmbeddedStage> {
  const stage = await EmbeddedStage.open(
    {
      pops: [],
      curtain: START,
      accounts: [],
      tempos: { usual: TEMPO, fast: TEMPO, embedded: TEMPO },
      heartbeatMilliseconds: 10_000,
      nodeMonitorGraceSeconds: 60,
      rhythm: (cluster, clock) => new HourlyRhythm(cluster, clock),
      clients: {
        accounts,
        habits: HABITS,
        fateOf: faultsOf({ "5.12.3": { fails: 0.01, onlySays: 0.005 } }),
        slotMilliseconds: HOUR,
        countedEvery: 60_000,
        seed,
      },
    },
    new AbortController().signal,
  );
  const { cluster } = stage;
  await stage.perform(cluster.create(FLEET, fleetDraft()));
  for (const account of accounts) {
    await stage.perform(cluster.create(NAMESPACE_KIND, namespaceDraft(account)));
    if (account.policies !== undefined) await stage.perform(cluster.create(ACCOUNT_POLICY, policyDraft(account)));
  }
  await stage.perform(stage.clients!.start());
  await stage.startOperator();
  return stage;
}

describe("the forecast beside the whole operator", () => {
  let stage: EmbeddedStage | undefined;
  afterEach(async () => {
    await stage?.close();
    stage = undefined;
  });

  it("[F7] phases open at the foreseen second, for the foreseen users, and the rollout stands when it was foreseen", async () => {
    for (const seed of [1, 2, 3]) {
      const accounts = planClients({ accounts: 20, clients: 400, version: "5.11.0", seed });
      stage = await stageOf(accounts, seed);
      const clients = stage.clients!.fleet.clients;
      await stage.passTo(Date.parse(ANNOUNCED));
      const planned = clientRollout({ name: NAME, spec: { ...SPEC, announcedAt: ANNOUNCED } });
      const from = stage.clock.now();
      // As `plan` does before anybody has applied it: another UID, and no status.
      const forecast = clientForecast({
        os: "Windows",
        rollouts: [planned],
        accounts: new Map(accounts.map(({ name, labels, policies }) => [name, { labels, policies }])),
        clients: forecastClients(accounts, clients),
        from,
        until: from + 7 * WEEK,
      });
      const { apiVersion, kind, spec } = planned;
      const draft = { apiVersion, kind, metadata: { namespace: FLEET_NAMESPACE, name: NAME }, spec } as unknown as Draft<ClientRollout>;
      await stage.perform(stage.cluster.create(CLIENT_ROLLOUT, draft));
      await stage.passTo(from + 7 * WEEK);
      const { status } = (await stage.perform(stage.cluster.get<ClientRollout>(CLIENT_ROLLOUT, NAME, FLEET_NAMESPACE)))!;
      const [pilot, ...phases] = (status?.stages ?? []).map(({ name, openedAt }) => [name, Date.parse(openedAt)] as const);
      const [first, ...foreseenPhases] = forecast.stages.map(({ name, at }) => [name, at] as const);
      // Its pilots get it when the operator first sees it: that takes a moment from when a person has applied it.
      expect([pilot![0], pilot![1] - first![1] <= 2_000]).toEqual([first![0], true]);
      expect([phases.length, phases]).toEqual([3, foreseenPhases]);
      expect(Date.parse(status!.standingSince!)).toBe(forecast.stands.get(NAME));
      for (const { name } of forecast.stages) {
        const foreseen = forecast.usersOf(NAME, name).map(({ account, user }) => `${account}/${user}`);
        const offered = clients.filter(({ ledger }) => ledger.offered.some(({ stage: by }) => by === name));
        expect([...new Set(offered.map(({ account, user, device }) => `${account}/${user ?? device}`))].toSorted()).toEqual(
          foreseen.toSorted(),
        );
      }
      const automatic = new Map(accounts.map(({ name, policies }) => [name, policies]));
      const isAutomatic = (account: string) => automatic.get(account)?.windows?.upgrade === "Automatic";
      expect(breachesOf({ clients: clients.filter(({ os }) => os === "Windows"), forbidden: [], isAutomatic })).toEqual([]);
      expect(clients.filter(({ os, ledger }) => os !== "Windows" && ledger.offered.length > 0)).toEqual([]);
      await stage.close();
      stage = undefined;
    }
  }, 120_000);
});
