import type { Cluster } from "../../control/ports.ts";
import { atItsAddress } from "../../simulation/load/door.ts";
import { HttpRuntime } from "../../simulation/nodes/http-runtime.ts";
import { NodeFleet } from "../../simulation/nodes/node-fleet.ts";
import { EXIT } from "../exit-codes.ts";
import { Refusal } from "../refusal.ts";
import type { OpenNodes } from "./node-ground.ts";
import type { DemoPorts } from "./ports.ts";

/** Virtual nodes in this process, whose pods are real sockets on 127.x addresses. */
export const virtualGround =
  (ports: DemoPorts, kubeconfig: string, heartbeatMilliseconds: number): OpenNodes =>
  async (clock) => {
    const cluster = await connectAs(ports, kubeconfig);
    const missingImages = new Set<string>();
    const nodes = new NodeFleet({
      cluster,
      clock,
      // The API server and its controllers live by the machine's time, whatever the calendar of the operator shows.
      wallClock: Date.now,
      runtime: new HttpRuntime(clock),
      heartbeatMilliseconds,
      isMissing: (image) => missingImages.has(image),
    });
    const end = async (): Promise<void> => {
      await nodes.stop();
      await cluster.close();
    };
    return { nodes, doorOf: atItsAddress, enter: [], missingImages, end };
  };

/** A kubeconfig that cannot be used is the command line's fault, not ours. */
export async function connectAs(ports: DemoPorts, kubeconfig: string): Promise<Cluster> {
  try {
    return await ports.connect(kubeconfig);
  } catch (error) {
    throw new Refusal(EXIT.badInput, error instanceof Error ? error.message : String(error));
  }
}
