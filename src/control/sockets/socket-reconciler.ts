import type { SocketRollout } from "../../api/socket-rollout.ts";
import { SOCKET_SITE, type SocketSite, type SocketSiteStatus } from "../../api/socket-site.ts";
import type { Decision } from "../../core/decision.ts";
import type { RolloutView } from "../../core/socket/rollout-view.ts";
import type { SocketSiteAction } from "../../core/socket-site/action.ts";
import { decide } from "../../core/socket-site/decide.ts";
import { noticesFirst } from "../../core/socket-site/notices-first.ts";
import { claimedTooSoon, lateNotice } from "../../core/socket-site/notice-owed.ts";
import type { SocketSiteObservation } from "../../core/socket-site/observation.ts";
import { unserved } from "../../core/socket-site/unserved.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Reconciler } from "../../runtime/reconcile.ts";
import { announce } from "../announce.ts";
import type { HubCaches } from "../hub-caches.ts";
import type { Inventory } from "../inventory.ts";
import type { Cluster, EventSink } from "../ports.ts";
import { asWritten } from "../status-refused.ts";
import type { Told } from "../told.ts";
import { act } from "./act.ts";
import type { InventoryWatch } from "./inventory-watch.ts";
import type { Channels, NoticeSender } from "./notice-sender.ts";
import { observedSite } from "./observe-site.ts";
import { cachedObjects, isDue, liveObjects, type SiteObjects } from "./site-objects.ts";
import { rolloutViewOf } from "./rollout-views.ts";
import { splitKey } from "../object-key.ts";
import type { SiteIndex } from "./site-index.ts";

/** What Sockets are served by; absent in an operator without an inventory. */
export interface Serving {
  readonly watch: InventoryWatch;
  /** Absent: nobody can be told, and a notice counts from when it stands in status (rule W3). */
  readonly sender: NoticeSender | undefined;
}

export interface SocketReconcilerPorts {
  readonly clock: Clock;
  readonly hub: Cluster;
  readonly hubCaches: HubCaches;
  readonly index: SiteIndex;
  readonly serving: Serving | undefined;
  readonly events: EventSink;
  readonly told: Told;
  readonly namespace: string;
  readonly tzdata: string;
  /** The site has to be looked at once more. */
  readonly wake: (key: string) => void;
}

export interface ObservedSocketSite {
  readonly site: SocketSite;
  readonly seen: SocketSiteObservation;
  readonly channels: Channels;
}

type SiteDecision = Decision<SocketSiteStatus, SocketSiteAction>;

/**
 * SocketSites of all accounts on the one loop, by `<namespace>/<name>`. A Socket is touched by a command row alone: claimed in status
 * here, inserted in the pass after it, given by the gateway (rules S1, G5).
 */
export class SocketReconciler implements Reconciler<ObservedSocketSite, SocketSiteStatus, SocketSiteAction, never, SiteDecision> {
  readonly kind = "SocketSite";
  readonly #ports: SocketReconcilerPorts;
  /** Sites that were deleted while they may have had a command that nobody fetched, as they were last seen. */
  readonly #gone = new Map<string, SocketSite>();

  constructor(ports: SocketReconcilerPorts) {
    this.#ports = ports;
  }

  /** A site was deleted: what it has open is taken back. */
  deleted(key: string, site: SocketSite): void {
    if (this.#ports.serving !== undefined) this.#gone.set(key, site);
  }

  async observe(key: string): Promise<ObservedSocketSite | undefined> {
    const [namespace, name] = splitKey(key);
    const site = this.#known(key, this.#ports.hubCaches.socketSites.get(name, namespace));
    return site && this.#observed(key, site, cachedObjects(this.#ports, site));
  }

  async observeLive(key: string): Promise<ObservedSocketSite | undefined> {
    const { hub, clock } = this.#ports;
    const [namespace, name] = splitKey(key);
    const site = this.#known(key, await hub.get<SocketSite>(SOCKET_SITE, name, namespace));
    if (site === undefined) return undefined;
    return this.#observed(key, site, isDue(site, clock.now()) ? await liveObjects(this.#ports, site) : cachedObjects(this.#ports, site));
  }

  decide({ seen }: ObservedSocketSite, now: number): SiteDecision {
    const { serving } = this.#ports;
    if (serving === undefined) return unserved(seen, now);
    const sender = serving.sender;
    return noticesFirst(decide(seen, now), {
      isPrompt: (notice) => sender?.isWorthWaiting(notice) === true,
      isDue: (notice) => sender?.isDue(notice) === true,
    });
  }

  async claim(observed: ObservedSocketSite, status: SocketSiteStatus): Promise<ObservedSocketSite | undefined> {
    const { site, seen } = observed;
    const what = `SocketSite ${seen.site.namespace}/${seen.site.name}`;
    const written = await asWritten(what, status, this.#ports.hub.updateStatus<SocketSite>(SOCKET_SITE, { ...site, status }));
    this.#ports.told.site(written);
    // After a claim everything is looked at anew before the row is inserted; every other write leaves what was seen as it was (rule G5).
    if (status.upgrade?.command?.id !== seen.site.status.upgrade?.command?.id) return undefined;
    return { ...observed, site: written, seen: { ...seen, site: { ...seen.site, status: written.status ?? {} } } };
  }

  async act({ seen, channels }: ObservedSocketSite, action: SocketSiteAction): Promise<undefined> {
    const { serving, clock } = this.#ports;
    const key = `${seen.site.namespace}/${seen.site.name}`;
    const sendNotice: Parameters<typeof act>[0]["sendNotice"] = async (notice) => serving?.sender?.send(key, notice, channels);
    await serving?.watch.ask(key, (inventory: Inventory) => act({ inventory, sendNotice }, action, clock.now()));
    return undefined;
  }

  isDisruptive(action: SocketSiteAction): boolean {
    return action.kind === "InsertCommand";
  }

  tell(key: string, { site, seen }: ObservedSocketSite, decision: SiteDecision, done: "Claimed" | "Acted" | "Rested"): void {
    if (done === "Rested") {
      if (!seen.site.deleting) this.#ports.told.site(site);
      // All that it had is taken back: whoever has its name now is looked at, or it is forgotten.
      else if (seen.inventory !== undefined && this.#gone.delete(key)) this.#ports.wake(key);
      return this.#ports.serving?.sender?.rested(key);
    }
    const { events, told } = this.#ports;
    const { namespace, name } = seen.site;
    const regarded = { apiVersion: SOCKET_SITE.apiVersion, kind: this.kind, metadata: site.metadata };
    announce(events, decision.events, regarded);
    told.decided({ kind: this.kind, namespace, name, decision });
    if (done !== "Claimed" || decision.status === undefined) return;
    if (claimedTooSoon(seen, decision.status)) {
      told.noticeLate(site);
      announce(events, [lateNotice(`${namespace}/${name}`, decision.status)], regarded);
    }
    this.#attemptsEnded(seen.site.status, decision.status);
  }

  forget(key: string): void {
    const [namespace, name] = splitKey(key);
    this.#gone.delete(key);
    this.#ports.told.siteGone(name, namespace);
    this.#ports.serving?.sender?.forget(key);
  }

  /** How attempts went, for measured times and audit; one that is lost costs a measured time alone. */
  #attemptsEnded(before: SocketSiteStatus, after: SocketSiteStatus): void {
    for (const { serial, lastAttempt } of after.sockets ?? []) {
      const known = before.sockets?.find((one) => one.serial === serial)?.lastAttempt;
      if (lastAttempt === undefined || lastAttempt.command === known?.command) continue;
      const { command, outcome, reason, endedAt } = lastAttempt;
      const end = { command, outcome, at: Date.parse(endedAt), ...(reason === undefined ? {} : { reason }) };
      void this.#ports.serving?.watch.ask(undefined, (inventory) => inventory.endAttempt(end));
    }
  }

  /** The site as it was found; one that was deleted, as long as it has something to take back. */
  #known(key: string, found: SocketSite | undefined): SocketSite | undefined {
    const gone = this.#gone.get(key);
    return gone === undefined || gone.metadata.uid === found?.metadata.uid ? found : asDeleting(gone, this.#ports.clock.now());
  }

  async #observed(key: string, site: SocketSite, objects: SiteObjects): Promise<ObservedSocketSite> {
    const { index, serving, namespace: fleetNamespace, tzdata, clock } = this.#ports;
    const { uid, namespace = "" } = site.metadata;
    const account = index.accountOf(namespace);
    const channels = (objects.policy?.spec.notices?.channels ?? []).filter(
      ({ url }) => serving?.sender?.refusal(url, account ?? "") === undefined,
    );
    const named = site.status?.upgrade?.command?.id;
    const answered = await serving?.watch.ask(key, (inventory) =>
      inventory.site({
        uid,
        account: account ?? "",
        serials: site.spec.sockets.map(({ serial }) => serial),
        ...(named === undefined ? {} : { named }),
      }),
    );
    const seen = observedSite({
      ...objects,
      site,
      account,
      fleetNamespace,
      rollouts: objects.rollouts.map((rollout) => this.#viewFor(key, rollout)),
      inventory: answered?.answer,
      claimedTwice: index.claimedTwice(site),
      hasNoticeChannel: serving?.sender !== undefined && channels.length > 0,
      tzdata,
      watchingSince: serving?.watch.since ?? clock.now(),
    });
    return { site, seen, channels };
  }

  /** A rollout as this site sees it; one that stands says whether the site has to wait until it is admitted (rule G4). */
  #viewFor(key: string, rollout: SocketRollout): RolloutView {
    const view = rolloutViewOf(rollout);
    const waits = view.standingSince !== undefined && this.#ports.index.tallyOf(rollout).isWaiting(key);
    return waits ? { ...view, late: "Waiting" } : view;
  }
}

const asDeleting = (site: SocketSite, now: number): SocketSite => ({
  ...site,
  metadata: { ...site.metadata, deletionTimestamp: new Date(now).toISOString() },
});
