import type { PopCluster, PopClusterStatus, PopRun } from "../../api/pop-cluster.ts";
import type { Hold, Instant } from "../../core/decision.ts";
import type { PopAssignment } from "../../core/rollout/assignment.ts";
import { elapsedOf } from "../../core/rollout/timer.ts";
import { DAY } from "../../core/time/civil.ts";
import { ContentModel } from "./content-model.ts";
import { limitOf, milliseconds, type PieceLength, pieceLength } from "./piece-length.ts";
import { bringing, failedHere, held, isGranted, type Surroundings, wantedOf } from "./pop-brakes.ts";
import { StartPermit } from "./start-permit.ts";
import { NodeSlots } from "./node-slots.ts";
import { iso, PopLedger } from "./pop-ledger.ts";
import type { PopLog } from "./pop-log.ts";

/** How many times what is expected the nodes of a version take elsewhere. */
export type Pace = (version: string | undefined) => number;

/**
 * A PoP as the forecast moves it: its ledger is real, so that everybody else decides on it as they do in the cluster; its inside is a
 * number of nodes that each take as long as a node takes, and that nothing goes wrong with. It asks for its window and its grant at each
 * node, as the controller does (rules W4, W5, G13, G14).
 */
export class PopModel {
  readonly #ledger: PopLedger;
  readonly #nodes = new NodeSlots();
  #piece: PieceLength;
  readonly #permit: StartPermit;
  readonly #content: ContentModel;
  /** Nodes that others have taken out: they fill the budget (rule P1). */
  readonly #outAlready: number;
  readonly #backTo: string | undefined;

  readonly #pace: Pace;

  constructor(pop: PopCluster, now: Instant, log: PopLog, pace: Pace) {
    this.#ledger = new PopLedger(pop, log);
    this.#permit = new StartPermit(this.#ledger, this.#nodes);
    this.#pace = pace;
    this.#piece = pieceLength(pop, pace(pop.status?.run?.version));
    this.#content = new ContentModel(this.#ledger);
    const inHand = (pop.status?.nodes ?? []).filter(
      ({ step, token }) => token !== undefined && (step === "Claimed" || step === "Updating"),
    );
    this.#outAlready = Math.max(0, (pop.status?.members?.out ?? 0) - inHand.length);
    this.#backTo = (pop.status?.history ?? []).findLast(({ outcome }) => outcome === "Promoted")?.version;
    this.#takeOver(now);
  }

  get pop(): PopCluster {
    return this.#ledger.pop;
  }

  /** What keeps it from going on, as of the last look. */
  get hold(): Hold | undefined {
    return this.#permit.hold;
  }

  get log(): PopLog {
    return this.#ledger.log;
  }

  get status(): PopClusterStatus {
    return this.#ledger.status;
  }

  get total(): number {
    return this.#ledger.total;
  }

  /** Everything that is due at this instant; answers when to look again. */
  step(now: Instant, seen: Surroundings): Instant | undefined {
    const wakes: Instant[] = [];
    const wake = (at: Instant | undefined) => void (at !== undefined && Number.isFinite(at) && at > now && wakes.push(at));
    for (let turns = 0; turns < 16; turns++) {
      const before = this.pop;
      wake(this.#turn(now, seen));
      if (this.pop === before) break;
    }
    wake(this.#content.step(now, seen));
    return wakes.length === 0 ? undefined : Math.min(...wakes);
  }

  /** What was in hand when the look began is finished as a node takes (rule P5). */
  #takeOver(now: Instant): void {
    const { run, nodes = [] } = this.status;
    if (run === undefined || (run.state !== "Rolling" && run.state !== "RollingBack" && run.state !== "Preflight")) return;
    const members = new Set(run.frozen.members.map(({ uid }) => uid));
    const { out, soak } = this.#piece;
    for (const node of nodes) {
      if (!members.has(node.uid)) continue;
      if (node.step === "Pending") this.#nodes.left += 1;
      if (node.step === "Done") this.#nodes.done += 1;
      const since = Date.parse(node.since);
      if (node.step === "Claimed" || node.step === "Updating") {
        const backAt = Math.max(since + out, now);
        this.#nodes.resume(backAt, backAt + soak);
      }
      if (node.step === "Soaking") this.#nodes.resume(since, Math.max(since + soak, now));
    }
    this.log.resumed(run, this.#nodes.done + this.#nodes.inHand, now);
  }

  #turn(now: Instant, seen: Surroundings): Instant | undefined {
    this.#permit.hold = undefined;
    const { run } = this.status;
    const ordered = this.#order(now, seen.assigned.version);
    if (ordered) return undefined;
    switch (run?.state) {
      case "Preflight":
      case "Rolling":
        return run.ending === undefined || this.#nodes.inHand > 0 ? this.#roll(run, now, seen) : this.#start(now, seen);
      case "RollingBack":
        return this.#rollBack(run, now, seen);
      case "Baking":
        return this.#bake(run, now, seen);
      case "Passed":
        return this.#watch(run, now, seen);
      default:
        return this.#start(now, seen);
    }
  }

  // The way forward.

  #start(now: Instant, seen: Surroundings): Instant | undefined {
    const { status, total } = this;
    const { version } = status;
    const wanted = wantedOf(this.pop, seen);
    const { run } = status;
    if (
      wanted === undefined ||
      wanted === (run?.state === "Passed" ? run.version : version) ||
      this.pop.metadata.deletionTimestamp !== undefined
    ) {
      this.#permit.giveBack();
      return undefined;
    }
    // Stopped by an order it stays mixed until something else is wanted (rule P12).
    if (run?.ending === "Stopped" && run.version === wanted) return undefined;
    const refused =
      failedHere(this.pop, wanted, seen.assigned.version) ?? (total === 0 ? held("NoMembers", "P1", "it has no nodes") : undefined);
    if (refused !== undefined) {
      this.#permit.hold = refused;
      this.#permit.giveBack();
      return undefined;
    }
    const first = version === undefined && run === undefined;
    const may = this.#permit.mayStart(now, seen, first);
    if (may !== "Go") return may;
    if (run?.state === "Passed") this.#end(run, "Promoted", now);
    if (run?.ending !== undefined) this.#end(run, run.ending, now);
    this.#begin(wanted, first, now, seen);
    return undefined;
  }

  #begin(version: string, first: boolean, now: Instant, seen: Surroundings): void {
    const id = (this.status.runs ?? 0) + 1;
    const assigned = bringing(this.pop, seen, version);
    const run: PopRun = {
      id,
      kind: first ? "Join" : "Roll",
      revision: version,
      version,
      ...(first ? {} : { back: this.status.revisions?.current ?? this.status.version ?? "before" }),
      startedAt: iso(now),
      state: "Rolling",
      frozen: { members: [], order: [] },
      timers: {},
      ...(assigned
        ? {
            rollout: { name: assigned.rollout, uid: assigned.rolloutUID },
            class: assigned.class,
            ...(assigned.bake === undefined ? {} : { bake: assigned.bake }),
            ...(assigned.watchUntil === undefined ? {} : { watchUntil: assigned.watchUntil }),
          }
        : {}),
    };
    this.#nodes.restart(this.total);
    this.#piece = pieceLength({ ...this.pop, status: { ...this.status, run, nodes: [] } }, this.#pace(version));
    this.#ledger.write({ run, runs: id });
    this.log.began(run, now);
  }

  #roll(run: PopRun, now: Instant, seen: Surroundings): Instant | undefined {
    this.#free(now);
    const wanted = wantedOf(this.pop, seen);
    const superseded = wanted !== run.version;
    if (superseded && run.ending === undefined && run.kind !== "Join") {
      this.#ledger.write({ run: { ...run, ending: "Superseded" } });
      return undefined;
    }
    if (this.#nodes.left === 0 && this.#nodes.inHand === 0 && run.ending === undefined) return this.#rolled(run, now);
    const limit = limitOf(this.pop.spec.strategy.maxUnavailable, this.total);
    let until: Instant | undefined;
    while (this.#nodes.left > 0 && this.#nodes.inHand < limit && run.ending === undefined) {
      if (!this.#fitsBudget(now, limit)) break;
      const may = this.#permit.mayStart(now, seen, run.kind === "Join");
      if (may !== "Go") {
        until = may;
        break;
      }
      this.#take(now, this.#piece.out, this.#piece.soak);
    }
    const next = this.#nodes.nextFree;
    if (run.ending !== undefined && this.#nodes.inHand === 0) this.#permit.giveBack();
    if (until !== undefined && this.pop.spec.strategy.onWindowEnd === "RollBack" && this.#nodes.inHand === 0 && this.#nodes.done > 0)
      return this.#goBack(run, "the window lets no further node start, and onWindowEnd is RollBack", now);
    return next === undefined ? until : until === undefined ? next : Math.min(next, until);
  }

  /** A node comes back, then its place is free. */
  #free(now: Instant): void {
    for (const at of this.#nodes.free(now)) this.log.nodeDone(at);
  }

  #take(now: Instant, out: number, soak: number): void {
    this.#nodes.take(now, out, soak);
    this.log.nodeStarted(now, this.#permit.occurrence);
  }

  #fitsBudget(now: Instant, limit: number): boolean {
    const out = this.#nodes.outAt(now) + this.#outAlready;
    if (out + 1 <= limit) return true;
    this.#permit.hold = held("BudgetExhausted", "P1", `${this.#outAlready} nodes that others took out fill maxUnavailable ${limit}`);
    return false;
  }

  #rolled(run: PopRun, now: Instant): undefined {
    this.#permit.giveBack();
    const timers = { ...run.timers, bake: { since: iso(now), accumulated: 0 }, watch: { since: iso(now), accumulated: 0 } };
    this.#ledger.write({
      run: { ...run, state: "Baking", timers },
      version: run.version,
      revisions: { ...this.status.revisions, current: run.revision },
    });
    this.log.rolled(run, now);
  }

  #bake(run: PopRun, now: Instant, seen: Surroundings): Instant | undefined {
    const bake = milliseconds(run.bake) || (run.bake === undefined ? milliseconds(this.pop.spec.strategy.bake) : 0);
    const until = now + bake - elapsedOf(run.timers.bake, now);
    if (until > now) return until;
    this.#ledger.write({ run: { ...run, state: "Passed" } });
    this.log.passed(run, now);
    return this.#watch(this.status.run!, now, seen);
  }

  #watch(run: PopRun, now: Instant, seen: Surroundings): Instant | undefined {
    const watched = elapsedOf(run.timers.watch, now);
    const left =
      run.watchUntil === undefined
        ? milliseconds(this.pop.spec.strategy.watch) - watched
        : Math.max(DAY - watched, Date.parse(run.watchUntil) - now);
    const wanted = wantedOf(this.pop, seen);
    if (left <= 0) return this.#end(run, "Promoted", now);
    const next = wanted === undefined || wanted === run.version ? undefined : this.#start(now, seen);
    return next === undefined ? now + left : Math.min(next, now + left);
  }

  #end(run: PopRun, outcome: Parameters<PopLedger["end"]>[1], now: Instant, evidence?: string): undefined {
    this.#ledger.end(run, outcome, now, evidence);
  }

  // Orders of its rollout, and the way back (rules F4, P7).

  #order(now: Instant, assignment: PopAssignment | undefined): boolean {
    if (assignment?.orderedAt === undefined) return false;
    const { order, orderedAt, version, because = "its rollout takes it back" } = assignment;
    const { run, handled } = this.status;
    if (order === "Stop" && handled?.assignedStop !== orderedAt) {
      if (run?.version === version && run.state === "Rolling" && run.kind === "Roll")
        this.#ledger.write({ run: { ...run, ending: "Stopped" } });
      this.#ledger.write({ handled: { ...handled, assignedStop: orderedAt } });
      return true;
    }
    if (order !== "TakeBack" || handled?.assignedTakeBack === orderedAt) return false;
    this.#ledger.write({ handled: { ...handled, assignedTakeBack: orderedAt } });
    if (run?.version === version && run.kind === "Roll") this.#goBack(run, because, now);
    return true;
  }

  #goBack(run: PopRun, cause: string, now: Instant): undefined {
    const id = (this.status.runs ?? 0) + 1;
    const back = run.state === "Rolling" ? this.#nodes.done : this.total;
    this.#nodes.restart(back + this.#nodes.inHand);
    const version = run.state === "Rolling" ? (this.status.version ?? "before") : (this.#backTo ?? "before");
    const rollback: PopRun = {
      id,
      kind: "Rollback",
      revision: run.back ?? "before",
      version,
      state: "RollingBack",
      startedAt: iso(now),
      cause,
      from: run.revision,
      takesBack: { version: run.version, startedAt: run.startedAt },
      frozen: { members: [], order: [] },
      timers: {},
    };
    this.#ledger.write({ run: rollback, runs: id });
    this.log.goesBack(run, cause);
  }

  #rollBack(run: PopRun, now: Instant, seen: Surroundings): Instant | undefined {
    this.#free(now);
    if (this.#nodes.left === 0 && this.#nodes.inHand === 0) {
      this.#permit.giveBack();
      this.#ledger.write({ version: run.version, revisions: { ...this.status.revisions, current: run.revision } });
      return this.#end(run, "RolledBack", now, run.cause);
    }
    const limit = this.pop.spec.rollback.maxUnavailable;
    if (this.#nodes.left > 0 && this.#nodes.inHand < limit) {
      if (!isGranted(this.pop, seen.fleet)) {
        this.#permit.ask("Rollback", seen);
        return this.#nodes.nextFree;
      }
      while (this.#nodes.left > 0 && this.#nodes.inHand < limit) this.#take(now, this.#piece.out, 0);
    }
    return this.#nodes.nextFree;
  }
}
