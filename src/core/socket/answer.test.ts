import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  answerPoll,
  asksForView,
  deploymentFor,
  type GatewayView,
  hintFor,
  isInstalled,
  isToDrop,
  mayFetch,
  mayGive,
  partnersAsked,
  type Polled,
} from "./answer.ts";
import { commandRow } from "./command.examples.ts";

const START = Date.parse("2026-11-29T00:00:00Z");
const END = Date.parse("2026-11-29T01:00:00Z");
const row = commandRow({ notBefore: START, notAfter: END });

const device = (given: Partial<Polled["device"]> = {}): Polled["device"] => ({
  serial: "S-2002",
  account: "acme",
  version: "17.2",
  prefetches: false,
  hintMilliseconds: 10_000,
  attributesMilliseconds: 9_000,
  gaps: 0,
  ...given,
});
const polled = (given: Partial<Polled> = {}): Polled => ({ device: device(), command: row, cancel: false, ...given });
const view = (given: Partial<GatewayView> = {}): GatewayView => ({
  fleet: { paused: false, freezes: [] },
  rollout: { paused: false },
  site: { zone: "Europe/Berlin", command: row.id, done: [] },
  ...given,
});
const partner = (polledMilliseconds: number | undefined): Polled["device"] => ({
  ...device({ serial: "S-2001", hintMilliseconds: 300_000 }),
  ...(polledMilliseconds === undefined ? {} : { polledMilliseconds }),
});
const polledWith = (partners: Polled["partners"]): Polled => polled(partners === undefined ? {} : { partners });
const FREEZE = { name: "advent", from: "2026-11-29", to: "2026-11-29", reason: "advent" };
const frozen = { fleet: { paused: false, freezes: [FREEZE] } };
const second = { zone: "Europe/Berlin", command: row.id, done: ["S-2001"] };

describe("[S1] what may be given is a conjunction", () => {
  it("with every part true it is given, and shown as a link", () => {
    expect(mayGive(view(), polled(), START)).toBe(true);
    expect(answerPoll(view(), polled(), START)).toEqual({ configData: false, deployment: row.action });
    expect(deploymentFor(view(), polled(), row.action, START)).toEqual({ kind: "Give" });
  });

  it.each<[string, GatewayView | undefined, Polled, number]>([
    ["[G15] this replica is not fresh", undefined, polled(), START],
    ["[F3] there is no Fleet", { rollout: view().rollout!, site: view().site! }, polled(), START],
    ["the rollout is gone", { fleet: view().fleet!, site: view().site! }, polled(), START],
    ["the site is gone", { fleet: view().fleet!, rollout: view().rollout! }, polled(), START],
    ["[S1] the status names no command: an inventory restored from yesterday", view({ site: { zone: "UTC", done: [] } }), polled(), START],
    ["[S1] the status names another command", view({ site: { zone: "UTC", done: [], command: "another" } }), polled(), START],
    ["[G13] the Fleet is paused", view({ fleet: { paused: true, freezes: [] } }), polled(), START],
    ["[G13] the rollout is paused", view({ rollout: { paused: true } }), polled(), START],
    ["[S10] a person stopped the rollout", view({ rollout: { paused: false, stopped: "Person" } }), polled(), START],
    ["[S10] the rollout is superseded", view({ rollout: { paused: false, stopped: "Superseded" } }), polled(), START],
    ["[S10] failures stopped it", view({ rollout: { paused: false, stopped: "Failures" } }), polled(), START],
    ["[I3] a freeze covers the site's Sunday", view(frozen), polled(), START],
    [
      "[W6] a freeze of the site's own window covers its Sunday",
      view({ site: { ...view().site!, window: { freezes: [FREEZE] } } }),
      polled(),
      START,
    ],
    ["[W10] the window that it was planned by is gone", view({ site: { ...view().site!, window: "Gone" } }), polled(), START],
    ["[S11] the PoP that it is connected to is being rolled", view({ site: { ...view().site!, popRolling: "fra1" } }), polled(), START],
    ["[G15] the Fleet is being deleted", view({ fleet: { paused: false, freezes: [], deleting: true } }), polled(), START],
    ["[G15] the rollout is being deleted", view({ rollout: { paused: false, deleting: true } }), polled(), START],
    ["[G15] the site is being deleted", view({ site: { ...view().site!, deleting: true } }), polled(), START],
    [
      "[G15] what is being deleted is shown to nobody ahead",
      view({ rollout: { paused: false, deleting: true } }),
      polled({ device: device({ prefetches: true }) }),
      START - 1,
    ],
    ["[S13] it never said what it is", view(), polled({ device: withoutAge() }), START],
    [
      "[S13] what it said is older than one and a half of its hints",
      view(),
      polled({ device: device({ attributesMilliseconds: 15_001 }) }),
      START,
    ],
    ["[S12] it reports the version already, written otherwise", view(), polled({ device: device({ version: "18.3.3.0" }) }), START],
    ["it is to be dropped", view(), polled({ cancel: true }), START],
    ["[S1] the row was withdrawn", view(), polledWithoutRow(), START],
    ["[I3] 1 ms before its start", view(), polled(), START - 1],
    ["[I3] 1 ms after its last start", view(), polled(), END + 1],
    ["[S14] given and not proceeding, after its last start", view(), polled({ command: { ...row, state: "Given" } }), END + 1],
  ])("%s → nothing", (_why, seen, of, now) => {
    expect(answerPoll(seen, of, now).deployment).toBeUndefined();
    expect(deploymentFor(seen, of, row.action, now).kind).toBe("Nothing");
  });

  it("[S11] [W10] what a device has it finishes: neither a roll of its PoP nor a window that was deleted since hides it", () => {
    const given = polled({ command: { ...row, state: "Given" } });
    expect(mayGive(view({ site: { ...view().site!, popRolling: "fra1", window: "Gone" } }), given, START)).toBe(true);
  });

  it("[S13] what a poll offered does not vanish for the device that asks for it, also where its hint got shorter in between", () => {
    const [slow, near] = [
      device({ hintMilliseconds: 300_000, attributesMilliseconds: 450_000 }),
      device({ attributesMilliseconds: 450_100 }),
    ];
    expect(answerPoll(view(), polled({ device: slow }), START).deployment).toBe(row.action);
    expect(answerPoll(view(), polled({ device: near }), START), "at a poll it is asked what it is").toEqual({ configData: true });
    const asked = { fetching: { ordinaryMilliseconds: 300_000 } };
    expect(asksForView(polled({ device: near }), START, asked)).toBe(true);
    expect(deploymentFor(view(), polled({ device: near }), row.action, START, asked)).toEqual({ kind: "Give" });
    const old = polled({ device: device({ attributesMilliseconds: 1_000_000 }) });
    expect(deploymentFor(view(), old, row.action, START, asked).kind).toBe("Nothing");
  });

  it("[S1] what it was given is not hidden from it because it said nothing new of itself", () => {
    const given = polled({ command: { ...row, state: "Given" }, device: device({ attributesMilliseconds: 999_000 }) });
    expect(answerPoll(view(), given, START)).toEqual({ configData: true, deployment: row.action });
    expect(asksForView(given, START)).toBe(true);
  });

  it("[S1] both ends are inclusive, and another action is not the device's", () => {
    expect(deploymentFor(view(), polled(), row.action, END)).toEqual({ kind: "Give" });
    expect(deploymentFor(view(), polled(), row.action + 1, START).kind).toBe("Nothing");
  });

  it.each([
    ["a pause of the Fleet", view({ fleet: { paused: true, freezes: [] }, site: second }), true],
    ["a pause of the rollout", view({ rollout: { paused: true }, site: second }), true],
    ["a person's stop", view({ rollout: { paused: false, stopped: "Person" }, site: second }), true],
    ["a stop by failures", view({ rollout: { paused: false, stopped: "Failures" }, site: second }), false],
    ["a freeze", view({ ...frozen, site: second }), false],
  ])("[S8] the second Socket of a pair in hand, and %s: %s", (_what, seen, given) => {
    expect(mayGive(seen, polled(), START) === true).toBe(given);
  });

  it.each<[string, boolean, Polled["partners"]]>([
    ["polled 629,999 ms ago with a hint of 300 s", true, [partner(629_999)]],
    ["polled 630,001 ms ago with a hint of 300 s", false, [partner(630_001)]],
    ["never polled", false, [partner(undefined)]],
    ["is not known", false, []],
    ["was not asked about", false, undefined],
  ])("[S3] the other Socket of the pair %s: given %s", (_what, given, partners) => {
    const pair = view({ site: { ...view().site!, partners: ["S-2001"] } });
    expect(deploymentFor(pair, polledWith(partners), row.action, START).kind).toBe(given ? "Give" : "Nothing");
    expect(answerPoll(pair, polledWith(partners), START).deployment).toBe(given ? row.action : undefined);
  });

  it("[S1] what a device was given it is shown, whoever is away since", () => {
    const pair = view({ site: { ...view().site!, partners: ["S-2001"] } });
    const given = polled({ command: { ...row, state: "Given" } });
    expect(partnersAsked(pair, given)).toEqual([]);
    expect(deploymentFor(pair, given, row.action, START)).toEqual({ kind: "Give" });
  });

  it("[S14] what proceeds is shown until it is over, also after the end and to a replica that sees nothing: it reports by it", () => {
    const proceeding = polled({ command: { ...row, state: "Proceeding" } });
    expect(answerPoll(undefined, proceeding, END + 7_200_000).deployment).toBe(row.action);
    expect(deploymentFor(undefined, proceeding, row.action, END + 7_200_000)).toEqual({ kind: "InHand" });
  });

  it("[S13] before its start a device that fetches ahead is shown the deployment to fetch, any other none", () => {
    const ahead = polled({ device: device({ prefetches: true }) });
    expect(deploymentFor(view(), ahead, row.action, START - 1)).toEqual({ kind: "Ahead" });
    expect(deploymentFor(view(frozen), ahead, row.action, START - 1).kind).toBe("Nothing");
    expect(deploymentFor(view(), ahead, row.action, START)).toEqual({ kind: "Give" });
  });

  it("a cancel is shown while the device has not begun; what it has begun it is not asked to drop", () => {
    const given = polled({ cancel: true, command: { ...row, state: "Given" } });
    expect(answerPoll(view(), given, START)).toEqual({ configData: false, cancel: row.action });
    expect(answerPoll(view(), { ...given, command: { ...row, state: "Proceeding" } }, START)).toEqual({
      configData: false,
      deployment: row.action,
    });
  });

  it.each([
    ["Fleet", view({ fleet: { paused: false, freezes: [], deleting: true } })],
    ["rollout", view({ rollout: { paused: false, deleting: true } })],
    ["site", view({ site: { ...view().site!, deleting: true } })],
  ])("[S1] what a device was given, or proceeds with, goes on being shown while its %s is being deleted", (_what, seen) => {
    const given = polled({ command: { ...row, state: "Given" } });
    expect(answerPoll(seen, given, START)).toEqual({ configData: false, deployment: row.action });
    expect(deploymentFor(seen, given, row.action, START)).toEqual({ kind: "Give" });
    expect(deploymentFor(seen, polled({ command: { ...row, state: "Proceeding" } }), row.action, END + 1)).toEqual({ kind: "InHand" });
  });

  const WAITS = device({ prefetches: true });
  it.each<[string, Polled, number, number, boolean]>([
    ["[I15] of another action", polled({ command: { ...row, state: "Given" } }), row.action + 1, START, false],
    ["[I15] of no command", polledWithoutRow(), row.action, START, false],
    ["[S13] Open, for a device that does not wait by itself", polled(), row.action, START, false],
    ["[S13] Open, a day ahead, for one that does", polled({ device: WAITS }), row.action, START - 86_400_000, true],
    ["[S13] Open, at its last start", polled({ device: WAITS }), row.action, END, true],
    ["[S13] Open, 1 ms after its last start", polled({ device: WAITS }), row.action, END + 1, false],
    ["[S1] Given, after its last start: the device has it", polled({ command: { ...row, state: "Given" } }), row.action, END + 1, true],
    ["[S1] Proceeding", polled({ command: { ...row, state: "Proceeding" } }), row.action, END + 1, true],
    ["[S1] Withdrawn", polled({ command: { ...row, state: "Withdrawn" }, device: WAITS }), row.action, START, false],
  ])("the files of a command that is %s: %s", (_what, of, action, now, may) => {
    expect(mayFetch(of, action, now)).toBe(may);
  });

  it.each<[string, Polled, number, boolean]>([
    ["Given and to be dropped", polled({ cancel: true, command: { ...row, state: "Given" } }), row.action, true],
    ["of another number", polled({ cancel: true, command: { ...row, state: "Given" } }), row.action + 1, false],
    ["Given and wanted", polled({ command: { ...row, state: "Given" } }), row.action, false],
    ["Open: it is withdrawn", polled({ cancel: true }), row.action, false],
    ["Proceeding: it cannot drop it any more", polled({ cancel: true, command: { ...row, state: "Proceeding" } }), row.action, false],
    ["none", { ...polledWithoutRow(), cancel: true }, row.action, false],
  ])("[S14] the cancel of a command that is %s", (_what, of, action, shown) => {
    expect(isToDrop(of, action)).toBe(shown);
  });

  it.each<[string, Polled["device"], Partial<typeof row>, boolean]>([
    ["Succeeded, and it reports the version", device({ version: "18.3.3.0" }), { state: "Succeeded" }, true],
    ["Succeeded, and it reports another", device(), { state: "Succeeded" }, false],
    ["Proceeding, and it reports the version already", device({ version: "18.3.3" }), { state: "Proceeding" }, false],
    ["Failed, and it reports the version", device({ version: "18.3.3" }), { state: "Failed" }, false],
  ])("[S12] is installed what is %s: %s", (_what, reporting, state, is) => {
    expect(isInstalled(reporting, { ...row, ...state })).toBe(is);
  });

  it("[G15] the cluster is asked only for a row that may be due: not for each poll of an idle fleet", () => {
    expect(asksForView(polledWithoutRow(), START)).toBe(false);
    expect(asksForView(polled(), START - 1)).toBe(false);
    expect(asksForView(polled(), START)).toBe(true);
    expect(asksForView(polled(), END + 1)).toBe(false);
    expect(asksForView(polled({ command: { ...row, state: "Proceeding" } }), START)).toBe(false);
  });
});

describe("[S14] the hint", () => {
  const hints = { ordinary: 300_000, near: 10_000 };
  const plan = { from: START - 1_800_000, until: END, first: START };

  it("is 5 minutes, a tenth more or less and always the same for a serial; near its start 10 s", () => {
    const told = Array.from({ length: 200 }, (_, index) => hintFor(`S-${index}`, undefined, hints, START));
    expect([Math.min(...told), Math.max(...told)].map((hint) => Math.round(hint / 10_000))).toEqual([27, 33]);
    expect(new Set(told).size).toBeGreaterThan(50);
    expect(hintFor("S-1", undefined, hints, START)).toBe(hintFor("S-1", undefined, hints, END));
    const near = hintFor("S-1", plan, hints, START - 1_000_000);
    expect(near >= 9_000 && near <= 11_000).toBe(true);
    expect(hintFor("S-1", plan, hints, END)).toBe(hintFor("S-1", undefined, hints, END));
  });

  it("never leads past the planned start, and is whole seconds, at least one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000 }), fc.string({ minLength: 1, maxLength: 8 }), (before, serial) => {
        const hint = hintFor(serial, plan, hints, START - before);
        expect(hint % 1_000).toBe(0);
        expect(hint).toBeGreaterThanOrEqual(1_000);
        if (before > 0) expect(hint, "the poll falls within a second of the start, or before it").toBeLessThan(before + 1_000);
      }),
    );
  });
});

function withoutAge(): Polled["device"] {
  const { attributesMilliseconds: _, ...never } = device();
  return never;
}

function polledWithoutRow(): Polled {
  const { command: _, ...rest } = polled();
  return rest;
}
