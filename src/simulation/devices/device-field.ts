import type { PollHints } from "../../core/socket/answer.ts";
import type { CommandRow } from "../../core/socket/command.ts";
import type { World } from "../world.ts";
import { countedGateway } from "./counted-gateway.ts";
import { DeviceFleet, type PlannedSite } from "./device-fleet.ts";
import { gatewayViewOf } from "./gateway-view.ts";
import { DirectGateway } from "./direct.ts";

/** What the receiver of an account took, and when; calendar instants. */
export interface TakenNotice {
  /** `<namespace>/<name>` of the site. */
  readonly site: string;
  readonly kind: string;
  readonly version: string | undefined;
  readonly message: string;
  readonly takenAt: number;
}

/** Sockets rarer than the standard's pace: what is shown are weeks, and not their polls. */
const HINTS: PollHints = { ordinary: 10 * 60_000, near: 30_000 };

/** The Sockets of a world in memory, behind an honest gateway, and the receiver of their accounts' notices. */
export class DeviceField {
  readonly devices: DeviceFleet;
  /** In the order in which they were taken, each once. */
  readonly notices: TakenNotice[] = [];
  readonly #world: World;
  readonly #sites: readonly PlannedSite[];

  /** Every Socket runs `version` at first; nothing polls before `start`. */
  constructor(world: World, sites: readonly PlannedSite[], version: string) {
    this.#world = world;
    this.#sites = sites;
    const { clock, inventory, watch } = world;
    const viewOf = (row: CommandRow) => Promise.resolve(gatewayViewOf(world.store, row));
    this.devices = new DeviceFleet({
      clock,
      sites,
      version,
      slotMilliseconds: 5_000,
      gatewayOf: (device) => {
        const gateway = new DirectGateway({ clock, inventory, hints: HINTS, viewOf }, device);
        return watch === undefined ? gateway : countedGateway(gateway, watch);
      },
    });
    this.#listen();
  }

  /** Binds every serial to its account, as the provider does when it delivers, and plugs all of them in. */
  async start(): Promise<void> {
    const { inventory, clock } = this.#world;
    for (const { account, sockets } of this.#sites) {
      for (const { serial } of sockets) {
        const at = clock.now();
        await inventory.enroll({ serial, account, tokenHash: `token of ${serial}`, at, oldTokensUntil: at });
      }
    }
    this.devices.start();
  }

  /** Receivers that are away take nothing; who sends to them tries again. */
  setReceivers(are: "There" | "Away"): void {
    this.#world.sink.blocked = are === "Away";
  }

  /** The sink forgets when: what counts for 48 hours of notice is when it was taken, not when somebody says that he sent it. */
  #listen(): void {
    const { sink, clock } = this.#world;
    const send = sink.send.bind(sink);
    sink.send = async (notice) => {
      const isNew = !sink.received.has(notice.id);
      const took = await send(notice);
      const { site, kind, version, message } = notice;
      if (took && isNew) this.notices.push({ site: `${site.namespace}/${site.name}`, kind, version, message, takenAt: clock.now() });
      return took;
    };
  }
}
