import { socketRolloutSpec } from "../../api/socket-rollout.ts";
import type { RolloutView } from "./rollout-view.ts";

const ANNOUNCED = "2026-11-20T09:00:00Z";

/** 18.3.3 for every Socket from 16.0 on, seen as it was announced, its ramp at 100 % since then. */
export const rolloutView = (given: Partial<RolloutView> = {}): RolloutView => ({
  name: "socket-18-3-3",
  uid: "rollout-18-3-3",
  revision: "18.3.3-9f86d081",
  spec: socketRolloutSpec.parse({
    version: "18.3.3",
    announcedAt: ANNOUNCED,
    models: ["X1500", "X1600"],
    from: ">=16.0.0",
    artifact: { url: "https://artifacts.example.com/socket-18.3.3.swu", sha256: "9f86d081".repeat(8), size: 184_320_000 },
  }),
  announcedAt: Date.parse(ANNOUNCED),
  seenAt: Date.parse(ANNOUNCED),
  ramp: { step: 0, percent: 100, opened: [{ percent: 100, at: ANNOUNCED }] },
  accepted: true,
  measured: {},
  ...given,
});
