import { expect, it } from "vitest";
import { observation, OPEN } from "../../test/builders/observation.ts";
import type { PopClusterStatus } from "../api/pop-cluster.ts";
import { popNodeStatus } from "../api/pop-node-status.ts";
import type { FleetStatus } from "../api/fleet.ts";
import { socketRolloutSpec, type SocketRolloutStatus } from "../api/socket-rollout.ts";
import { decide as decideFleet } from "./fleet/decide.ts";
import { fleetOf, NOON } from "./fleet/fleet.examples.ts";
import { laterFields } from "./later-fields.ts";
import { decide } from "./pop-cluster/decide.ts";
import { decide as decideSockets } from "./socket-rollout/decide.ts";

it("[I21] what a schema does not know is told apart from what it does", () => {
  expect(laterFields(popNodeStatus, { name: "n1", step: "Done", rests: true })).toEqual({ rests: true });
  expect(laterFields(popNodeStatus, undefined)).toEqual({});
});

it("[I21] a status keeps a field that only a later version knows when it is written", () => {
  const later = { later: { by: "2.0.0" } } as PopClusterStatus;
  const seen = observation({ spec: { version: "2.0.0" } });
  const { status } = decide({ ...seen, pop: { ...seen.pop, status: { ...seen.pop.status, ...later } } }, OPEN);
  expect(status).toMatchObject(later);
});

it("[I21] so do the ledgers that are made anew at each look", () => {
  const later = { later: { by: "2.0.0" } };
  expect(decideFleet(fleetOf({}, [], { ...later } as FleetStatus), NOON).status).toMatchObject(later);
  const artifact = { url: "socket-18.3.3.swu", sha256: "a".repeat(64), size: 10 };
  const spec = socketRolloutSpec.parse({ version: "18.3.3", announcedAt: "2026-11-20T09:00:00Z", artifact });
  const decided = decideSockets(
    {
      rollout: { name: "r", uid: "u", generation: 1, createdAt: OPEN, spec, status: { ...later } as SocketRolloutStatus },
      others: [],
      fleetPaused: false,
      numbers: { sites: 1, inRamp: 1, offered: 0, attempted: 0, confirmed: 0, failed: 0, unreachable: 0 },
      waiting: new Map(),
      lateAsking: 0,
    },
    OPEN,
  );
  expect(decided.status).toMatchObject(later);
});
