import { isDowngrade, parseVersion } from "../../api/version.ts";
import type { Hold } from "../decision.ts";
import { labelHasLeft, type PopView, recordOf } from "./view.ts";

/**
 * Nothing goes to an older version but by a rollback (V3): a wanted version older than what the whole PoP runs, or than what a run that was
 * ended in mid-roll left on some of its nodes, starts nothing. What the PoP runs already is no downgrade, whatever came between (P12).
 */
export function olderVersion(view: PopView): Hold | undefined {
  const than = newerThanWanted(view);
  if (than === undefined) return undefined;
  const { pop } = view.seen;
  const named = view.assignment ? `PoPRollout ${view.assignment.rollout}:` : "spec.version";
  return {
    rule: "V3",
    reason: "OlderVersion",
    message: `${named} ${view.wanted!.version} is older than ${than}, which runs here, and nothing is rolled forward to an older version; write a version newer than ${than}, or take it back: rollward take-back ${pop.name}`,
  };
}

function newerThanWanted(view: PopView): string | undefined {
  const { wanted, current, run, seen } = view;
  if (!wanted || current === undefined || wanted.revision === current || wanted.revision === run?.revision) return undefined;
  // After a rollback that failed nodes stand on both, and there is nothing to take back any more: a person may name any version (L2).
  if (!run && seen.pop.status.history?.at(-1)?.outcome === "RollbackFailed") return undefined;
  const whole = recordOf(view, current)?.version ?? (run?.revision === current ? run.version : undefined);
  const begun = run?.kind === "Roll" && run.state === "Rolling" && hasBegun(view, run.revision) ? run.version : undefined;
  return [begun, whole].find((version) => version !== undefined && isOlder(wanted.version, version));
}

const hasBegun = (view: PopView, revision: string): boolean =>
  view.nodes.some((node) => node.member.label === view.label(revision) || (node.entry?.step === "Updating" && labelHasLeft(view, node)));

function isOlder(wanted: string, runs: string): boolean {
  const [to, from] = [parseVersion(wanted), parseVersion(runs)];
  return to !== undefined && from !== undefined && isDowngrade(from, to);
}
