import type { PopCluster } from "../../api/pop-cluster.ts";
import { FLEET, MAINTENANCE_WINDOW, POP_CLUSTER } from "../../api/resources.ts";
import { type Draft, isConflict } from "../../control/ports.ts";
import { explainPop } from "../../core/explain/pop.ts";
import { fleetDraft, sundayWindow } from "../../simulation/world.ts";
import { type CastPop, castDraft, type GoodVersions, NAMESPACE, NODES_PER_POP, POPS, SESSIONS_PER_POP, type Versions } from "./cast.ts";
import { Chronicle } from "./chronicle.ts";
import { allServe, ClaimFailed, readNodes, sessionsKept } from "./claims.ts";
import { popsPicture } from "./frame.ts";
import { NODE_VOICE } from "./narration.ts";
import type { Narrator } from "./narrator.ts";
import type { Stage } from "./stage.ts";
import { popsStand } from "./standing.ts";
import { Telling } from "./telling.ts";

/** What became of a version on a PoP. */
export type Outcome = "Rolled" | "TakenBack" | "Stopped";

/** What the first act does and asks: one vocabulary for both stages. Whatever is claimed is read from the cluster. */
export class Play<V extends GoodVersions = Versions> extends Telling {
  readonly versions: V;
  readonly pops: readonly CastPop[];
  readonly chronicle: Chronicle;
  readonly #breaksBefore = new Map<string, number>();

  constructor(stage: Stage, versions: V, narrator: Narrator, pops: readonly CastPop[] = POPS) {
    super(stage, narrator);
    this.versions = versions;
    this.pops = pops;
    this.chronicle = new Chronicle(stage, (pop, sentence) => narrator.happened(sentence, pop), NODE_VOICE);
    narrator.watch({ stage, places: pops, picture: popsPicture(stage, this.chronicle, pops) });
  }

  whenReady(): Promise<void> {
    return this.chronicle.whenReady();
  }

  standing(): string {
    return popsStand(this.chronicle.pops());
  }

  close(): void {
    this.chronicle.close();
  }

  /** The window, the Fleet's ledger. */
  async applyFleet(): Promise<void> {
    await this.stage.perform(this.stage.cluster.create(FLEET, fleetDraft()));
    await this.stage.perform(this.stage.cluster.create(MAINTENANCE_WINDOW, sundayWindow()));
  }

  async applyPop(pop: CastPop, version: string): Promise<void> {
    await this.stage.perform(this.stage.cluster.create(POP_CLUSTER, this.draft(pop, version)));
  }

  protected draft(pop: CastPop, version: string): Draft<PopCluster> {
    return castDraft(pop, version, this.stage.tempo);
  }

  /** Sessions come to a PoP that serves, and stay for the rest of the play. */
  async holdSessions(pop: CastPop): Promise<void> {
    this.stage.holdSessions(pop.name, SESSIONS_PER_POP, ({ node, outage }) => this.chronicle.seeBreak(pop.name, node, outage));
    const load = this.stage.load(pop.name)!;
    await this.until(`${SESSIONS_PER_POP} sessions in ${pop.city}`, () => load.held === SESSIONS_PER_POP);
  }

  /** What a person does who edits `spec.version`. */
  async setVersion(pop: CastPop, version: string): Promise<void> {
    this.say(`a person sets spec.version of ${pop.name} to ${version}`);
    for (;;) {
      const live = await this.read(pop);
      try {
        await this.stage.perform(this.stage.cluster.update(POP_CLUSTER, { ...live, spec: { ...live.spec, version } }));
        return;
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
    }
  }

  async read(pop: CastPop): Promise<PopCluster> {
    const live = await this.stage.perform(this.stage.cluster.get<PopCluster>(POP_CLUSTER, pop.name, NAMESPACE));
    if (!live) throw new ClaimFailed(`PoPCluster ${pop.name} exists`, "the API server does not have it");
    return live;
  }

  /** Until the PoP's status, as last seen, satisfies the predicate. */
  untilPop(
    pop: CastPop,
    waitingFor: string,
    holds: (status: NonNullable<PopCluster["status"]>, pop: PopCluster) => boolean,
  ): Promise<void> {
    return this.until(`${pop.city}: ${waitingFor}`, () => {
      const seen = this.chronicle.pop(pop.name);
      return seen?.status !== undefined && holds(seen.status, seen);
    });
  }

  /** Until the version has been rolled or taken back, and which of the two. */
  async outcome(pop: CastPop, version: string): Promise<Outcome> {
    let outcome: Outcome | undefined;
    await this.untilPop(pop, `the end of ${version}`, (status) => (outcome = outcomeOf(status, version)) !== undefined);
    return outcome!;
  }

  async claimServes(pop: CastPop, version: string): Promise<void> {
    await this.claim(`all ${NODES_PER_POP} nodes of ${pop.city} run ${version}`, async () =>
      allServe(await this.stage.perform(readNodes(this.stage.cluster, pop.name)), version, NODES_PER_POP),
    );
  }

  /** Counts breaks of sessions from here on. */
  markSessions(pop: CastPop): void {
    this.#breaksBefore.set(pop.name, this.stage.load(pop.name)?.breaks.length ?? 0);
  }

  /** Since the mark no session broke more often, and each was back on the same PoP within 10 s. */
  async claimSessionsKept(pop: CastPop, breaksAtMost: number): Promise<void> {
    const load = this.stage.load(pop.name)!;
    await this.until(`all sessions of ${pop.city} to be back`, () => load.held === SESSIONS_PER_POP, 15_000).catch(() => undefined);
    const sentence = `the users of ${pop.city}: every session is held, each broke at most ${breaksAtMost} times and was back within 10 s`;
    await this.claim(sentence, () => sessionsKept(load, this.#breaksBefore.get(pop.name) ?? 0, breaksAtMost));
  }

  /** The sentence of `rollward explain`, and the claim that it names what is known from elsewhere. */
  async explain(pop: CastPop, version: string, stage: string, names: readonly string[]): Promise<void> {
    const { summary, sections } = explainPop(await this.read(pop));
    const lines = sections
      .filter(({ title }) => title === "Why not yet" || title === "Failed revisions")
      .flatMap((section) => section.lines);
    const sentence = `${summary}. ${lines[0] ?? ""}`.trim();
    await this.claim(`rollward explain pop/${pop.name} (${stage}) names ${names.join(", ")}`, () => ({
      holds: names.every((name) => sentence.includes(name)),
      found: sentence,
    }));
    this.told.explained.push({ pop: pop.name, version, stage, sentence });
  }
}

function outcomeOf(status: NonNullable<PopCluster["status"]>, version: string): Outcome | undefined {
  const entry = status.history?.findLast((one) => one.version === version);
  if (entry && entry.outcome !== "Promoted")
    return entry.outcome === "RolledBack" || entry.outcome === "RollbackFailed" ? "TakenBack" : "Stopped";
  if (entry) return "Rolled";
  const { run } = status;
  if (run?.version !== version || run.kind === "Rollback") return undefined;
  if (run.ending !== undefined) return "Stopped";
  return run.state === "Baking" || run.state === "Passed" ? "Rolled" : undefined;
}
