import { API_VERSION } from "../../../src/api/common.ts";
import type { PopRollout } from "../../../src/api/pop-rollout.ts";
import { POP_ROLLOUT } from "../../../src/api/resources.ts";
import type { Draft } from "../../../src/control/ports.ts";
import { FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import type { RealWorld } from "../rolls/real-world.ts";

/** A rollout as a release engineer creates it. */
export const release = (world: RealWorld, name: string, spec: object): Promise<PopRollout> =>
  world.apply<PopRollout>(POP_ROLLOUT, {
    apiVersion: API_VERSION,
    kind: "PoPRollout",
    metadata: { name, namespace: FLEET_NAMESPACE },
    spec: { requestedBy: "release-engineer@example.com", announcedAt: "2026-11-13T12:00:00Z", ...spec },
  } as unknown as Draft<PopRollout>);

export async function rolloutOf(world: RealWorld, name: string): Promise<PopRollout> {
  const found = await world.cluster.get<PopRollout>(POP_ROLLOUT, name, FLEET_NAMESPACE);
  if (!found) throw new Error(`there is no PoPRollout ${name}`);
  return found;
}
