import type { PopRollout } from "../../../src/api/pop-rollout.ts";
import { ACCOUNT_LABEL } from "../../../src/api/names.ts";
import { FLEET, POP_CLUSTER } from "../../../src/api/resources.ts";
import type { KubernetesObject } from "../../../src/control/ports.ts";
import { sleep } from "../../../src/runtime/clock.ts";
import { FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import type { Sabotage } from "../effect.ts";
import { DAY, FleetScenario, HOUR, MINUTE, SECOND } from "./fleet-scenario.ts";
import { approve, ask, decideOn } from "./people.ts";
import { imageOf, popsOf } from "./pops.ts";

/**
 * Small known-bad operators: what one rule of the fleet asks for is taken away at the ports, and the oracles must notice. Six PoPs in one
 * zone roll in one window, so that each rule has something to keep.
 */

type Hunt = (sabotage: Sabotage) => Promise<void>;
export interface Case {
  readonly sabotage: Sabotage;
  readonly hunt: Hunt;
  /** The invariant that must be named. */
  readonly caughtBy: RegExp;
}

/** Objects as somebody changes them who knows no rules. */
// oxlint-disable-next-line typescript/no-explicit-any -- any field of any kind is changed here
type Loose = Record<string, any>;
const changed = (object: KubernetesObject, edit: (draft: Loose) => void): KubernetesObject => {
  const draft = structuredClone(object) as Loose;
  edit(draft);
  return draft as unknown as KubernetesObject;
};
/** Sees, or writes, the objects of one kind otherwise. */
const of =
  (kind: string, edit: (draft: Loose) => void): Required<Sabotage>["view"] =>
  (seen, object) =>
    seen.kind === kind ? changed(object, edit) : object;
const shares = (edit: (share: Loose) => void) => of("PoPRollout", (rollout) => (rollout["status"]?.assignments ?? []).forEach(edit));

interface Told {
  readonly rollout?: object;
  readonly before?: (scenario: FleetScenario) => Promise<unknown> | void;
  /** What happens an hour before the first window, when its wave has opened. */
  readonly early?: (scenario: FleetScenario, sabotage: Sabotage) => Promise<unknown> | void;
  /** What happens while the first window is open. */
  readonly during?: (scenario: FleetScenario, sabotage: Sabotage) => Promise<unknown> | void;
  /** What happens at an instant after that. */
  readonly later?: readonly [at: number, deed: (scenario: FleetScenario) => Promise<unknown>];
  readonly limits?: object;
  readonly until?: number;
}

const WINDOW = Date.parse("2026-11-22T00:00:00Z");

/** A rollout through six PoPs of one zone, with what a case tells of it. */
export const small =
  ({ rollout = {}, before, early, during, later, limits = {}, until = WINDOW + 5 * HOUR }: Told): Hunt =>
  async (sabotage) => {
    const scenario = await FleetScenario.create({
      start: "2026-11-20T10:00:00Z",
      pops: popsOf(6).map((pop) => ({ ...pop, timeZone: "Europe/Berlin" })),
      fleet: { maxConcurrentPoPs: 2, maxConcurrentPerRegion: 2, train: { everyWeeks: 2, anchor: "2026-11-22", length: "336h" }, ...limits },
    });
    scenario.operator({ name: "a", sabotage });
    await before?.(scenario);
    await scenario.world.clock.advance(3 * MINUTE);
    await scenario.done(ask(scenario, "r1", { version: "2.0.0", ...rollout }));
    await scenario.liveUntil(WINDOW - HOUR);
    if (early) await scenario.done(Promise.resolve(early(scenario, sabotage)));
    await scenario.liveUntil(WINDOW + MINUTE);
    if (during) await scenario.done(Promise.resolve(during(scenario, sabotage)));
    if (later) {
      await scenario.liveUntil(later[0]);
      await scenario.done(later[1](scenario));
    }
    await scenario.liveUntil(until);
    scenario.invariants.check();
  };

const BOTH_WAVES = [
  { name: "canary", pops: { count: 2 }, bake: "10m" },
  { name: "rest", pops: { percent: 100 }, bake: "10m" },
];
/** What the honest operator is hunted with: everything at once. */
export const ASSIGNED: Told = {
  rollout: { waves: BOTH_WAVES },
  before: (scenario) => scenario.done(scenario.site("office", "p00", "p01")),
};
const losesImages = (scenario: FleetScenario) => {
  // Whichever two are picked as the canary: one of them fails.
  for (const { name } of popsOf(6)) if (name !== "p03") scenario.world.registry.missing.add(imageOf(name, "2.0.0"));
};
/** A PoP that was paused all the while goes on when the train has ended. */
export const MISSED: Told = {
  rollout: { waves: [{ name: "all", pops: { percent: 100 }, bake: "10m" }] },
  before: (scenario) => scenario.done(scenario.edit("p03", (spec) => ({ ...spec, paused: true }))),
  later: [WINDOW + 13 * DAY, (scenario) => scenario.edit("p03", (spec) => ({ ...spec, paused: false }))],
  until: WINDOW + 15 * DAY,
};
/** One place for those who go back, and people who want the version back from one PoP after the other, a second apart. */
export const ONE_BY_ONE: Told = {
  rollout: { waves: [{ name: "all", pops: { percent: 100 }, bake: "10m" }] },
  limits: { maxConcurrentPoPs: 6, maxConcurrentPerRegion: 6, maxConcurrentRollbacks: 1 },
  later: [
    WINDOW + 2 * HOUR,
    async (scenario) => {
      for (const { name } of popsOf(6)) {
        const at = new Date(scenario.world.clock.now()).toISOString();
        await scenario.edit(name, (spec) => ({ ...spec, requests: { ...spec.requests, takeBack: { at } } }));
        await sleep(scenario.world.clock, SECOND);
      }
    },
  ],
};
/** Reads no dates of trains, and leaves them as they are where it writes. */
const knowsNoTrain = (): Sabotage => {
  const dates = new Map<string, Loose>();
  return {
    view: shares((share) => {
      const { from, to } = share;
      if (from !== undefined) dates.set(share["uid"], { from, to });
      delete share["from"];
      delete share["to"];
    }),
    status: shares((share) => void (share["late"] || Object.assign(share, dates.get(share["uid"])))),
  };
};
/** Who is about to write the Fleet's ledger reads it as it was a while ago, and what is made from that wins. */
const ageing = (milliseconds: number) => {
  const seen: { readonly at: number; readonly fleet: KubernetesObject }[] = [];
  let clock: FleetScenario["world"]["clock"] | undefined;
  let last = "";
  const get: Required<Sabotage>["get"] = (kind, found) => {
    // A PoP asks for its window and the Fleet in one breath, and sees its grant as it is.
    const ofPop = last === "MaintenanceWindow";
    last = kind.kind;
    if (kind.kind !== "Fleet" || ofPop || found === undefined || clock === undefined) return found;
    return seen.findLast(({ at }) => at <= clock!.elapsed() - milliseconds)?.fleet ?? found;
  };
  const begin = ({ world }: FleetScenario) => {
    clock = world.clock;
    const note = (fleet: KubernetesObject) => void seen.push({ at: world.clock.elapsed(), fleet });
    world.store.list(FLEET).forEach((fleet) => note(fleet));
    world.store.subscribe(({ kind, object }) => kind.kind === "Fleet" && note(object));
  };
  return { sabotage: { get, ignoresConflicts: "Fleet" }, begin };
};
const CACHED = ageing(5 * SECOND);
const everybodyAtOnce = [{ name: "all", pops: { percent: 100 }, bake: "10m" }];
const awaited = (action: (scenario: FleetScenario, rollout: PopRollout) => Promise<void>) => (scenario: FleetScenario) =>
  action(scenario, scenario.rollout("r1")!);
const needsApproval = { waves: [{ ...BOTH_WAVES[0]!, approval: "Required" }, BOTH_WAVES[1]!] };
/** While no operator is there, a PoP that has not begun is deleted and made again under its name. */
const rebuilt = async (scenario: FleetScenario, sabotage: Sabotage) => {
  for (const operator of scenario.operators) operator.crash();
  const waits = scenario
    .rollout("r1")!
    .status!.assignments!.findLast(
      ({ pop }) => scenario.pop(pop)?.status?.run === undefined && !scenario.pop(pop)?.metadata.finalizers?.length,
    )!;
  const { apiVersion, spec, metadata } = scenario.pop(waits.pop)!;
  await scenario.world.kubectl.delete(POP_CLUSTER, waits.pop, FLEET_NAMESPACE);
  await scenario.create(POP_CLUSTER, {
    apiVersion,
    kind: "PoPCluster",
    metadata: { name: metadata.name, namespace: FLEET_NAMESPACE },
    spec,
  });
  scenario.operator({ name: "c", sabotage });
};

export const CASES: Readonly<Record<string, Case>> = {
  "knows of no limit": {
    sabotage: { view: of("Fleet", (fleet) => void (fleet["spec"].maxConcurrentPoPs = 100)) },
    hunt: small({ rollout: { waves: everybodyAtOnce }, limits: { maxConcurrentPerRegion: 6 } }),
    caughtBy: /G14:/,
  },
  "counts grants from a cache": {
    sabotage: CACHED.sabotage,
    hunt: small({ ...ONE_BY_ONE, before: (scenario) => CACHED.begin(scenario) }),
    caughtBy: /G14:/,
  },
  "boards a train that left": {
    sabotage: knowsNoTrain(),
    hunt: small(MISSED),
    caughtBy: /I20:.*which is in none of/,
  },
  "ignores partners": {
    // Sites of no account count for nobody.
    sabotage: { view: of("Namespace", ({ metadata }) => void delete metadata.labels?.[ACCOUNT_LABEL]) },
    hunt: small({
      rollout: { waves: everybodyAtOnce },
      limits: { maxConcurrentPoPs: 6, maxConcurrentPerRegion: 6 },
      before: async (scenario) => {
        for (const partner of ["p01", "p02", "p03"]) await scenario.done(scenario.site(`office-${partner}`, "p00", partner));
      },
    }),
    caughtBy: /(I2|F2):/,
  },
  "forgets that the first wave's budget is none": {
    sabotage: {
      view: of("PoPCluster", ({ status }) =>
        status?.history?.forEach((entry: Loose) => entry["outcome"] === "RolledBack" && (entry["outcome"] = "Promoted")),
      ),
    },
    hunt: small({ rollout: { waves: BOTH_WAVES, failureBudget: { pops: 5 } }, before: losesImages }),
    caughtBy: /I12:/,
  },
  "does not hold a PoP when its rollout is paused": {
    sabotage: { view: shares((share) => void (share["order"] = "Go")) },
    hunt: small({
      rollout: { waves: everybodyAtOnce },
      limits: { maxConcurrentPoPs: 1 },
      during: (scenario) => scenario.editRollout("r1", (spec) => ({ ...spec, paused: true })),
    }),
    caughtBy: /I7:/,
  },
  "lets PoPs go on once the Fleet's pause is acknowledged": {
    sabotage: {
      view: (() => {
        let acknowledged = false;
        return of("Fleet", ({ metadata, spec, status }) => {
          acknowledged ||= isAcknowledged(status);
          if (!acknowledged) return;
          // As if a person had lifted it.
          spec.paused = false;
          metadata.generation += 1;
        });
      })(),
    },
    hunt: small({
      rollout: { waves: everybodyAtOnce },
      limits: { maxConcurrentPoPs: 1, maxConcurrentPerRegion: 1 },
      during: (scenario) => scenario.editFleet((spec) => ({ ...spec, paused: true })),
    }),
    caughtBy: /I7:/,
  },
  "goes by the name of a PoP and not by its UID": {
    sabotage: {
      view: (() => {
        const uids = new Map<string, string>();
        return (kind, object) => {
          if (kind.kind === "PoPCluster") uids.set(object.metadata.name, object.metadata.uid);
          return kind.kind !== "PoPRollout"
            ? object
            : changed(object, ({ status }) =>
                (status?.assignments ?? []).forEach((one: Loose) => (one["uid"] = uids.get(one["pop"]) ?? one["uid"])),
              );
        };
      })(),
    },
    hunt: small({ rollout: { waves: everybodyAtOnce }, limits: { maxConcurrentPoPs: 1 }, early: rebuilt }),
    caughtBy: /I14:/,
  },
  "lets a wave shrink": {
    sabotage: {
      status: of("PoPRollout", ({ status }) =>
        status.waves?.forEach((wave: Loose) => wave["state"] === "Open" && wave["pops"]?.length > 1 && wave["pops"].pop()),
      ),
    },
    hunt: small({ rollout: { waves: BOTH_WAVES } }),
    caughtBy: /I11:/,
  },
  "takes an Approval of something else": {
    sabotage: {
      view: (() => {
        let digest: string | undefined;
        return (kind, object) => {
          if (kind.kind === "PoPRollout") digest = (object as PopRollout).status?.waves?.[0]?.digest ?? digest;
          return kind.kind === "Approval" ? changed(object, ({ spec }) => (spec.for.digest = digest)) : object;
        };
      })(),
    },
    hunt: small({
      rollout: needsApproval,
      during: awaited((scenario, rollout) => decideOn(scenario, rollout, `sha256:${"0".repeat(64)}`)),
    }),
    caughtBy: /I12:.*without an Approval/,
  },
  "asks for no Approval": {
    sabotage: { view: of("PoPRollout", ({ spec }) => spec.waves.forEach((wave: Loose) => (wave["approval"] = "None"))) },
    hunt: small({ rollout: needsApproval }),
    caughtBy: /I12:.*without an Approval/,
  },
  "lets somebody approve what he asked for": {
    sabotage: { view: of("Approval", ({ spec }) => (spec.approvedBy = "somebody.else@example.com")) },
    hunt: small({
      rollout: needsApproval,
      during: awaited((scenario, rollout) => approve(scenario, rollout, { approvedBy: rollout.spec.requestedBy })),
    }),
    caughtBy: /I12:.*without an Approval/,
  },
  "knows of no freeze": {
    sabotage: { view: of("Fleet", (fleet) => void (fleet["spec"].freezes = [])) },
    hunt: small({
      before: (scenario) =>
        scenario.done(scenario.editFleet((spec) => ({ ...spec, freezes: [{ name: "f", from: "2026-11-22", to: "2026-11-22" }] }))),
    }),
    caughtBy: /I20:/,
  },
  "calls a version good before it has baked": {
    sabotage: { view: of("PoPCluster", ({ spec }) => void (spec.strategy.bake = "1s")), status: (_, object) => object },
    hunt: small({ rollout: { waves: [{ name: "all", pops: { percent: 100 } }] } }),
    caughtBy: /I12: .* passed on/,
  },
  "opens all waves at once": {
    sabotage: {
      view: of("PoPRollout", ({ status }) =>
        status?.waves?.forEach((wave: Loose) => wave["state"] === "Open" && (wave["state"] = "Passed")),
      ),
    },
    hunt: small({ rollout: { waves: BOTH_WAVES } }),
    caughtBy: /I12:/,
  },
  "takes more PoPs into the canary than were declared": {
    sabotage: { view: of("PoPRollout", ({ spec }) => void (spec.waves[0].pops = { count: 5 })) },
    hunt: small({ rollout: { waves: BOTH_WAVES } }),
    caughtBy: /I13:/,
  },
};

const isAcknowledged = (status: Loose | undefined): boolean =>
  (status?.["conditions"] ?? []).some((one: Loose) => one["type"] === "Paused" && one["status"] === "True");
