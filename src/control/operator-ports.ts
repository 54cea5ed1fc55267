import type { Clock } from "../runtime/clock.ts";
import type { ClientInventory } from "./client-inventory.ts";
import type { Inventory } from "./inventory.ts";
import type { Notices } from "./notices.ts";
import type { Cluster, EventSink, Forecast, Prober } from "./ports.ts";
import type { ReadSecret } from "./run-probe.ts";
import type { Sites } from "./sites.ts";
import type { Told } from "./told.ts";

/** All that the controllers reach the world by. */
export interface OperatorPorts {
  readonly clock: Clock;
  /** Chance, for jitter only. */
  readonly random: () => number;
  readonly hub: Cluster;
  readonly sites: Sites;
  readonly prober: Prober;
  readonly events: EventSink;
  readonly told: Told;
  readonly readSecret: ReadSecret;
  readonly namespace: string;
  readonly tzdata: string;
  readonly defaultPrometheus?: string | undefined;
  /** Looks ahead; without it no forecast stands in status. */
  readonly forecast?: Forecast;
  /** What is known of devices; without it no Socket is upgraded, and every SocketSite says so. */
  readonly inventory?: Inventory | undefined;
  /** What is known of Clients; without it no phase opens, and every ClientRollout says so. */
  readonly clients?: ClientInventory | undefined;
  /** Their numbers are read this often while a rollout is in flight; elapsed milliseconds, ten seconds when it is left out. */
  readonly clientsCountedEvery?: number | undefined;
  /** Sends notices to accounts; without it they stand in status alone, and count from there (rule W3). */
  readonly notices?: Notices | undefined;
}
