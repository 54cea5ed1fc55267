import pico from "picocolors";
import { describe, expect, it } from "vitest";
import type { SocketSite } from "../../../api/socket-site.ts";
import type { LedgerEntry } from "../../../simulation/devices/device-ledger.ts";
import { BASE, SITES, TARGET, ZONES } from "./cast.ts";
import type { SocketLife } from "./ledgers.ts";
import { lookOf, pictureLines } from "./picture.ts";

const PLAIN = pico.createColors(false);
/** Sunday 01:30 in Tokyo, on the second of the three. */
const TOKYO_OPEN = Date.parse("2026-03-28T16:30:00Z");

const life = (version: string, given: { entry?: Partial<LedgerEntry>; isUp?: boolean } = {}, site = SITES[0]!): SocketLife => ({
  site,
  devices: site.sockets.map(({ serial }) => ({
    serial,
    version,
    isUp: given.isUp ?? true,
    ledger: {
      account: site.account,
      serial,
      entries: given.entry ? [{ action: 1, version: TARGET, versionBefore: BASE, toldAt: [0], ...given.entry }] : [],
      absences: [],
      polls: 0,
      offers: 0,
    },
  })),
});
const status = (upgrade: object | undefined, ha?: object): SocketSite => ({ status: { upgrade, ha } }) as unknown as SocketSite;

const seen = {
  now: TOKYO_OPEN,
  lives: () => SITES.map((site) => life(site.city === "Tokyo" ? TARGET : BASE, {}, site)),
  site: () => undefined,
  rollout: () => undefined,
};

describe("the picture of 200 sites", () => {
  it("has two columns of zones on 100 characters, each with its clock and a sign for each of its sites", () => {
    const lines = pictureLines(seen, 99, PLAIN);
    expect(lines[0]).toBe(`Sundays: ✔ 22 March  ▶ 29 March  · 5 April   18.3.3: not announced yet, 6 of 200 run it`);
    expect(lines.find((line) => line.includes("Tokyo"))).toMatch(/^Tokyo {9}Sun 01:30 ●●●●●● +Lisbon|^Tokyo {9}Sun 01:30 ●{6} /);
    expect(lines.join("\n").match(/○/g)).toHaveLength(SITES.length - 6 + 1);
    expect(lines).toHaveLength(2 + ZONES.length / 2 + 1);
  });

  it.each([10, 40, 60, 80, 99])("fits a terminal of %i characters", (width) => {
    expect(Math.max(...pictureLines(seen, width, PLAIN).map((line) => line.length))).toBeLessThanOrEqual(width);
  });

  it.each([
    ["runs the new version", life(TARGET), undefined, "●"],
    ["is installing", life(BASE, { isUp: false, entry: { ranFrom: 1 } }), undefined, "▶"],
    ["has a story", life(BASE), status(undefined, { story: {} }), "!"],
    ["was skipped", life(BASE), status({ step: "Skipped" }), "✗"],
    ["is planned", life(BASE), status({ step: "Announced", planned: { start: "2026-03-29T00:00:00Z" } }), "·"],
    ["is as before", life(BASE), status(undefined), "○"],
  ] as const)("a site that %s has a sign of its own", (_, one, site, sign) => {
    expect(lookOf(one, site)[0]).toBe(sign);
  });

  it("a pair of which one Socket is done is half a circle", () => {
    const pair = SITES.find(({ sockets }) => sockets.length === 2)!;
    const { site, devices } = life(BASE, {}, pair);
    expect(lookOf({ site, devices: [{ ...devices[0]!, version: TARGET }, devices[1]!] }, undefined)[0]).toBe("◐");
  });
});
