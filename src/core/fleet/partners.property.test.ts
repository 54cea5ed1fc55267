import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fleetSpec, type FleetStatus } from "../../api/fleet.ts";
import { decide } from "./decide.ts";
import { NOON, partnersOf, pop } from "./fleet.examples.ts";
import type { AskedGrant, FleetPop, LiveAnswer, Partners } from "./observation.ts";
import { entriesToConfirm } from "./strike.ts";

/**
 * Partners in any graph (rules F2, F10) against lagging views: each PoP acts on its own ledger and on the Fleet's status as it last saw
 * it, by the table G13; the Fleet decides on the PoPs as it last saw them. What is asserted is the PoPs' truth (I2): at no moment both
 * PoPs of a pair have a node out for us, whoever rolls, rolls back, fails, degrades, asks or returns.
 */
interface Site {
  readonly name: string;
  kind: "Roll" | "Rollback";
  /** Nodes still to be moved. */
  todo: number;
  inHand: "Nothing" | "Draining" | "Changed";
  grant: AskedGrant | undefined;
  degraded: boolean;
  /** The Fleet's status as this PoP last saw it. */
  seen: FleetStatus;
  grants: number;
}

const SPEC = fleetSpec.parse({ maxConcurrentPoPs: 3, maxConcurrentPerRegion: 3, maxConcurrentRollbacks: 2 });

class World {
  readonly sites: Site[];
  readonly partners: Partners;
  readonly views = new Map<string, FleetPop>();
  status: FleetStatus = {};
  now = NOON;

  constructor(count: number, pairs: readonly (readonly [number, number])[]) {
    this.sites = Array.from({ length: count }, (_, index) => ({
      name: `p${index}`,
      kind: "Roll",
      todo: 2,
      inHand: "Nothing",
      grant: undefined,
      degraded: false,
      seen: {},
      grants: 0,
    }));
    this.partners = partnersOf(
      ...pairs.filter(([a, b]) => a % count !== b % count).map(([a, b]) => [`p${a % count}`, `p${b % count}`] as const),
    );
  }

  readonly #held = ({ name, grant, seen }: Site): boolean =>
    grant?.state === "Asked" && (seen.disruptions ?? []).some((entry) => entry.pop === name && entry.id === grant.id);
  /** A partner waits to roll back until this PoP is whole: what goes forward stops. */
  readonly #toldToStop = ({ name, kind, seen }: Site): boolean =>
    kind === "Roll" && (seen.waiting ?? []).some((entry) => entry.kind === "Rollback" && entry.partners?.includes(name));

  readonly acts: Readonly<Record<string, (site: Site) => boolean>> = {
    ask: (site) => {
      if (site.todo === 0 || site.grant?.state === "Asked" || this.#toldToStop(site)) return false;
      site.grant = { id: (site.grant?.id ?? 0) + 1, kind: site.kind, state: "Asked" };
      return true;
    },
    start: (site) => {
      if (site.todo === 0 || site.inHand !== "Nothing" || !this.#held(site) || this.#toldToStop(site)) return false;
      site.inHand = "Draining";
      this.assertApart(site);
      return true;
    },
    goOn: (site) => {
      if (site.inHand === "Nothing") return false;
      if (site.inHand === "Draining") site.inHand = this.#toldToStop(site) ? "Nothing" : "Changed";
      else Object.assign(site, { inHand: "Nothing", todo: site.todo - 1 });
      return true;
    },
    return: (site) => {
      if (site.grant?.state !== "Asked" || site.inHand !== "Nothing" || (site.todo > 0 && !(this.#toldToStop(site) && this.#held(site))))
        return false;
      if (this.#held(site)) site.grants += 1;
      site.grant = { ...site.grant, state: "Returned" };
      return true;
    },
    seeFleet: (site) => {
      const before = site.seen;
      site.seen = this.status;
      return !isDeepStrictEqual(before, site.seen);
    },
    fleetSees: (site) => {
      const { name, grant, degraded, kind, todo } = site;
      const next = pop(name, { degraded, failedSessions: kind === "Rollback" ? todo : 0, ...(grant ? { grant } : {}) });
      const before = this.views.get(name);
      this.views.set(name, next);
      return !isDeepStrictEqual(before, next);
    },
    fleetDecides: () => {
      const before = this.status;
      const fleet = { generation: 1, spec: SPEC, status: before };
      const pops = [...this.views.values()];
      const live = new Map<string, LiveAnswer>();
      for (const entry of entriesToConfirm(before.disruptions ?? [], pops)) {
        const { grant } = this.sites.find(({ name }) => name === entry.pop)!;
        live.set(entry.pop, { found: true, uid: entry.uid, ...(grant ? { grant } : {}) });
      }
      const seen = { fleet, pops, partners: this.partners, live, tzdata: "2026c" };
      this.status = decide(seen, this.now).status!;
      return !isDeepStrictEqual(before.disruptions ?? [], this.status.disruptions ?? []);
    },
  };

  readonly environment: Readonly<Record<string, (site: Site) => void>> = {
    // In mid-roll it keeps the grant that it has; else it asks for one to roll back.
    fails: (site) => Object.assign(site, { kind: "Rollback", todo: Math.max(1, site.todo) }),
    newVersion: (site) => {
      if (site.todo === 0) Object.assign(site, { kind: "Roll", todo: 2 });
    },
    degrades: (site) => void (site.degraded = true),
    recovers: (site) => void (site.degraded = false),
    time: () => void (this.now += 60_000),
  };

  assertApart(site: Site): void {
    const out = this.sites.filter((other) => other.inHand !== "Nothing" && this.partners.get(site.name)?.has(other.name));
    expect(
      out.map(({ name }) => name),
      `partners of ${site.name} that are out too`,
    ).toEqual([]);
  }
}

const graph = fc.record({
  count: fc.integer({ min: 2, max: 6 }),
  pairs: fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 10 }),
});
const script = (acts: readonly string[], weight: number) =>
  fc.oneof(
    { weight, arbitrary: fc.record({ at: fc.nat(5), act: fc.constantFrom(...acts) }) },
    { weight: 1, arbitrary: fc.record({ at: fc.nat(5), act: fc.constantFrom("fails", "newVersion", "degrades", "recovers", "time") }) },
  );
const ACTS = Object.keys(new World(2, []).acts);

function run(world: World, steps: readonly { readonly at: number; readonly act: string }[]): void {
  for (const { at, act } of steps) {
    const site = world.sites[at % world.sites.length]!;
    if (act in world.acts) world.acts[act]!(site);
    else world.environment[act]!(site);
  }
}

test("[I2] no two partners are ever out together, in any graph and any order of things; when the faults stop all work gets done", () => {
  fc.assert(
    fc.property(graph, fc.array(script(ACTS, 12), { maxLength: 250, size: "max" }), ({ count, pairs }, steps) => {
      const world = new World(count, pairs);
      run(world, steps);
      for (const site of world.sites) site.degraded = false;
      for (let round = 0, quiet = 0; quiet < 2; round++) {
        expect(round, JSON.stringify(world.status)).toBeLessThan(200);
        let changed = false;
        // Who asked is decided on two seconds later (rule G7): one round in which nothing changes is no end yet.
        world.now += 2_000;
        for (const site of world.sites) for (const act of ACTS) changed = world.acts[act]!(site) || changed;
        quiet = changed ? 0 : quiet + 1;
      }
      expect(world.sites.filter(({ todo }) => todo > 0).map(({ name }) => name)).toEqual([]);
      expect(world.status.disruptions).toEqual([]);
    }),
    { numRuns: 400 },
  );
});

test("[L3] with work without end everybody has a turn, also a PoP whose many partners could be served in turns for ever", () => {
  fc.assert(
    fc.property(graph, fc.infiniteStream(fc.nat(999)), ({ count, pairs }, chance) => {
      const world = new World(count, pairs);
      for (let round = 0; round < 60 * count; round++) {
        world.now += 1_000;
        for (const site of world.sites) if (site.todo === 0 && site.grant?.state !== "Asked") site.todo = 1;
        const first = chance.next().value! % count;
        const others = (world.status.disruptions ?? []).length > 1;
        for (const act of ["return", "goOn", "ask", "start", "seeFleet", "fleetSees", "fleetDecides"])
          for (let turn = 0; turn < count; turn++) {
            const site = world.sites[(first + turn) % count]!;
            // Whoever is alone is slow, so that the next one is there before he is gone: a crowd never makes room by itself.
            if (act === "goOn" && !others && round % 8 !== 0) continue;
            world.acts[act]!(site);
            if (act === "goOn" && others) break;
          }
      }
      expect(
        world.sites.filter(({ grants }) => grants === 0).map(({ name }) => name),
        "never served",
      ).toEqual([]);
    }),
    { numRuns: 60 },
  );
});
