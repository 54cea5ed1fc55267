import { stableFraction } from "../../core/window/spread.ts";
import type { ClientDevice, Fate, FateOf } from "./client-device.ts";

/** What is wrong with a version: on which share of the computers it fails, and on which it only says that it runs. */
export interface Fault {
  readonly fails?: number;
  readonly onlySays?: number;
  /** Of these computers alone; left out: of all. */
  readonly where?: (client: ClientDevice) => boolean;
}

const RUNS: Fate = { ends: "Runs" };
/** As installers of Windows say it: a fatal error during installation. */
const FATAL = 1603;

/** By version; one that is not named runs everywhere. A computer on which a version fails is one on which it fails each time. */
export const faultsOf =
  (faults: Readonly<Record<string, Fault>>): FateOf =>
  (client, version) => {
    const fault = faults[version];
    if (fault === undefined || fault.where?.(client) === false) return RUNS;
    const { fails = 0, onlySays = 0 } = fault;
    const drawn = stableFraction(JSON.stringify([version, client.account, client.device]));
    if (drawn < fails) return { ends: "Fails", errorCode: FATAL };
    return drawn < fails + onlySays ? { ends: "OnlySays" } : RUNS;
  };
