import type { Approval } from "../../../src/api/approval.ts";
import type { Fleet } from "../../../src/api/fleet.ts";
import type { PopCluster } from "../../../src/api/pop-cluster.ts";
import type { PopRollout } from "../../../src/api/pop-rollout.ts";
import { APPROVAL } from "../../../src/api/resources.ts";
import { ApiError } from "../../../src/control/ports.ts";
import type { StoreEvent } from "../../../src/simulation/cluster/store.ts";
import type { World } from "../../../src/simulation/world.ts";
import type { Effect, EffectObserver } from "../effect.ts";
import { Findings } from "../findings.ts";
import { DisruptionInvariants } from "./disruption-invariants.ts";
import { FleetCalendar } from "./fleet-calendar.ts";
import { FleetTruth } from "./fleet-truth.ts";
import { GrantInvariants } from "./grant-invariants.ts";
import { PartnerTruth } from "./partner-truth.ts";
import { RolloutInvariants } from "./rollout-invariants.ts";
import { Verdicts } from "./verdicts.ts";

/** The query that the stages of these rollouts ask: 1 is good. */
export const stageQuery = (stage: string, version: string): string => `${stage}_passed{version="${version}"}`;

/**
 * The fleet's oracles (rules.md, Invariants): asked at every event of the store, and told by it alone what stands. None of them reads what
 * an operator believes.
 */
export class FleetInvariants implements EffectObserver {
  readonly findings: Findings;
  readonly calendar: FleetCalendar;
  /** Events of the store that were judged. */
  events = 0;
  readonly #world: World;
  readonly #truth: FleetTruth;
  readonly #partners: PartnerTruth;
  readonly #verdicts: Verdicts;
  readonly #grants: GrantInvariants;
  readonly #disruptions: DisruptionInvariants;
  readonly #rollouts: RolloutInvariants;
  /** What is paused and said so, or has ended, by kind and name. */
  readonly #paused = new Set<string>();
  /** Stages whose evidence has passed at any time, by query. */
  readonly #evidence = new Set<string>();

  constructor(world: World, { trace }: { readonly trace?: (line: string) => void }) {
    const { clock } = world;
    this.#world = world;
    this.findings = new Findings(clock, trace);
    const truth = new FleetTruth(clock);
    this.#truth = truth;
    this.calendar = new FleetCalendar(truth);
    this.#partners = new PartnerTruth(clock);
    this.#verdicts = new Verdicts(this.findings);
    const isPaused = (kind: string, name: string) => this.#paused.has(`${kind}/${name}`);
    const shared = { clock, truth, partners: this.#partners, verdicts: this.#verdicts, findings: this.findings, isPaused };
    this.#grants = new GrantInvariants(shared);
    this.#disruptions = new DisruptionInvariants({ ...shared, calendar: this.calendar, grantedAt: this.#grants.grantedAt });
    this.#rollouts = new RolloutInvariants({
      ...shared,
      approvals: () => world.store.list(APPROVAL) as unknown as Approval[],
      evidencePasses: ({ spec }, stage) => this.#evidence.has(stageQuery(stage, spec.version ?? spec.content?.version ?? "")),
    });
    world.store.subscribe((event) => this.#look(event));
  }

  check(): void {
    this.findings.check();
  }

  sent(effect: Effect): void {
    this.findings.trace(`${effect.operator} ${effect.index} ${effect.name} ${effect.target} ${effect.detail}`);
  }

  ended(): void {}
  drained(): void {}

  failed(operator: string, error: unknown): void {
    if (!(error instanceof ApiError))
      this.findings.violated("errors", `operator ${operator} threw ${error instanceof Error ? error.stack : String(error)}`);
  }

  /** A data plane exports the site from now on. */
  reported(site: string, pop: string): void {
    this.#partners.reported(site, pop);
  }

  /** The monitoring system says that a stage passes. */
  passes(query: string): void {
    this.#evidence.add(query);
  }

  #look(event: StoreEvent): void {
    this.events++;
    const { type, kind, previous } = event;
    const node = this.#truth.note(event);
    if (node?.[1]) this.#disruptions.changed(node[0], node[1]);
    if (type === "DELETED") {
      if (kind.kind === "PoPCluster") this.#partners.popGone(event.object.metadata.name);
      this.#paused.delete(`${kind.kind}/${event.object.metadata.name}`);
      return;
    }
    if (kind.kind === "PoPCluster") this.#popChanged(event.object as unknown as PopCluster, previous as unknown as PopCluster | undefined);
    if (kind.kind === "Fleet") this.#fleetChanged(event.object as unknown as Fleet, previous as unknown as Fleet | undefined);
    if (kind.kind === "PoPRollout")
      this.#rolloutChanged(event.object as unknown as PopRollout, previous as unknown as PopRollout | undefined);
  }

  #popChanged(pop: PopCluster, before: PopCluster | undefined): void {
    this.#verdicts.popChanged(pop, before);
    this.#rollouts.popChanged(pop, before);
    this.#pause("PoPCluster", pop);
    const { run, grant } = pop.status ?? {};
    const was = before?.status?.run;
    if (run?.state !== was?.state || run?.id !== was?.id)
      this.findings.trace(
        `${pop.metadata.name}: ${run ? `${run.kind}/${run.state} ${run.version}` : "-"} grant ${grant?.id ?? "-"} ${grant?.state ?? ""}`,
      );
  }

  #fleetChanged(fleet: Fleet, before: Fleet | undefined): void {
    this.#grants.changed(fleet, before);
    this.#pause("Fleet", fleet);
  }

  #rolloutChanged(rollout: PopRollout, before: PopRollout | undefined): void {
    this.#pause("PoPRollout", rollout);
    this.#ends(rollout, before);
    this.#rollouts.changed(rollout, before);
  }

  /** What halted, was stopped, taken back or superseded starts nothing more, until a person's retry lifts it. */
  #ends(rollout: PopRollout, before: PopRollout | undefined): void {
    const { halted, stopped, takenBack, supersededBy } = rollout.status ?? {};
    const was = before?.status;
    const key = `Ended/${rollout.metadata.name}`;
    // Ten seconds for those who acted on what stood before, as after a pause.
    const ended = [halted, stopped, takenBack, supersededBy].some((one) => one !== undefined);
    const alreadyEnded = [was?.halted, was?.stopped, was?.takenBack, was?.supersededBy].some((one) => one !== undefined);
    if (!ended) this.#paused.delete(key);
    else if (!alreadyEnded) this.#world.clock.after(10_000, () => this.#stillEnded(rollout.metadata.name) && this.#paused.add(key));
  }

  #stillEnded(name: string): boolean {
    const { halted, stopped, takenBack, supersededBy } = this.#truth.rollouts.get(name)?.status ?? {};
    return [halted, stopped, takenBack, supersededBy].some((one) => one !== undefined);
  }

  /** Acknowledged once, a pause holds until the person lifts it, whatever a condition says meanwhile. */
  #pause(
    kind: string,
    { metadata, spec, status }: { metadata: { name: string }; spec: { paused: boolean }; status?: PopCluster["status"] | Fleet["status"] },
  ): void {
    const key = `${kind}/${metadata.name}`;
    if (!spec.paused) this.#paused.delete(key);
    else if (status?.conditions?.some((condition) => condition.type === "Paused" && condition.status === "True")) this.#paused.add(key);
  }
}
