import type { Fleet } from "../api/fleet.ts";
import { ACCOUNT_POLICY, type AccountPolicy } from "../api/account-policy.ts";
import type { MaintenanceWindow } from "../api/maintenance-window.ts";
import type { PopCluster } from "../api/pop-cluster.ts";
import { FLEET, MAINTENANCE_WINDOW, POP_CLUSTER } from "../api/resources.ts";
import { SOCKET_ROLLOUT, type SocketRollout } from "../api/socket-rollout.ts";
import { SOCKET_SITE, type SocketSite } from "../api/socket-site.ts";
import type { Cluster } from "../control/ports.ts";
import type { GatewayView } from "../core/socket/answer.ts";
import type { CommandRow } from "../core/socket/command.ts";
import { guardsOf, type SiteGuards, windowNamed } from "../core/socket/surroundings.ts";
import { type Clock, sleep } from "../runtime/clock.ts";
import type { Log } from "./log.ts";

/** What devices fetch, as a SocketRollout says it. */
export type RolloutForDevices = Pick<SocketRollout["spec"], "version" | "artifact"> & { readonly name: string };

/** What the gateway has to see of the cluster. */
export interface Views {
  /** A look at what the row is of, that shows the server's truth of at most 10 s ago; undefined: none is to be had (rule G15). */
  viewOf(row: CommandRow): Promise<GatewayView | undefined>;
  /** Is what was seen last still young enough to offer by it? Asked again right before an offer is written. */
  isFresh(): boolean;
  /** A rollout as it was last seen, however long ago: what is in hand is finished. */
  rollout(uid: string): RolloutForDevices | undefined;
}

export interface ClusterViewsSettings {
  readonly hub: Pick<Cluster, "get" | "list">;
  /** The fleet namespace. */
  readonly namespace: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether this host's clock can be believed; one that is off sees nothing that it could offer by. */
  readonly isClockTrue?: () => boolean;
  /** Elapsed milliseconds between two looks (default 5 s). */
  readonly everyMilliseconds?: number;
  /** What was seen counts so long, from when it was asked for (default 10 s). */
  readonly freshMilliseconds?: number;
}

interface Seen {
  /** Elapsed time at which the server was asked: its answer is of then or later. */
  readonly askedAt: number;
  readonly fleet: Fleet | undefined;
  readonly rollouts: ReadonlyMap<string, SocketRollout>;
}

const FLEET_NAME = "fleet";
const POLICY_NAME = "account";

/**
 * Views by live reads (rule G15): Fleet and rollouts are few and are listed every 5 s; a site is read when its command is about to be
 * given. No watch and no copy of the sites: nothing here can be hours old, and a process that was stopped for a while finds its last
 * look too old by elapsed time, which went on without it.
 */
export class ClusterViews implements Views {
  readonly #settings: ClusterViewsSettings;
  readonly #stopping = new AbortController();
  #seen: Seen | undefined;
  #work: Promise<void> | undefined;
  #failing = false;

  constructor(settings: ClusterViewsSettings) {
    this.#settings = settings;
  }

  start(): void {
    this.#work ??= this.#keepLooking();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#work;
  }

  isFresh(): boolean {
    const { clock, isClockTrue, freshMilliseconds = 10_000 } = this.#settings;
    return isClockTrue?.() !== false && this.#seen !== undefined && clock.elapsed() - this.#seen.askedAt <= freshMilliseconds;
  }

  rollout(uid: string): RolloutForDevices | undefined {
    const found = this.#seen?.rollouts.get(uid);
    return found && { name: found.metadata.name, version: found.spec.version, artifact: found.spec.artifact };
  }

  async viewOf(row: CommandRow): Promise<GatewayView | undefined> {
    if (!this.isFresh()) return undefined;
    const { name, namespace, uid } = row.site;
    const read = await this.#siteOf(row).catch((error: unknown) => {
      const what = `SocketSite ${namespace}/${name}, its window or its PoP could not be read`;
      this.#settings.log("warn", `${what}, so ${row.serial} is offered nothing: ${said(error)}`);
      return "unseen" as const;
    });
    const seen = this.#seen;
    if (read === "unseen" || seen === undefined || !this.isFresh()) return undefined;
    const { site, guards } = read;
    const rollout = seen.rollouts.get(row.rollout);
    const stopped = rollout?.status?.stopped?.by;
    return {
      ...(seen.fleet
        ? { fleet: { paused: seen.fleet.spec.paused, freezes: seen.fleet.spec.freezes ?? [], ...beingDeleted(seen.fleet) } }
        : {}),
      ...(rollout ? { rollout: { paused: rollout.spec.paused, ...(stopped ? { stopped } : {}), ...beingDeleted(rollout) } } : {}),
      // Another site of the same name is another site.
      ...(site?.metadata.uid === uid ? { site: { ...siteView(site, row), ...guards } } : {}),
    };
  }

  /** The site as it is now, and what around it would hold it: while no operator is there nobody takes its command back. */
  async #siteOf({
    site: { name, namespace },
  }: CommandRow): Promise<{ readonly site: SocketSite | undefined; readonly guards: SiteGuards }> {
    const { hub, namespace: fleetNamespace } = this.#settings;
    const site = await hub.get<SocketSite>(SOCKET_SITE, name, namespace);
    if (site === undefined) return { site, guards: {} };
    const [policy, pop] = await Promise.all([
      site.spec.windowRef === undefined ? hub.get<AccountPolicy>(ACCOUNT_POLICY, POLICY_NAME, namespace) : undefined,
      site.status?.pop === undefined ? undefined : hub.get<PopCluster>(POP_CLUSTER, site.status.pop, fleetNamespace),
    ]);
    const named = windowNamed({ site, policy, fleet: this.#seen?.fleet, fleetNamespace });
    const window = named && (await hub.get<MaintenanceWindow>(MAINTENANCE_WINDOW, named.name, named.namespace));
    return { site, guards: guardsOf(site, window, pop) };
  }

  async #keepLooking(): Promise<void> {
    const { clock, everyMilliseconds = 5_000 } = this.#settings;
    while (!this.#stopping.signal.aborted) {
      await this.#look();
      await sleep(clock, everyMilliseconds, this.#stopping.signal).catch(() => {});
    }
  }

  async #look(): Promise<void> {
    const { hub, namespace, clock, log } = this.#settings;
    const askedAt = clock.elapsed();
    try {
      const [fleet, rollouts] = await Promise.all([
        hub.get<Fleet>(FLEET, FLEET_NAME, namespace),
        hub.list<SocketRollout>(SOCKET_ROLLOUT, { namespace }),
      ]);
      this.#seen = { askedAt, fleet, rollouts: new Map(rollouts.map((rollout) => [rollout.metadata.uid ?? "", rollout])) };
      if (this.#failing) log("info", "the gateway sees Fleet and SocketRollouts again, and offers what is due");
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) log("warn", `Fleet and SocketRollouts could not be read; nothing new is offered until they are: ${said(error)}`);
      this.#failing = true;
    }
  }
}

const beingDeleted = ({ metadata }: Pick<SocketSite, "metadata">): { readonly deleting?: true } =>
  metadata.deletionTimestamp === undefined ? {} : { deleting: true };

function siteView(site: SocketSite, { serial }: CommandRow): NonNullable<GatewayView["site"]> {
  const { spec, status } = site;
  const command = status?.upgrade?.command?.id;
  const asked = status?.upgrade?.cause === "Request" ? spec.requests?.upgradeNow : undefined;
  // Who accepts the downtime answers for the partner (rule S4).
  const isAnswered = asked?.serial === serial && asked.acceptDowntime;
  const partners = isAnswered ? [] : spec.sockets.filter((one) => one.serial !== serial).map((one) => one.serial);
  return {
    zone: spec.timeZone,
    ...(command === undefined ? {} : { command }),
    done: status?.upgrade?.done ?? [],
    ...(partners.length === 0 ? {} : { partners }),
    ...beingDeleted(site),
  };
}

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error));
