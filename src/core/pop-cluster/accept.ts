import type { Hold } from "../decision.ts";
import { parseThresholds } from "../health/comparison.ts";
import { zoneProblem } from "../time/zone.ts";
import type { PopView } from "./view.ts";

/**
 * What no schema can know (Accepted=False): zone, queries, other objects. Each problem is a sentence that says what to write
 * instead; while one stands nothing new starts, and what is in hand is finished or given back.
 */
export function problemsOf(view: PopView): readonly Hold[] {
  return [zone, versionGiven, window, queries, templateAccepted, adoption, content].flatMap((check) => check(view));
}

const problem = (rule: string, reason: Hold["reason"], message: string): Hold => ({ rule, reason, message });

function zone(view: PopView): Hold[] {
  const sentence = zoneProblem(view.seen.pop.spec.timeZone);
  return sentence ? [problem("W10", "WindowInvalid", `spec.timeZone: ${sentence}; nothing starts until it is corrected`)] : [];
}

function versionGiven(view: PopView): Hold[] {
  if (view.wanted) return [];
  return [problem("P12", "VersionUnassigned", "spec.version is not set and no PoPRollout assigned a version; write spec.version or create a PoPRollout")];
}

function window(view: PopView): Hold[] {
  const { window: seen, pop } = view.seen;
  if (!seen.found) {
    return [problem("W10", "WindowInvalid", `spec.windowRef: MaintenanceWindow ${pop.spec.windowRef.name} does not exist in namespace ${pop.namespace}; create it or name another`)];
  }
  return seen.problems.map((sentence) => problem("W10", "WindowInvalid", `MaintenanceWindow ${pop.spec.windowRef.name}: ${sentence}`));
}

function queries(view: PopView): Hold[] {
  const { health } = view.seen.pop.spec;
  const checks = [...health.node.map((check) => ({ check, of: "node" })), ...health.pop.map((check) => ({ check, of: "pop" }))];
  return checks.flatMap(({ check, of }) => {
    if (!check.prometheus) return [];
    const parsed = parseThresholds(check.prometheus);
    const refused = view.seen.queryErrors.get(check.prometheus.query);
    if (!parsed.ok) return [problem("P9", "QueryInvalid", `spec.health.${of} check ${check.name}: ${parsed.problem}`)];
    return refused ? [problem("P9", "QueryInvalid", `spec.health.${of} check ${check.name}: Prometheus refuses the query: ${refused}`)] : [];
  });
}

function templateAccepted(view: PopView): Hold[] {
  const dryRun = view.wanted && view.seen.dryRuns.get(view.wanted.revision);
  if (!dryRun || dryRun.accepted) return [];
  return [problem("P3", "TemplateInvalid", `spec.template: the API server refuses the DaemonSet that would run it: ${dryRun.message}`)];
}

function adoption(view: PopView): Hold[] {
  const foreign = view.seen.foreignPods[0];
  if (!foreign) return [];
  const owner = foreign.owner ? `DaemonSet ${foreign.owner}` : "nobody's controller";
  return [
    problem(
      "P16",
      "AdoptionUnclear",
      `pod ${foreign.namespace}/${foreign.name} of ${owner} holds host port ${foreign.port} on node ${foreign.node}, which the template needs too; ` +
        (foreign.owner ? `write spec.adopt.daemonSet.name: ${foreign.owner} to take it over, or remove it` : "remove it"),
    ),
  ];
}

function content(view: PopView): Hold[] {
  const { content: wanted } = view.seen.pop.spec;
  if (!wanted?.source.configMapRef || !view.seen.contentSource || view.seen.contentSource.found) return [];
  return [
    problem("P15", "TemplateInvalid", `spec.content.source.configMapRef: ConfigMap ${wanted.source.configMapRef.name} does not exist in namespace ${view.seen.pop.namespace}; create it or name another`),
  ];
}
