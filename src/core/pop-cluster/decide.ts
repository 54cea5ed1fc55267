import type { PopClusterStatus } from "../../api/pop-cluster.ts";
import { canonicalJson } from "../canonical-json.ts";
import type { Decision, Hold, Instant } from "../decision.ts";
import type { Probe } from "../health/probe.ts";
import { problemsOf } from "./accept.ts";
import type { PopAction } from "./action.ts";
import { firstSight } from "./adopt.ts";
import { advance, bakeAndWatch } from "./advance.ts";
import { breach } from "./breach.ts";
import { content } from "./content.ts";
import { deletion } from "./deletion.ts";
import { healthOf } from "./health.ts";
import { stepsInHand } from "./in-hand.ts";
import { join } from "./join.ts";
import type { PopClusterObservation } from "./observation.ts";
import { inOrder, type Outcome, type Rule } from "./outcome.ts";
import { plan } from "./plan.ts";
import { preflight, regrant } from "./preflight.ts";
import { collect, prepare, recordVerdicts } from "./records.ts";
import { requests, supersede } from "./requests.ts";
import { announce, start } from "./start.ts";
import { statusOf, statusWakes } from "./status.ts";
import { type PopView, viewOf } from "./view.ts";

export type PopDecision = Decision<PopClusterStatus, PopAction, Probe>;

/** What a PoP does next, in this order: the first rule that moves the ledger decides the pass. */
const RULES: readonly Rule[] = [firstSight, requests, announce, plan, supersede, breach, stepsInHand, regrant, preflight, advance, bakeAndWatch, start, join, prepare, recordVerdicts, collect, content];

/** A PoP that cannot be reached, or is another one than before, is only spoken of. */
const UNREACHABLE_RULES: readonly Rule[] = [deletion, unreachable];

/** The decision about one PoP at one moment (rules P1 to P17, G1 to G15). Pure: the same observation and time give the same answer. */
export function decide(seen: PopClusterObservation, now: Instant): PopDecision {
  const view = viewOf(seen);
  const outcome = inOrder(rulesFor(view), view, now);
  const ledger = outcome.ledger ?? seen.pop.status;
  const holds = [...(outcome.holds ?? [])];
  if (!seen.pop.deleting && holds.length === 0) holds.push(...problemsOf(view));
  const status = statusOf(view, ledger, ordered(holds), now);
  const differs = canonicalJson(status) !== canonicalJson(seen.pop.status);
  const wakes = [...(outcome.wakes ?? []), ...holds.flatMap((hold) => hold.until ?? []), ...statusWakes(status, now)].filter((wake) => Number.isFinite(wake) && wake > now);
  return {
    ...(differs ? { status } : {}),
    actions: outcome.actions ?? [],
    events: outcome.events ?? [],
    probes: [...healthOf(view, now).probes, ...(outcome.probes ?? [])],
    ...(wakes.length > 0 ? { wakeAt: Math.min(...wakes) } : {}),
    holds,
  };
}

function rulesFor(view: PopView): readonly Rule[] {
  if (view.seen.site.state !== "Reachable" || clusterChanged(view)) return UNREACHABLE_RULES;
  return view.seen.pop.deleting ? [deletion] : RULES;
}

const clusterChanged = (view: PopView): boolean => {
  const { site, pop } = view.seen;
  return site.state === "Reachable" && pop.status.clusterUID !== undefined && pop.status.clusterUID !== site.uid;
};

function unreachable(view: PopView): Outcome {
  const { site, pop } = view.seen;
  if (site.state === "CredentialsInvalid") return { holds: [{ rule: "P17", reason: "CredentialsInvalid", message: site.message }] };
  if (site.state === "Unreachable") return { holds: [{ rule: "P17", reason: "ClusterUnreachable", message: `${site.message}; claims and grant are kept, nothing starts until it answers` }] };
  return {
    holds: [{ rule: "P17", reason: "ClusterChanged", message: `the kubeconfig leads to cluster ${site.uid}, this PoP was cluster ${pop.status.clusterUID}; nothing starts and no node is skipped until it leads back` }],
  };
}

/** What a person has to mend comes first, then what ends by itself, the earliest first. */
function ordered(holds: readonly Hold[]): readonly Hold[] {
  return [...holds].sort((a, b) => (a.until ?? -1) - (b.until ?? -1));
}
