import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { commandRow } from "../core/socket/command.examples.ts";
import type { Cluster } from "../control/ports.ts";
import { VirtualClock } from "../simulation/clock.ts";
import { ClusterViews } from "./views.ts";

const row = commandRow();
const FLEET = { metadata: { name: "fleet" }, spec: { paused: false, accounts: { defaultSocketWindow: { name: "default" } } } };
const ROLLOUT = {
  metadata: { name: "socket-18-3-3", uid: row.rollout },
  spec: { version: "18.3.3", paused: false, artifact: { url: "a.swu", sha256: "x", size: 1 } },
};
const SITE = {
  metadata: { name: "berlin", namespace: "acme", uid: row.site.uid },
  spec: { timeZone: "Europe/Berlin", sockets: [{ serial: "S-2001" }, { serial: "S-2002" }] },
  status: { upgrade: { command: { id: row.id }, done: ["S-2001"] } },
};

/** An API server that answers as the test has it, or not at all. */
class Hub {
  site: object | undefined = SITE;
  fleet: object | undefined = FLEET;
  rollouts: object[] = [ROLLOUT];
  away = false;
  /** While set, calls wait for it. */
  gate: Promise<void> | undefined;
  /** Beside the site, by kind and name. */
  readonly others = new Map<string, object>([["MaintenanceWindow fleet/default", { spec: {} }]]);
  get = async ({ kind }: { readonly kind: string }, name: string, namespace: string) => {
    await this.#answers();
    if (kind === "Fleet" || kind === "SocketSite") return kind === "Fleet" ? this.fleet : this.site;
    return this.others.get(`${kind} ${namespace}/${name}`);
  };
  list = async () => {
    await this.#answers();
    return this.rollouts;
  };
  async #answers(): Promise<void> {
    await this.gate;
    if (this.away) throw new Error("no answer");
  }
}

let clock: VirtualClock;
let hub: Hub;
let views: ClusterViews;
let isClockTrue: boolean;
const said: string[] = [];
beforeEach(async () => {
  clock = new VirtualClock(Date.parse("2026-11-29T00:00:00Z"));
  hub = new Hub();
  said.length = 0;
  isClockTrue = true;
  views = new ClusterViews({
    hub: hub as unknown as Pick<Cluster, "get" | "list">,
    namespace: "fleet",
    clock,
    log: (level, message) => void said.push(`${level}: ${message}`),
    isClockTrue: () => isClockTrue,
  });
  views.start();
  await clock.advance(1);
});
afterEach(async () => {
  await views.stop();
});

describe("[G15] what the gateway sees", () => {
  it("is Fleet, rollout and site as they are, each by its UID", async () => {
    expect(await views.viewOf(row)).toEqual({
      fleet: { paused: false, freezes: [] },
      rollout: { paused: false },
      site: { zone: "Europe/Berlin", command: row.id, done: ["S-2001"], partners: ["S-2001"], window: { freezes: [] } },
    });
    expect(views.rollout(row.rollout)).toMatchObject({ name: "socket-18-3-3", version: "18.3.3" });
    expect(await views.viewOf({ ...row, rollout: "another", site: { ...row.site, uid: "another" } })).toEqual({
      fleet: { paused: false, freezes: [] },
    });
  });

  it("[S4] a person who accepts the downtime of a Socket answers for its partner, by that request alone", async () => {
    const partnersOf = async (serial: string, cause: string, acceptDowntime: boolean) => {
      const requests = { upgradeNow: { serial, version: "18.3.3", at: "2026-11-29T00:00:00Z", acceptDowntime } };
      const status = { upgrade: { ...SITE.status.upgrade, cause } };
      hub.site = { ...SITE, spec: { ...SITE.spec, requests }, status };
      return (await views.viewOf(row))?.site?.partners ?? [];
    };
    expect(await partnersOf("S-2002", "Request", true)).toEqual([]);
    expect(await partnersOf("S-2002", "Request", false)).toEqual(["S-2001"]);
    expect(await partnersOf("S-2001", "Request", true)).toEqual(["S-2001"]);
    expect(await partnersOf("S-2002", "Rollout", true)).toEqual(["S-2001"]);
  });

  it("[W6] [W10] the freezes of the window that counts, of site, account or provider; one that is gone is told as gone", async () => {
    const freezes = [{ name: "fair", from: "2026-11-29", to: "2026-11-30", reason: "fair" }];
    const seen = async () => (await views.viewOf(row))?.site?.window;
    expect(await seen()).toEqual({ freezes: [] });
    hub.others.set("AccountPolicy acme/account", { spec: { sockets: { windowRef: { name: "ours" } } } });
    hub.others.set("MaintenanceWindow acme/ours", { spec: { freezes } });
    expect(await seen()).toEqual({ freezes });
    hub.site = { ...SITE, spec: { ...SITE.spec, windowRef: { name: "mine" } } };
    expect(await seen()).toBe("Gone");
    hub.site = { ...SITE, status: { upgrade: { ...SITE.status.upgrade, cause: "Request" } } };
    hub.others.delete("AccountPolicy acme/account");
    hub.others.delete("MaintenanceWindow fleet/default");
    expect(await seen(), "a person's request needs no window").toBeUndefined();
  });

  it("[S11] whether the PoP of the site is being rolled, unless the same rollout has put the site off before", async () => {
    const rolled = (state: string, kind = "Update") => ({
      metadata: { name: "fra1" },
      status: { run: { state, kind }, assigned: { rollout: "r-1" } },
    });
    const seen = async (pop: object | undefined, more: object = {}) => {
      hub.site = { ...SITE, status: { ...SITE.status, pop: "fra1", ...more } };
      if (pop === undefined) hub.others.delete("PoPCluster fleet/fra1");
      else hub.others.set("PoPCluster fleet/fra1", pop);
      return (await views.viewOf(row))?.site?.popRolling;
    };
    expect(await seen(rolled("RollingBack"))).toBe("fra1");
    expect(await seen(rolled("Rolling"), { putOff: { rollout: "r-1", at: "2026-11-22T01:00:00Z" } })).toBeUndefined();
    expect(await seen(rolled("Rolling"), { putOff: { rollout: "r-0", at: "2026-11-22T01:00:00Z" } })).toBe("fra1");
    expect(await seen(rolled("Baking"))).toBeUndefined();
    expect(await seen(rolled("Rolling", "Join"))).toBeUndefined();
    expect(await seen(undefined)).toBeUndefined();
  });

  it("a pause is seen within 5 s, and what the site's status names at the very request", async () => {
    hub.fleet = { ...FLEET, spec: { paused: true } };
    hub.site = { ...SITE, status: {} };
    await clock.advance(5_000);
    expect(await views.viewOf(row)).toMatchObject({ fleet: { paused: true }, site: { done: [] } });
    hub.rollouts = [{ ...ROLLOUT, status: { stopped: { by: "Failures" } } }];
    hub.fleet = undefined;
    await clock.advance(5_000);
    const view = await views.viewOf(row);
    expect([view?.rollout?.stopped, view?.fleet]).toEqual(["Failures", undefined]);
  });

  it("[S1] what is being deleted is told apart, and its artifact stays known to those who were given it", async () => {
    const deletionTimestamp = "2026-11-28T23:00:00Z";
    hub.fleet = { ...FLEET, metadata: { ...FLEET.metadata, deletionTimestamp } };
    hub.rollouts = [{ ...ROLLOUT, metadata: { ...ROLLOUT.metadata, deletionTimestamp } }];
    hub.site = { ...SITE, metadata: { ...SITE.metadata, deletionTimestamp } };
    await clock.advance(5_000);
    const view = await views.viewOf(row);
    expect([view?.fleet?.deleting, view?.rollout?.deleting, view?.site?.deleting]).toEqual([true, true, true]);
    expect(views.rollout(row.rollout)).toMatchObject({ name: "socket-18-3-3" });
  });

  it("10 s after the last look that was answered it is fresh, a millisecond later not; what is in hand is still known", async () => {
    hub.away = true;
    // Answered at 0, and by nothing since.
    await clock.advance(9_999);
    expect(views.isFresh()).toBe(true);
    await clock.advance(1);
    expect(views.isFresh()).toBe(false);
    expect(await views.viewOf(row)).toBeUndefined();
    expect(views.rollout(row.rollout)?.version).toBe("18.3.3");
    hub.away = false;
    await clock.advance(5_000);
    expect(views.isFresh()).toBe(true);
    expect(said).toEqual([
      "warn: Fleet and SocketRollouts could not be read; nothing new is offered until they are: no answer",
      "info: the gateway sees Fleet and SocketRollouts again, and offers what is due",
    ]);
  });

  it("an answer counts from when it was asked for: one that took 11 s shows nothing fresh", async () => {
    let open = () => {};
    hub.gate = new Promise((resolve) => {
      open = resolve;
    });
    await clock.advance(16_000);
    expect(views.isFresh()).toBe(false);
    open();
    hub.gate = undefined;
    await clock.advance(1);
    expect(views.isFresh(), "asked for 11 s ago").toBe(false);
    await clock.advance(5_000);
    expect(views.isFresh()).toBe(true);
  });

  it("a host whose clock is not the store's sees nothing that it could offer by, and what is in hand is still known", async () => {
    isClockTrue = false;
    expect([views.isFresh(), await views.viewOf(row), views.rollout(row.rollout)?.version]).toEqual([false, undefined, "18.3.3"]);
  });

  it("a site that cannot be read is offered nothing, and the others go on", async () => {
    const get = hub.get;
    hub.get = (kind, ...of) => (kind.kind === "SocketSite" ? Promise.reject(new Error("403")) : get(kind, ...of));
    expect(await views.viewOf(row)).toBeUndefined();
    expect(said.join("\n")).toContain("so S-2002 is offered nothing: 403");
    hub.get = (kind, ...of) => (kind.kind === "MaintenanceWindow" ? Promise.reject(new Error("403")) : get(kind, ...of));
    expect(await views.viewOf(row), "nor one whose window cannot be read").toBeUndefined();
  });
});
