import { describe, expect, it } from "vitest";
import type { LedgerEntry } from "../../../simulation/devices/device-ledger.ts";
import { BASE, SITES, TARGET } from "./cast.ts";
import { isInWindow, overlapsOf, type SocketLife, wrongFirsts } from "./ledgers.ts";

const PAIR = SITES.find(({ sockets }) => sockets.length === 2)!;
const entry = (given: Partial<LedgerEntry>): LedgerEntry => ({ action: 1, version: TARGET, versionBefore: BASE, toldAt: [0], ...given });
const pair = (...entries: readonly LedgerEntry[]): SocketLife => ({
  site: PAIR,
  devices: PAIR.sockets.map(({ serial }, nth) => ({
    serial,
    version: BASE,
    isUp: true,
    ledger: { account: PAIR.account, serial, entries: entries.slice(nth, nth + 1), absences: [], polls: 0, offers: 0 },
  })),
});

describe("what the ledgers of Sockets say", () => {
  it.each([
    ["2026-03-29T00:59:59Z", false],
    ["2026-03-29T01:00:00Z", true],
    ["2026-03-29T01:59:59Z", true],
    ["2026-03-29T02:00:00Z", false],
    ["2026-03-22T01:00:00Z", true],
    ["2026-03-23T01:30:00Z", false],
  ])("[W1a] %s is inside the window of London on the night of the clock change and before: %s", (at, inside) => {
    expect(isInWindow("Europe/London", Date.parse(at))).toBe(inside);
  });

  it("[I4] finds both Sockets told at once, also when the first one never said how it ended", () => {
    const first = entry({ ranFrom: 100, ranUntil: 200, outcome: "Installed" });
    expect(overlapsOf(pair(first, entry({ toldAt: [200], ranFrom: 250, ranUntil: 300, outcome: "Installed" })))).toEqual([]);
    expect(overlapsOf(pair(first, entry({ toldAt: [199], ranFrom: 250, ranUntil: 300, outcome: "Installed" })))).toHaveLength(1);
    expect(overlapsOf(pair(entry({}), entry({ toldAt: [1_000], outcome: "Failed", ranFrom: 1_100, ranUntil: 1_200 })))).toHaveLength(1);
  });

  it("[S2] finds the one that carried the traffic told first", () => {
    const standby = entry({ toldAt: [10], wasActive: false });
    expect(wrongFirsts(pair(entry({ toldAt: [20], wasActive: true }), standby))).toEqual([]);
    expect(wrongFirsts(pair(entry({ toldAt: [5], wasActive: true }), standby))).toHaveLength(1);
  });
});
