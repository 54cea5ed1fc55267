import type { PopClusterStatus } from "../../api/pop-cluster.ts";
import type { Decision, Hold, Instant } from "../decision.ts";
import type { Probe } from "../health/probe.ts";
import { problemsOf } from "./accept.ts";
import type { PopAction } from "./action.ts";
import { firstSight } from "./adopt.ts";
import { advance, bakeAndWatch } from "./advance.ts";
import { rebooted } from "./boot.ts";
import { breach } from "./breach.ts";
import { contentOrders } from "./content-orders.ts";
import { content } from "./content.ts";
import { deadNodes } from "./dead-nodes.ts";
import { deletion, clusterChanged } from "./deletion.ts";
import { gone } from "./gone.ts";
import { healthOf } from "./health.ts";
import { stepsInHand } from "./in-hand.ts";
import { join } from "./join.ts";
import { laterLedger, laterWordsOf } from "./later-ledger.ts";
import { milliseconds } from "./milliseconds.ts";
import type { PopClusterObservation } from "./observation.ts";
import { orders } from "./orders.ts";
import { inOrder, type Outcome, type Rule } from "./outcome.ts";
import { plan } from "./plan.ts";
import { prePull } from "./pre-pull.ts";
import { preflight, regrant } from "./preflight.ts";
import { queryProbes } from "./queries.ts";
import { recovered } from "./recovered.ts";
import { collect, prepare, recordVerdicts, rememberVerdicts } from "./records.ts";
import { requests, supersede } from "./requests.ts";
import { accounted } from "./spent.ts";
import { announce, start } from "./start.ts";
import { statusOf, statusWakes } from "./status.ts";
import { type PopView, viewOf } from "./view.ts";
import { windowEnd } from "./window-end.ts";
import { worthWriting } from "./worth-writing.ts";

export type PopDecision = Decision<PopClusterStatus, PopAction, Probe>;

/** What a PoP does next, in this order: the first rule that moves the ledger decides the pass. */
const RULES: readonly Rule[] = [
  firstSight,
  rememberVerdicts,
  gone,
  rebooted,
  requests,
  orders,
  announce,
  plan,
  supersede,
  breach,
  deadNodes,
  stepsInHand,
  recovered,
  windowEnd,
  regrant,
  preflight,
  advance,
  bakeAndWatch,
  start,
  join,
  prepare,
  prePull,
  recordVerdicts,
  collect,
  contentOrders,
  content,
];

/** A PoP that cannot be reached, or is another one than before, is only spoken of. */
const UNREACHABLE_RULES: readonly Rule[] = [deletion, unreachable];

/** The decision about one PoP at one moment (rules P1 to P17, G1 to G15). Pure: the same observation and time give the same answer. */
export function decide(seen: PopClusterObservation, now: Instant): PopDecision {
  const view = viewOf(seen);
  const outcome = withoutPause(view, inOrder(rulesFor(view), view, now), now);
  const ledger = outcome.ledger ?? seen.pop.status;
  const holds = ordered(holdsOf(view, outcome, now));
  const status = statusOf(view, ledger, holds, now);
  const wakes = [
    ...(outcome.wakes ?? []),
    ...looksAgain(view, now),
    ...holds.flatMap((hold) => hold.until ?? []),
    ...statusWakes(status, now),
  ].filter((wake) => Number.isFinite(wake) && wake > now);
  const written = worthWriting(view, ledger, status);
  // What is told of actions is told when they are performed, which is in the pass after this one when a status is written first.
  const events = written && outcome.ledger === undefined ? [] : (outcome.events ?? []);
  return {
    ...(written ? { status: accounted(seen.pop.status, status, now) } : {}),
    actions: outcome.actions ?? [],
    events,
    probes: [...healthOf(view, now).probes, ...queryProbes(view), ...(outcome.probes ?? [])],
    ...(wakes.length > 0 ? { wakeAt: Math.min(...wakes) } : {}),
    holds,
  };
}

/**
 * A node that need not soak is Done with the word that says that it serves, and the next one is claimed in the same write (P14): a step
 * of no length is not written.
 */
function withoutPause(view: PopView, outcome: Outcome, now: Instant): Outcome {
  const { ledger } = outcome;
  if (ledger === undefined || milliseconds(view.seen.pop.spec.strategy.perNode.soak) > 0 || !beginsToSoak(view, ledger)) return outcome;
  const next = viewOf({ ...view.seen, pop: { ...view.seen.pop, status: ledger } });
  const following = inOrder(rulesFor(next), next, now);
  if (following.ledger === undefined) return outcome;
  return { ...following, events: [...(outcome.events ?? []), ...(following.events ?? [])] };
}

function beginsToSoak(view: PopView, ledger: PopClusterStatus): boolean {
  const soaked = new Set(view.nodes.flatMap(({ entry }) => (entry?.step === "Soaking" ? [entry.uid] : [])));
  return (ledger.nodes ?? []).some(({ uid, step }) => step === "Soaking" && !soaked.has(uid));
}

/** A moved ledger is written with the holds that follow from it, or the next pass would write them once more (P14). */
function holdsOf(view: PopView, outcome: Outcome, now: Instant): readonly Hold[] {
  const next = outcome.ledger === undefined ? view : viewOf({ ...view.seen, pop: { ...view.seen.pop, status: outcome.ledger } });
  const found = outcome.ledger === undefined ? outcome : inOrder(rulesFor(next), next, now);
  return [...(view.seen.pop.deleting ? [] : problemsOf(next, now)), ...(found.holds ?? [])];
}

/** What nobody tells us of (a Secret, a ConfigMap, a namespace, an admission policy that was corrected) is looked at again by itself. */
function looksAgain(view: PopView, now: Instant): Instant[] {
  if (view.seen.site.state !== "Reachable" || clusterChanged(view)) return [now + UNREACHABLE_AGAIN];
  if (problemsOf(view, now).length > 0) return [now + PROBLEM_AGAIN];
  // A Secret that leads to another cluster from now on wakes nobody, also when nothing is to be done (P17).
  return view.seen.pop.spec.kubeconfigSecretRef ? [now + PROBLEM_AGAIN] : [];
}

const UNREACHABLE_AGAIN = 5_000;
const PROBLEM_AGAIN = 60_000;

function rulesFor(view: PopView): readonly Rule[] {
  if (view.seen.site.state !== "Reachable" || clusterChanged(view)) return UNREACHABLE_RULES;
  // Whoever does not know where the ledger stands does nothing by it, deletion included (I21).
  if (laterWordsOf(view.seen.pop.status).length > 0) return [laterLedger];
  return view.seen.pop.deleting ? [deletion] : RULES;
}

function unreachable(view: PopView): Outcome {
  const { site, pop } = view.seen;
  if (site.state === "CredentialsInvalid") return { holds: [{ rule: "P17", reason: "CredentialsInvalid", message: site.message }] };
  if (site.state === "Unreachable")
    return {
      holds: [
        {
          rule: "P17",
          reason: "ClusterUnreachable",
          message: `${site.message}; claims and grant are kept, nothing starts until it answers`,
        },
      ],
    };
  return {
    holds: [
      {
        rule: "P17",
        reason: "ClusterChanged",
        message: `the kubeconfig leads to cluster ${site.uid}, this PoP was cluster ${pop.status.clusterUID}; nothing starts and no node is skipped until it leads back`,
      },
    ],
  };
}

/** What a person has to mend comes first, then what ends by itself, the earliest first. */
function ordered(holds: readonly Hold[]): readonly Hold[] {
  return [...holds].sort((a, b) => (a.until ?? -1) - (b.until ?? -1));
}
