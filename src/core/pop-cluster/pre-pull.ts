import type { Hold, Instant } from "../decision.ts";
import type { PopAction } from "./action.ts";
import { windowOf } from "./brakes.ts";
import { olderVersion } from "./older-version.ts";
import type { Outcome } from "./outcome.ts";
import { imagesOf } from "./revision.ts";
import { type NodeView, type PopView, recordOf } from "./view.ts";

/** Pulling begins this long before the window opens, when the version is known by then (R0). */
const PULL_AHEAD = 24 * 3_600_000;
/** A pull that failed is tried again after this. */
const PULL_AGAIN = 5 * 60_000;
/** Nodes of a PoP that pull at the same time. */
const PULLING_AT_MOST = 4;

/**
 * Images are pulled ahead of the window, so that a drain never waits for a download, and a version whose image is not there never
 * starts (R0). Pods whose outcome is known, or that nobody waits for any more, are deleted.
 */
export function prePull(view: PopView, now: Instant): Outcome | undefined {
  const { seen } = view;
  if (seen.pop.deleting || seen.site.state !== "Reachable") return undefined;
  const wanted = mayPull(view, now) ? view.wanted : undefined;
  const prefix = `${wanted?.revision ?? "-"}/`;
  const useless = seen.pullPods.filter((pod) => pod.over || !pod.key.startsWith(prefix));
  const deletes = useless.map((pod): PopAction => ({
    kind: "DeletePullPod",
    pod: { name: pod.name, namespace: pod.namespace, uid: pod.uid },
  }));
  if (!wanted) return { actions: deletes, wakes: [opens(view, now) - PULL_AHEAD] };
  const nodes = targets(view, wanted.revision);
  const state = (node: NodeView) => seen.pulls.get(prefix + node.member.uid);
  const pulling = nodes.filter((node) => state(node)?.state === "Pulling").length;
  const due = nodes.filter((node) => {
    const known = state(node);
    return (
      (!known || (known.state === "Failed" && known.ageMilliseconds >= PULL_AGAIN)) &&
      !seen.pullPods.some((pod) => pod.key === prefix + node.member.uid)
    );
  });
  const images = imagesOf(seen.pop.spec.template, wanted.version);
  const pulls = due.slice(0, Math.max(0, PULLING_AT_MOST - pulling)).map((node): PopAction => ({
    kind: "PullImages",
    revision: wanted.revision,
    node: node.member.name,
    nodeUID: node.member.uid,
    images,
  }));
  const failed = nodes.map(state).filter((one) => one?.state === "Failed");
  return { actions: [...deletes, ...pulls], wakes: failed.map((one) => now + Math.max(1_000, PULL_AGAIN - one!.ageMilliseconds)) };
}

/**
 * The image has to be on every node that could take it before the first node is touched; what is missing is named. Pulls that still go on
 * hold only what could start otherwise.
 */
export function pullHold(
  view: PopView,
  goesTo: { readonly revision: string; readonly version: string; readonly back?: string | undefined },
  mayStart: boolean,
): Hold | undefined {
  const { seen, wanted } = view;
  if (
    !seen.pop.spec.strategy.prePull ||
    goesTo.back === undefined ||
    goesTo.back === goesTo.revision ||
    wanted?.revision !== goesTo.revision
  )
    return undefined;
  const nodes = targets(view, goesTo.revision);
  const state = (node: NodeView) => seen.pulls.get(`${goesTo.revision}/${node.member.uid}`);
  const refused = nodes.find((node) => state(node)?.state === "Failed");
  const hold = (message: string): Hold => ({ rule: "P3", reason: "AwaitingEvidence", message });
  if (refused)
    return hold(
      `the images of ${goesTo.version} could not be pulled on node ${refused.member.name}: ${state(refused)?.message ?? ""}; it is tried again every 5 minutes, and no node starts before`,
    );
  const missing = mayStart ? nodes.filter((node) => state(node)?.state !== "Pulled") : [];
  return missing.length > 0
    ? hold(
        `the images of ${goesTo.version} are being pulled on ${
          missing.length === nodes.length
            ? "the nodes"
            : missing
                .map((node) => node.member.name)
                .slice(0, 5)
                .join(", ")
        }`,
      )
    : undefined;
}

/** Nodes that will run it and do not yet; who cannot run a pod now pulls when his turn comes. */
const targets = (view: PopView, revision: string): NodeView[] =>
  view.nodes.filter(
    ({ member, joining }) => member.ready === "True" && !member.deleting && !joining && member.label !== view.label(revision),
  );

function mayPull(view: PopView, now: Instant): boolean {
  const { wanted, seen, current, run } = view;
  if (!wanted || olderVersion(view) || !seen.pop.spec.strategy.prePull || current === undefined || wanted.revision === current)
    return false;
  // Once nodes are being moved, each pulls by itself.
  if (run?.revision === wanted.revision && run.state !== "Preflight") return false;
  if (seen.pop.status.revisions?.failed?.some((entry) => entry.revision === wanted.revision)) return false;
  if (!recordOf(view, wanted.revision) || !seen.daemonSets.some((set) => set.revision === wanted.revision)) return false;
  return opens(view, now) - now <= PULL_AHEAD;
}

function opens(view: PopView, now: Instant): Instant {
  const window = windowOf(view, now);
  return window.open ? now : (window.hold.until ?? Number.POSITIVE_INFINITY);
}
