import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fleetSpec, type Disruption, type FleetSpec, type FleetStatus } from "../../api/fleet.ts";
import { decide } from "./decide.ts";
import { NOON } from "./fleet.examples.ts";
import type { AskedGrant, FleetPop, LiveAnswer } from "./observation.ts";
import { entriesToConfirm } from "./strike.ts";

/**
 * The grants of G14 against lagging views, as in the model that the protocol was checked with: each PoP acts on its own ledger and on
 * the Fleet's ledger as it last saw it; the Fleet decides on the PoPs as it last saw them and compares-and-sets its own object. The
 * environment shuts windows, deletes and re-creates PoPs, fails rollbacks. What is asserted is the servers' truth.
 */
interface Site {
  readonly name: string;
  readonly region: string;
  uid: string;
  gone: boolean;
  deleting: boolean;
  windowOpen: boolean;
  /** Pieces of work still to be done, and whether they go forward or back. */
  todo: number;
  kind: "Roll" | "Rollback";
  grant: AskedGrant | undefined;
  /** A node claimed for us, and nodes out of service. */
  inHand: boolean;
  out: number;
  /** RollbackFailed left a node out, under a grant of this kind. */
  failed: "Roll" | "Rollback" | undefined;
  /** The Fleet's ledger as this PoP last saw it. */
  ledger: readonly Disruption[];
}

/** One place for two or three PoPs, as in the model; or three kinds of limits that bind one after the other. */
const ONE_PLACE = fleetSpec.parse({ maxConcurrentPoPs: 1, maxConcurrentPerRegion: 1, maxConcurrentRollbacks: 1 });
const THREE_LIMITS = fleetSpec.parse({
  maxConcurrentPoPs: 2,
  maxConcurrentPerRegion: 1,
  maxConcurrentRollbacks: 1,
  capacityFloorPercent: 80,
});
const REGIONS = ["eu", "us", "ap"];
const MEMBERS = 3;

class World {
  readonly sites: Site[];
  readonly spec: FleetSpec;
  status: FleetStatus = {};
  /** The PoPs as the Fleet last saw them, each on its own. */
  readonly seen = new Map<string, FleetPop>();
  /** All that was ever to be seen of each name, oldest first; undefined where nothing was there. */
  readonly #past = new Map<string, (FleetPop | undefined)[]>();
  now = NOON;
  #uids = 0;

  constructor(kinds: readonly ("Roll" | "Rollback")[]) {
    this.spec = kinds.length < 4 ? ONE_PLACE : THREE_LIMITS;
    this.sites = kinds.map((kind, index) => ({ ...this.#born(`pop${index}`, REGIONS[index % REGIONS.length]!), kind }));
  }

  #born(name: string, region: string): Site {
    this.#uids += 1;
    return {
      name,
      region,
      uid: `u${this.#uids}`,
      gone: false,
      deleting: false,
      windowOpen: true,
      todo: 2,
      kind: "Roll",
      grant: undefined,
      inHand: false,
      out: 0,
      failed: undefined,
      ledger: this.status.disruptions ?? [],
    };
  }

  readonly #held = (site: Site): boolean => site.ledger.some(({ uid, id }) => uid === site.uid && id === site.grant?.id);
  readonly #mayStart = (site: Site): boolean => !site.gone && !site.deleting && site.windowOpen && site.todo > 0;

  view(site: Site): FleetPop {
    return {
      name: site.name,
      uid: site.uid,
      region: site.region,
      deleting: site.deleting,
      ...(site.grant ? { grant: site.grant } : {}),
      members: { total: MEMBERS, out: site.out },
      takesOut: { Roll: 1, Rollback: 1 },
      degraded: site.failed !== undefined,
      unfinished: false,
      emergency: false,
      unreachable: false,
      failedSessions: 0,
    };
  }

  /** Every act that one site could do now; the acts of a person or of the environment apart. */
  readonly acts: Readonly<Record<string, (site: Site) => boolean>> = {
    ask: (site) => {
      if (!this.#mayStart(site) || site.grant?.state === "Asked") return false;
      site.grant = { id: (site.grant?.id ?? 0) + 1, kind: site.kind, state: "Asked" };
      return true;
    },
    start: (site) => {
      if (!this.#mayStart(site) || site.grant?.state !== "Asked" || site.inHand || site.failed || !this.#held(site)) return false;
      site.inHand = true;
      site.out += 1;
      this.assertLimits();
      return true;
    },
    finish: (site) => {
      if (site.gone || !site.inHand) return false;
      site.inHand = false;
      site.out -= 1;
      site.todo -= 1;
      return true;
    },
    return: (site) => {
      if (site.gone || site.grant?.state !== "Asked" || site.inHand || (site.todo > 0 && site.windowOpen && !site.deleting)) return false;
      site.grant = { ...site.grant, state: "Returned" };
      return true;
    },
    finalizerOff: (site) => {
      if (site.gone || !site.deleting || site.inHand) return false;
      site.gone = true;
      return true;
    },
    seeFleet: (site) => {
      const before = site.ledger;
      site.ledger = this.status.disruptions ?? [];
      return !isDeepStrictEqual(before, site.ledger);
    },
    fleetSees: (site) => {
      const view = site.gone ? undefined : this.view(site);
      this.#past.set(site.name, [...(this.#past.get(site.name) ?? []), view]);
      return this.#show(site.name, view);
    },
    fleetDecides: () => this.fleetDecides(),
  };

  readonly environment: Readonly<Record<string, (site: Site) => void>> = {
    windowShuts: (site) => void (site.windowOpen = false),
    windowOpens: (site) => void (site.windowOpen = true),
    delete: (site) => {
      // One at a time: of a fleet that is nearly gone the floor lets nothing out, rightly and for ever.
      if (!this.sites.some((one) => one.gone || one.deleting)) site.deleting = true;
    },
    create: (site) => {
      if (site.gone) Object.assign(site, this.#born(site.name, site.region));
    },
    rollbackFails: (site) => {
      if (site.gone || !site.inHand || site.failed) return;
      site.inHand = false;
      site.failed = site.grant!.kind;
      site.todo = 0;
    },
    moreWork: (site) => void (site.todo = Math.min(3, site.todo + 1)),
    goBack: (site) => {
      if (site.grant?.state !== "Asked") site.kind = "Rollback";
    },
    // A watch that starts anew may be answered by a server that lags behind what was seen before. Entries survive that by their ids;
    // that a PoP is degraded is known from its status alone, which is why the reflector never goes back in one process.
    fleetSeesThePast: ({ name, failed }) => {
      if (failed) return;
      const past = this.#past.get(name) ?? [];
      this.#show(name, past[past.length >> 1]);
    },
    time: () => void (this.now += 60_000),
  };

  #show(name: string, view: FleetPop | undefined): boolean {
    const before = this.seen.get(name);
    if (view === undefined) this.seen.delete(name);
    else this.seen.set(name, view);
    return !isDeepStrictEqual(before, view);
  }

  fleetDecides(): boolean {
    const pops = [...this.seen.values()];
    const live = new Map<string, LiveAnswer>();
    for (const { pop } of entriesToConfirm(this.status.disruptions ?? [], pops)) {
      const site = this.sites.find(({ name }) => name === pop)!;
      live.set(pop, site.gone ? { found: false } : { found: true, uid: site.uid, ...(site.grant ? { grant: site.grant } : {}) });
    }
    const before = this.status.disruptions ?? [];
    this.status = decide(
      { fleet: { generation: 1, spec: this.spec, status: this.status }, pops, partners: new Map(), live, tzdata: "2026c" },
      this.now,
    ).status!;
    const after = this.status.disruptions ?? [];
    expect(new Set(after.map(({ pop }) => pop)).size, "one entry a PoP").toBe(after.length);
    for (const site of this.sites.filter((one) => !one.gone && one.inHand)) {
      expect(
        after.some(({ uid, id }) => uid === site.uid && id === site.grant?.id),
        `${site.name} was struck while a node of it is out`,
      ).toBe(true);
    }
    return !isDeepStrictEqual(before, after);
  }

  assertLimits(): void {
    const rolling = this.sites.filter((site) => !site.gone && site.inHand && site.grant?.kind === "Roll");
    const back = this.sites.filter((site) => !site.gone && site.inHand && site.grant?.kind === "Rollback");
    expect(back.length, "rollbacks").toBeLessThanOrEqual(this.spec.maxConcurrentRollbacks);
    // A PoP that fails on its way back had a place of its own: it holds back what is granted from then on, not what had been granted.
    const degraded = this.sites.filter((site) => !site.gone && site.failed === "Roll");
    expect(rolling.length + degraded.length, "PoPs rolling or degraded").toBeLessThanOrEqual(this.spec.maxConcurrentPoPs);
    for (const region of REGIONS) {
      const ofRegion = [...rolling, ...degraded].filter((site) => site.region === region);
      expect(ofRegion.length, `PoPs of ${region} rolling or degraded`).toBeLessThanOrEqual(this.spec.maxConcurrentPerRegion);
    }
    const out = this.sites.reduce((sum, site) => sum + (site.gone ? 0 : site.out), 0);
    const total = MEMBERS * this.sites.filter((site) => !site.gone).length;
    // Deleting a PoP takes its members away from under grants that were given; the floor is a matter of granting.
    if (!this.sites.some((site) => site.gone || site.failed))
      expect((total - out) * 100, "capacity").toBeGreaterThanOrEqual(this.spec.capacityFloorPercent * total);
  }
}

const kinds = fc.array(fc.constantFrom("Roll" as const, "Rollback" as const), { minLength: 2, maxLength: 5 });
const CALM = new World([]);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ at: fc.nat(99), act: fc.constant(undefined) }) },
  { weight: 1, arbitrary: fc.record({ at: fc.nat(9), act: fc.constantFrom(...Object.keys(CALM.environment)) }) },
);

/** A step without an act does the first thing, counted from `at`, that changes anything: every step moves the world on. */
function storm(world: World, script: readonly { readonly at: number; readonly act: string | undefined }[]): void {
  const possible = world.sites.flatMap((site) => Object.values(world.acts).map((act) => () => act(site)));
  for (const { at, act } of script) {
    if (act !== undefined) world.environment[act]!(world.sites[at % world.sites.length]!);
    else possible.some((_, offset) => possible[(at * 7 + offset) % possible.length]!());
  }
}

/** No more faults: everybody acts in turn, on fresh views, until nothing changes. */
function calm(world: World): number {
  for (const site of world.sites) Object.assign(site, { windowOpen: true, out: site.inHand ? 1 : 0, failed: undefined });
  let quiet = 0;
  for (let round = 1; round <= 200; round++) {
    // Who asked is decided on two seconds later (rule G7): one round in which nothing changes is no end yet.
    world.now += 2_000;
    let changed = false;
    for (const site of world.sites) for (const act of Object.values(world.acts)) changed = act(site) || changed;
    quiet = changed ? 0 : quiet + 1;
    if (quiet === 2) return round;
  }
  return Number.POSITIVE_INFINITY;
}

test("[G14] no limit is exceeded, no place struck while a node is out, one place a PoP; when the faults stop all work gets done", () => {
  fc.assert(
    fc.property(kinds, fc.array(step, { minLength: 1, maxLength: 150, size: "max" }), (of, script) => {
      const world = new World(of);
      storm(world, script);
      expect(calm(world), "rounds until nothing changes").toBeLessThan(200);
      expect(world.status.disruptions ?? []).toEqual([]);
      for (const site of world.sites)
        expect(site.gone || site.todo === 0, `${site.name} is stuck: ${JSON.stringify(world.status.waiting)}`).toBe(true);
    }),
    { numRuns: 1000 },
  );
});
