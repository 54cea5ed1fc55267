import type { PopClusterStatus, PopNodeStatus, PopRun } from "../../api/pop-cluster.ts";
import { popNodeStatus } from "../../api/pop-node-status.ts";
import type { Hold, Instant } from "../decision.ts";
import { laterFields } from "../later-fields.ts";
import { elapsedOf, hold, run as runTimer } from "../rollout/timer.ts";
import { bakeOf, watchOf } from "./bake-and-watch.ts";
import { candidatesOf, claimNext } from "./claim.ts";
import { judgeReturns } from "./drain.ts";
import { evidenceThatCounts, healthOf } from "./health.ts";
import { homeRun } from "./home-run.ts";
import { milliseconds } from "./milliseconds.ts";
import { iso, type Outcome } from "./outcome.ts";
import { endRun, returned, rollbackEndsFailed, withHistory } from "./verdict.ts";
import { brokenAlready, isInHand, limitOf, type NodeView, type PopView, viewOf, withEntry } from "./view.ts";

/**
 * What follows when no node needs a step: nodes whose soak is over are Done, the next is claimed, or the run ends. Done and the next
 * claim are one write (P14).
 */
export function advance(view: PopView, now: Instant): Outcome | undefined {
  const { run } = view;
  if (!run || (run.state !== "Rolling" && run.state !== "RollingBack")) return undefined;
  const soaked = soakedNodes(view, run, now);
  const status = soaked.done.reduce<PopClusterStatus>(
    (ledger, entry) => ({ ...ledger, nodes: withEntry(ledger.nodes ?? [], entry) }),
    view.seen.pop.status,
  );
  const next = soaked.done.length > 0 ? viewOf({ ...view.seen, pop: { ...view.seen.pop, status } }) : view;
  const soaking = next.nodes.some((node) => node.entry?.step === "Soaking");
  const claim = handsFull(next, run) ? undefined : claimNext(next, now);
  if (claim?.ledger) return claim;
  // A node that only a person's cordon keeps back does not keep the run: it is Skipped, and follows when the cordon is lifted (P3b).
  const waits = claim?.holds?.some((hold) => hold.reason !== "CordonedByPerson");
  const end = waits || soaking ? undefined : endOfRun(next, run, now);
  if (end) return end;
  return {
    ...(soaked.done.length > 0 ? { ledger: status } : {}),
    // What has to be asked before a node may be claimed (its PodDisruptionBudget, the finalizer) is asked here.
    actions: claim?.actions ?? [],
    holds: [...soaked.holds, ...(claim?.holds ?? [])],
    wakes: [...soaked.wakes, ...(claim?.wakes ?? [])],
  };
}

/**
 * As many nodes as may be out are in our own hand: the next one follows by itself, and nothing holds the run. Forward a node that soaks
 * keeps its place until it has proven itself; back, nodes that serve nobody are taken up whoever is in hand (P1).
 */
function handsFull(view: PopView, run: PopRun): boolean {
  const inHand = view.nodes.filter((node) => isInHand(node.entry)).length;
  if (run.kind === "Rollback") return inHand >= limitOf(view, run) && !candidatesOf(view, run).some(brokenAlready);
  return inHand + view.nodes.filter((node) => node.entry?.step === "Soaking").length >= limitOf(view, run);
}

/** Soaking nodes whose time is over with every check healthy for the whole of it, and what holds the others. */
function soakedNodes(view: PopView, run: PopRun, now: Instant): { done: PopNodeStatus[]; holds: Hold[]; wakes: Instant[] } {
  const done: PopNodeStatus[] = [];
  const holds: Hold[] = [];
  const wakes: Instant[] = [];
  const health = healthOf(view, now);
  const soak = milliseconds(view.seen.pop.spec.strategy.perNode.soak);
  for (const node of view.nodes) {
    const { entry } = node;
    if (entry?.step !== "Soaking") continue;
    const returns = judgeReturns(view, node, entry, now);
    const own = health.nodes.get(node.member.uid);
    // A rollback judges the node alone: what the PoP and its sessions suffer is the failed version's doing, and doubt holds only the way forward.
    const judged = (run.kind === "Rollback" ? [own?.verdict === "Unknown" ? undefined : own] : [health.pop, own, returns]).filter(
      (one) => one !== undefined,
    );
    const unknown = judged.find((one) => one.verdict === "Unknown");
    // Soak is gained only while everything was healthy: a verdict that turned later starts it anew (I11).
    const healthySince = health.checks
      .filter((check) => check.node === undefined || check.node === entry.name)
      .map((check) => Date.parse(check.since));
    const until = Math.max(Date.parse(entry.since), ...healthySince) + soak;
    if (unknown) {
      const ends = unknown.endsInMilliseconds;
      const message = `node ${entry.name} soaks: ${unknown.finding}`;
      // Sessions that have not come back yet are what a soak is for; that somebody has to be waited for is a reason of its own.
      if (ends === undefined) holds.push({ rule: "P9", reason: returns === unknown ? "Soaking" : "HealthUnknown", message });
      else holds.push({ rule: "P11", reason: "HealthUnknown", message, until: now + ends });
      wakes.push(now + 1_000);
    } else if (now < until) {
      holds.push({ rule: "P3", reason: "Soaking", message: `node ${entry.name} runs ${run.version} and soaks`, until });
      wakes.push(until);
    } else if (judged.every((one) => one.verdict !== "Unhealthy")) {
      done.push(doneEntry(entry, returns?.p95, now));
    }
  }
  return { done, holds, wakes };
}

/** What was measured on the way is over; what an operator of a later version keeps about the node stays (I21). */
const doneEntry = (entry: PopNodeStatus, reconnectSeconds: number | undefined, now: Instant): PopNodeStatus => ({
  ...laterFields(popNodeStatus, entry),
  name: entry.name,
  uid: entry.uid,
  ...(entry.revision === undefined ? {} : { revision: entry.revision }),
  step: "Done",
  since: iso(now),
  attempt: entry.attempt,
  ...(entry.token === undefined ? {} : { token: entry.token }),
  ...(entry.boot === undefined ? {} : { boot: entry.boot }),
  ...(entry.counters === undefined ? {} : { counters: entry.counters }),
  ...(entry.sessions === undefined ? {} : { sessions: entry.sessions }),
  ...(reconnectSeconds === undefined ? {} : { reconnectSeconds: Math.round(reconnectSeconds * 100) / 100 }),
});

const inHand = (node: NodeView): boolean => ["Claimed", "Updating", "Soaking"].includes(node.entry?.step ?? "") && !node.joining;

/** R12: nobody is left: a roll bakes, a rollback is over; the grant is returned in the same write. */
function endOfRun(view: PopView, run: PopRun, now: Instant): Outcome | undefined {
  const { status } = view.seen.pop;
  if (view.nodes.some(inHand)) return undefined;
  const open = candidatesOf(view, run);
  const left = open.filter((node) => !node.member.unschedulable);
  const failed = run.kind === "Rollback" && run.ending ? view.nodes.find((node) => node.entry?.step === "Failed")?.entry : undefined;
  if (failed) return rollbackEndsFailed(view, run, failed, failed.message ?? "it did not come up", now);
  if (run.kind === "Rollback") return left.length > 0 || open.length > 0 ? undefined : rolledBack(view, run, now);
  if (run.ending || left.length > 0 || (open.length > 0 && view.limit === 1)) return undefined;
  if (run.kind === "Join" && !everybodyJoined(view, run)) return undefined;
  const skipped = open.map((node): PopNodeStatus => ({
    ...node.entry!,
    step: "Skipped",
    since: iso(now),
    skipped: "CordonedByPerson",
    message: "cordoned by a person; it follows when the cordon is lifted",
  }));
  const ledger = skipped.reduce<PopClusterStatus>((next, entry) => ({ ...next, nodes: withEntry(next.nodes ?? [], entry) }), status);
  const baking: PopRun = {
    ...run,
    state: "Baking",
    timers: { ...run.timers, bake: plain(runTimer(run.timers.bake, now)), watch: plain(runTimer(run.timers.watch, now)) },
  };
  return {
    ledger: { ...ledger, ...returned(status), run: baking, revisions: { ...status.revisions, current: run.revision } },
    events: [
      {
        type: "Normal",
        reason: "Baking",
        action: "Bake",
        message: `all nodes run ${run.version}; it bakes for ${bakeOf(run, view.seen.pop.spec)}`,
      },
    ],
  };
}

const everybodyJoined = (view: PopView, run: PopRun): boolean => {
  const members = new Set(run.frozen.members.map((member) => member.uid));
  return view.nodes.filter((node) => members.has(node.member.uid)).every((node) => node.entry?.step === "Done");
};

function rolledBack(view: PopView, run: PopRun, now: Instant): Outcome {
  const { status } = view.seen.pop;
  const ended = { ...status, ...withHistory(status, run, "RolledBack", run.cause ?? "", now), ...returned(status) };
  const nodes = (status.nodes ?? []).map((entry) =>
    entry.step === "Pending"
      ? {
          ...entry,
          step: "Done" as const,
          since: iso(now),
          revision: view.nodes.find((node) => node.member.uid === entry.uid)?.servingPod?.revision ?? run.revision,
        }
      : entry,
  );
  const over = endRun({ ...ended, nodes, revisions: { ...status.revisions, current: run.revision } });
  const home = homeRun(view, run, over, now);
  const back = home ? `every node that ran ${run.takesBack?.version ?? run.from} runs` : "every node runs";
  return {
    ledger: home?.ledger ?? over,
    events: [
      {
        type: "Normal",
        reason: "RolledBack",
        action: "RollBack",
        message: `${back} ${run.version} again; ${run.takesBack?.version ?? run.from} is not tried again unless a person names it`,
      },
      ...(home ? [home.event] : []),
    ],
  };
}

/**
 * Failed with nothing to go back to, or kept by `rollback.automatic: false`: being well again later makes nothing of it good (I5). It stays
 * until a person retries it, takes it back or writes another version.
 */
const isJudged = ({ revisions }: PopClusterStatus, run: PopRun): boolean =>
  run.ending === "Stopped" && run.cause !== undefined && revisions?.failed?.some(({ revision }) => revision === run.revision) === true;

/** Baking, then Passed, then Promoted (P8): each timer runs only while the checks are healthy. */
export function bakeAndWatch(view: PopView, now: Instant): Outcome | undefined {
  const { run } = view;
  if (!run || (run.state !== "Baking" && run.state !== "Passed")) return undefined;
  const { status, spec } = view.seen.pop;
  if (isJudged(status, run)) return undefined;
  const health = healthOf(view, now);
  const all = evidenceThatCounts(view, health);
  const unknown = all.find((one) => one.verdict === "Unknown");
  const unhealthy = all.some((one) => one.verdict === "Unhealthy");
  const step = unknown || unhealthy ? hold : runTimer;
  const bake = run.state === "Baking" ? step(run.timers.bake, now) : run.timers.bake;
  const watch = step(run.timers.watch, now);
  const timers = withTimers(run, bake, watch);
  const changed = timers !== run.timers;
  const held: Hold[] = unknown
    ? [{ rule: "G9", reason: "HealthUnknown", message: `${run.version} is not promoted on what nobody can see: ${unknown.finding}` }]
    : [];
  const bakes = bakeOf(run, spec);
  const bakeLeft = milliseconds(bakes) - elapsedOf(bake, now);
  const { left: watchLeft, words } = watchOf({ ...run, timers }, spec, now);
  if (!unknown && !unhealthy && run.state === "Baking" && bakeLeft <= 0) {
    return {
      ledger: { ...status, run: { ...run, state: "Passed", timers } },
      events: [
        {
          type: "Normal",
          reason: "Passed",
          action: "Pass",
          message: `${run.version} has baked for ${bakes}; it is watched ${words}${run.watchUntil === undefined ? " from its last node on" : ""}`,
        },
      ],
    };
  }
  if (!unknown && !unhealthy && run.state === "Passed" && watchLeft <= 0) return promoted(view, run, now);
  const until = now + (run.state === "Baking" ? bakeLeft : watchLeft);
  if (run.state === "Baking" && !unknown) held.push({ rule: "P8", reason: "Baking", message: `${run.version} bakes for ${bakes}`, until });
  return { ...(changed ? { ledger: { ...status, run: { ...run, timers } } } : {}), holds: held, wakes: unknown ? [] : [until] };
}

function withTimers(
  run: PopRun,
  bake: PopRun["timers"]["bake"] | ReturnType<typeof hold>,
  watch: PopRun["timers"]["watch"] | ReturnType<typeof hold>,
): PopRun["timers"] {
  const same = bake?.since === run.timers.bake?.since && watch?.since === run.timers.watch?.since;
  if (same) return run.timers;
  return { ...run.timers, ...(bake ? { bake: plain(bake) } : {}), ...(watch ? { watch: plain(watch) } : {}) };
}

const plain = ({ since, accumulated }: { since?: string | undefined; accumulated: number }) =>
  since === undefined ? { accumulated } : { since, accumulated };

export function promoted(view: PopView, run: PopRun, now: Instant): Outcome & { readonly ledger: PopClusterStatus } {
  const { status } = view.seen.pop;
  const { left, words } = watchOf(run, view.seen.pop.spec, now);
  return {
    ledger: endRun({
      ...status,
      ...withHistory(status, run, "Promoted", "", now),
      revisions: { ...status.revisions, current: run.revision, promoted: run.revision },
    }),
    events: [
      {
        type: "Normal",
        reason: "Promoted",
        action: "Promote",
        message: `${run.version} ${left > 0 ? "is promoted because a newer version starts" : `was watched ${words} and is promoted`}`,
      },
    ],
  };
}
