import type { Instant } from "../decision.ts";
import type { PopAction } from "./action.ts";
import type { Outcome } from "./outcome.ts";
import { imagesOf, NO_REVISION } from "./revision.ts";
import { type PopView, recordOf } from "./view.ts";
import { windowOf } from "./brakes.ts";

/** Pre-pull begins this long before the window opens, when the version is known by then (R0). */
const PULL_AHEAD = 24 * 3_600_000;

/**
 * R0, as soon as seen, without window or grant: the strict dry run, the record, the DaemonSet (it selects nobody yet). And what is
 * kept in repair: a DaemonSet deleted by hand is made again, one edited by hand is put back; OnDelete, so that restarts no pod.
 */
export function prepare(view: PopView, now: Instant): Outcome | undefined {
  if (view.seen.pop.deleting || view.seen.site.state !== "Reachable") return undefined;
  return { actions: [...prepareWanted(view), ...repair(view), ...pullAhead(view, now)] };
}

function prepareWanted(view: PopView): PopAction[] {
  const { wanted, seen } = view;
  if (!wanted) return [];
  const { template } = seen.pop.spec;
  const record = recordOf(view, wanted.revision);
  if (record && seen.daemonSets.some((set) => set.revision === wanted.revision)) return [];
  const dryRun = seen.dryRuns.get(wanted.revision);
  if (!dryRun) return [{ kind: "DryRunTemplate", ...wanted, template }];
  if (!dryRun.accepted || seen.foreignPods.length > 0) return [];
  if (!record) return [{ kind: "RecordRevision", ...wanted, template }];
  return [{ kind: "ApplyDaemonSet", revision: record.revision, version: record.version, template: record.template }];
}

/** Every revision that somebody may run or go back to has its DaemonSet, as the record has it. */
function repair(view: PopView): PopAction[] {
  return [...neededRevisions(view)].flatMap((revision): PopAction[] => {
    const record = recordOf(view, revision);
    if (!record || revision === view.wanted?.revision) return record ? edited(view, revision) : [];
    const set = view.seen.daemonSets.find((candidate) => candidate.revision === revision);
    if (!set) return [{ kind: "ApplyDaemonSet", revision, version: record.version, template: record.template }];
    return edited(view, revision);
  });
}

function edited(view: PopView, revision: string): PopAction[] {
  const record = recordOf(view, revision);
  const set = view.seen.daemonSets.find((candidate) => candidate.revision === revision);
  if (!record || !set || set.intact || set.deleting) return [];
  return [{ kind: "ApplyDaemonSet", revision, version: record.version, template: record.template, replaces: set.name }];
}

/** Current, target, back, what a rollback moves away from, and whatever a node label names. */
export function neededRevisions(view: PopView): Set<string> {
  const { run, current, wanted } = view;
  const { status } = view.seen.pop;
  const named = [current, status.revisions?.promoted, run?.revision, run?.back, run?.from, wanted?.revision].filter((one) => one !== undefined);
  const labels = view.seen.records.map((record) => record.revision).filter((revision) => view.nodes.some((node) => node.member.label === view.label(revision)));
  return new Set([...named, ...labels].filter((revision) => revision !== NO_REVISION));
}

/** Images are pulled ahead of the window, so that a drain never waits for a download. */
function pullAhead(view: PopView, now: Instant): PopAction[] {
  const { wanted, seen } = view;
  if (!wanted || !seen.pop.spec.strategy.prePull || wanted.revision === view.current || view.current === undefined) return [];
  if (seen.pop.status.revisions?.failed?.some((entry) => entry.revision === wanted.revision)) return [];
  if (!seen.daemonSets.some((set) => set.revision === wanted.revision)) return [];
  const window = windowOf(view, now);
  const opens = window.open ? now : (window.hold.until ?? Number.POSITIVE_INFINITY);
  if (opens - now > PULL_AHEAD) return [];
  return view.nodes
    .filter((node) => node.member.ready === "True" && node.member.label !== view.label(wanted.revision) && !seen.pulls.has(`${wanted.revision}/${node.member.uid}`))
    .slice(0, 4)
    .map((node) => ({ kind: "PullImages", revision: wanted.revision, node: node.member.name, nodeUID: node.member.uid, images: imagesOf(seen.pop.spec.template, wanted.version) }));
}

/** Old DaemonSets and records go once nothing can need them: no node label, no pod, beyond the history limit, and no run (R12). */
export function collect(view: PopView): Outcome | undefined {
  if (view.run || view.seen.pop.deleting || !view.seen.live || !view.seen.pop.status.revisions) return undefined;
  const needed = neededRevisions(view);
  const kept = [...view.seen.records].sort((a, b) => b.number - a.number).filter((record) => !needed.has(record.revision));
  const beyond = new Set(kept.slice(view.seen.pop.spec.revisionHistoryLimit).map((record) => record.revision));
  const sets = view.seen.daemonSets.filter(
    (set) => !needed.has(set.revision) && !set.deleting && (beyond.has(set.revision) || !recordOf(view, set.revision)) && !view.seen.pods.some((pod) => pod.daemonSetUID === set.uid),
  );
  const records = view.seen.records.filter((record) => beyond.has(record.revision) && !view.seen.daemonSets.some((set) => set.revision === record.revision));
  return {
    actions: [
      ...sets.map((set): PopAction => ({ kind: "DeleteDaemonSet", name: set.name, uid: set.uid })),
      ...records.map((record): PopAction => ({ kind: "DeleteRecord", name: record.name })),
    ],
  };
}

/** Verdicts stand on the record too, so that a re-created PoPCluster cannot bring a failed revision back (G8). */
export function recordVerdicts(view: PopView): Outcome | undefined {
  const { status } = view.seen.pop;
  if (!status.revisions) return undefined;
  const failed = new Map((status.revisions.failed ?? []).map((entry) => [entry.revision, entry]));
  const actions = view.seen.records.flatMap((record): PopAction[] => {
    const verdict = failed.get(record.revision);
    if (verdict && !record.failed) return [{ kind: "RecordVerdict", record: record.name, at: verdict.at, evidence: verdict.evidence }];
    if (!verdict && record.failed) return [{ kind: "RecordVerdict", record: record.name, at: "", evidence: "" }];
    return [];
  });
  return { actions };
}

