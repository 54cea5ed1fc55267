import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it, type TestContext } from "vitest";
import { commandRow } from "../../../src/core/socket/command.examples.ts";
import { anyAct } from "./acts.ts";
import { clock, memoryWorld, postgresWorld, sqliteWorld, type Store, whyNoPostgres, type World } from "./worlds.ts";

const NOON = Date.parse("2026-11-29T12:00:00Z");
const HOUR = 3_600_000;
const row = commandRow({ notBefore: NOON, notAfter: NOON + HOUR });
const own = { account: "acme", serial: "S-2002", action: row.action };
const enrolled = (serial: string, account: string) => ({ serial, account, tokenHash: `of-${serial}`, at: NOON, oldTokensUntil: NOON });

describe.each([
  ["memory", memoryWorld],
  ["SQLite", sqliteWorld],
  ["PostgreSQL", postgresWorld],
])("the inventory in %s", (_name, start) => {
  let world: World | undefined;
  let missing = "";
  let store: Store;

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
    await store.enroll(enrolled("S-2002", "acme"));
    await store.enroll(enrolled("S-2001", "acme"));
    await store.enroll(enrolled("S-9", "other"));
  });
  afterAll(() => world?.close());

  const site = (named?: string) =>
    store.site({ uid: "site-berlin", account: "acme", serials: ["S-2002", "S-9"], ...(named === undefined ? {} : { named }) });
  const stateOf = async (id: string) => (await site(id)).commands.get(id)?.state;
  const poll = (now: number, hintMilliseconds = 10_000) => store.poll({ account: "acme", serial: "S-2002", hintMilliseconds }, now);
  const report = (attributes: object, now = NOON) => store.report({ account: "acme", serial: "S-2002", attributes }, now);
  const changedSerials = async () => (await store.changed(100)).map(({ serial }) => serial).toSorted();

  it("[S1] gives from notBefore to notAfter, both inclusive: not 1 ms before, not 1 ms after; given again it keeps its first instant", async () => {
    expect(await store.insertCommand(row)).toBe(true);
    expect(await store.give(own, NOON - 1)).toBeUndefined();
    expect(await store.give(own, NOON + HOUR + 1)).toBeUndefined();
    expect(await stateOf(row.id)).toBe("Open");
    expect(await store.give(own, NOON)).toEqual({ ...row, state: "Given", givenAt: NOON });
    expect(await store.give(own, NOON + HOUR)).toEqual({ ...row, state: "Given", givenAt: NOON });
    expect(await store.give(own, NOON + HOUR + 1)).toBeUndefined();
  });

  it("[S3] tells of the account's devices how long ago they polled, by its own clock and without counting as a poll", async () => {
    const reports = (account: string, serials = ["S-2001", "S-2002", "S-9", "S-?"]) => store.reports({ account, serials });
    await poll(NOON, 300_000);
    clock.real += 1;
    await poll(NOON, 300_000);
    clock.real += 630_001;
    for (let turn = 0; turn < 2; turn++) {
      const told = new Map((await reports("acme")).map((one) => [one.serial, one]));
      expect([...told.keys()].toSorted()).toEqual(["S-2001", "S-2002"]);
      expect(told.get("S-2001")?.polledMilliseconds).toBeUndefined();
      expect(told.get("S-2002")).toMatchObject({ account: "acme", hintMilliseconds: 300_000 });
      expect(told.get("S-2002")?.polledMilliseconds).toBeGreaterThanOrEqual(630_001);
      expect(told.get("S-2002")?.polledMilliseconds).toBeLessThan(640_000);
    }
    expect((await reports("other")).map(({ serial }) => serial)).toEqual(["S-9"]);
    expect(await reports("acme", [])).toEqual([]);
  });

  it("[S1] whoever withdraws first decides; what a device has is not withdrawn", async () => {
    await store.insertCommand(row);
    expect(await store.act(row.id, "withdraw", NOON)).toBe(true);
    expect(await store.give(own, NOON)).toBeUndefined();
    const second = commandRow({ ...row, id: "second", action: 7 });
    await store.insertCommand(second);
    await store.give({ ...own, action: 7 }, NOON);
    expect(await store.act("second", "withdraw", NOON)).toBe(false);
    expect(await store.act("second", "giveUp", NOON + 2 * HOUR)).toBe(true);
    expect((await site("second")).commands.get("second")).toMatchObject({ state: "Unknown", endedAt: NOON + 2 * HOUR });
  });

  it("[S1] two gateways that give at once change one row, and tell the same first instant", async () => {
    const other = await world!.another();
    await store.insertCommand(row);
    const [a, b] = await Promise.all([store.give(own, NOON + 1), other.give(own, NOON + 2)]);
    expect(a?.givenAt).toBe(b?.givenAt);
    expect((await site()).commands.size).toBe(1);
  });

  it("[S1] of give and withdraw at once exactly one changes the row, 200 times", async () => {
    const other = await world!.another();
    const rows = Array.from({ length: 200 }, (_, n) =>
      commandRow({ ...row, id: `raced-${n}`, action: n + 1, serial: `S-${n}`, site: { ...row.site, uid: `site-${n}` } }),
    );
    await Promise.all(rows.map((one) => store.insertCommand(one)));
    const race = async ({ id, serial, action }: (typeof rows)[number], n: number) => {
      const give = () => store.give({ account: "acme", serial, action }, NOON);
      const withdraw = () => other.act(id, "withdraw", NOON);
      // Who starts changes from row to row, so that neither always comes first.
      const [a, b] = await Promise.all(n % 2 === 0 ? [give(), withdraw()] : [withdraw(), give()]);
      return [a, b].filter((answer) => answer !== undefined && answer !== false).length;
    };
    expect(await Promise.all(rows.map(race))).toEqual(rows.map(() => 1));
  });

  it("[I4] a second live command of the site or of the Socket is not inserted; after the first is over it is", async () => {
    const partner = commandRow({ ...row, id: "partner", serial: "S-2001", action: 7 });
    const elsewhere = commandRow({ ...row, id: "elsewhere", action: 8, site: { ...row.site, uid: "site-tokyo" } });
    await store.insertCommand(row);
    expect(await store.insertCommand(partner)).toBe(false);
    expect(await store.insertCommand(elsewhere)).toBe(false);
    await store.act(row.id, "withdraw", NOON);
    expect(await store.insertCommand(partner)).toBe(true);
  });

  it("[S1] what a deleted site left Open does not keep its Socket from the next one, once its time is over; what was given does", async () => {
    const again = { ...row.site, uid: "site-berlin-again" };
    const next = commandRow({ ...row, id: "next", action: 7, site: again, notBefore: NOON + HOUR + 1, notAfter: NOON + 2 * HOUR });
    const early = commandRow({ ...next, id: "early", action: 8, notBefore: NOON + HOUR });
    await store.insertCommand(row);
    await store.settle(await store.changed(10));
    expect(await store.insertCommand(early), "at NOON + 1 h the old one may still be given").toBe(false);
    expect(await store.insertCommand(next)).toBe(true);
    expect((await site(row.id)).commands.get(row.id)).toMatchObject({ state: "Withdrawn", endedAt: NOON + HOUR + 1 });
    expect(await store.give(own, NOON), "given no more").toBeUndefined();
    expect(await changedSerials()).toEqual(["S-2002"]);
    expect(await store.insertCommand(next), "repeated").toBe(false);
    expect((await world!.audit()).filter((line) => line.includes("withdraw"))).toEqual(["operator: withdraw S-2002"]);
    await store.give({ ...own, action: 7 }, NOON + 2 * HOUR);
    const third = commandRow({ ...next, id: "third", action: 9, site: row.site, notBefore: NOON + 3 * HOUR, notAfter: NOON + 4 * HOUR });
    expect(await store.insertCommand(third), "its Socket may be installing").toBe(false);
    await store.feedback({ ...own, action: 7 }, "proceed", undefined, NOON + 2 * HOUR);
    expect(await store.insertCommand(third), "and when it says so").toBe(false);
  });

  it("[S1] what a deleted site's Socket was given keeps it from the next site for a week after its last start, and then counts as Unknown", async () => {
    const again = { ...row.site, uid: "site-berlin-again" };
    const week = NOON + HOUR + 7 * 24 * HOUR;
    for (const [index, feedback] of (["none", "proceed"] as const).entries()) {
      const from = index * 100 * 24 * HOUR;
      const shifted = (id: string, action: number, site: typeof row.site, notBefore: number) =>
        commandRow({ ...row, id: `${feedback}-${id}`, action: action + 10 * index, site, notBefore, notAfter: notBefore + HOUR });
      const left = shifted("left", 1, row.site, NOON + from);
      const early = shifted("early", 2, again, week + from - 1);
      const next = shifted("next", 3, again, week + from);
      expect(await store.insertCommand(left)).toBe(true);
      await store.give({ ...own, action: left.action }, NOON + from);
      if (feedback === "proceed") await store.feedback({ ...own, action: left.action }, "proceed", undefined, NOON + from);
      await store.settle(await store.changed(10));
      expect(await store.insertCommand(early), "its Socket may be installing").toBe(false);
      expect(await store.insertCommand({ ...early, site: row.site, notBefore: week + from }), "its own site waits as it always does").toBe(
        false,
      );
      expect(await store.insertCommand(next)).toBe(true);
      expect((await site(left.id)).commands.get(left.id)).toMatchObject({ state: "Unknown", endedAt: week + from });
      expect(await store.insertCommand(next), "repeated").toBe(false);
      expect(await store.feedback({ ...own, action: left.action }, "succeed", undefined, week + from + 1), "too late").toBe("Repeated");
      expect(await changedSerials()).toEqual(["S-2002"]);
      await store.act(next.id, "withdraw", week + from);
    }
    expect((await world!.audit()).filter((line) => line.includes("giveUp"))).toEqual([
      "operator: giveUp S-2002",
      "operator: giveUp S-2002",
    ]);
  });

  it("[S1] given twice within a millisecond it was given once: one line in the audit trail, one change in the feed", async () => {
    const other = await world!.another();
    await store.insertCommand(row);
    await Promise.all([store.give(own, NOON), other.give(own, NOON)]);
    await store.settle(await store.changed(10));
    expect(await store.give(own, NOON)).toMatchObject({ state: "Given", givenAt: NOON });
    expect(await changedSerials()).toEqual([]);
    expect((await world!.audit()).filter((line) => line.includes("give"))).toEqual(["gateway: give S-2002"]);
  });

  it("[I4] of 20 commands of one site that are inserted at once, one is", async () => {
    const other = await world!.another();
    const rows = Array.from({ length: 20 }, (_, n) => commandRow({ ...row, id: `at-once-${n}`, serial: `S-${n}`, action: n + 1 }));
    const inserted = await Promise.all(rows.map((one, n) => (n % 2 === 0 ? store : other).insertCommand(one)));
    expect(inserted.filter(Boolean)).toHaveLength(1);
    expect((await site()).commands.size).toBe(1);
  });

  it("[I9] every effect repeated is done once", async () => {
    expect(await store.insertCommand(row)).toBe(true);
    expect(await store.insertCommand(row)).toBe(false);
    await store.give(own, NOON);
    await store.requestCancel(row.id, NOON);
    await store.requestCancel(row.id, NOON);
    expect((await poll(NOON))?.cancel).toBe(true);
    expect(await store.feedback(own, "proceed", undefined, NOON + 1)).toBe("Changed");
    expect(await store.feedback(own, "proceed", undefined, NOON + 2)).toBe("Repeated");
    expect(await store.feedback(own, "fail", "no space", NOON + 3)).toBe("Changed");
    expect(await store.feedback(own, "succeed", "after all", NOON + 4)).toBe("Repeated");
    expect((await site(row.id)).commands.get(row.id)).toEqual({
      ...row,
      state: "Failed",
      said: "no space",
      givenAt: NOON,
      proceedingAt: NOON + 1,
      endedAt: NOON + 3,
    });
    const notice = { id: "notice", siteUid: "site-berlin", kind: "Planned", acceptedAt: NOON };
    await store.recordNotice(notice);
    await store.recordNotice({ ...notice, acceptedAt: NOON + 1 });
    expect((await site()).notices).toEqual(new Map([["notice", { acceptedAt: NOON }]]));
  });

  it("[I9] feedback about an unknown command, one never given and one of another device is NotYours", async () => {
    await store.insertCommand(row);
    expect(await store.feedback(own, "succeed", undefined, NOON)).toBe("NotYours");
    for (const action of [own.action + 1, 2 ** 31, 9_999_999_999]) {
      expect(await store.feedback({ ...own, action }, "succeed", undefined, NOON)).toBe("NotYours");
      expect(await store.give({ ...own, action }, NOON)).toBeUndefined();
    }
    await store.give(own, NOON);
    expect(await store.feedback({ ...own, serial: "S-2001" }, "succeed", undefined, NOON)).toBe("NotYours");
    expect(await store.feedback({ ...own, account: "other" }, "succeed", undefined, NOON)).toBe("NotYours");
    await store.feedback(own, "cancel", undefined, NOON);
    expect(await stateOf(row.id)).toBe("Withdrawn");
    expect(await store.feedback(own, "succeed", undefined, NOON + 1)).toBe("Repeated");
  });

  it("[I15] account A is shown, given and changed nothing of B", async () => {
    await store.insertCommand(row);
    await store.recordVerdict({ serial: "S-9", revision: "r", failed: true, reason: "InstallFailed", at: NOON });
    const { devices, foreign, verdicts } = await site();
    expect([[...devices.keys()], [...foreign], verdicts]).toEqual([["S-2002"], ["S-9"], []]);
    expect(await store.poll({ account: "other", serial: "S-2002", hintMilliseconds: 1 }, NOON)).toBeUndefined();
    expect(await store.report({ account: "other", serial: "S-2002", attributes: { version: "6" } }, NOON)).toBe(false);
    expect(await store.give({ ...own, account: "other" }, NOON)).toBeUndefined();
    expect(await store.enroll(enrolled("S-2002", "other"))).toBe("OfAnotherAccount");
    expect((await site()).devices.get("S-2002")?.version).toBeUndefined();
    expect(await store.authenticate("of-S-2002", NOON)).toEqual({ account: "acme", serial: "S-2002" });
  });

  it("[S4] a poll later than twice the hint and 30 s is a gap and begins the connection anew; ages are of the store's clock", async () => {
    await poll(NOON);
    clock.real += 50_000;
    expect((await poll(NOON + 50_000))?.device).toMatchObject({ gaps: 0, connectedSince: NOON });
    clock.real += 50_001;
    expect((await poll(NOON + 100_001))?.device).toMatchObject({ gaps: 1, connectedSince: NOON + 100_001 });
    clock.real += 7;
    expect((await site()).devices.get("S-2002")).toMatchObject({ polledMilliseconds: 7, hintMilliseconds: 10_000 });
  });

  it("[S4] of five gaps within a day four are counted, and after a day none", async () => {
    for (let turn = 0; turn < 6; turn++) {
      await poll(NOON);
      clock.real += 60_000;
    }
    expect((await site()).devices.get("S-2002")?.gaps).toBe(4);
    clock.real += 24 * HOUR;
    expect((await site()).devices.get("S-2002")?.gaps).toBe(0);
  });

  it("[S4] one device that two gateways hear at once after a gap has one gap", async () => {
    const other = await world!.another();
    await poll(NOON);
    clock.real += 60_000;
    await Promise.all([poll(NOON), other.poll({ account: "acme", serial: "S-2002", hintMilliseconds: 10_000 }, NOON)]);
    expect((await site()).devices.get("S-2002")?.gaps).toBe(1);
  });

  it("[S12] a version has the instant of its first report; said again it only grows no older", async () => {
    expect(await report({ version: "17.2", haState: "Standby", keepalive: true }, NOON)).toBe(true);
    clock.real += 1_000;
    expect(await report({ version: "17.2" }, NOON + 5)).toBe(false);
    const expected = { version: "17.2", versionSeenAt: NOON, ha: { state: "Standby", keepalive: true }, attributesMilliseconds: 0 };
    expect((await site()).devices.get("S-2002")).toMatchObject(expected);
    expect(await report({ version: "18.0", prefetch: true }, NOON + 9)).toBe(true);
    expect((await site()).devices.get("S-2002")).toMatchObject({ version: "18.0", versionSeenAt: NOON + 9, prefetches: true });
  });

  it("[I8] a change between taking and settling stays in the feed; polls and equal reports are no change", async () => {
    await report({ version: "17.2" });
    const taken = await store.changed(10);
    await report({ version: "18.0" });
    await store.settle(taken);
    expect(await changedSerials()).toEqual(["S-2002"]);
    await poll(NOON);
    await store.settle(await store.changed(10));
    await poll(NOON);
    await report({ version: "18.0" });
    expect(await changedSerials()).toEqual([]);
  });

  it("[I8] whatever moves a command is in the feed, and is told", async () => {
    let told = 0;
    const off = store.onChange(() => (told += 1));
    const moves = [
      () => store.insertCommand(row),
      () => store.give(own, NOON),
      () => store.feedback(own, "proceed", undefined, NOON),
      () => store.act(row.id, "giveUp", NOON),
    ];
    for (const move of moves) {
      await store.settle(await store.changed(10));
      const before = told;
      await move();
      expect(await changedSerials()).toEqual(["S-2002"]);
      await expect.poll(() => told, { timeout: 20_000 }).toBeGreaterThan(before);
    }
    off();
  });

  it("[I8] what another process writes is told within two seconds", async () => {
    const other = await world!.another();
    let told = 0;
    const off = store.onChange(() => (told += 1));
    // Whoever begins to listen may be told at once; the change is what comes after that.
    await store.changed(1);
    const before = told;
    await other.insertCommand(row);
    await expect.poll(() => told, { timeout: 2_000 }).toBeGreaterThan(before);
    expect(await changedSerials()).toContain("S-2002");
    off();
  });

  it("the feed is handed out oldest first, and pages of devices without a gap", async () => {
    await store.settle(await store.changed(10));
    for (const serial of ["S-2001", "S-9", "S-2002"]) {
      clock.real += 1;
      await store.report({ account: serial === "S-9" ? "other" : "acme", serial, attributes: { version: "1" } }, NOON);
    }
    await store.report({ account: "acme", serial: "S-2001", attributes: { version: "2" } }, NOON);
    expect((await store.changed(2)).map(({ serial }) => serial)).toEqual(["S-2001", "S-9"]);
    const first = await store.devices(undefined, 2);
    const second = await store.devices(first.at(-1)?.serial, 2);
    expect([...first, ...second].map(({ serial }) => serial)).toEqual(["S-2001", "S-2002", "S-9"]);
  });

  it("a rotated token is good beside the new one until its overlap ends; a gateway's token is good for the account", async () => {
    const rotated = { ...enrolled("S-2002", "acme"), tokenHash: "new", expiresAt: NOON + HOUR, oldTokensUntil: NOON + 1_000 };
    expect(await store.enroll(rotated)).toBe("Rotated");
    expect(await store.enroll(rotated)).toBe("Rotated");
    expect(await store.authenticate("of-S-2002", NOON + 999)).toEqual({ account: "acme", serial: "S-2002" });
    expect(await store.authenticate("of-S-2002", NOON + 1_000)).toBeUndefined();
    expect(await store.authenticate("new", NOON + 1_000)).toEqual({ account: "acme", serial: "S-2002" });
    expect(await store.authenticate("new", NOON + HOUR)).toBeUndefined();
    const gateway = { account: "acme", tokenHash: "gateway", at: NOON, oldTokensUntil: NOON };
    expect(await store.enroll(gateway)).toBe("Enrolled");
    expect(await store.enroll({ ...gateway, tokenHash: "gateway-2" })).toBe("Rotated");
    expect(await store.authenticate("gateway", NOON)).toBeUndefined();
    expect(await store.authenticate("gateway-2", NOON)).toEqual({ account: "acme" });
    expect(await store.authenticate("of-S-2001", NOON)).toEqual({ account: "acme", serial: "S-2001" });
  });

  it("[I15] under a hash that somebody else has nobody is enrolled, and nothing changes: neither binding nor anybody's token", async () => {
    const taken = { tokenHash: "of-S-9", at: NOON, expiresAt: NOON + HOUR, oldTokensUntil: NOON };
    expect(await store.enroll({ ...taken, serial: "S-7", account: "acme" }), "another account's").toBe("TokenTaken");
    expect(await store.enroll({ ...taken, serial: "S-2002", account: "acme", tokenHash: "of-S-2001" }), "its partner's").toBe("TokenTaken");
    expect(await store.enroll({ ...taken, account: "other" }), "of a device of the same account").toBe("TokenTaken");
    expect(await store.authenticate("of-S-9", NOON + HOUR), "it was not given an end").toEqual({ account: "other", serial: "S-9" });
    expect(await store.authenticate("of-S-2002", NOON), "its own was not rotated away").toEqual({ account: "acme", serial: "S-2002" });
    expect(await store.enroll({ ...enrolled("S-7", "other") }), "S-7 is bound to nobody").toBe("Enrolled");
    expect(await store.enroll(enrolled("S-9", "other")), "repeated by its owner").toBe("Rotated");
    const [a, b] = await Promise.all(["S-11", "S-12"].map((serial) => store.enroll({ ...enrolled(serial, "acme"), tokenHash: "raced" })));
    expect(new Set([a, b])).toEqual(new Set(["Enrolled", "TokenTaken"]));
  });

  it("[I15] of 1,100 that ask at once each is answered its own, and who is nobody is told nothing", async () => {
    await store.insertCommand(row);
    const serials = Array.from({ length: 1_100 }, (_, n) => ["S-2001", "S-2002", "S-9", "S-404"][n % 4]!);
    const callers = await Promise.all(serials.map((serial) => store.authenticate(`of-${serial}`, NOON)));
    expect(callers.map((caller) => caller?.serial ?? "S-404")).toEqual(serials);
    const ask = (serial: string) => store.poll({ account: serial === "S-9" ? "other" : "acme", serial, hintMilliseconds: 10_000 }, NOON);
    await Promise.all(serials.slice(0, 4).map(ask));
    const polled = await Promise.all(serials.map(ask));
    const told = polled.map((answer) => (answer === undefined ? "S-404" : [answer.device.serial, answer.command?.id].join(" ").trim()));
    expect(told).toEqual(serials.map((serial) => (serial === "S-2002" ? `S-2002 ${row.id}` : serial)));
  });

  it("[I15] a device is told of what it was given itself, also when it is over, and of nothing else", async () => {
    await store.insertCommand(row);
    expect(await store.given(own)).toBeUndefined();
    await store.give(own, NOON);
    await store.feedback(own, "succeed", undefined, NOON + 1);
    expect(await store.given(own)).toEqual({ ...row, state: "Succeeded", givenAt: NOON, endedAt: NOON + 1 });
    for (const other of [{ account: "other" }, { serial: "S-2001" }, { action: own.action + 1 }])
      expect(await store.given({ ...own, ...other })).toBeUndefined();
  });

  it("[S1] who did what stands in the audit trail, once for what was done once: also that a command was asked to be dropped", async () => {
    await store.insertCommand(row);
    for (const turn of [1, 2]) await store.give(own, NOON + turn);
    for (const turn of [3, 4]) await store.requestCancel(row.id, NOON + turn);
    await store.requestCancel("unknown", NOON + 5);
    for (const turn of [6, 7]) await store.feedback(own, "cancel", undefined, NOON + turn);
    await store.requestCancel(row.id, NOON + 8);
    const enrolments = ["S-2001", "S-2002", "S-9"].map((serial) => `registry: enroll ${serial}`);
    const acts = ["gateway: give S-2002", "operator: ask to cancel S-2002", "device: cancel S-2002"];
    const trail = await world!.audit();
    expect([trail.slice(0, 3).toSorted(), trail.slice(3)]).toEqual([enrolments, acts]);
  });

  it("[S14] a plan of polls is told at the poll, and to the site where all of its Sockets have it", async () => {
    const plan = { from: NOON, until: NOON + HOUR, first: NOON + 5 };
    const pair = () => store.site({ uid: "site-berlin", account: "acme", serials: ["S-2001", "S-2002"] });
    await store.planPolls({ serials: ["S-2002", "S-unknown"], ...plan });
    expect((await poll(NOON))?.plan).toEqual(plan);
    expect((await pair()).polls).toBeUndefined();
    await store.planPolls({ serials: ["S-2001", "S-2002"], ...plan });
    expect((await pair()).polls).toEqual(plan);
  });

  it("[G8] the last verdict of a revision stands, and a wish to cancel as long as the command is not over", async () => {
    const verdict = { serial: "S-2002", revision: "r", failed: true, reason: "InstallFailed", at: NOON };
    await store.recordVerdict(verdict);
    await store.recordVerdict({ ...verdict, failed: false });
    await store.insertCommand(row);
    await store.give(own, NOON);
    await store.requestCancel(row.id, NOON);
    const { verdicts, cancelRequested } = await site();
    expect([verdicts, cancelRequested]).toEqual([[{ serial: "S-2002", revision: "r", failed: false }], new Set([row.id])]);
    await store.feedback(own, "cancel", undefined, NOON);
    expect((await site(row.id)).cancelRequested).toBeUndefined();
    expect(await poll(NOON)).toMatchObject({ cancel: false });
  });

  it("[W4] what an upgrade took is the 95th percentile of those confirmed: of 20 minutes 1 to 20 it is 19", async () => {
    for (let minute = 1; minute <= 20; minute++) {
      const one = commandRow({ ...row, id: `timed-${minute}`, action: minute });
      await store.insertCommand(one);
      await store.give({ ...own, action: minute }, NOON);
      await store.feedback({ ...own, action: minute }, "proceed", undefined, NOON);
      await store.feedback({ ...own, action: minute }, "succeed", undefined, NOON + 1);
      const end = { command: one.id, outcome: "Confirmed", at: NOON + minute * 60_000 } as const;
      await store.endAttempt(end);
      await store.endAttempt({ ...end, outcome: "Failed", at: NOON });
    }
    expect(await store.measured(row.rollout)).toEqual({ upgrades: 20, install: 19 * 60_000 });
    expect(await store.measured("another")).toEqual({ upgrades: 0 });
  });

  it("answers to any sequence of acts as the one in memory does", async () => {
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(anyAct, { minLength: 5, maxLength: 25 }), async (acts) => {
        runs += 1;
        const model = await (await memoryWorld()).empty();
        for (const one of ["S-2001", "S-2002", "S-9"]) await model.enroll(enrolled(`${runs}-${one}`, one === "S-9" ? "other" : "acme"));
        for (const one of ["S-2001", "S-2002", "S-9"]) await store.enroll(enrolled(`${runs}-${one}`, one === "S-9" ? "other" : "acme"));
        for (const { name, play, after } of acts) {
          clock.real += after;
          expect(await play(store, `${runs}-`), name).toEqual(await play(model, `${runs}-`));
        }
        const all = { uid: `${runs}-site`, account: "acme", serials: ["S-2001", "S-2002", "S-9"].map((one) => `${runs}-${one}`) };
        expect(await store.site(all)).toEqual(await model.site(all));
      }),
      { numRuns: 25 },
    );
  });
});
