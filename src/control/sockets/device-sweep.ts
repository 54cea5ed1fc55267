import type { SocketSite } from "../../api/socket-site.ts";
import type { DeviceReport } from "../../core/socket/device.ts";
import { isConnected, isUnstable } from "../../core/socket-site/view.ts";
import { type Clock, sleep } from "../../runtime/clock.ts";
import type { Cache } from "../ports.ts";
import type { InventoryWatch } from "./inventory-watch.ts";
import { splitKey } from "../object-key.ts";
import type { SiteIndex } from "./site-index.ts";

export interface DeviceSweepSettings {
  readonly clock: Clock;
  readonly watch: InventoryWatch;
  readonly index: Pick<SiteIndex, "withSerial" | "accountOf">;
  readonly sites: Pick<Cache<SocketSite>, "get">;
  /** The site has to be looked at. */
  readonly wake: (key: string) => void;
}

const EVERY = 5 * 60_000;
const PAGE = 500;

/**
 * All devices from time to time, page by page: one that has fallen silent changes nothing in the inventory, so nobody hears of it. Looked
 * at are the sites alone whose status says otherwise (rule S4); at rest that is none.
 */
export class DeviceSweep {
  readonly #settings: DeviceSweepSettings;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(settings: DeviceSweepSettings) {
    this.#settings = settings;
  }

  start(): void {
    this.#cancel = this.#settings.clock.after(EVERY, () => void this.#sweep());
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  async #sweep(): Promise<void> {
    for (let after: string | undefined; !this.#stopped;) {
      const page = await this.#settings.watch.ask(undefined, (inventory) => inventory.devices(after, PAGE));
      const devices = page?.answer ?? [];
      for (const device of devices) this.#compare(device);
      after = devices.at(-1)?.serial;
      if (devices.length < PAGE) break;
      // An embedded inventory answers without a turn of the event loop: of 160,000 devices the lease would wait for all.
      await sleep(this.#settings.clock, 0);
    }
    if (!this.#stopped) this.start();
  }

  #compare(device: DeviceReport): void {
    const { index, sites, wake } = this.#settings;
    for (const key of index.withSerial(device.serial)) {
      const [namespace, name] = splitKey(key);
      // Of another account's device a site is shown nothing, so there is nothing to compare (rule I15).
      if (index.accountOf(namespace) !== device.account) continue;
      const told = sites.get(name, namespace)?.status?.sockets?.find(({ serial }) => serial === device.serial);
      const differs = told !== undefined && (told.connected !== isConnected(device) || (told.unstable ?? false) !== isUnstable(device));
      if (differs) wake(key);
    }
  }
}
