import type { Announcement, Instant } from "../decision.ts";
import type { PopAction } from "./action.ts";
import { olderVersion } from "./older-version.ts";
import type { Outcome } from "./outcome.ts";
import { NO_REVISION } from "./revision.ts";
import { FAILED_KEPT } from "./verdict.ts";
import { type PopView, recordOf } from "./view.ts";

/**
 * R0, as soon as seen, without window or grant: the strict dry run, the record, the DaemonSet (it selects nobody yet). And what is
 * kept in repair: a DaemonSet deleted by hand is made again, one edited by hand is put back; OnDelete, so that restarts no pod.
 */
export function prepare(view: PopView, now: Instant): Outcome | undefined {
  if (view.seen.pop.deleting || view.seen.site.state !== "Reachable") return undefined;
  const repairs = repair(view);
  const wakes = [...view.seen.dryRuns.values()]
    .filter((one) => !one.accepted)
    .map((one) => now + Math.max(1_000, DRY_RUN_AGAIN - one.ageMilliseconds));
  return { actions: [...prepareWanted(view), ...repairs.map(({ action }) => action)], events: repairs.map(({ event }) => event), wakes };
}

/** A refusal may have come from what stands around the template (a namespace, a quota, an admission policy): it is asked again. */
const DRY_RUN_AGAIN = 60_000;

function prepareWanted(view: PopView): PopAction[] {
  const { wanted, seen } = view;
  if (!wanted || olderVersion(view)) return [];
  const { template } = seen.pop.spec;
  const record = recordOf(view, wanted.revision);
  if (record && (inUse(view).has(wanted.revision) || seen.daemonSets.some((set) => set.revision === wanted.revision))) return [];
  const dryRun = seen.dryRuns.get(wanted.revision);
  if (!dryRun || (!dryRun.accepted && dryRun.ageMilliseconds >= DRY_RUN_AGAIN)) return [{ kind: "DryRunTemplate", ...wanted, template }];
  if (!dryRun.accepted || seen.foreignPods.length > 0) return [];
  if (!record) return [{ kind: "RecordRevision", ...wanted, template }];
  return [{ kind: "ApplyDaemonSet", revision: record.revision, version: record.version, template: record.template }];
}

interface Repair {
  readonly action: PopAction;
  readonly event: Announcement;
}

/** Every revision that somebody runs or may go back to has its DaemonSet, as the record has it; a hand's change is told. */
function repair(view: PopView): Repair[] {
  const used = inUse(view);
  return [...neededRevisions(view)].flatMap((revision): Repair[] => {
    const record = recordOf(view, revision);
    const set = view.seen.daemonSets.find((candidate) => candidate.revision === revision);
    if (!record || set?.deleting) return [];
    const apply = { kind: "ApplyDaemonSet" as const, revision, version: record.version, template: record.template };
    if (set && set.intact) return [];
    if (set)
      return [
        {
          action: { ...apply, replaces: set.name },
          event: warning(`DaemonSet ${set.name} was edited by hand and is put back to the record of ${record.version}; no pod restarts`),
        },
      ];
    // One that nobody runs yet is made with the dry run before it.
    if (revision === view.wanted?.revision && !used.has(revision)) return [];
    return [
      {
        action: apply,
        event: warning(`the DaemonSet of ${record.version} (revision ${revision}) was gone and is made again from its record`),
      },
    ];
  });
}

const warning = (message: string): Announcement => ({ type: "Warning", reason: "DaemonSetRestored", action: "Restore", message });

/** What nodes bear as their label, and what the whole PoP runs: gone by hand, it serves nobody until it is back. */
function inUse(view: PopView): Set<string> {
  const labels = view.seen.records
    .map((record) => record.revision)
    .filter((revision) => view.nodes.some((node) => node.member.label === view.label(revision)));
  return new Set([...labels, ...(view.current === undefined ? [] : [view.current])]);
}

/** Current, target, back, what a rollback moves away from, and whatever a node label names. */
export function neededRevisions(view: PopView): Set<string> {
  const { run, current, wanted } = view;
  const { status } = view.seen.pop;
  const named = [current, status.revisions?.promoted, run?.revision, run?.back, run?.from, wanted?.revision].filter(
    (one) => one !== undefined,
  );
  return new Set([...named, ...inUse(view)].filter((revision) => revision !== NO_REVISION));
}

/** Old DaemonSets and records go once nothing can need them: no node label, no pod, beyond the history limit, and no run (R12). */
export function collect(view: PopView): Outcome | undefined {
  if ((view.run && view.run.state !== "Passed") || view.seen.pop.deleting || !view.seen.live || !view.seen.pop.status.revisions)
    return undefined;
  const needed = neededRevisions(view);
  const kept = [...view.seen.records].sort((a, b) => b.number - a.number).filter((record) => !needed.has(record.revision));
  const beyond = new Set(kept.slice(view.seen.pop.spec.revisionHistoryLimit).map((record) => record.revision));
  const sets = view.seen.daemonSets.filter(
    (set) =>
      !needed.has(set.revision) &&
      !set.deleting &&
      (beyond.has(set.revision) || !recordOf(view, set.revision)) &&
      !view.seen.pods.some((pod) => pod.daemonSetUID === set.uid),
  );
  const records = view.seen.records.filter(
    (record) => beyond.has(record.revision) && !view.seen.daemonSets.some((set) => set.revision === record.revision),
  );
  return {
    actions: [
      ...sets.map((set): PopAction => ({ kind: "DeleteDaemonSet", name: set.name, uid: set.uid })),
      ...records.map((record): PopAction => ({ kind: "DeleteRecord", name: record.name })),
    ],
  };
}

/** A verdict that stands on a record alone is taken over before anything starts; `requests.retry` takes it off both (G8). */
export function rememberVerdicts(view: PopView): Outcome | undefined {
  const { status } = view.seen.pop;
  if (!status.revisions || !view.seen.live) return undefined;
  const failed = status.revisions.failed ?? [];
  const forgotten = view.seen.records.flatMap(({ revision, version, failed: verdict }) =>
    verdict && !failed.some((entry) => entry.revision === revision) ? [{ revision, version, ...verdict }] : [],
  );
  if (forgotten.length === 0 || failed.length >= FAILED_KEPT) return undefined;
  return { ledger: { ...status, revisions: { ...status.revisions, failed: [...failed, ...forgotten].slice(-FAILED_KEPT) } } };
}

/** Verdicts stand on the record too: a re-created PoPCluster or a restored backup of its status cannot bring a failed revision back (G8). */
export function recordVerdicts(view: PopView): Outcome | undefined {
  const { status } = view.seen.pop;
  if (!status.revisions) return undefined;
  const failed = status.revisions.failed ?? [];
  const actions = view.seen.records.flatMap((record): PopAction[] => {
    const verdict = failed.find((entry) => entry.revision === record.revision);
    return verdict && !record.failed ? [{ kind: "RecordVerdict", record: record.name, at: verdict.at, evidence: verdict.evidence }] : [];
  });
  return { actions };
}
