import type { PopRollout } from "../../../src/api/pop-rollout.ts";
import { POP_CLUSTER } from "../../../src/api/resources.ts";
import type { KubernetesObject } from "../../../src/control/ports.ts";
import { FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import type { Sabotage } from "../effect.ts";
import { DAY, FleetScenario, HOUR, MINUTE } from "./fleet-scenario.ts";
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
  /** What happens while the first window is open. */
  readonly during?: (scenario: FleetScenario) => Promise<unknown> | void;
  /** An honest operator works beside it. */
  readonly honest?: boolean;
  readonly limits?: object;
  readonly until?: number;
}

const WINDOW = Date.parse("2026-11-22T00:00:00Z");

/** A rollout through six PoPs of one zone, with what a case tells of it. */
export const small =
  ({ rollout = {}, before, during, honest = false, limits = {}, until = WINDOW + 5 * HOUR }: Told): Hunt =>
  async (sabotage) => {
    const scenario = await FleetScenario.create({
      start: "2026-11-20T10:00:00Z",
      pops: popsOf(6).map((pop) => ({ ...pop, timeZone: "Europe/Berlin" })),
      fleet: { maxConcurrentPoPs: 2, maxConcurrentPerRegion: 2, train: { everyWeeks: 2, anchor: "2026-11-22", length: "336h" }, ...limits },
    });
    scenario.operator({ name: "a", sabotage });
    if (honest) scenario.operator({ name: "b", seed: 2 });
    await before?.(scenario);
    await scenario.world.clock.advance(3 * MINUTE);
    await scenario.done(ask(scenario, "r1", { version: "2.0.0", ...rollout }));
    await scenario.liveUntil(WINDOW + MINUTE);
    if (during) await scenario.done(Promise.resolve(during(scenario)));
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
const everybodyAtOnce = [{ name: "all", pops: { percent: 100 }, bake: "10m" }];
const awaited = (action: (scenario: FleetScenario, rollout: PopRollout) => Promise<void>) => (scenario: FleetScenario) =>
  action(scenario, scenario.rollout("r1")!);
const needsApproval = { waves: [{ ...BOTH_WAVES[0]!, approval: "Required" }, BOTH_WAVES[1]!] };
const rebuilt = async (scenario: FleetScenario) => {
  const pop = scenario.pop("p02")!;
  await scenario.world.kubectl.delete(POP_CLUSTER as never, "p02", FLEET_NAMESPACE);
  await new Promise<void>((resolve) => {
    const look = () => (scenario.pop("p02") ? void scenario.world.clock.after(500, look) : resolve());
    look();
  });
  const { apiVersion, spec } = pop;
  await scenario.create(POP_CLUSTER, { apiVersion, kind: "PoPCluster", metadata: { name: "p02", namespace: FLEET_NAMESPACE }, spec });
};

export const CASES: Readonly<Record<string, Case>> = {
  "counts grants from what it saw and not from what it writes": {
    sabotage: { view: of("Fleet", (fleet) => void (fleet["status"] = { ...fleet["status"], disruptions: [] })), ignoresConflicts: "Fleet" },
    hunt: small({ rollout: { waves: everybodyAtOnce } }),
    caughtBy: /G14:/,
  },
  "knows of no limit": {
    sabotage: { view: of("Fleet", (fleet) => void (fleet["spec"].maxConcurrentPoPs = 100)) },
    hunt: small({ rollout: { waves: everybodyAtOnce }, limits: { maxConcurrentPerRegion: 6 } }),
    caughtBy: /G14:/,
  },
  "ignores partners": {
    sabotage: {
      view: of("TunnelSite", (site) => void delete site["status"]),
      status: of("TunnelSite", (site) => void delete site["status"]),
    },
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
      status: of("PoPRollout", ({ status }) => {
        delete status.halted;
        delete status.takenBack;
        for (const wave of status.waves ?? [])
          if (wave.name === "canary" && wave.state === "Open" && isOver(status, "canary")) wave.state = "Passed";
      }),
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
  "starts PoPs while the Fleet is paused": {
    sabotage: { view: of("Fleet", (fleet) => void (fleet["spec"].paused = false)) },
    hunt: small({
      rollout: { waves: everybodyAtOnce },
      limits: { maxConcurrentPoPs: 1 },
      honest: true,
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
    hunt: async ({ view }) => {
      // An honest operator opens the waves; the PoPs are in the hands of one that reads names.
      await small({ rollout: { waves: everybodyAtOnce }, limits: { maxConcurrentPoPs: 1 }, honest: true, during: rebuilt })({
        view: view!,
      });
    },
    caughtBy: /(I14|I11):/,
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
  "boards a train that has left": {
    sabotage: { view: shares((share) => void (share["to"] = share["to"] && "2027-12-31")) },
    hunt: small({
      rollout: { waves: everybodyAtOnce },
      // Nothing may roll until the train is over everywhere.
      before: (scenario) =>
        scenario.done(scenario.editFleet((spec) => ({ ...spec, freezes: [{ name: "all", from: "2026-11-21", to: "2026-12-05" }] }))),
      until: WINDOW + 15 * DAY,
      honest: true,
    }),
    caughtBy: /(I20|I14):/,
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
    caughtBy: /I12:.*bake/,
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
  "takes every PoP into the canary": {
    sabotage: { view: of("PoPRollout", ({ spec }) => void (spec.waves[0].pops = { count: 100 })) },
    hunt: small({ rollout: { waves: BOTH_WAVES } }),
    caughtBy: /I13:/,
  },
};

const isOver = (status: Loose, wave: string): boolean =>
  (status["assignments"] ?? []).every(
    (one: Loose) => one["wave"] !== wave || ["Passed", "Promoted", "RolledBack", "Skipped"].includes(one["state"]),
  );
