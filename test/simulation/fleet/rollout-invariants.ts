import type { Approval } from "../../../src/api/approval.ts";
import type { PopCluster } from "../../../src/api/pop-cluster.ts";
import type { Assignment, PopRollout, WaveStatus } from "../../../src/api/pop-rollout.ts";
import type { World } from "../../../src/simulation/world.ts";
import type { Findings } from "../findings.ts";
import { milliseconds } from "./calendar.ts";
import type { FleetTruth } from "./fleet-truth.ts";
import type { Verdicts } from "./verdicts.ts";

export interface RolloutSettings {
  readonly clock: World["clock"];
  readonly truth: FleetTruth;
  readonly verdicts: Verdicts;
  readonly findings: Findings;
  readonly isPaused: (kind: string, name: string) => boolean;
  readonly approvals: () => readonly Approval[];
  /** What the evidence of a stage is worth now, by the monitoring system itself. */
  readonly evidencePasses: (rollout: PopRollout, stage: string) => boolean;
}

const RANK = { Pending: 0, Open: 1, Passed: 2, Skipped: 2 } as const;
const PASSED: readonly string[] = ["Passed", "Promoted"];
const FAILED: readonly string[] = ["RolledBack", "RollbackFailed"];
/** A rollout decides on what it read; what happened since is for its next look. */
const UNFORESEEN = 5_000;

/** What a rollout's status may say next, judged from PoPs' own ledgers, Approvals and monitoring. */
export class RolloutInvariants {
  readonly #its: RolloutSettings;
  /** PoP UID and version → since when its ledger has shown that it passed. */
  readonly #passed = new Set<string>();
  /** PoP UID and version → elapsed instant at which its ledger first showed that it failed. */
  readonly #failed = new Map<string, number>();
  /** PoP UID and run → the calendar's instant at which it began to bake. */
  readonly #bakes = new Map<string, number>();

  constructor(settings: RolloutSettings) {
    this.#its = settings;
  }

  popChanged(pop: PopCluster, before: PopCluster | undefined): void {
    const { clock, verdicts } = this.#its;
    const { uid } = pop.metadata;
    const { run, history, version, content } = pop.status ?? {};
    if (run?.state === "Passed" && run.kind !== "Rollback") this.#passed.add(`${uid}/${run.version}`);
    for (const entry of history ?? []) if (entry.outcome === "Promoted") this.#passed.add(`${uid}/${entry.version}`);
    if (version !== undefined && run?.takesBack?.version !== version && !verdicts.hasFailed(uid, version) && run?.version !== version)
      this.#passed.add(`${uid}/${version}`);
    if (content?.current !== undefined && (content.state ?? "Loaded") === "Loaded") this.#passed.add(`${uid}/${content.current}`);
    for (const entry of pop.status?.revisions?.failed ?? []) {
      const key = `${uid}/${entry.version}`;
      if (!before?.status?.revisions?.failed?.some(({ version: of, at }) => of === entry.version && at === entry.at))
        this.#failed.set(key, clock.elapsed());
    }
    if (run?.state === "Baking" && !this.#bakes.has(`${uid}/${run.id}`)) this.#bakes.set(`${uid}/${run.id}`, clock.now());
    if (run?.state === "Passed" && before?.status?.run?.state !== "Passed") this.#hasBaked(pop);
  }

  /** I12: nothing passes that has not baked as long as its wave asks, from the first instant at which all of its nodes ran it. */
  #hasBaked(pop: PopCluster): void {
    const { truth, clock, findings } = this.#its;
    const { run } = pop.status!;
    if (!run || run.kind === "Rollback" || run.kind === "Join") return;
    const since = this.#bakes.get(`${pop.metadata.uid}/${run.id}`);
    const asked = truth.assignments(pop, run.version).flatMap(({ rollout, one }) => {
      const waves = rollout.spec.waves;
      return (one.wave === "exposed" ? waves[0] : waves.find(({ name }) => name === one.wave))?.bake ?? [];
    });
    const bake = Math.min(milliseconds(pop.spec.strategy.bake), ...asked.map(milliseconds));
    if (since === undefined || clock.now() - since < bake - 1_000)
      findings.violated(
        "I12",
        `${run.version} passed on ${pop.metadata.name} after ${since === undefined ? "no bake" : `${(clock.now() - since) / 1_000} s`} of ${bake / 1_000} s`,
      );
  }

  changed(rollout: PopRollout, before: PopRollout | undefined): void {
    const retried = rollout.status?.handled?.retry !== before?.status?.handled?.retry;
    if (retried) {
      this.#its.verdicts.retried(nameOf(rollout));
      for (const key of this.#failed.keys()) if (key.endsWith(`/${nameOf(rollout)}`)) this.#failed.delete(key);
    }
    for (const was of before?.status?.waves ?? []) this.#waveStays(rollout, was);
    for (const was of before?.status?.assignments ?? []) this.#assignmentStays(rollout, was, retried);
    for (const wave of rollout.status?.waves ?? []) {
      const was = before?.status?.waves?.find(({ name }) => name === wave.name);
      if (wave.state !== "Pending" && (was?.state ?? "Pending") === "Pending") this.#opened(rollout, wave, before);
    }
  }

  /** I11: a wave that has opened keeps its PoPs, and never opens or closes backwards. */
  #waveStays(rollout: PopRollout, was: WaveStatus): void {
    const is = rollout.status?.waves?.find(({ name }) => name === was.name);
    const called = `wave ${was.name} of ${rollout.metadata.name}`;
    if (was.state === "Pending") return;
    if (is === undefined || RANK[is.state] < RANK[was.state])
      return this.#its.findings.violated("I11", `${called} goes from ${was.state} to ${is?.state ?? "nothing"}`);
    const lost = (was.pops ?? []).filter((pop) => !is.pops?.includes(pop));
    if (lost.length > 0 || (is.pops?.length ?? 0) !== (was.pops?.length ?? 0))
      this.#its.findings.violated("I11", `${called} had ${was.pops?.join()} and has ${is.pops?.join()}`);
  }

  /** I11: who has a share keeps it, and what has ended begins again only on a person's retry. */
  #assignmentStays(rollout: PopRollout, was: Assignment, retried: boolean): void {
    const { findings } = this.#its;
    const is = rollout.status?.assignments?.find(({ pop, uid }) => pop === was.pop && uid === was.uid);
    const called = `the share of ${was.pop} in ${rollout.metadata.name}`;
    if (was.state === "Skipped") return;
    const anew = rollout.status?.assignments?.find(({ pop, uid }) => pop === was.pop && uid !== was.uid);
    if (is === undefined && anew && !anew.late) return findings.violated("I14", `${called} passes from ${was.uid} to ${anew.uid}`);
    if (is === undefined) return anew ? undefined : findings.violated("I11", `${called} (${was.state}) is gone`);
    if (is.wave !== was.wave || is.version !== was.version) findings.violated("I11", `${called} moves from ${was.wave} to ${is.wave}`);
    if (PASSED.includes(was.state) && ["Assigned", "Skipped"].includes(is.state))
      findings.violated("I11", `${called} goes from ${was.state} to ${is.state}`);
    if (FAILED.includes(was.state) && !retried && is.retryAt === was.retryAt && !FAILED.includes(is.state) && is.state !== "RollingBack")
      findings.violated("I5", `${called} goes from ${was.state} to ${is.state}, and nobody asked for it`);
  }

  /** I12, I13: a wave opens on the evidence of those before it, on approvals, and on no more PoPs than it declares. */
  #opened(rollout: PopRollout, wave: WaveStatus, before: PopRollout | undefined): void {
    const { findings, isPaused } = this.#its;
    const called = `wave ${wave.name} of ${rollout.metadata.name}`;
    findings.trace(`${called} ${wave.state}: ${(wave.pops ?? []).join(" ")}`);
    const members = sharesIn(rollout, wave.name);
    if (members.length === 0) return;
    this.#asDeclared(rollout, wave, members.length);
    for (const [kind, name] of [
      ["PoPRollout", rollout.metadata.name],
      ["Fleet", "fleet"],
    ] as const)
      if (isPaused(kind, name)) findings.violated("I7", `${called} opens after ${kind} ${name} said Paused=True`);
    if (isPaused("Ended", rollout.metadata.name))
      findings.violated("F4", `${called} opens after the rollout halted, stopped or was superseded`);
    const waves = rollout.status?.waves ?? [];
    const index = waves.findIndex(({ name }) => name === wave.name);
    // One that mends another opens all that the faulty one had reached, once the exposed PoPs are over (F5).
    const mends = rollout.spec.supersedes !== undefined && index > 0;
    const needed = mends ? waves.slice(0, 1) : waves.slice(0, index);
    for (const earlier of needed) this.#isOver(rollout, earlier, called);
    this.#withinFailures(rollout, called);
    this.#approved(rollout, wave, before, called);
    for (const { name } of rollout.spec.stages) this.#stage(rollout, name, called);
  }

  #asDeclared(rollout: PopRollout, wave: WaveStatus, members: number): void {
    const { truth, findings } = this.#its;
    const declared = rollout.spec.waves.find(({ name }) => name === wave.name)?.pops;
    const shares = rollout.status?.assignments ?? [];
    const all = new Set([...truth.pops.keys(), ...shares.map(({ pop }) => pop)]).size;
    const taken = shares.filter(({ state, reason }) => state !== "Skipped" && reason !== "AlreadyThere").length;
    const most =
      declared?.count ?? (declared?.percent === undefined ? Infinity : Math.ceil((all * declared.percent) / 100) - (taken - members));
    if (members > most)
      findings.violated("I13", `wave ${wave.name} of ${rollout.metadata.name} opens on ${members} PoPs, declared are ${most}`);
  }

  #isOver(rollout: PopRollout, { name, state }: WaveStatus, called: string): void {
    const { findings, truth, clock } = this.#its;
    if (state !== "Passed" && state !== "Skipped") return findings.violated("I12", `${called} opens while wave ${name} is ${state}`);
    const version = nameOf(rollout);
    const members = sharesIn(rollout, name);
    const passed = members.filter(({ uid }) => this.#passed.has(`${uid}/${version}`));
    if (members.length > 0 && passed.length === 0)
      findings.violated("I12", `${called} opens, and the ledger of no PoP of ${name} says that it passed`);
    for (const { pop, uid } of members) {
      const failedAt = this.#failed.get(`${uid}/${version}`);
      const over = this.#passed.has(`${uid}/${version}`) || failedAt !== undefined || truth.pops.get(pop)?.metadata.uid !== uid;
      if (!over && truth.pops.get(pop)?.status?.run?.version === version)
        findings.violated(
          "I12",
          `${called} opens while ${pop} of ${name} is at ${truth.pops.get(pop)?.status?.run?.state} (${clock.now()})`,
        );
    }
  }

  #withinFailures(rollout: PopRollout, called: string): void {
    const { findings, clock } = this.#its;
    const version = nameOf(rollout);
    const failed = (rollout.status?.assignments ?? []).filter(
      ({ uid, since }) =>
        (this.#failed.get(`${uid}/${version}`) ?? Infinity) < clock.elapsed() - UNFORESEEN && Date.parse(since) <= clock.now(),
    );
    const first = (rollout.status?.waves ?? []).find(({ name }) => sharesIn(rollout, name).length > 0)?.name;
    const inFirst = failed.filter(({ wave, state }) => wave === first && state !== "Skipped");
    const counted = failed.filter(({ state }) => state !== "Skipped");
    if (inFirst.length > 0)
      findings.violated("I12", `${called} opens although ${version} failed on ${inFirst[0]!.pop} of the first wave ${first}`);
    if (counted.length > rollout.spec.failureBudget.pops)
      findings.violated("I12", `${called} opens although ${version} failed on ${counted.map(({ pop }) => pop).join(", ")}`);
  }

  #approved(rollout: PopRollout, wave: WaveStatus, before: PopRollout | undefined, called: string): void {
    const { findings } = this.#its;
    if (rollout.spec.class === "Emergency" && !this.#approvalFor(rollout, "Emergency", rollout.status?.digest))
      findings.violated("I12", `${called} opens, and nobody approved the emergency`);
    if (before?.spec.waves.find(({ name }) => name === wave.name)?.approval !== "Required") return;
    if (!this.#approvalFor(rollout, "Promote", wave.digest))
      findings.violated("I12", `${called} opens without an Approval of ${wave.digest}`);
  }

  #approvalFor(rollout: PopRollout, action: Approval["spec"]["actions"][number], digest: string | undefined): boolean {
    const approvers = this.#its.truth.fleet?.spec.approvers;
    return this.#its.approvals().some(
      ({ spec, metadata }) =>
        spec.decision === "Approve" &&
        spec.for.uid === rollout.metadata.uid &&
        spec.for.digest === digest &&
        spec.actions.includes(action) &&
        spec.approvedBy !== rollout.spec.requestedBy &&
        (approvers === undefined || approvers.includes(spec.approvedBy)) &&
        // Latched while it was good; one that had expired when it was written never was.
        Date.parse(spec.expiresAt) > Date.parse(metadata.creationTimestamp ?? ""),
    );
  }

  #stage(rollout: PopRollout, name: string, called: string): void {
    const { findings, evidencePasses } = this.#its;
    const stood = rollout.status?.stages?.find((stage) => stage.name === name);
    const waived = stood?.state === "Waived" && this.#its.approvals().some(({ spec }) => spec.for.uid === rollout.metadata.uid);
    if (!waived && !evidencePasses(rollout, name))
      findings.violated("I12", `${called} opens, and stage ${name} has no evidence (${stood?.state})`);
  }
}

const nameOf = ({ spec }: PopRollout): string => spec.version ?? spec.content?.version ?? "";

const sharesIn = ({ status }: PopRollout, name: string): readonly Assignment[] =>
  (status?.assignments ?? []).filter(({ wave, state, reason }) => wave === name && state !== "Skipped" && reason !== "AlreadyThere");
