import type { Hold, Instant } from "../decision.ts";
import { oncePer } from "../once-per.ts";
import { parseThresholds } from "../health/comparison.ts";
import { windowHolds, type WrittenPop, zoneHolds } from "./accept-spec.ts";
import { windowOf } from "./brakes.ts";
import { wantedContent } from "./content-source.ts";
import { mostGone } from "./gone.ts";
import { olderVersion } from "./older-version.ts";
import { refusedQueries } from "./queries.ts";
import { reachHolds } from "./reach.ts";
import { NO_REVISION } from "./revision.ts";
import type { PopView } from "./view.ts";

/**
 * What no schema can know (Accepted=False): zone, queries, other objects. Each problem is a sentence that says what to write
 * instead; while one stands nothing new starts, and what is in hand is finished or given back.
 */
export const problemsOf = oncePer((view: PopView, now: Instant): readonly Hold[] => {
  if (view.seen.site.state !== "Reachable") return [];
  return [
    zone,
    reach,
    versionGiven,
    versionNewer,
    window,
    windowLength,
    queries,
    templateAccepted,
    members,
    adoption,
    adoptee,
    content,
  ].flatMap((check) => check(view, now));
});

const problem = (rule: string, reason: Hold["reason"], message: string): Hold => ({ rule, reason, message });

const written = ({ seen: { pop, window } }: PopView): WrittenPop => ({ namespace: pop.namespace, spec: pop.spec, window });
const zone = (view: PopView): Hold[] => zoneHolds(written(view));
const reach = (view: PopView): Hold[] => reachHolds(written(view));
const window = (view: PopView): Hold[] => windowHolds(written(view));

function versionGiven(view: PopView): Hold[] {
  if (view.wanted || view.current !== undefined || view.run) return [];
  return [
    problem(
      "P12",
      "VersionUnassigned",
      "spec.version is not set and no PoPRollout assigned a version; write spec.version or create a PoPRollout",
    ),
  ];
}

function versionNewer(view: PopView): Hold[] {
  const older = olderVersion(view);
  return older ? [older] : [];
}

/** A piece that fits no coming occurrence is too long for its window (W4): nothing could ever start. */
function windowLength(view: PopView, now: Instant): Hold[] {
  const gate = view.seen.window.found ? windowOf(view, now) : undefined;
  if (!gate || gate.open || gate.hold.reason !== "WindowTooShort") return [];
  return [
    problem(
      "W4",
      "WindowTooShort",
      `MaintenanceWindow ${view.seen.pop.spec.windowRef.name}: one node (spec.strategy.perNode.expected) ${gate.hold.message}`,
    ),
  ];
}

function members(view: PopView, now: Instant): Hold[] {
  const gone = mostGone(view, now);
  if (gone) return [gone];
  if (view.nodes.length > 0) return [];
  const labels = Object.entries(view.seen.pop.spec.nodeSelector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  return [
    problem(
      "P16",
      "NoMembers",
      `spec.nodeSelector ${labels.join(",") || "(empty)"} matches no node; label the nodes or correct the selector`,
    ),
  ];
}

/** A name that leads nowhere would make a first version of what was meant to be taken over, beside it on the same nodes. */
function adoptee(view: PopView): Hold[] {
  const { adopt, dataPlaneNamespace } = view.seen.pop.spec;
  if (!adopt || view.seen.adoptee || (view.current !== undefined && view.current !== NO_REVISION)) return [];
  return [
    problem(
      "P16",
      "AdoptionUnclear",
      `spec.adopt.daemonSet: DaemonSet ${adopt.daemonSet.name} does not exist in namespace ${dataPlaneNamespace}; correct the name, or remove spec.adopt if nothing runs yet`,
    ),
  ];
}

function queries(view: PopView): Hold[] {
  const { health } = view.seen.pop.spec;
  const checks = [...health.node.map((check) => ({ check, of: "node" })), ...health.pop.map((check) => ({ check, of: "pop" }))];
  return checks.flatMap(({ check, of }) => {
    if (!check.prometheus) return [];
    const parsed = parseThresholds(check.prometheus);
    const refused = refusedQueries(view).find((one) => one.of === of && one.check === check.name)?.detail;
    if (!parsed.ok) return [problem("P9", "QueryInvalid", `spec.health.${of} check ${check.name}: ${parsed.problem}`)];
    return refused
      ? [
          problem(
            "P9",
            "QueryInvalid",
            `spec.health.${of} check ${check.name}: Prometheus refuses the query: ${refused}; nothing starts until it is corrected`,
          ),
        ]
      : [];
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
  const wanted = wantedContent(view);
  const { contentAssignment: assigned } = view;
  if (!wanted?.source?.configMapRef || !view.seen.contentSource || view.seen.contentSource.found) return [];
  return [
    problem(
      "P15",
      "ContentSourceMissing",
      `${assigned ? `PoPRollout ${assigned.rollout}: ` : ""}spec.content.source.configMapRef: ConfigMap ${wanted.source.configMapRef.name} does not exist in namespace ${view.seen.pop.namespace}; create it or name another`,
    ),
  ];
}
