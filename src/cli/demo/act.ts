import type { Cluster } from "../../control/ports.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { PlannedClients } from "../../simulation/clients/client-field.ts";
import type { PlannedSite } from "../../simulation/devices/device-fleet.ts";
import type { CastPop, Tempo } from "./cast.ts";
import type { Narrator } from "./narrator.ts";
import type { Rhythm } from "./rhythm.ts";
import type { Stage } from "./stage.ts";
import type { Telling } from "./telling.ts";

/** One scene: what happens in it, what is claimed of it. */
export interface Chapter<P> {
  readonly title: string;
  readonly story: string;
  run(play: P): Promise<void>;
}

/** What an act needs to be set up before its first chapter. */
export interface Setting {
  readonly pops: readonly CastPop[];
  /** The calendar when the curtain rises, milliseconds since the epoch. */
  readonly curtain: number;
  /** Namespaces of customer accounts, beside the fleet's and the data plane's. */
  readonly accounts: readonly string[];
  readonly tempos: { readonly usual: Tempo; readonly fast: Tempo; readonly embedded: Tempo };
  /** On a real API server: how often virtual nodes say that they live, and after how long a silent one counts as dead. */
  readonly heartbeatMilliseconds: number;
  readonly nodeMonitorGraceSeconds: number;
  rhythm(cluster: Cluster, clock: Clock): Rhythm;
  /** Sockets in the field, and what they run at first; the operator then has an inventory and sends notices. In memory only. */
  readonly sockets?: { readonly sites: readonly PlannedSite[]; readonly version: string };
  /** Clients of users, and how often the operator reads what is counted of them, elapsed milliseconds. In memory only. */
  readonly clients?: PlannedClients & { readonly countedEvery: number };
}

export interface Act<P extends Telling = Telling> {
  readonly number: 1 | 2 | 3 | 4;
  readonly title: string;
  /** Why it is played in memory, whatever stage the others are played on; absent: it is not. */
  readonly inMemory?: string;
  readonly setting: Setting;
  readonly chapters: readonly Chapter<P>[];
  /** Zones whose clocks stand in the headings. */
  readonly clocks: readonly string[];
  /** Words after `kubectl` and after `rollward` with which anybody can look for himself. */
  readonly look: { readonly kubectl: readonly string[]; readonly rollward: readonly string[] };
  begin(stage: Stage, narrator: Narrator): P;
}
