import { socketSiteSpec } from "../../../src/api/socket-site.ts";
import { socketSiteStatus, type SocketSiteStatus } from "../../../src/api/socket-site-status.ts";
import { act } from "../../../src/control/sockets/act.ts";
import type { CommandRow } from "../../../src/core/socket/command.ts";
import type { GatewayView } from "../../../src/core/socket/answer.ts";
import type { RolloutView } from "../../../src/core/socket/rollout-view.ts";
import { decide } from "../../../src/core/socket-site/decide.ts";
import { berlin } from "../../../src/core/socket-site/socket-site.examples.ts";
import type { SocketSiteObservation } from "../../../src/core/socket-site/observation.ts";
import type { VirtualClock } from "../../../src/simulation/clock.ts";
import type { PlannedSite } from "../../../src/simulation/devices/device-fleet.ts";
import type { MemoryInventory } from "../../../src/simulation/devices/inventory.ts";
import type { NoticeSink } from "../../../src/simulation/devices/notice-sink.ts";

/** What the decisions of one site are about; may be changed at any time. */
export interface SiteFacts {
  rollouts: readonly RolloutView[];
  fleet: NonNullable<SocketSiteObservation["fleet"]>;
}

const MOST_PASSES = 30;

/**
 * One site's decisions turned as the loop turns them (status first, effects in a later pass), without an API server: for years of
 * Sundays in every zone. Each status has to be one that the schema takes (rule I19).
 */
export class SiteLoop {
  readonly key: string;
  status: SocketSiteStatus = {};
  wakeAt: number | undefined;
  writes = 0;
  readonly #site: PlannedSite;
  readonly #facts: SiteFacts;
  readonly #clock: VirtualClock;
  readonly #inventory: MemoryInventory;
  readonly #sink: NoticeSink;
  #looking: Promise<void> | undefined;
  #again = false;

  constructor(site: PlannedSite, facts: SiteFacts, world: { clock: VirtualClock; inventory: MemoryInventory; sink: NoticeSink }) {
    this.key = `${site.namespace}/${site.name}`;
    this.#site = site;
    this.#facts = facts;
    this.#clock = world.clock;
    this.#inventory = world.inventory;
    this.#sink = world.sink;
  }

  get uid(): string {
    return `uid-of-${this.key}`;
  }

  /** What the gateway reads of the site and its rollout for a command. */
  view(row: CommandRow): GatewayView {
    const { fleet, rollouts } = this.#facts;
    const rollout = rollouts.find(({ uid }) => uid === row.rollout);
    const command = this.status.upgrade?.command?.id;
    return {
      fleet,
      ...(rollout === undefined ? {} : { rollout: { paused: rollout.spec.paused } }),
      site: { zone: this.#site.timeZone, done: this.status.upgrade?.done ?? [], ...(command === undefined ? {} : { command }) },
    };
  }

  /** Looks until nothing is left to do; a look that is asked for meanwhile follows. */
  look(): Promise<void> {
    if (this.#looking !== undefined) {
      this.#again = true;
      return this.#looking;
    }
    this.#looking = this.#turn().finally(() => {
      this.#looking = undefined;
      if (!this.#again) return;
      this.#again = false;
      void this.look();
    });
    return this.#looking;
  }

  async #turn(): Promise<void> {
    for (let pass = 0; pass < MOST_PASSES; pass += 1) {
      const now = this.#clock.now();
      const { status, actions, wakeAt } = decide(await this.#seen(), now);
      this.wakeAt = wakeAt;
      if (status !== undefined) {
        this.status = socketSiteStatus.parse(JSON.parse(JSON.stringify(status)));
        this.writes += 1;
        continue;
      }
      if (actions.length === 0) return;
      for (const action of actions) {
        const sendNotice: Parameters<typeof act>[0]["sendNotice"] = async (notice) => {
          if (!(await this.#sink.send(notice))) return;
          await this.#inventory.recordNotice({ id: notice.id, siteUid: notice.site.uid, kind: notice.kind, acceptedAt: now });
        };
        await act({ inventory: this.#inventory, sendNotice }, action, now);
      }
      // A receiver that takes nothing is tried again later, not at once.
      if (this.#sink.blocked && actions.every(({ kind }) => kind === "SendNotice")) return;
    }
    throw new Error(`${this.key} never comes to rest at ${new Date(this.#clock.now()).toISOString()}`);
  }

  async #seen(): Promise<SocketSiteObservation> {
    const { namespace, name, account, timeZone, sockets, model } = this.#site;
    const serials = sockets.map(({ serial }) => serial);
    const named = this.status.upgrade?.command?.id;
    const inventory = await this.#inventory.site({ uid: this.uid, account, serials, ...(named === undefined ? {} : { named }) });
    const spec = socketSiteSpec.parse({ timeZone, sockets: sockets.map(({ serial, role }) => ({ serial, role, model })) });
    return berlin({
      site: { namespace, name, uid: this.uid, generation: 1, deleting: false, spec, status: this.status },
      account,
      hasNoticeChannel: true,
      fleet: this.#facts.fleet,
      rollouts: this.#facts.rollouts,
      inventory,
      watchingSince: 0,
    });
  }
}
