import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import type { PopCluster } from "../../../src/api/pop-cluster.ts";
import type { PopRollout, PopRolloutSpec } from "../../../src/api/pop-rollout.ts";
import { FLEET, MAINTENANCE_WINDOW, POP_ROLLOUT } from "../../../src/api/resources.ts";
import type { Draft, KubernetesObject } from "../../../src/control/ports.ts";
import { FLEET_NAMESPACE, popDraft } from "../../../src/simulation/world.ts";
import { eventually } from "../rolls/pops.ts";
import type { RealWorld } from "../rolls/real-world.ts";
import { SessionLoadProcess } from "../rolls/session-record.ts";
import { WARM_CHECK, WarmUp } from "./warm-up.ts";
import { type Difference, differenceOf, differenceTable, type HistoryFile, type PlanFile } from "./difference.ts";

const ROOT = join(import.meta.dirname, "../../..");
/** Ignored by git; what a run leaves to be looked at. */
const KEPT = join(ROOT, ".cache/forecast");

export interface Place {
  readonly region: string;
  readonly timeZone: string;
  readonly nodes: number;
}

/** How long a node takes, as the spec expects it: the time that its users are given to leave, which they use up. */
export const EXPECTED = "6m";
const STRATEGY = {
  maxUnavailable: 1,
  bake: "1h",
  perNode: { expected: EXPECTED, deadline: "15m", soak: "60s", retries: 1 },
};
const FIRST = { maxUnavailable: "100%", bake: "1s", perNode: { expected: "40s", deadline: "60s", soak: "1s", retries: 1 } };

const sample = <Found>(path: string): Found => parse(readFileSync(join(ROOT, "config/samples", path), "utf8")) as Found;

/**
 * The samples' fleet at so many places, each PoP on its first version, where users stay until their drain's time is up: so a node that
 * has any takes as long as a calendar says, and not as long as this machine needs.
 */
export async function settle(world: RealWorld, places: Readonly<Record<string, Place>>, version: string): Promise<void> {
  const fleet = sample<Draft<KubernetesObject> & { spec: object }>("fleet.yaml");
  await world.apply(FLEET, { ...fleet, spec: { ...fleet.spec, maxConcurrentPerRegion: 1, capacityFloorPercent: 80 } } as never);
  await world.apply(MAINTENANCE_WINDOW, sample("maintenance-window-pop-sunday.yaml"));
  const names = Object.keys(places);
  await Promise.all(
    names.map(async (name) => {
      const { region, timeZone } = places[name]!;
      const { spec } = popDraft(name);
      const template = JSON.parse(JSON.stringify(spec.template).replace("${version}", "${version}-ignores-drain")) as object;
      await world.applyPop(name, { version, timeZone, strategy: FIRST, health: { pop: [] }, spec: { region, template } });
      await world.until(name, "the first version", ({ run }) => run?.state === "Passed");
    }),
  );
  for (const name of names)
    await world.editPop(name, ({ version: _, ...spec }) => ({
      ...spec,
      strategy: { ...spec.strategy, ...STRATEGY, drain: { ...spec.strategy.drain, timeout: EXPECTED } },
    }));
}

/**
 * Two users for each node, spread over the nodes of their PoP. A release drives them together on the node that was updated first, and an
 * empty node is drained in no time: so they are spread anew before each release that is compared.
 */
export const fill = (world: RealWorld, places: Readonly<Record<string, Place>>): Promise<SessionLoadProcess[]> =>
  Promise.all(Object.entries(places).map(([name, { nodes }]) => SessionLoadProcess.start(world, name, 2 * nodes)));

/**
 * Beside six minutes of drain its nodes warm up for twelve more: three times what its spec expects. (That users stay for longer than
 * `expected` the API server refuses.)
 */
export async function slowDown(world: RealWorld, pop: string, version: string): Promise<WarmUp> {
  const warmUp = await WarmUp.start(world.addresses(pop), world.calendar, version, 12 * 60_000);
  await world.editPop(pop, (spec: PopCluster["spec"]) => ({
    ...spec,
    strategy: { ...spec.strategy, perNode: { ...spec.strategy.perNode, deadline: "1h" } },
    health: { ...spec.health, node: [...spec.health.node, WARM_CHECK as never] },
  }));
  return warmUp;
}

/** The sample's release with what a test says otherwise. No evidence is waited for: there is no CI system here. */
export async function release(world: RealWorld, name: string, spec: Partial<PopRolloutSpec>): Promise<PopRollout> {
  const regular = sample<Draft<PopRollout> & { spec: PopRolloutSpec }>("release/poprollout-regular.yaml");
  const { stages: _, ...rest } = regular.spec;
  await world.apply<PopRollout>(POP_ROLLOUT, {
    ...regular,
    metadata: { name, namespace: FLEET_NAMESPACE },
    spec: { ...rest, ...spec },
  } as never);
  await eventually(
    () => world.cluster.get<PopRollout>(POP_ROLLOUT, name, FLEET_NAMESPACE),
    (found) => {
      if (found?.status?.startDate === undefined || found.status.forecast === undefined)
        throw new Error(`${name} has no dates or no forecast yet: ${JSON.stringify(found?.status)}`);
    },
  );
  return (await world.cluster.get<PopRollout>(POP_ROLLOUT, name, FLEET_NAMESPACE))!;
}

export async function rollward(world: RealWorld, ...words: string[]): Promise<string> {
  const flags = ["--kubeconfig", world.controlPlane.kubeconfig("admin")];
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, "src/main.ts"), ...words, ...flags], {
    cwd: ROOT,
    maxBuffer: 1 << 26,
  });
  return stdout;
}

/** What is kept of one comparison. */
export class Kept {
  readonly folder: string;

  constructor(name: string) {
    this.folder = join(KEPT, name);
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** `rollward plan --cluster -o json`, as if a person called it at this moment of the calendar; written with the digest of its bytes. */
  async plan(world: RealWorld, file = "plan.json"): Promise<PlanFile> {
    const text = await rollward(world, "plan", "--cluster", "-o", "json", "--from", new Date(world.calendar.now()).toISOString());
    writeFileSync(this.path(file), text);
    const sum = createHash("sha256").update(text).digest("hex");
    writeFileSync(this.path(`${file}.sha256`), `${sum}  ${file}\n`);
    return JSON.parse(text) as PlanFile;
  }

  /** The file as it was written before; refused when its bytes are others by now. */
  readPlan(file = "plan.json"): PlanFile {
    const text = readFileSync(this.path(file), "utf8");
    const sum = createHash("sha256").update(text).digest("hex");
    if (!readFileSync(this.path(`${file}.sha256`), "utf8").startsWith(sum)) throw new Error(`${file} is not what was written before`);
    return JSON.parse(text) as PlanFile;
  }

  /** The history, by a process of its own that reads the audit log and the journal of the clock. */
  async history(world: RealWorld, journal: string, rollout: string, version: string): Promise<HistoryFile> {
    const script = join(import.meta.dirname, "history-from-audit.ts");
    const args = [script, world.controlPlane.auditLog, journal, rollout, version];
    const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1 << 26 });
    writeFileSync(this.path("history.json"), stdout);
    copyFileSync(journal, this.path("clock.jsonl"));
    return JSON.parse(stdout) as HistoryFile;
  }

  compare(plan: PlanFile, history: HistoryFile): Difference & { readonly table: string } {
    const difference = differenceOf(plan, history);
    const table = differenceTable(difference);
    writeFileSync(this.path("difference.md"), table);
    writeFileSync(this.path("difference.json"), `${JSON.stringify(difference, null, 2)}\n`);
    return { ...difference, table };
  }
}
