import { SOCKET_SITE, type SocketSite } from "../../api/socket-site.ts";
import type { Draft } from "../../control/ports.ts";
import type { Clock } from "../../runtime/clock.ts";
import { seededRandom } from "../clock.ts";
import { Agenda } from "./agenda.ts";
import { type Behaviour, BEHAVIOURS, type DeviceTimes } from "./behaviour.ts";
import { Device } from "./device.ts";
import type { DeviceGateway } from "./device-gateway.ts";
import type { DeviceLedger } from "./device-ledger.ts";
import { PairLink } from "./pair-link.ts";

/** One site as it is planned: what stands in its SocketSite, and how its Sockets behave. */
export interface PlannedSite {
  readonly namespace: string;
  readonly name: string;
  readonly account: string;
  readonly timeZone: string;
  readonly model: string;
  readonly pop?: string;
  readonly sockets: readonly { readonly serial: string; readonly role: "Primary" | "Secondary"; readonly behaviour: Behaviour }[];
}

export interface SitePlan {
  readonly sites: number;
  /** Taken in turn, so that every zone has its share. */
  readonly zones: readonly string[];
  /** Share of the sites that have two Sockets; 0.6 unless told. */
  readonly pairs?: number;
  /** Taken in turn; each is a namespace of the same name. */
  readonly accounts?: readonly string[];
  readonly models?: readonly string[];
  /** Taken in turn as the PoP that a site is connected to. */
  readonly pops?: readonly string[];
  /** Share of the Sockets that behave so; the others are `ok`. */
  readonly mix?: Readonly<Partial<Record<Behaviour, number>>>;
  readonly seed?: number;
}

/** The sites of a plan: the same plan and seed give the same sites. */
export function planSites({
  sites,
  zones,
  pairs = 0.6,
  accounts = ["acme"],
  models = ["X1600"],
  pops = [],
  mix = {},
  seed = 1,
}: SitePlan): PlannedSite[] {
  const random = seededRandom(seed);
  const inTurn = <Value>(values: readonly Value[], index: number): Value => values[index % values.length]!;
  return Array.from({ length: sites }, (_, index): PlannedSite => {
    const account = inTurn(accounts, index);
    const name = `site-${String(index).padStart(5, "0")}`;
    const serials = [`S-${String(index).padStart(5, "0")}-1`, ...(random() < pairs ? [`S-${String(index).padStart(5, "0")}-2`] : [])];
    return {
      namespace: account,
      name,
      account,
      timeZone: inTurn(zones, index),
      model: inTurn(models, index),
      ...(pops.length > 0 ? { pop: inTurn(pops, index) } : {}),
      sockets: serials.map((serial, nth) => ({
        serial,
        role: nth === 0 ? "Primary" : "Secondary",
        behaviour: drawn(mix, random()),
      })),
    };
  });
}

function drawn(mix: NonNullable<SitePlan["mix"]>, at: number): Behaviour {
  let sum = 0;
  for (const behaviour of BEHAVIOURS) {
    sum += mix[behaviour] ?? 0;
    if (at < sum) return behaviour;
  }
  return "ok";
}

/** The object that a customer writes for a planned site. */
export const siteDraft = ({ namespace, name, timeZone, sockets, model }: PlannedSite): Draft<SocketSite> => ({
  apiVersion: SOCKET_SITE.apiVersion,
  kind: "SocketSite",
  metadata: { namespace, name },
  spec: { timeZone, sockets: sockets.map(({ serial, role }) => ({ serial, role, model })) },
});

export interface DeviceFleetSettings {
  readonly clock: Clock;
  readonly sites: readonly PlannedSite[];
  /** What every Socket runs at first. */
  readonly version: string;
  readonly gatewayOf: (device: { readonly account: string; readonly serial: string }) => DeviceGateway;
  readonly times?: Partial<DeviceTimes>;
  /** What devices do within one slot they do together; elapsed milliseconds. */
  readonly slotMilliseconds?: number;
  /** Calls under way at once. */
  readonly inFlight?: number;
  readonly seed?: number;
}

/** The Sockets of many sites, on one agenda. */
export class DeviceFleet {
  readonly devices: ReadonlyMap<string, Device>;
  /** The Sockets of each site, by `<namespace>/<name>`. */
  readonly bySite: ReadonlyMap<string, readonly Device[]>;
  readonly #agenda: Agenda;
  readonly #settings: DeviceFleetSettings;

  constructor(settings: DeviceFleetSettings) {
    this.#settings = settings;
    this.#agenda = new Agenda(settings);
    this.bySite = new Map(settings.sites.map((site, index) => [`${site.namespace}/${site.name}`, this.#devicesOf(site, index)]));
    this.devices = new Map([...this.bySite.values()].flat().map((device) => [device.serial, device]));
  }

  /** The first polls are spread over the interval. */
  start(withinMilliseconds?: number): void {
    for (const device of this.devices.values()) device.start(withinMilliseconds);
  }

  stop(): void {
    this.#agenda.stop();
    for (const device of this.devices.values()) device.stop();
  }

  ledgers(): readonly DeviceLedger[] {
    return [...this.devices.values()].map(({ ledger }) => ledger);
  }

  device(serial: string): Device {
    const device = this.devices.get(serial);
    if (device === undefined) throw new Error(`The device fleet has no Socket ${serial}; it has ${this.devices.size} others.`);
    return device;
  }

  #devicesOf({ account, model, pop, sockets }: PlannedSite, index: number): Device[] {
    const { clock, version, gatewayOf, times, seed = 1 } = this.#settings;
    const link = new PairLink(sockets.map(({ serial }) => serial));
    return sockets.map(
      ({ serial, behaviour }, nth) =>
        new Device({
          account,
          serial,
          model,
          version,
          behaviour,
          link,
          clock,
          agenda: this.#agenda,
          gateway: gatewayOf({ account, serial }),
          seed: seed * 1_000_003 + index * 2 + nth,
          ...(pop === undefined ? {} : { pop }),
          ...(times === undefined ? {} : { times }),
        }),
    );
  }
}
