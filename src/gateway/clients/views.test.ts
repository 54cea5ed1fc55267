import { beforeEach, afterEach, describe, expect, it } from "vitest";
import { ACCOUNT_LABEL } from "../../api/names.ts";
import type { ClientCheckIns } from "../../control/client-inventory.ts";
import type { Cluster } from "../../control/ports.ts";
import { clientRollout, inPhase } from "../../core/client/client.examples.ts";
import { clientPolicies } from "../../api/client-policy.ts";
import { VirtualClock } from "../../simulation/clock.ts";
import { ClusterClientViews } from "./views.ts";

const FLEET = { metadata: { name: "fleet", uid: "f", resourceVersion: "1" }, spec: { paused: false } };
const NAMESPACE = { metadata: { name: "acme-ns", uid: "n", resourceVersion: "1", labels: { [ACCOUNT_LABEL]: "acme" } } };
const POLICY = {
  metadata: { name: "account", namespace: "acme-ns", uid: "p", resourceVersion: "1", generation: 3 },
  spec: { clients: clientPolicies.parse({ windows: { upgrade: "Automatic" } }) },
};
const PAUSED = { ...inPhase(3, 100, 100), pause: { id: 7, since: "2026-12-01T10:00:00Z" } };

/** An API server and the part of the inventory that hears signs of life, as the test has them. */
class World {
  fleet: object | undefined = FLEET;
  rollouts: object[] = [clientRollout({ status: inPhase(3, 100, 100) })];
  policies: object[] = [POLICY];
  hubAway = false;
  beatsAway = false;
  /** While set, a beat is taken only when it is resolved. */
  gate: Promise<void> | undefined;
  /** While set, the API server answers only when it is resolved. */
  hubGate: Promise<void> | undefined;
  readonly beats: Parameters<ClientCheckIns["beat"]>[0][] = [];
  readonly left: string[] = [];

  get = async () => {
    await this.hubGate;
    if (this.hubAway) throw new Error("no answer");
    return this.fleet;
  };
  list = async ({ kind }: { readonly kind: string }) => {
    if (this.hubAway) throw new Error("no answer");
    return kind === "ClientRollout" ? this.rollouts : kind === "Namespace" ? [NAMESPACE] : this.policies;
  };
  beat = async (replica: Parameters<ClientCheckIns["beat"]>[0]) => {
    await this.gate;
    if (this.beatsAway) throw new Error("the inventory is away");
    this.beats.push(replica);
  };
  leave = async (name: string) => void this.left.push(name);
}

let clock: VirtualClock;
let world: World;
let views: ClusterClientViews;
const said: string[] = [];
beforeEach(() => {
  clock = new VirtualClock(Date.parse("2026-12-01T10:00:00Z"));
  world = new World();
  said.length = 0;
  views = new ClusterClientViews({
    hub: world as unknown as Pick<Cluster, "get" | "list">,
    namespace: "fleet",
    checkIns: world,
    replica: "gateway-1",
    clock,
    log: (level, message) => void said.push(`${level}: ${message}`),
  });
});
afterEach(() => views.stop());

describe("[G15] what Clients are answered by", () => {
  it("rollouts, accounts by the labels of their namespaces, and the Fleet; the same object until something changes", async () => {
    views.start();
    await clock.advance(1);
    const seen = views.seen()!;
    expect(seen.rollouts.map(({ version }) => version)).toEqual(["5.12.3"]);
    expect(seen.accountView("acme", "Windows").policy?.upgrade).toBe("Automatic");
    expect(seen.accountView("acme", "Linux").policy).toBeUndefined();
    expect(seen.accountView("nobody", "Windows").policy).toBeUndefined();
    await clock.advance(5_000);
    expect(views.seen()).toBe(seen);
    world.fleet = { ...FLEET, metadata: { ...FLEET.metadata, resourceVersion: "2" }, spec: { paused: true } };
    await clock.advance(5_000);
    expect([views.seen() === seen, views.seen()?.fleetPaused]).toEqual([false, true]);
    world.fleet = undefined;
    await clock.advance(5_000);
    expect(views.seen()?.fleetPaused, "without a Fleet nothing is offered").toBe(true);
  });

  it("[C2] the account's own pilots that failed, by their numbers in its AccountPolicy", async () => {
    const numbers = { eligible: 9, offered: 9, attempted: 9, confirmed: 0, failed: 9, unreachable: 0 };
    const uid = "uid-windows-5-12-3";
    const entry = { uid, rollout: "windows-5-12-3", os: "Windows", version: "5.12.3", inPhase: false, effective: "Run", pilot: numbers };
    world.policies = [{ ...POLICY, status: { clients: [entry] } }];
    views.start();
    await clock.advance(1);
    expect(views.seen()!.accountView("acme", "Windows").failedPilots).toEqual(new Set([uid]));
  });

  it("[C6] a rollout that is being deleted is offered to nobody, and what it mends does not come back", async () => {
    const fixed = clientRollout({ name: "fixed", spec: { version: "5.12.4", supersedes: { name: "windows-5-12-3" } } });
    world.rollouts.push({ ...fixed, metadata: { ...fixed.metadata, deletionTimestamp: "2026-12-01T10:00:00Z" } });
    views.start();
    await clock.advance(1);
    expect(views.seen()!.rollouts).toMatchObject([{ version: "5.12.3", superseded: expect.stringContaining("5.12.4") as string }]);
  });

  it("10 s after the last look nothing is offered, and it is said once", async () => {
    views.start();
    await clock.advance(1);
    world.hubAway = true;
    await clock.advance(9_999);
    expect(views.mayOffer()).toBe(true);
    await clock.advance(2);
    expect([views.mayOffer(), views.seen() === undefined]).toEqual([false, false]);
    world.hubAway = false;
    await clock.advance(10_000);
    expect(views.mayOffer()).toBe(true);
    expect(said.map((line) => line.split(" ")[0])).toEqual(["warn:", "info:"]);
  });
});

describe("[C5] a replica's sign of life", () => {
  it("tells every 5 s which pauses it obeys and which policies it answers by", async () => {
    world.rollouts = [clientRollout({ spec: { requested: "Paused" }, status: PAUSED })];
    views.start();
    await clock.advance(10_001);
    expect(world.beats).toHaveLength(3);
    expect(world.beats.at(-1)).toEqual({
      name: "gateway-1",
      pauses: new Map([["uid-windows-5-12-3", 7]]),
      policies: new Map([["p", 3]]),
    });
  });

  it("[C7] tells the operator which files it cannot read", async () => {
    const missing = new Map([["uid-windows-5-12-3", "put the file there"]]);
    const hub = world as unknown as Pick<Cluster, "get" | "list">;
    const log = () => {};
    views = new ClusterClientViews({ hub, namespace: "fleet", checkIns: world, replica: "gateway-1", clock, log, missing: () => missing });
    views.start();
    await clock.advance(1);
    expect(world.beats.at(-1)!.missing).toEqual(missing);
  });

  it("it offers nothing before it is known to be alive, and then by a look that began after that", async () => {
    let taken = () => {};
    world.gate = new Promise((resolve) => {
      taken = resolve;
    });
    views.start();
    await clock.advance(1);
    expect([views.seen() === undefined, views.mayOffer()], "seen, and unknown to the operator").toEqual([false, false]);
    // Paused and taken for paused everywhere, between its look and its first sign.
    world.rollouts = [clientRollout({ spec: { requested: "Paused" }, status: PAUSED })].map((rollout) => ({
      ...rollout,
      metadata: { ...rollout.metadata, resourceVersion: "2" },
    }));
    let answers = () => {};
    world.hubGate = new Promise((resolve) => {
      answers = resolve;
    });
    taken();
    await clock.advance(1);
    expect([world.beats.length, views.mayOffer()], "alive, by a look of before").toEqual([1, false]);
    answers();
    await clock.advance(1);
    expect(views.mayOffer()).toBe(true);
    expect(views.seen()!.rollouts[0]!.provider, "what it offers by is no older than its being alive").toBe("Paused");
  });

  it("10 s without a sign that was taken it offers nothing, as the operator takes it for gone; afterwards by a new look alone", async () => {
    views.start();
    await clock.advance(1);
    world.beatsAway = true;
    await clock.advance(9_998);
    expect(views.mayOffer()).toBe(true);
    await clock.advance(3);
    expect(views.mayOffer()).toBe(false);
    world.beatsAway = false;
    await clock.advance(5_000);
    expect(views.mayOffer()).toBe(true);
  });

  it("takes leave when it ends", async () => {
    views.start();
    await clock.advance(1);
    await views.stop();
    expect(world.left).toEqual(["gateway-1"]);
  });
});
