import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it, type TestContext } from "vitest";
import type { ClientReport } from "../../../src/control/client-inventory.ts";
import { anyReports } from "../../../src/core/client/reports.examples.ts";
import { artifactRevision } from "../../../src/core/rollout/artifact-revision.ts";
import { allClients, expectRecount } from "./client-recount.ts";
import { type ClientStore, type ClientWorld, memoryClients, postgresClients, sqliteClients } from "./client-worlds.ts";
import { clock, whyNoPostgres } from "./worlds.ts";

const NOON = Date.parse("2026-11-29T12:00:00Z");
const MINUTE = 60_000;
const DAY = 86_400_000;
const UID = "uid-5.12.3";
const ROLLOUTS = [UID, "uid-5.12.4", "uid-5.13.0"];
const revision = artifactRevision({ version: "5.12.3", artifact: { sha256: "9f86d081".repeat(8) } });
const reached = (stage = "phase-1", pilot = false) => ({ rollout: UID, revision, stage, pilot });
const ZERO = { eligible: 0, offered: 0, attempted: 0, confirmed: 0, failed: 0, unreachable: 0 };

let requests = 0;
const report = (device: string, given: Partial<ClientReport> = {}): ClientReport => ({
  account: "acme",
  device,
  at: NOON,
  os: "Windows",
  version: "5.11.0",
  offered: false,
  requestId: `r${(requests += 1)}`,
  ...given,
});
const offer = { offered: true, reached: reached() } as const;
const failed = { said: { meaning: "Failed", errorCode: 1603 } } as const;

describe.each([
  ["memory", memoryClients],
  ["SQLite", sqliteClients],
  ["PostgreSQL", postgresClients],
])("the inventory of Clients in %s", (_name, start) => {
  let world: ClientWorld | undefined;
  let missing = "";
  let store: ClientStore;

  beforeAll(async () => {
    world = await start().catch((error: unknown) => {
      missing = whyNoPostgres(error);
      return undefined;
    });
  });
  beforeEach(async (context: TestContext) => {
    if (world === undefined) return context.skip(missing);
    clock.real = 1_000_000;
    store = await world.empty();
  });
  afterAll(() => world?.close());

  const numbersOf = async (rollout = UID) =>
    Object.fromEntries((await store.counted(rollout))!.rows.map(({ account, stage, numbers }) => [`${account} ${stage}`, numbers]));
  const census = (...eligible: [stage: string, devices: number, pilots?: number][]) =>
    store.recordCensus(
      UID,
      NOON,
      eligible.map(([stage, devices, pilots]) => ({ stage, account: "acme", devices, ...(pilots === undefined ? {} : { pilots }) })),
    );
  const everything = async () => [
    await allClients(store),
    await store.versions({}),
    await Promise.all(ROLLOUTS.map((one) => store.counted(one))),
  ];

  it("[C4] a device from the offer to the version that it reports, and the numbers of its stage, in one record each", async () => {
    expect(await store.counted(UID)).toBeUndefined();
    expect(await store.known([{ account: "acme", device: "d-1" }])).toEqual([undefined]);
    await census(["phase-1", 4], ["phase-2", 0]);
    await store.record([report("d-1", { ...offer, user: "Anna" })]);
    await store.record([report("d-1", { at: NOON + 1, user: "Anna", said: { meaning: "Began" } })]);
    await store.record([report("d-1", { at: NOON + 2, user: "Anna", version: "5.12.3" }), report("d-2", offer)]);
    const attempt = { ...reached(), reachedAt: NOON, offeredAt: NOON, attemptedAt: NOON + 1, confirmedAt: NOON + 2, failures: 0 };
    const known = { account: "acme", device: "d-1", os: "Windows", version: "5.12.3", user: "Anna", firstSeenAt: NOON, seenAt: NOON + 2 };
    expect(await store.client({ account: "acme", device: "d-1" })).toEqual({ ...known, attempts: [attempt] });
    expect(await store.client({ account: "other", device: "d-1" })).toBeUndefined();
    const asked = ["d-2", "d-?", "d-1", "d-2"].map((device) => ({ account: "acme", device }));
    expect((await store.known(asked)).map((one) => one?.device)).toEqual(["d-2", undefined, "d-1", "d-2"]);
    expect(await store.known([])).toEqual([]);
    expect(await numbersOf()).toEqual({
      "acme phase-1": { eligible: 4, offered: 2, attempted: 1, confirmed: 1, failed: 0, unreachable: 2 },
      "acme phase-2": ZERO,
    });
    expect((await store.counted(UID))?.censusAt).toBe(NOON);
  });

  it("[C4] failed until it is confirmed; pilots apart too; whom the census did not know yet is eligible, and nobody is less than nobody", async () => {
    await census(["pilot", 1, 1]);
    await store.record([
      report("d-1", { offered: true, reached: reached("pilot", true) }),
      report("d-2", { offered: true, reached: reached("pilot") }),
    ]);
    await store.record([report("d-1", { at: NOON + 1, ...failed }), report("d-2", { at: NOON + 1, ...failed })]);
    await store.record([report("d-2", { at: NOON + 2, version: "5.12.3" })]);
    const { rows } = (await store.counted(UID))!;
    expect(rows).toEqual([
      {
        account: "acme",
        stage: "pilot",
        numbers: { eligible: 2, offered: 2, attempted: 2, confirmed: 1, failed: 1, unreachable: 0 },
        pilots: { eligible: 1, offered: 1, attempted: 1, confirmed: 0, failed: 1, unreachable: 0 },
      },
    ]);
    await census(["pilot", 0]);
    expect((await numbersOf())["acme pilot"]).toMatchObject({ eligible: 2, unreachable: 0 });
  });

  it("[I8] what was recorded and is recorded again changes nothing, in any part and order", async () => {
    await census(["phase-1", 3]);
    const batch = [report("d-1", offer), report("d-1", { at: NOON + 1, ...failed }), report("d-2", { user: "Anna" }), report("d-3", offer)];
    await store.record(batch);
    const before = await everything();
    await store.record(batch);
    await store.record([...batch, ...batch].toReversed());
    expect(await everything()).toEqual(before);
    expect((await store.client({ account: "acme", device: "d-1" }))?.attempts[0]).toMatchObject({ failures: 1, errorCode: 1603 });
  });

  it("[I8] two gateways that hear the same devices at once count each request once, and neither waits for ever", async () => {
    const stores = [store, await world!.another()];
    const device = (which: number) => ({ account: which % 2 === 0 ? "acme" : "other", user: `user-${which % 5}` });
    await census();
    await store.record(Array.from({ length: 30 }, (_, which) => report(`d-${which}`, { ...device(which), ...offer })));
    // Each gateway has requests of its own, of old devices and new ones, in an order of its own.
    const batchOf = (gateway: number, turn: number) =>
      Array.from({ length: 40 }, (_, index) => {
        const which = (index * (gateway === 0 ? 7 : 11) + turn * 3) % 60;
        const said = turn % 3 === 0 ? { version: "5.12.3" } : failed;
        return report(`d-${which}`, { ...device(which), at: NOON + (turn + 1) * MINUTE, ...offer, ...said });
      });
    const sent = await Promise.all(
      stores.map(async (one, gateway) => {
        const batches = Array.from({ length: 12 }, (_, turn) => batchOf(gateway, turn));
        for (const batch of batches) await one.record(batch);
        return batches.flat();
      }),
    );
    await expectRecount(store, [UID]);
    const heard = (name: string) => sent.flat().filter((one) => one.device === name && one.said !== undefined).length;
    for (const { device: name, attempts } of await allClients(store)) {
      // Of a new one the first report was the offer.
      const failures = attempts[0]!.failures + (Number(name.slice(2)) < 30 ? 0 : 1);
      expect([heard(name), heard(name) + (failures > heard(name) ? 1 : 0)], name).toContain(failures);
    }
  });

  it("[C4] a user with two versions counts for both, his two computers once; who leaves a version leaves no row behind", async () => {
    await store.record([
      report("d-1", { user: "Anna" }),
      report("d-2", { user: "ANNA" }),
      report("d-3", { user: "anna", version: "5.12.3" }),
      report("anna"),
      report("d-4", { os: "Linux", version: "" }),
      report("d-1", { account: "other" }),
    ]);
    const row = (account: string, os: string, version: string, devices: number, users: number) => ({
      account,
      os,
      version,
      devices,
      users,
    });
    expect(await store.versions({ account: "acme" })).toEqual([
      row("acme", "Linux", "", 1, 1),
      row("acme", "Windows", "5.11.0", 3, 2),
      row("acme", "Windows", "5.12.3", 1, 1),
    ]);
    expect(await store.versions({ os: "Linux" })).toEqual([row("acme", "Linux", "", 1, 1)]);
    expect((await store.versions({})).map(({ account }) => account)).toEqual(["acme", "acme", "acme", "other"]);
    await store.record([report("d-3", { at: NOON + 1, user: "Anna" }), report("d-4", { at: NOON + 1, os: "macOS", version: "5.11.0" })]);
    expect(await store.versions({ account: "acme" })).toEqual([
      row("acme", "Windows", "5.11.0", 4, 2),
      row("acme", "macOS", "5.11.0", 1, 1),
    ]);
    expect(await store.deviceCounts()).toEqual(
      new Map([
        ["acme", 5],
        ["other", 1],
      ]),
    );
  });

  it("the names behind a row come in their order and page by page, also where one user has several devices", async () => {
    await store.importDirectory("acme", [
      { user: "Bert", groups: ["it", "sales"], devices: [] },
      { user: "anna", groups: ["it"], devices: [] },
      { user: "d-9", groups: ["it"], devices: [] },
    ]);
    await store.record([
      ...["d-3", "d-1", "d-2"].map((device) => report(device, { user: "BERT" })),
      report("d-4", { user: "Anna", os: "Linux" }),
      report("d-9"),
      report("d-5", { user: "Carl", version: "5.12.3" }),
      report("d-6", { account: "other", user: "Anna" }),
    ]);
    const pages = async (of: object) => {
      const names: string[] = [];
      let page = await store.usersOf({ account: "acme", limit: 2, ...of });
      for (; page.length > 0; page = await store.usersOf({ account: "acme", limit: 2, ...of, after: page.at(-1)! }))
        names.push(...page.map(({ user, device }) => `${user} ${device}`));
      return names;
    };
    expect(await pages({})).toEqual(["Anna d-4", "BERT d-1", "BERT d-2", "BERT d-3", "Carl d-5", "d-9 d-9"]);
    expect(await pages({ os: "Windows", version: "5.11.0" })).toEqual(["BERT d-1", "BERT d-2", "BERT d-3", "d-9 d-9"]);
    expect(await pages({ version: "5.12.3" })).toEqual(["Carl d-5"]);
    // A device that is called like a member of the group is nobody of it.
    expect(await pages({ group: "it" })).toEqual(["Anna d-4", "BERT d-1", "BERT d-2", "BERT d-3"]);
    expect(await pages({ group: "sales", os: "Windows", version: "5.11.0" })).toEqual(["BERT d-1", "BERT d-2", "BERT d-3"]);
    expect(await pages({ group: "nobody" })).toEqual([]);
    const [bert] = await store.usersOf({ account: "acme", group: "sales", limit: 1 });
    expect(bert).toEqual({ user: "BERT", device: "d-1", os: "Windows", version: "5.11.0", seenAt: NOON, groups: ["it", "sales"] });
  });

  it("a directory replaces the one before, its generation grows, and one person under two spellings is one", async () => {
    expect(await store.directory("acme")).toEqual({ generation: 0, groups: new Map(), owners: new Map() });
    const first = await store.importDirectory("acme", [
      { user: "Anna", groups: ["it"], devices: ["PC-1", "PC-2"] },
      { user: "ANNA", groups: ["sales"], devices: [] },
      { user: "Bert", groups: [], devices: ["PC-2"] },
    ]);
    expect(first).toEqual({ generation: 1, users: 2, groups: 2, devices: 2 });
    expect(await store.directory("acme")).toEqual({
      generation: 1,
      groups: new Map([
        ["anna", ["it", "sales"]],
        ["bert", []],
      ]),
      owners: new Map([
        ["pc-1", "Anna"],
        ["pc-2", "Bert"],
      ]),
    });
    await store.importDirectory("other", []);
    expect((await store.importDirectory("acme", [{ user: "Carl", groups: ["it"], devices: [] }])).generation).toBe(2);
    expect(await store.directory("acme")).toEqual({ generation: 2, groups: new Map([["carl", ["it"]]]), owners: new Map() });
    expect(await store.directories()).toEqual(
      new Map([
        ["acme", 2],
        ["other", 1],
      ]),
    );
  });

  it("[G15] [C7] replicas by their last sign, by the store's clock, with the files that they cannot read; who left is not told, nor who gave none for a day", async () => {
    await store.beat({ name: "gateway-a", pauses: new Map([[UID, 3]]), policies: new Map([["uid-of-policy", 7]]) });
    await store.beat({ name: "gateway-b", pauses: new Map(), policies: new Map() });
    clock.real += 10_001;
    const missing = new Map([[UID, "/files/client.msi could not be read (ENOENT); put the file there"]]);
    await store.beat({ name: "gateway-b", pauses: new Map([[UID, 4]]), policies: new Map(), missing });
    clock.real += 5;
    expect(await store.replicas()).toEqual([
      {
        name: "gateway-a",
        silentMilliseconds: 10_006,
        pauses: new Map([[UID, 3]]),
        policies: new Map([["uid-of-policy", 7]]),
        missing: new Map(),
      },
      { name: "gateway-b", silentMilliseconds: 5, pauses: new Map([[UID, 4]]), policies: new Map(), missing },
    ]);
    await store.beat({ name: "gateway-b", pauses: new Map(), policies: new Map() });
    expect((await store.replicas()).at(-1)?.missing, "put there").toEqual(new Map());
    await store.leave("gateway-b");
    await store.leave("unknown");
    expect((await store.replicas()).map(({ name }) => name)).toEqual(["gateway-a"]);
    clock.real += DAY;
    await store.beat({ name: "gateway-c", pauses: new Map(), policies: new Map() });
    expect((await store.replicas()).map(({ name }) => name)).toEqual(["gateway-c"]);
  });

  it("the curve keeps the last of each day, for 400 days, and of an account a hundred versions", async () => {
    await store.record([report("d-1", { version: "5.10.0" }), report("d-2", { account: "other" })]);
    await store.recordDay("2026-11-29");
    await store.record([report("d-1", { at: NOON + 1, version: "5.12.3" })]);
    await store.recordDay("2026-11-29");
    await store.recordDay("2026-11-30");
    const days = async (from: string, to: string, account?: string) =>
      (await store.days({ from, to, ...(account === undefined ? {} : { account }) })).map(
        (row) => `${row.day} ${row.account} ${row.version} ${row.users}`,
      );
    expect(await days("2026-11-29", "2026-11-29")).toEqual(["2026-11-29 acme 5.12.3 1", "2026-11-29 other 5.11.0 1"]);
    expect(await days("2026-11-29", "2026-12-31", "acme")).toEqual(["2026-11-29 acme 5.12.3 1", "2026-11-30 acme 5.12.3 1"]);
    const many = Array.from({ length: 120 }, (_, index) => report(`many-${index}`, { account: "many", version: `1.0.${index}` }));
    await store.record([...many, report("many-more", { account: "many", version: "1.0.119" })]);
    await store.recordDay("2028-01-04");
    expect(await days("2026-01-01", "2027-12-31")).toEqual(["2026-11-30 acme 5.12.3 1", "2026-11-30 other 5.11.0 1"]);
    const kept = await days("2028-01-04", "2028-01-04", "many");
    expect([kept.length, kept.includes("2028-01-04 many 1.0.119 2")]).toEqual([100, true]);
  });

  it("[C2] the curve of an account's pilots: named users and members of groups once each, of that account and system alone", async () => {
    await store.importDirectory("acme", [
      { user: "Anna", groups: ["it", "early"], devices: [] },
      { user: "bob", groups: ["sales"], devices: [] },
    ]);
    await store.record([
      report("d-1", { user: "anna" }),
      report("d-2", { user: "ANNA", version: "5.12.3" }),
      report("d-3", { user: "anna", version: "5.12.3" }),
      report("d-4", { user: "bob" }),
      report("d-5", { user: "carl" }),
      report("d-6"),
      report("m-1", { user: "anna", os: "macOS" }),
      report("d-1", { account: "other", user: "anna" }),
    ]);
    const pilots = { account: "acme", os: "Windows" } as const;
    const days = async (from: string, to: string) =>
      (await store.days({ from, to, account: "acme", pilots: true })).map(
        (row) => `${row.day} ${row.os} ${row.version} ${row.users}/${row.devices}`,
      );
    await store.recordPilots("2026-11-29", { ...pilots, users: ["Carl", "Anna"], groups: ["it", "early"] });
    await store.recordPilots("2026-11-30", { ...pilots, users: [], groups: ["sales", "nobody"] });
    await store.recordPilots("2026-11-30", { ...pilots, os: "macOS", users: ["anna"], groups: [] });
    expect(await days("2026-11-01", "2026-12-31")).toEqual([
      "2026-11-29 Windows 5.11.0 2/2",
      "2026-11-29 Windows 5.12.3 1/2",
      "2026-11-30 Windows 5.11.0 1/1",
      "2026-11-30 macOS 5.11.0 1/1",
    ]);
    await store.recordPilots("2026-11-30", { ...pilots, users: ["nobody"], groups: [] });
    expect(await days("2026-11-30", "2026-11-30")).toEqual(["2026-11-30 macOS 5.11.0 1/1"]);
    await store.recordDay("2028-01-05");
    expect([await days("2026-01-01", "2028-12-31"), (await store.days({ from: "2028-01-05", to: "2028-01-05" })).length]).toEqual([[], 4]);
  });

  it("[I19] devices that were not seen for so long are forgotten, so many at a time, and their numbers with them", async () => {
    const eligible = [{ stage: "phase-1", account: "acme", devices: 0 }];
    await store.recordCensus(UID, NOON + DAY, eligible);
    await store.recordCensus("uid-of-last-year", NOON, eligible);
    await store.record(["d-1", "d-2", "d-3"].map((device) => report(device, { ...offer, user: "Anna" })));
    await store.record([report("d-4", { at: NOON + DAY, ...offer })]);
    expect(await store.forget(NOON, 10)).toBe(0);
    expect(await store.forget(NOON + 1, 2)).toBe(2);
    expect(await store.deviceCounts()).toEqual(new Map([["acme", 2]]));
    await expectRecount(store, [UID]);
    expect(await store.forget(NOON + 1, 2)).toBe(1);
    expect(await store.forget(NOON + 1, 2)).toBe(0);
    expect((await allClients(store)).map(({ device }) => device)).toEqual(["d-4"]);
    expect(await store.counted("uid-of-last-year")).toBeUndefined();
    expect(await numbersOf()).toEqual({ "acme phase-1": { ...ZERO, eligible: 1, offered: 1 } });
    await store.record([report("d-1", { at: NOON + DAY })]);
    expect((await store.client({ account: "acme", device: "d-1" }))?.attempts).toEqual([]);
  });

  it("[I19] what one device says does not keep the store from the others, whatever it is made of", async () => {
    const odd = report("d-1", {
      version: "5\u0000.11\ud800",
      user: "An\u0000na'; drop table client_device; --",
      requestId: '"]}',
      ...offer,
    });
    await store.record([odd, report("d-2")]);
    await store.record([report("d-1", { at: NOON + 1, said: { meaning: "Failed", errorCode: Number.MAX_VALUE } })]);
    expect((await allClients(store)).map(({ device }) => device)).toEqual(["d-1", "d-2"]);
    expect((await store.client({ account: "acme", device: "d-1" }))?.attempts[0]).toMatchObject({ failures: 1 });
    expect(await store.known([{ account: "\u0000", device: "\ud800" }])).toEqual([undefined]);
  });

  it("[C4] after any reports the counters equal a recount, a batch that comes again changes nothing, and all is as in memory", async () => {
    await fc.assert(
      fc.asyncProperty(anyReports, fc.integer({ min: 1, max: 9 }), async (reports, size) => {
        const model = await (await memoryClients()).empty();
        store = await world!.empty();
        for (const one of [store, model]) for (const rollout of ROLLOUTS) await one.recordCensus(rollout, NOON, []);
        for (let from = 0; from < reports.length; from += size) {
          const batch = reports.slice(from, from + size);
          for (const one of [store, model]) await one.record(batch);
        }
        await expectRecount(store, ROLLOUTS);
        const before = await everything();
        expect(before[0]).toEqual(await allClients(model));
        expect(await store.usersOf({ account: "acme", limit: 10 })).toEqual(await model.usersOf({ account: "acme", limit: 10 }));
        const keys = (before[0] as { account: string; device: string }[]).map(({ account, device }) => ({ account, device }));
        expect(await store.known(keys)).toEqual(before[0]);
        await store.record(reports.slice(-1));
        expect(await everything()).toEqual(before);
        await store.forget(NOON + DAY, 100);
        expect(await store.versions({})).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});
