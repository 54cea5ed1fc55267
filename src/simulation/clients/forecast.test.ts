import { describe, expect, it } from "vitest";
import { clientPolicies } from "../../api/client-policy.ts";
import { ANNOUNCED, clientRollout, inPhase } from "../../core/client/client.examples.ts";
import { DAY, HOUR, WEEK } from "../../core/time/civil.ts";
import { type ClientForecast, clientForecast } from "./forecast.ts";
import type { ClientForecastInput, ForecastClient } from "./forecast-input.ts";

const FROM = Date.parse(ANNOUNCED);
const NAME = "windows-5-12-3";
const OWN = { pilot: { accounts: { matchLabels: { ring: "own" } }, minimumDevices: 5 } };
const automatic = clientPolicies.parse({ windows: { upgrade: "Automatic" } });
const accountsOf = (acme: object = { upgrade: "Automatic" }): ClientForecastInput["accounts"] =>
  new Map([
    ["own", { labels: { ring: "own" }, policies: automatic }],
    ["acme", { labels: {}, policies: clientPolicies.parse({ windows: acme }) }],
  ]);

/** So many users with one computer each; checked in within the last day, evenly. */
const usersOf = (account: string, count: number, given: Partial<ForecastClient> = {}): readonly ForecastClient[] =>
  Array.from({ length: count }, (_, nth) => ({
    account,
    device: `pc-${nth}`,
    user: `user-${nth}`,
    os: "Windows",
    version: "5.11.0",
    groups: [],
    seenAt: FROM - ((nth + 1) * DAY) / count,
    ...given,
  }));

const FLEET = [...usersOf("own", 20), ...usersOf("acme", 400)];

const look = (given: Partial<ClientForecastInput> = {}): ClientForecast =>
  clientForecast({
    os: "Windows",
    rollouts: [clientRollout({ spec: OWN })],
    accounts: accountsOf(),
    clients: FLEET,
    from: FROM,
    until: FROM + 8 * WEEK,
    ...given,
  });

const stagesOf = ({ stages }: ClientForecast): readonly string[] =>
  stages.map(({ name, at, users }) => `${name} ${new Date(at).toISOString().slice(0, 13)} ${users}`);
const lastWeek = ({ weeks }: ClientForecast) => Object.fromEntries(weeks.at(-1)!.byVersion.map(({ version, users }) => [version, users]));

describe("the forecast of Clients", () => {
  it("[C4] [F7] a stage with fewer than its gate wants is foreseen to wait for its patience, and is judged then", () => {
    const gate = { attemptedAtLeast: 300, failedPercentAtMost: 1, patience: "168h" };
    const phases = [
      { accountsPercent: 100, usersPercent: 20, for: "72h", gate },
      { accountsPercent: 100, usersPercent: 100, for: "72h", gate },
    ];
    const forecast = look({ rollouts: [clientRollout({ spec: { ...OWN, phases } })] });
    const [, first, second] = forecast.stages;
    expect([first!.at, second!.at - first!.at]).toEqual([FROM + 21 * DAY, 7 * DAY]);
    expect(forecast.stages.map(({ sure, reachedUsers }) => [sure, reachedUsers])).toEqual([
      [true, 20],
      [true, 20 + first!.users],
      [true, 420],
    ]);
    // 300 of its own, and nearly all of them within a day: it lasts its time.
    expect(forecast.stands.get(NAME)).toBe(second!.at + 3 * DAY);
    expect(lastWeek(forecast)).toEqual({ "5.11.0": 0, "5.12.3": 420 });
  });

  it("[C5] one that is paused stays as it is, and the forecast says who holds it", () => {
    const forecast = look({
      rollouts: [clientRollout({ spec: { ...OWN, requested: "Paused", reason: "a support case" }, status: inPhase(1, 100, 50) })],
    });
    expect(forecast.held.get(NAME)).toMatch(/^a support case; nothing new is offered/);
    expect([forecast.stages.length, forecast.stands.size, lastWeek(forecast)]).toEqual([1, 0, { "5.11.0": 420 }]);
    expect(forecast.left).toEqual([{ reason: "Paused", users: 420 }]);
  });

  it("[G9] a figure of monitoring is taken as passing, and the band says so", () => {
    const health = { failedPercentAtMost: 2, prometheus: { query: "up", passIf: "== 1" } };
    const forecast = look({ rollouts: [clientRollout({ spec: { ...OWN, health } })] });
    expect([forecast.stages.length, lastWeek(forecast)["5.12.3"]]).toEqual([4, 420]);
    expect(forecast.band).toMatch(/at most 2 % fail, and its figure of monitoring passes: by the last check-ins of 420 Clients/);
  });

  it("[C5] an account's own pause ends by itself: its users follow from that instant on", () => {
    const until = FROM + 45 * DAY;
    const pause = { version: "5.12.3", reason: "quarter's end", until: new Date(until).toISOString() };
    const forecast = look({ accounts: accountsOf({ upgrade: "Automatic", pause }) });
    const users = (at: number): number => forecast.at(at).byVersion.find(({ version }) => version === "5.12.3")!.users;
    expect([users(until), users(until + 2 * DAY)]).toEqual([20, 420]);
  });

  it("[C6] a fixed version: the computers on the faulty one at once, then the phase that was reached and no pilot twice", () => {
    const faulty = clientRollout({ spec: OWN, status: inPhase(1, 100, 50) });
    const exposedGate = { attemptedAtLeast: 30, failedPercentAtMost: 1, patience: "72h" };
    const phases = [
      { accountsPercent: 100, usersPercent: 50, for: "72h" },
      { accountsPercent: 100, usersPercent: 100, for: "72h" },
    ];
    const spec = { ...OWN, version: "5.12.4", supersedes: { name: NAME }, exposedGate, phases };
    const clients = [...usersOf("own", 20, { version: "5.12.3" }), ...usersOf("acme", 400)].map((client, nth) =>
      nth % 10 === 0 ? { ...client, version: "5.12.3" } : client,
    );
    const forecast = look({ rollouts: [faulty, clientRollout({ name: "fixed", spec })], clients });
    const [exposed, first] = forecast.stages.filter(({ rollout }) => rollout === "fixed");
    expect([exposed!.name, exposed!.at, exposed!.users]).toEqual(["exposed", FROM, 60]);
    // Half of sixty, each within a day.
    expect([first!.name, Math.floor((first!.at - FROM) / HOUR), first!.sure]).toEqual(["phase-1", 12, false]);
    expect(lastWeek(forecast)).toEqual({ "5.11.0": 0, "5.12.3": 0, "5.12.4": 420 });
    expect(forecast.held.get(NAME)).toMatch(/fixed \(5\.12\.4\) mends it/);
  });

  it("[C5] what a pause would leave: who has it stays, who was reached and has not come yet is told apart", () => {
    const forecast = look();
    const row = forecast.pauseOn(21.5);
    const [old, fresh] = row.byVersion;
    const first = forecast.stages.find(({ name }) => name === "phase-1")!;
    expect(row.at).toBe(FROM + 21.5 * DAY);
    expect(old!.users + fresh!.users).toBe(420);
    expect(fresh!.users + row.waiting).toBe(20 + first.users);
    expect([fresh!.low <= fresh!.users, fresh!.users <= fresh!.high]).toEqual([true, true]);
  });

  it("[C1] [F7] the same input gives the same answer; managed accounts are left, and where nobody was seen yet that is said", () => {
    const unseen = FLEET.map(({ seenAt: _seenAt, ...client }) => client);
    const given = { clients: unseen, accounts: accountsOf({ upgrade: "Managed" }) };
    const [one, other] = [look(given), look(given)];
    expect([stagesOf(one), one.weeks]).toEqual([stagesOf(other), other.weeks]);
    expect(one.left).toEqual([{ reason: "PolicyManaged", users: 400 }]);
    expect(one.band).toContain("no Client has been seen yet");
    expect(one.usersOf(NAME, "pilot").slice(0, 1)).toEqual([{ account: "own", user: "user-0" }]);
  });
});
