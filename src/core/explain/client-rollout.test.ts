import { expect, it } from "vitest";
import { clientRollout } from "../client/client.examples.ts";
import { counted, RolloutWorld } from "../client-rollout/rollout-world.examples.ts";
import { DAY, WEEK } from "../time/civil.ts";
import { explainClientRollout } from "./client-rollout.ts";

const MONDAY = Date.parse("2026-11-02T09:00:00Z");
const section = (world: RolloutWorld, title: string) =>
  explainClientRollout(world.rollout).sections.find((one) => one.title === title)?.lines ?? [];
const summary = (world: RolloutWorld) => explainClientRollout(world.rollout).summary;

it("no status yet: nobody has looked", () => {
  expect(explainClientRollout(clientRollout()).summary).toBe(
    "ClientRollout windows-5-12-3 (Windows 5.12.3) has no status yet: no operator has looked at it",
  );
});

it("[G2] a rollout tells at each stage what it waits for and until when, and its honest numbers", () => {
  const world = new RolloutWorld({
    spec: { endOfSupport: "2027-11-01T09:00:00Z", floors: [{ version: "5.0", reason: "the settings change" }] },
  });
  world.numbers = new Map([["pilot", counted(80, 0, { unreachable: 4 })]]);
  world.look(MONDAY);
  expect(summary(world)).toBe("ClientRollout windows-5-12-3 (Windows 5.12.3) is with its pilots");
  expect(section(world, "Waits for")).toEqual([
    "1. NoticeNotElapsed (rule C2): the general rollout of 5.12.3 was promised for later; not before 2026-11-23T09:00:00Z",
  ]);
  expect(section(world, "Stages")).toEqual([
    "pilot from 2026-11-02T09:00:00Z: 80 eligible, 80 offered, 80 attempted, 80 confirmed, 0 failed, 4 unreachable",
  ]);
  expect(section(world, "Forecast")).toEqual([
    "Phase 1 opens 2026-11-23T09:00:00Z, if nothing fails.",
    "Phase 2 opens 2026-11-26T09:00:00Z, if nothing fails.",
    "Phase 3 opens 2026-12-01T09:00:00Z, if nothing fails.",
    "Everybody is reached and judged 2026-12-08T09:00:00Z.",
    "Its support ends in 52 weeks: 2027-11-01T09:00:00Z.",
  ]);
  expect(section(world, "Rules")).toEqual([
    "It pauses by itself when failures show, beyond chance, that more than 2 % of the devices fail.",
    "Devices older than 5.0 go there first: the settings change.",
  ]);
  world.numbers = new Map([...world.numbers, ["phase-1", counted(300)]]);
  world.until(MONDAY, MONDAY + 3 * WEEK + DAY);
  expect(summary(world)).toBe("ClientRollout windows-5-12-3 (Windows 5.12.3) is in phase 1: 20 % of the users of 5 % of the accounts");
  expect(section(world, "Stages")[0]).toContain("to 2026-11-23T09:00:00Z (its evidence passed)");
});

it("[C5] who holds it is told, and that a gateway has not confirmed yet; stopped it says why", () => {
  const world = new RolloutWorld();
  world.numbers = new Map([["pilot", counted(80)]]);
  world.look(MONDAY);
  world.edit({ requested: "Paused", reason: "a report from the field" });
  world.around = { replicas: [{ name: "gateway-b", silentMilliseconds: 0, confirmed: 0 }] };
  world.look(MONDAY + DAY);
  expect(section(world, "Held by")).toEqual([
    "Provider: a report from the field",
    "Not confirmed by every gateway yet: a report from the field; it is obeyed, and not confirmed yet by gateway-b",
  ]);
  world.edit({ requested: "Stopped", reason: "crash on resume" });
  world.look(MONDAY + 2 * DAY);
  expect(summary(world)).toBe("ClientRollout windows-5-12-3 (Windows 5.12.3) offers nothing any more: crash on resume");
});

it("[C6] a fixed version names what it mends and who comes first", () => {
  const faulty = new RolloutWorld();
  faulty.numbers = new Map([
    ["pilot", counted(80)],
    ["phase-1", counted(300)],
  ]);
  faulty.until(MONDAY, MONDAY + 3 * WEEK + DAY);
  const fix = new RolloutWorld({ name: "windows-5-12-4", spec: { version: "5.12.4", supersedes: { name: "windows-5-12-3" } } });
  fix.others = [faulty.rollout];
  fix.numbers = new Map([["exposed", counted(30)]]);
  fix.look(MONDAY + 4 * WEEK);
  expect(summary(fix)).toBe("ClientRollout windows-5-12-4 (Windows 5.12.4) goes to the devices on 5.12.3 first");
  expect(section(fix, "Mends")).toEqual(["Chain: windows-5-12-3, then windows-5-12-4."]);
  expect(section(fix, "Rules")).toContain("Nobody else gets it before the devices on the faulty version did.");
});
