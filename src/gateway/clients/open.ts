import type { ClientCheckIns } from "../../control/client-inventory.ts";
import type { DeviceInventory } from "../../control/inventory.ts";
import type { Cluster } from "../../control/ports.ts";
import type { Clock } from "../../runtime/clock.ts";
import { Artifacts } from "../artifacts.ts";
import type { Log } from "../log.ts";
import { ClientGateway, type ClientGatewaySettings } from "./client-gateway.ts";
import { Directories } from "./directories.ts";
import { NewClients } from "./new-clients.ts";
import { ClusterClientViews } from "./views.ts";

export interface OpenClientsSettings extends Pick<ClientGatewaySettings, "appId" | "limits"> {
  readonly inventory: Pick<DeviceInventory, "authenticate">;
  readonly checkIns: ClientCheckIns;
  readonly hub: Pick<Cluster, "get" | "list">;
  /** The fleet namespace. */
  readonly namespace: string;
  /** The name of this replica, unlike every other's. */
  readonly replica: string;
  /** The folder of artifacts that the gateway serves itself. */
  readonly artifacts?: string;
  /** Devices of one account at most (default 200,000). */
  readonly perAccount?: number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface OpenClients {
  readonly gateway: ClientGateway;
  /** Call it when nobody is answered any more: it writes what is not written yet, and takes leave. */
  close(): Promise<void>;
}

/** What answers Clients, with its own look at the cluster, that begins at once. */
export function openClients(settings: OpenClientsSettings): OpenClients {
  const { checkIns, clock, perAccount, artifacts } = settings;
  const directories = new Directories(checkIns);
  const newClients = new NewClients(() => clock.elapsed(), perAccount);
  const views: ClusterClientViews = new ClusterClientViews({
    ...settings,
    missing: () => gateway.missing(),
    alongside: async () => {
      // Waited for by nobody: a large file takes longer to read than a sign of life may.
      void gateway.lookAtFiles();
      await Promise.all([directories.look(), newClients.count(checkIns)]);
    },
  });
  const gateway: ClientGateway = new ClientGateway({ ...settings, views, directories, newClients, artifacts: new Artifacts(artifacts) });
  views.start();
  return {
    gateway,
    close: async () => {
      await gateway.close();
      await views.stop();
    },
  };
}
