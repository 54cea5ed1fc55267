import { expect, test } from "vitest";
import { VirtualClock } from "../simulation/clock.ts";
import { Health } from "./health.ts";

test("liveness follows the event loop's beat: dead after 15 s without one, and nothing else matters to it", async () => {
  const clock = new VirtualClock(0);
  const health = new Health({ clock });
  health.require("caches", () => "PoPClusters are not synced");
  health.start();
  await clock.advance(3_600_000);
  expect(health.liveness().ok).toBe(true);
  health.stop();
  await clock.advance(15_500);
  expect(health.liveness()).toEqual({ ok: false, problems: ["the event loop has not come round for 15500 ms, the limit is 15000 ms"] });
});

test("readiness names everything that is missing, and is asked anew each time", () => {
  const health = new Health({ clock: new VirtualClock(0) });
  let synced = false;
  health.require("caches", () => (synced ? undefined : "PoPClusters are not synced"));
  const removed = health.require("leader", () => "no leader is known");
  expect(health.readiness()).toEqual({ ok: false, problems: ["caches: PoPClusters are not synced", "leader: no leader is known"] });
  synced = true;
  removed();
  expect(health.readiness()).toEqual({ ok: true, problems: [] });
});
