import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { CLIENT_ROLLOUT, type ClientRollout, clientRolloutSpec, clientRolloutStatus } from "../../api/client-rollout.ts";
import { API_VERSION } from "../../api/common.ts";
import { cohortOf, phaseOf } from "../../core/client/cohort.ts";
import { MemoryClientInventory } from "../../simulation/clients/inventory.ts";
import type { ClientPlan } from "./clients.ts";
import { FLEET_FILE, NOW, PlanRun, POPS, ROLLOUT } from "./plan.examples.ts";

let run: PlanRun;
const CLIENTS = `
apiVersion: rollward.dev/v1alpha1
kind: ClientRollout
metadata: {namespace: fleet, name: windows-5-12-3}
spec:
  os: Windows
  version: 5.12.3
  announcedAt: "2026-11-16T09:00:00Z"
  generalAfter: 336h
  pilot: {minimumDevices: 5, minimumDays: 7}
  phases:
    - {accountsPercent: 50, usersPercent: 50, for: 72h, gate: {attemptedAtLeast: 5}}
    - {accountsPercent: 100, usersPercent: 100, for: 168h, gate: {attemptedAtLeast: 5}}
  artifact: {url: client.msi, sha256: ${"a".repeat(64)}, size: 10}
`;
const policy = (account: string) => `---
apiVersion: rollward.dev/v1alpha1
kind: AccountPolicy
metadata: {namespace: ${account}, name: account}
spec: {clients: {windows: {upgrade: Automatic, pilotGroup: {groups: [it]}}}}
`;

beforeEach(() => {
  run = new PlanRun();
  run.files["clients.yaml"] = CLIENTS;
});

async function planned(line: string): Promise<ClientPlan> {
  await run.plan(`${line} -o json`);
  expect(run.complaint).toBe("");
  return (JSON.parse(run.printed) as { clients: ClientPlan }).clients;
}

describe("[F7] a plan of Clients from files alone", () => {
  it("names the instant of each stage in the zone that was asked for, and what is assumed", async () => {
    await run.plan("-f clients.yaml --zone Asia/Tokyo");
    expect([run.code, run.complaint]).toEqual([0, ""]);
    expect(run.printed.split("\n").map((line) => line.replaceAll(/ {2,}/g, " | "))).toEqual([
      "From 2026-11-13T12:00:00Z to 2027-02-05T12:00:00Z",
      "",
      "windows-5-12-3 (Windows 5.12.3)",
      "STAGE | OPENS | ACCOUNTS | OF THEIR USERS | OF ALL USERS",
      "pilot | Monday 2026-11-16 18:00 Asia/Tokyo | - | - | -",
      "phase-1 | Monday 2026-11-30 18:00 Asia/Tokyo | 50 % | 50 % | about 25 %",
      "phase-2 | Thursday 2026-12-03 18:00 Asia/Tokyo | 100 % | 100 % | about 100 %",
      "everybody is reached and judged Thursday 2026-12-10 18:00 Asia/Tokyo, if nothing fails",
      "",
      "assumed: each gate has its evidence in time; --inventory counts whom each stage reaches, and whether they are enough",
      "",
    ]);
  });

  it("the shipped samples: the faulty one is stopped, its fix goes to the devices on it first", async () => {
    const sample = readFileSync(new URL("../../../config/samples/clients/clientrollout.yaml", import.meta.url), "utf8");
    run.files["sample.yaml"] = sample;
    const { rollouts } = await planned("-f sample.yaml --from 2026-11-28T00:00:00Z");
    // A fix that goes to its devices is nothing that a person has to mend.
    expect(run.code).toBe(0);
    expect(rollouts.map(({ name }) => name)).toEqual(["windows-5-12-3", "windows-5-12-4"]);
    expect(rollouts[0]).toMatchObject({ depends: "ClientRollout windows-5-12-4 (5.12.4) mends it and goes on in its place" });
    expect(rollouts[1]).toMatchObject({
      stages: [{ name: "exposed", opensAt: "2026-11-28T00:00:00Z" }],
      depends: expect.stringContaining("devices on 5.12.3 get it first") as string,
    });
    await run.plan("-f sample.yaml --from 2026-11-28T00:00:00Z");
    expect(run.printed).toContain("nothing more is foreseen, and nobody has to act: devices on 5.12.3 get it first");
  });

  it("--what-if-paused tells the stage, counted from the announcement; what cannot be meant is refused", async () => {
    const { paused } = await planned("-f clients.yaml --what-if-paused day15");
    expect(paused).toEqual([{ rollout: "windows-5-12-3", at: "2026-12-01T09:00:00Z", stage: "phase-1" }]);
    // Written nine days after its announcement it begins when it is first seen, and day6 is the sixth day from then.
    const late = await planned("-f clients.yaml --from 2026-11-25T12:00:00Z --what-if-paused day6");
    expect([late.rollouts[0]!.stages[0]!.opensAt, late.paused]).toEqual([
      "2026-11-25T12:00:00Z",
      [{ rollout: "windows-5-12-3", at: "2026-12-01T12:00:00Z", stage: "pilot" }],
    ]);
    const clients = new MemoryClientInventory(() => 0);
    run.open = () => Promise.resolve({ clients, close: () => Promise.resolve() });
    await run.plan("-f clients.yaml --what-if-paused day15 --inventory sqlite:x");
    expect(run.printed.replaceAll(/\s+/g, " ")).toContain("; the inventory has heard of no Client on Windows, so nobody can be counted");
    for (const [text, sentence] of [
      ["someday", "which is no moment; write day6"],
      ["2026-11-01T00:00Z", "which is over"],
      ["day400", "beyond what is looked at"],
    ]) {
      await run.plan(`-f clients.yaml --what-if-paused ${text}`);
      expect([run.code, run.complaint]).toEqual([2, expect.stringContaining(sentence!)]);
    }
  });

  it("a paused rollout, or one that cannot be carried out, ends with 5 and says why", async () => {
    run.files["clients.yaml"] = CLIENTS.replace("  generalAfter", "  requested: Paused\n  reason: a report\n  generalAfter");
    await run.plan("-f clients.yaml");
    expect([run.code, run.printed]).toEqual([5, expect.stringContaining("nothing more is foreseen until a person acts: a report")]);
    run.files["clients.yaml"] = CLIENTS.replace("  generalAfter: 336h", "  supersedes: {name: windows-5-12-2}");
    await run.plan("-f clients.yaml");
    expect([run.code, run.printed]).toEqual([5, expect.stringContaining("supersedes windows-5-12-2: there is no such ClientRollout")]);
  });

  it("what the API server would refuse is refused with its sentence; a page or a difference of Clients there is not", async () => {
    run.files["bad.yaml"] = CLIENTS.replace("accountsPercent: 100", "accountsPercent: 90");
    await run.plan("-f bad.yaml");
    expect([run.code, run.complaint]).toEqual([2, expect.stringContaining("the last phase reaches everybody")]);
    run.files["bad.yaml"] = CLIENTS.replace("  generalAfter: 336h\n", "");
    await run.plan("-f bad.yaml");
    expect([run.code, run.complaint]).toEqual([2, expect.stringContaining("it mends; one of the two, not both")]);
    for (const more of ["-o html", "--cluster --diff", "--zone Mars"]) {
      await run.plan(`-f clients.yaml ${more}`);
      expect([more, run.code, run.printed]).toEqual([more, 2, ""]);
    }
  });

  it("beside a release both are planned, and the release's own plan is the same as alone", async () => {
    await run.plan("-f all.yaml -o json");
    const alone = JSON.parse(run.printed) as object;
    run.files["both.yaml"] = `${FLEET_FILE}${POPS.join("")}${ROLLOUT}---${CLIENTS}`;
    await run.plan("-f both.yaml -o json");
    const { clients, ...rest } = JSON.parse(run.printed) as { clients: ClientPlan };
    expect(rest).toEqual(alone);
    expect(clients.rollouts).toHaveLength(1);
  });
});

describe("[F7] with an inventory", () => {
  const ACCOUNTS = Array.from({ length: 12 }, (_, index) => `account-${index}`);
  const hour = 3_600_000;

  beforeEach(async () => {
    const clients = new MemoryClientInventory(() => 0);
    for (const [index, account] of ACCOUNTS.entries()) {
      const users = Array.from({ length: 20 }, (_, user) => `user-${user}`);
      await clients.importDirectory(
        account,
        users.map((user, at) => ({ user, groups: at === 0 ? ["it"] : [], devices: [`${user}-a`, `${user}-b`] })),
      );
      await clients.record(
        users.flatMap((user, at) =>
          ["a", "b"].map((suffix) => ({
            account,
            device: `${user}-${suffix}`,
            at: NOW - ((index * 7 + at) % 24) * hour,
            os: "Windows" as const,
            version: "5.11.0",
            offered: false,
          })),
        ),
      );
    }
    run.open = () => Promise.resolve({ clients, close: () => Promise.resolve() });
    run.files["policies.yaml"] = ACCOUNTS.map(policy).join("");
  });
  const LINE = "-f clients.yaml -f policies.yaml --inventory sqlite:x";

  it("[C3] counts exactly the users whom each stage reaches first, both computers of each", async () => {
    const { rollouts, curves } = await planned(LINE);
    const spec = clientRolloutSpec.parse((parse(CLIENTS) as { spec: unknown }).spec);
    const pilots = ACCOUNTS.length;
    const first = ACCOUNTS.flatMap((account) =>
      Array.from({ length: 19 }, (_, at) => phaseOf(cohortOf({ account, user: `user-${at + 1}`, device: "" }, spec), spec.phases)),
    ).filter((phase) => phase === 1).length;
    expect(rollouts[0]!.stages.map(({ name, users, devices, reachedUsers }) => [name, users, devices, reachedUsers])).toEqual([
      ["pilot", pilots, 2 * pilots, pilots],
      ["phase-1", first, 2 * first, pilots + first],
      ["phase-2", 240 - pilots - first, 2 * (240 - pilots - first), 240],
    ]);
    expect(curves[0]).toMatchObject({ os: "Windows", users: 240, left: [] });
    expect(curves[0]!.weeks[0]!.byVersion[0]).toMatchObject({ version: "5.11.0", users: 240 });
    const last = curves[0]!.weeks.at(-1)!.byVersion.find(({ version }) => version === "5.12.3")!;
    expect(last.users).toBe(240);
  });

  it("tells the curve with its band, and what a pause would leave", async () => {
    await run.plan(`${LINE} --what-if-paused day15`);
    expect(run.printed).toMatch(/STAGE +OPENS +ACCOUNTS +OF THEIR USERS +USERS +COMPUTERS +IN ACCOUNTS +USERS SO FAR\n/);
    expect(run.printed).toMatch(/\nWindows: 240 users by version\n +5\.11\.0 +5\.12\.3\nFriday 2026-11-13 12:00 UTC +240 \(\d+–240\) +0/);
    expect(run.unfolded).toMatch(
      /a pause of windows-5-12-3 on Tuesday 2026-12-01 09:00 UTC would find it in stage phase-1, and leave \d+ on 5\.11\.0 \(\d+–\d+\), \d+ on 5\.12\.3/,
    );
  });

  it("over a cluster: a rollout that stands there goes on from its ledger, one that is over is left out", async () => {
    const draft = (name: string, version: string) => ({
      apiVersion: API_VERSION,
      kind: "ClientRollout" as const,
      metadata: { name, namespace: "fleet" },
      spec: clientRolloutSpec.parse({
        os: "Windows",
        version,
        announcedAt: "2026-10-01T09:00:00Z",
        generalAfter: "336h",
        artifact: { url: "client.msi", sha256: "a".repeat(64), size: 10 },
      }),
    });
    const reached = {
      stage: "Phase",
      phase: 2,
      accountsPercent: 25,
      usersPercent: 50,
      timer: { since: "2026-11-13T00:00:00Z", accumulated: 0 },
    };
    const stages = [{ name: "phase-2", openedAt: "2026-11-13T00:00:00Z" }];
    await run.given<ClientRollout>(CLIENT_ROLLOUT, draft("w-5-11-9", "5.11.9"), clientRolloutStatus.parse({ reached, stages }));
    await run.given<ClientRollout>(CLIENT_ROLLOUT, draft("old", "5.10.0"), { standingSince: "2026-11-01T00:00:00Z" });
    const { rollouts } = await planned("--cluster");
    expect(rollouts.map(({ name, stages: shown }) => [name, ...shown.map((stage) => `${stage.name} ${stage.opensAt}`)])).toEqual([
      ["w-5-11-9", "phase-2 2026-11-13T00:00:00Z", "phase-3 2026-11-18T00:00:00Z"],
    ]);
  });
});
