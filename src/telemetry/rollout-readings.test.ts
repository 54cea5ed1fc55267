import { expect, it } from "vitest";
import { rolloutReadings } from "./rollout-readings.ts";

const labels = { kind: "PoPRollout", name: "r-2" };
const info = { name: "rollout_info", labels: { ...labels, version: "2.0.0" }, value: 1 };
const waits = (value: number) => ({ name: "rollout_waits_until_timestamp_seconds", labels: { ...labels, reason: "Baking" }, value });

it("a rollout tells its version, and the first of its reasons with until when; 0 where nobody knows, nothing where it waits for nothing", () => {
  const until = "2026-11-29T00:00:00Z";
  const paused = { reason: "Paused" };
  expect(rolloutReadings(labels, "2.0.0", [{ reason: "Baking", until }, paused])).toEqual([info, waits(Date.parse(until) / 1_000)]);
  expect(rolloutReadings(labels, "2.0.0", [{ reason: "Baking" }])).toEqual([info, waits(0)]);
  expect(rolloutReadings(labels, "2.0.0", [])).toEqual([info]);
  expect(rolloutReadings(labels, "2.0.0", [{ reason: "free text is no label" }])).toEqual([info]);
});
