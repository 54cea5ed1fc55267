import { describe, expect, it } from "vitest";
import type { MaintenanceWindow, MaintenanceWindowSpec } from "../../api/maintenance-window.ts";
import { maintenanceWindowStatus } from "../../api/maintenance-window.ts";
import { formatInstant, parseInstant } from "../time/instant.ts";
import { decideMaintenanceWindow } from "./decide.ts";

const NOW = parseInstant("2026-11-20T12:00Z")!;
const sunday: MaintenanceWindowSpec = {
  schedule: { weekly: [{ day: "Sunday", start: "01:00", duration: "4h" }], everyWeeks: 1 },
  timeZone: "Europe/Berlin",
};

function window(spec: Partial<MaintenanceWindowSpec>, status?: MaintenanceWindow["status"]): MaintenanceWindow {
  const metadata = { name: "pop-sunday", namespace: "fleet", uid: "u-1", resourceVersion: "1", generation: 3 };
  const object = { apiVersion: "rollward.dev/v1alpha1", kind: "MaintenanceWindow", metadata, spec: { ...sunday, ...spec } } as const;
  return status === undefined ? object : { ...object, status };
}

describe("MaintenanceWindow.status", () => {
  it("[W8] names the next five occurrences where the zone is fixed, and wakes when the first begins, then when it ends", () => {
    const decision = decideMaintenanceWindow({ window: window({}) }, NOW);
    expect(decision.status?.next?.map(({ localStart }) => localStart.slice(0, 10))).toEqual([
      "2026-11-22",
      "2026-11-29",
      "2026-12-06",
      "2026-12-13",
      "2026-12-20",
    ]);
    expect(decision.status).toMatchObject({
      observedGeneration: 3,
      conditions: [{ type: "Accepted", status: "True", observedGeneration: 3 }],
    });
    expect(formatInstant(decision.wakeAt!)).toBe("2026-11-22T00:00:00Z");
    const open = decideMaintenanceWindow({ window: window({}) }, decision.wakeAt!);
    expect(open.status?.next?.[0]?.note).toBe("open now");
    expect(formatInstant(open.wakeAt!)).toBe("2026-11-22T04:00:00Z");
  });

  it("[W8] a local window shows no occurrences: those who use it show theirs", () => {
    const decision = decideMaintenanceWindow({ window: window({ timeZone: "Local" }) }, NOW);
    expect(decision.status).not.toHaveProperty("next");
    expect(decision.wakeAt).toBeUndefined();
  });

  it("[G11] the same again an hour later gives an equal status", () => {
    const first = decideMaintenanceWindow({ window: window({}), tooShortFor: ["b", "a"] }, NOW).status!;
    const again = decideMaintenanceWindow({ window: window({}, first), tooShortFor: ["a", "b"] }, NOW + 3_600_000);
    expect(again.status).toEqual(first);
    expect(again.events).toEqual([]);
  });

  it("[W10] what cannot be read is Accepted=False, WindowInvalid, with the sentence, and heals when corrected", () => {
    const bad = decideMaintenanceWindow({ window: window({ timeZone: "Europe/Berln" }) }, NOW);
    expect(bad.status).not.toHaveProperty("next");
    expect(bad.status?.conditions).toMatchObject([
      {
        status: "False",
        reason: "WindowInvalid",
        message:
          'spec.timeZone: "Europe/Berln" is no known time zone; write Europe/Berlin; nothing starts by this window until that is corrected',
      },
    ]);
    expect(bad.holds).toMatchObject([{ rule: "W10", reason: "WindowInvalid" }]);
    expect(bad.events).toMatchObject([{ type: "Warning", reason: "WindowInvalid" }]);
    const healed = decideMaintenanceWindow({ window: window({}, bad.status) }, NOW + 1_000);
    expect(healed.status?.conditions).toMatchObject([{ status: "True", lastTransitionTime: "2026-11-20T12:00:01Z" }]);
    expect(healed.events).toMatchObject([{ type: "Normal", reason: "Accepted" }]);
  });

  it("[W4] lists those for which it is too short, at most 20 entries", () => {
    const names = Array.from({ length: 30 }, (_, index) => `pop-${String(index).padStart(2, "0")}`);
    const listed = decideMaintenanceWindow({ window: window({}), tooShortFor: names.toReversed() }, NOW).status!.tooShortFor!;
    expect(listed).toHaveLength(20);
    expect([listed[0], listed[19]]).toEqual(["pop-00", "and 11 more"]);
  });

  it("keeps to its schema", () => {
    for (const spec of [{}, { timeZone: "Nowhere" }, { freezes: [{ name: "f", from: "2026-11-01", to: "2026-12-31" }] }]) {
      const { status } = decideMaintenanceWindow({ window: window(spec), tooShortFor: ["a"] }, NOW);
      expect(maintenanceWindowStatus.parse(status)).toEqual(status);
    }
  });
});
