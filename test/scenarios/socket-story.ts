import { ACCOUNT_POLICY, type AccountPolicy, type AccountPolicySpec } from "../../src/api/account-policy.ts";
import type { Fleet, FleetSpec } from "../../src/api/fleet.ts";
import type { MaintenanceWindow } from "../../src/api/maintenance-window.ts";
import type { PopCluster } from "../../src/api/pop-cluster.ts";
import { ACCOUNT_LABEL } from "../../src/api/names.ts";
import { FLEET, MAINTENANCE_WINDOW, POP_CLUSTER } from "../../src/api/resources.ts";
import { SOCKET_ROLLOUT, type SocketRollout, type SocketRolloutSpec } from "../../src/api/socket-rollout.ts";
import { SOCKET_SITE, type SocketSite, type SocketSiteSpec } from "../../src/api/socket-site.ts";
import { NAMESPACE } from "../../src/control/kinds.ts";
import type { Draft, Kind, KubernetesObject } from "../../src/control/ports.ts";
import type { GatewayView } from "../../src/core/socket/answer.ts";
import type { CommandRow } from "../../src/core/socket/command.ts";
import type { AuditEntry } from "../../src/simulation/cluster/store.ts";
import { DeviceFleet, type PlannedSite, siteDraft } from "../../src/simulation/devices/device-fleet.ts";
import { gatewayViewOf } from "../../src/simulation/devices/gateway-view.ts";
import { DirectGateway, type DirectGatewaySettings } from "../../src/simulation/devices/direct.ts";
import { FLEET_NAMESPACE, fleetDraft, popDraft, type PopOptions, sundayWindow, World } from "../../src/simulation/world.ts";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** As the standard says, but rarer: a story of weeks is not of polls. */
const HINTS = { ordinary: 5 * MINUTE, near: 30 * SECOND };

export interface SocketStoryOptions {
  readonly start: string;
  readonly sites: readonly PlannedSite[];
  /** Sites whose Sockets are in the field, and that join later. */
  readonly more?: readonly PlannedSite[];
  /** What the Sockets run at first; default 17.2. */
  readonly version?: string;
  /** Default: one channel. "None": notices stand in status alone. */
  readonly channels?: "None";
  readonly fleet?: Partial<FleetSpec>;
  readonly policy?: Partial<AccountPolicySpec>;
  /** PoPs with two nodes each, by their names. */
  readonly pops?: Readonly<Record<string, PopOptions>>;
  /** A gateway that sees or serves something else than the honest one, whose view it is handed. */
  readonly gateway?: (viewOf: (row: CommandRow) => GatewayView) => Partial<Pick<DirectGatewaySettings, "viewOf" | "contentOf">>;
}

/** One site of acme; a pair when it has two serials. */
export const planned = (name: string, timeZone: string, serials: readonly string[], given: Partial<PlannedSite> = {}): PlannedSite => ({
  namespace: "acme",
  name,
  account: "acme",
  timeZone,
  model: "X1600",
  sockets: serials.map((serial, nth) => ({ serial, role: nth === 0 ? "Primary" : "Secondary", behaviour: "ok" })),
  ...given,
});

/** Sites, devices, one operator and what a person does; Sunday 01:00 to 03:00 in the site's own zone, 48 hours of notice. */
export class SocketStory {
  readonly world: World;
  readonly devices: DeviceFleet;
  readonly #options: SocketStoryOptions;

  private constructor(world: World, options: SocketStoryOptions) {
    this.world = world;
    this.#options = options;
    const { clock, inventory } = world;
    const viewOf = (row: CommandRow): GatewayView => gatewayViewOf(world.store, row);
    const honest = { clock, inventory, hints: HINTS, viewOf: (row: CommandRow) => Promise.resolve(viewOf(row)) };
    this.devices = new DeviceFleet({
      clock,
      sites: [...options.sites, ...(options.more ?? [])],
      version: options.version ?? "17.2",
      slotMilliseconds: SECOND,
      gatewayOf: (device) => new DirectGateway({ ...honest, ...options.gateway?.(viewOf) }, device),
    });
  }

  static async begin(options: SocketStoryOptions): Promise<SocketStory> {
    const world = await World.create({ start: options.start, sockets: true });
    const story = new SocketStory(world, options);
    await world.apply(FLEET, fleetDraft(options.fleet));
    for (const [pop, asked] of Object.entries(options.pops ?? {})) {
      await world.bootNodes(pop, 2);
      await world.apply(POP_CLUSTER, popDraft(pop, asked));
    }
    if (options.pops !== undefined) await world.apply(MAINTENANCE_WINDOW, sundayWindow());
    for (const account of new Set(options.sites.map((site) => site.account))) await story.account(account);
    for (const site of options.sites) await story.site(site);
    story.devices.start();
    story.startOperator();
    await story.pass(20 * MINUTE);
    return story;
  }

  startOperator(inventory: "WithInventory" | "WithoutInventory" = "WithInventory"): void {
    this.world.startOperator({ sockets: inventory === "WithInventory" });
  }

  /** The operator dies without goodbye, and another one leads. */
  crashOperator(inventory?: "WithInventory" | "WithoutInventory"): void {
    this.world.operators.at(-1)!.crash();
    this.startOperator(inventory);
  }

  async account(name: string): Promise<void> {
    const { world } = this;
    await world.apply(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata: { name, labels: { [ACCOUNT_LABEL]: name } } });
    await world.apply(MAINTENANCE_WINDOW, {
      apiVersion: MAINTENANCE_WINDOW.apiVersion,
      kind: MAINTENANCE_WINDOW.kind,
      metadata: { namespace: name, name: "sockets" },
      spec: { schedule: { weekly: [{ day: "Sunday", start: "01:00", end: "03:00" }] }, timeZone: "Local", notice: "48h" },
    } as unknown as Draft<KubernetesObject>);
    const channels = [{ name: "operations", url: `https://hooks.${name}.example/rollward` }];
    await world.apply(ACCOUNT_POLICY, {
      apiVersion: ACCOUNT_POLICY.apiVersion,
      kind: ACCOUNT_POLICY.kind,
      metadata: { namespace: name, name: "account" },
      spec: {
        sockets: { windowRef: { name: "sockets" } },
        ...(this.#options.channels === "None" ? {} : { notices: { channels } }),
        ...this.#options.policy,
      },
    } as unknown as Draft<KubernetesObject>);
  }

  /** The provider enrols its Sockets, and the account writes the site. */
  async site(site: PlannedSite): Promise<void> {
    const { inventory, clock } = this.world;
    for (const { serial } of site.sockets) {
      const tokens = { tokenHash: `token of ${serial}`, at: clock.now(), oldTokensUntil: clock.now() };
      await inventory.enroll({ serial, account: site.account, ...tokens });
    }
    await this.write(site);
  }

  /** One of those that join later. */
  async join(name: string): Promise<void> {
    await this.site(this.#options.more!.find((site) => site.name === name)!);
  }

  /** What an account writes, whoever owns the serials. */
  async write(site: PlannedSite): Promise<void> {
    await this.world.apply(SOCKET_SITE, siteDraft(site));
  }

  async deleteSite(site: string): Promise<void> {
    const [namespace, name] = site.split("/") as [string, string];
    await this.world.while(this.world.kubectl.delete(SOCKET_SITE, name, namespace));
  }

  async rollout(version: string, given: Partial<SocketRolloutSpec> = {}, name = `socket-${version.replaceAll(".", "-")}`): Promise<void> {
    await this.world.apply(SOCKET_ROLLOUT, {
      apiVersion: SOCKET_ROLLOUT.apiVersion,
      kind: SOCKET_ROLLOUT.kind,
      metadata: { namespace: FLEET_NAMESPACE, name },
      spec: {
        version,
        announcedAt: new Date(this.now).toISOString(),
        ramp: [{ percent: 100, for: "168h" }],
        artifact: { url: `https://artifacts.example.com/socket-${version}.swu`, sha256: "9f86d081".repeat(8), size: 1_000 },
        ...given,
      },
    } as unknown as Draft<KubernetesObject>);
  }

  get now(): number {
    return this.world.clock.now();
  }

  /** On the calendar, as `2026-11-29T00:12:00.000Z`. */
  get date(): string {
    return new Date(this.now).toISOString();
  }

  read(site: string): SocketSite {
    const [namespace, name] = site.split("/") as [string, string];
    return this.world.store.get(SOCKET_SITE, name, namespace) as unknown as SocketSite;
  }

  upgrade(site: string): NonNullable<SocketSite["status"]>["upgrade"] {
    return this.read(site).status?.upgrade;
  }

  holds(site: string): string[] {
    return (this.read(site).status?.holds ?? []).map(({ reason }) => reason);
  }

  policy(namespace: string): AccountPolicy {
    return this.world.store.get(ACCOUNT_POLICY, "account", namespace) as unknown as AccountPolicy;
  }

  readRollout(name: string): SocketRollout {
    return this.world.store.get(SOCKET_ROLLOUT, name, FLEET_NAMESPACE) as unknown as SocketRollout;
  }

  async editSite(site: string, change: (spec: SocketSiteSpec) => SocketSiteSpec): Promise<void> {
    await this.#edit<SocketSite>(SOCKET_SITE, site, (found) => ({ ...found, spec: change(structuredClone(found.spec)) }));
  }

  async editFleet(spec: Partial<FleetSpec>): Promise<void> {
    await this.#edit<Fleet>(FLEET, `${FLEET_NAMESPACE}/fleet`, (found) => ({ ...found, spec: { ...found.spec, ...spec } }));
  }

  async editWindow(window: string, schedule: MaintenanceWindow["spec"]["schedule"]): Promise<void> {
    await this.#edit<MaintenanceWindow>(MAINTENANCE_WINDOW, window, (found) => ({ ...found, spec: { ...found.spec, schedule } }));
  }

  async wantOfPop(pop: string, version: string): Promise<void> {
    await this.#edit<PopCluster>(POP_CLUSTER, `${FLEET_NAMESPACE}/${pop}`, (found) => ({ ...found, spec: { ...found.spec, version } }));
  }

  window(namespace: string): MaintenanceWindow {
    return this.world.store.get(MAINTENANCE_WINDOW, "sockets", namespace) as unknown as MaintenanceWindow;
  }

  async editRollout(name: string, spec: Partial<SocketRolloutSpec>): Promise<void> {
    await this.#edit<SocketRollout>(SOCKET_ROLLOUT, `${FLEET_NAMESPACE}/${name}`, (found) => ({
      ...found,
      spec: { ...found.spec, ...spec },
    }));
  }

  async pass(milliseconds: number): Promise<void> {
    await this.world.clock.advance(milliseconds);
  }

  async untilDate(instant: string): Promise<void> {
    await this.pass(Math.max(0, Date.parse(instant) - this.now));
  }

  async untilTrue(waitingFor: string, predicate: () => boolean, limitMilliseconds = DAY): Promise<void> {
    try {
      await this.world.clock.runUntil(predicate, { limitMilliseconds, waitingFor });
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.describe()}`, { cause: error });
    }
  }

  /** What each Socket runs itself, whatever anybody writes. */
  versions(): Record<string, string> {
    return Object.fromEntries([...this.devices.devices].map(([serial, { version }]) => [serial, version]));
  }

  /** Instants at which Sockets were told to install, from their own ledgers. */
  told(): string[] {
    return this.devices
      .ledgers()
      .flatMap(({ serial, entries }) =>
        entries.flatMap(({ toldAt, version }) => toldAt.slice(0, 1).map((at) => [at, serial, version] as const)),
      )
      .toSorted(([a], [b]) => a - b)
      .map(([at, serial, version]) => `${new Date(at).toISOString()} ${serial} ${version}`);
  }

  notices(): string[] {
    return [...this.world.sink.received.values()].map(
      ({ kind, site, start }) => `${kind} ${site.name} ${start === undefined ? "" : new Date(start).toISOString()}`,
    );
  }

  /** Writes of operators that reached the API server. */
  writes(of: (entry: AuditEntry) => boolean = () => true): AuditEntry[] {
    return this.world.store.audit.filter((entry) => entry.user === "rollward" && entry.code < 300 && !entry.dryRun && of(entry));
  }

  siteWrites(name: string): number {
    return this.writes(({ kind, name: of }) => kind === SOCKET_SITE.kind && of === name).length;
  }

  /** The states of the site's rows that are not over. */
  async liveRows(site: string, { metadata, spec }: SocketSite = this.read(site)): Promise<string[]> {
    const serials = spec.sockets.map(({ serial }) => serial);
    const { commands } = await this.world.inventory.site({ uid: metadata.uid, account: metadata.namespace!, serials });
    return [...commands.values()].map(({ state }) => state);
  }

  reasons(name: string): string[] {
    return this.world.said.filter(({ event }) => event.regarding.name === name).map(({ event }) => event.reason);
  }

  describe(): string {
    const sites = this.world.store.list(SOCKET_SITE) as unknown as SocketSite[];
    const rollouts = this.world.store.list(SOCKET_ROLLOUT) as unknown as SocketRollout[];
    return [...sites, ...rollouts].map(({ metadata, status }) => `${metadata.name}: ${JSON.stringify(status, undefined, 1)}`).join("\n");
  }

  async #edit<T extends KubernetesObject>(kind: object, of: string, change: (object: T) => T): Promise<void> {
    const [namespace, name] = of.split("/") as [string, string];
    for (let attempt = 0; ; attempt += 1) {
      const found = this.world.store.get(kind as Kind, name, namespace) as unknown as T;
      try {
        await this.world.while(this.world.kubectl.update(kind as Kind<T>, change(structuredClone(found))));
        return;
      } catch (error) {
        if (attempt > 20) throw error;
      }
    }
  }
}
