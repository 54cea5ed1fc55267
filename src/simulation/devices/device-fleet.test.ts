import { expect, it } from "vitest";
import { VirtualClock } from "../clock.ts";
import { DeviceFleet, planSites, siteDraft } from "./device-fleet.ts";
import { DirectGateway } from "./direct.ts";
import { MemoryInventory } from "./inventory.ts";

const PLAN = { sites: 1_000, zones: ["Europe/Berlin", "Asia/Tokyo"], mix: { offline: 0.1, prefetch: 0.2 }, seed: 5 } as const;

it("[G7] the same plan and seed give the same sites, with the shares that were asked for; another seed gives others", () => {
  const sites = planSites(PLAN);
  expect(planSites(PLAN)).toEqual(sites);
  expect(planSites({ ...PLAN, seed: 6 })).not.toEqual(sites);
  const sockets = sites.flatMap((site) => site.sockets);
  expect(sockets.length).toBeGreaterThan(1_500);
  expect(sockets.length).toBeLessThan(1_700);
  const share = (behaviour: string) => sockets.filter((socket) => socket.behaviour === behaviour).length / sockets.length;
  expect(share("offline")).toBeCloseTo(0.1, 1);
  expect(share("prefetch")).toBeCloseTo(0.2, 1);
  expect(siteDraft(sites[0]!)).toMatchObject({ kind: "SocketSite", metadata: { namespace: "acme" }, spec: { timeZone: "Europe/Berlin" } });
});

it("[I19] 1,600 Sockets poll for an hour on one timer at a time", async () => {
  const clock = new VirtualClock(Date.parse("2026-11-29T00:00:00Z"));
  const inventory = new MemoryInventory(() => clock.elapsed());
  const sites = planSites({ ...PLAN, mix: {} });
  for (const { account, sockets } of sites)
    for (const { serial } of sockets)
      await inventory.enroll({ serial, account, tokenHash: serial, at: clock.now(), oldTokensUntil: clock.now() });
  const hints = { ordinary: 300_000, near: 10_000 };
  const gatewayOf = (device: { readonly account: string; readonly serial: string }) =>
    new DirectGateway({ clock, inventory, hints, viewOf: () => Promise.resolve(undefined) }, device);
  const fleet = new DeviceFleet({ clock, sites, version: "17.2", gatewayOf });
  fleet.start();
  let most = 0;
  for (let minute = 0; minute < 60; minute += 1) {
    await clock.advance(60_000);
    most = Math.max(most, clock.pending);
  }
  fleet.stop();
  expect(most).toBeLessThanOrEqual(1);
  expect(Math.min(...fleet.ledgers().map(({ polls }) => polls))).toBeGreaterThanOrEqual(9);
  expect(clock.pending).toBe(0);
});
