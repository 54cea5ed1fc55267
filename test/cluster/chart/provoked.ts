// The states that the alerts are about, each brought about in the operator's exporter, and what the alert then says.
import { popClusterSpec, popClusterStatus, type PopCluster } from "../../../src/api/pop-cluster.ts";
import { popRolloutSpec, popRolloutStatus, type PopRollout } from "../../../src/api/pop-rollout.ts";
import { checkinMetrics, inventoryMetric, skewMetric } from "../../../src/telemetry/socket-metrics.ts";
import type { Exporter } from "./exporter.ts";
import { clientRollout, clientVersions, PROVOKED_CLIENTS } from "./provoked-clients.ts";
import { mixedSite, PROVOKED_SOCKETS, site, socketRollout, unannounced } from "./provoked-sockets.ts";

export const NOW = Date.parse("2026-11-23T12:00:00Z");
const AT = "2026-11-20T00:00:00Z";

/** One state: what is done once, or once a minute, and for how long it has to last until the alert fires. */
export interface Provoked {
  readonly alert: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly minutes: number;
  readonly once?: (exporter: Exporter) => void;
  readonly eachMinute?: (exporter: Exporter) => void;
  /** Minutes after its end within which it resolves. */
  readonly resolvesIn?: number;
}

const spec = popClusterSpec.parse({
  region: "eu-central",
  timeZone: "Europe/Berlin",
  nodeSelector: {},
  windowRef: { name: "sunday" },
  template: { spec: { containers: [{ name: "c", image: "i" }] } },
});

const pop = (status: object): PopCluster => ({
  apiVersion: "rollward.dev/v1alpha1",
  kind: "PoPCluster",
  metadata: { name: "fra1", namespace: "fleet", uid: "u1", resourceVersion: "1" },
  spec,
  status: popClusterStatus.parse({
    version: "2026.11.1",
    next: [{ start: "2026-11-29T00:00:00Z", end: "2026-11-29T04:00:00Z", localStart: "" }],
    nodes: ["n1", "n2", "n3"].map((name) => ({ name, uid: name, since: AT, step: "Done" })),
    checks: [{ name: "ready", verdict: "Healthy", since: AT, evidence: "" }],
    ...status,
  }),
});
const ready = (reason: string, status: "True" | "False" | "Unknown" = "False") => ({
  conditions: [{ type: "Ready", status, reason, message: "", lastTransitionTime: AT }],
});
const held = (reason: string, until?: string) => ({
  holds: [{ rule: "X1", reason, message: "", ...(until === undefined ? {} : { until }) }],
});
const run = (more: object) => ({
  run: { id: 1, kind: "Roll", revision: "r2", version: "2", startedAt: AT, state: "Rolling", frozen: { members: [], order: [] }, ...more },
});

const rollout = (status: object): PopRollout => ({
  apiVersion: "rollward.dev/v1alpha1",
  kind: "PoPRollout",
  metadata: { name: "r-2", namespace: "fleet", uid: "u2", resourceVersion: "1" },
  spec: popRolloutSpec.parse({ version: "2026.11.2", requestedBy: "release", waves: [{ name: "all", pops: { percent: 100 } }] }),
  status: popRolloutStatus.parse({ seenAt: AT, numbers: { pops: 4, passed: 1, open: 3, failed: 0, skipped: 0 }, ...status }),
});
const forecast = (fits: boolean) => ({ forecast: { digest: "d", at: AT, message: "", fits, finishAt: "2026-12-06T03:00:00Z" } });

/** A fleet of one PoP and one rollout where nothing is to be told. */
export function well({ told, facts, metrics }: Exporter): void {
  told.site(site({}));
  told.socketRollout(socketRollout({}));
  told.clientRollout(clientRollout());
  checkinMetrics(metrics, "ddi")("Nothing", 0.004);
  inventoryMetric(metrics)(true);
  told.pop(pop(ready("Serving", "True")));
  told.rollout(rollout(forecast(true)));
  facts.leads = true;
  facts.watchAges = { PoPCluster: 5_000, Node: 4_000 };
  facts.tunnels = { dualSites: 1, pops: [tunnels({})] };
}
const tunnels = (more: object) => ({ pop: "fra1", up: 3, down: 0, unknown: 0, answeredMilliseconds: 30_000, ignored: 0, ...more });

/** A fleet where much goes on and something goes wrong, more of it with each scrape. */
export function busy({ told, facts, called, metrics }: Exporter): void {
  skewMetric(metrics)(0.4);
  const bad = pop({
    ...run({}),
    ...ready("VersionFailed"),
    ...held("HealthUnknown", "2026-11-23T13:00:00Z"),
    nodes: (["Updating", "Done", "Failed"] as const).map((step, index) => ({ name: `n${index}`, uid: `n${index}`, since: AT, step })),
    history: [
      {
        version: "2026.11.2",
        revision: "r2",
        startedAt: AT,
        endedAt: AT,
        outcome: "RolledBack",
        evidence: "node n1: ready: GET http://10.0.0.1/healthz answered 500",
      },
    ],
    checks: [{ name: "ready", verdict: "Unhealthy", since: AT, evidence: "" }],
    next: [
      { start: "2026-11-23T11:00:00Z", end: "2026-11-23T13:00:00Z", localStart: "" },
      { start: "2026-11-29T00:00:00Z", end: "2026-11-29T04:00:00Z", localStart: "" },
    ],
  });
  told.pop(bad);
  told.rollout(
    rollout({
      ...forecast(true),
      ...held("AwaitingApproval", "2026-11-29T00:00:00Z"),
      numbers: { pops: 4, passed: 1, open: 2, failed: 1, skipped: 0 },
    }),
  );
  told.windowBreached(bad);
  told.site(mixedSite(NOW - 3_600_000));
  told.site({ ...unannounced(), metadata: { ...unannounced().metadata, name: "munich" } });
  told.socketRollout(socketRollout(held("Paused", "2026-11-29T00:00:00Z")));
  told.clientRollout(clientRollout(held("AwaitingEvidence", "2026-11-29T00:00:00Z")));
  told.clientVersions(clientVersions);
  told.noticeLate(site({}));
  const checkin = checkinMetrics(metrics, "ddi");
  const ofClient = checkinMetrics(metrics, "omaha");
  facts.tunnels = { dualSites: 4, pops: [tunnels({ unknown: 1, ignored: 2 })] };
  const queue = told.queue("PoPCluster");
  queue.depth?.(3);
  const owner = "PoPCluster/fleet/fra1";
  const labels = { namespace: "fleet", pop: "fra1" };
  metrics.onScrape(() => {
    queue.waited?.("fra1", 20);
    queue.ran?.("fra1", 5);
    queue.ran?.("fra1", 5, new Error("conflict"));
    called({ verb: "patch", kind: "Node", code: 200 });
    called({ verb: "patch", kind: "Node", code: 503 });
    for (const answer of ["Nothing", "Deployment", "Unauthorized", "Unavailable"]) checkin(answer, 0.004);
    ofClient("UpToDate", 0.004);
    metrics.count("notice_sent_total", { kind: "Planned" });
    metrics.observe("health_check_seconds", {}, 0.02);
    metrics.observe("pop_reconnect_seconds", labels, 4, owner);
    metrics.observe("pop_roll_duration_seconds", { ...labels, outcome: "Passed", spent: "working" }, 600, owner);
    metrics.count("pop_rollbacks_total", { ...labels, reason: "CheckFailed" }, owner);
  });
}

const FRA1 = { namespace: "fleet", pop: "fra1", instance: "a" };
const R2 = { kind: "PoPRollout", name: "r-2", instance: "a" };
const inState = (alert: string, state: string, summary: string, minutes: number): Provoked => ({
  alert,
  labels: { ...FRA1, state },
  summary,
  minutes,
  once: ({ told }) => told.pop(pop(ready(state, state === "Unreachable" ? "Unknown" : "False"))),
});

export const PROVOKED: readonly Provoked[] = [
  {
    alert: "RollwardOperatorAbsent",
    labels: {},
    summary: "Nobody decides about rollouts.",
    minutes: 4,
    once: ({ facts }) => void (facts.leads = false),
  },
  {
    alert: "RollwardWatchSilent",
    labels: { kind: "Node" },
    summary: "The operator has heard nothing of Node objects for 6m 40s.",
    minutes: 3,
    once: ({ facts }) => void (facts.watchAges = { ...facts.watchAges, Node: 400_000 }),
  },
  {
    alert: "RollwardReconcileFailing",
    labels: { kind: "PoPCluster" },
    summary: "75% of the runs for PoPCluster objects fail and are tried again.",
    minutes: 30,
    eachMinute: ({ told }) => {
      const queue = told.queue("PoPCluster");
      for (const error of [new Error("conflict"), new Error("conflict"), new Error("conflict"), undefined]) queue.ran?.("fra1", 5, error);
    },
    resolvesIn: 15,
  },
  {
    alert: "RollwardQueueSlow",
    labels: { kind: "PoPCluster" },
    summary: "PoPCluster objects wait 59.55s for a worker (99th percentile).",
    minutes: 25,
    eachMinute: ({ told }) => told.queue("PoPCluster").waited?.("fra1", 40_000),
    resolvesIn: 10,
  },
  {
    alert: "RollwardApiRequestsFailing",
    labels: { kind: "Node" },
    summary: "50% of the calls for Node get no answer, 429 or 5xx.",
    minutes: 30,
    eachMinute: ({ called }) => {
      for (const code of [0, 503, 200, 200]) called({ verb: "patch", kind: "Node", code });
    },
    resolvesIn: 15,
  },
  {
    alert: "RollwardApiRequestsForbidden",
    labels: { kind: "Node", verb: "patch" },
    summary: "The operator may not patch Node.",
    minutes: 10,
    eachMinute: ({ called }) => called({ verb: "patch", kind: "Node", code: 403 }),
    resolvesIn: 20,
  },
  {
    alert: "RollwardWindowBreached",
    labels: { instance: "a" },
    summary: "A node was disrupted outside its window.",
    minutes: 3,
    once: ({ told }) => told.windowBreached(pop({})),
    resolvesIn: 65,
  },
  inState("RollwardVersionFailed", "VersionFailed", "PoP fra1: VersionFailed.", 3),
  inState("RollwardVersionFailed", "FirstVersionFailed", "PoP fra1: FirstVersionFailed.", 3),
  inState("RollwardVersionFailed", "NeedsAttention", "PoP fra1: NeedsAttention.", 3),
  inState("RollwardRollbackFailed", "RollbackFailed", "PoP fra1 could not go back to the version before.", 3),
  inState("RollwardPopNotAccepted", "NotAccepted", "The spec of PoP fra1 cannot be carried out.", 18),
  inState("RollwardPopUnreachable", "Unreachable", "The API server of PoP fra1 does not answer.", 18),
  inState("RollwardPopDegraded", "DegradedBudget", "More nodes of PoP fra1 are out of service than its budget allows.", 18),
  {
    alert: "RollwardRolledBack",
    labels: { ...FRA1, reason: "NodeFailed" },
    summary: "PoP fra1 takes a version back (NodeFailed).",
    minutes: 3,
    once: ({ told }) => {
      told.pop(pop(run({})));
      told.pop(pop(run({ id: 2, kind: "Rollback", state: "RollingBack", cause: "node n1: container pop exited 2 times" })));
    },
    resolvesIn: 65,
  },
  {
    alert: "RollwardNodesInHandTooLong",
    labels: { namespace: "fleet", pop: "fra1" },
    summary: "PoP fra1 has had nodes in hand for 6 hours without a pause.",
    minutes: 365,
    once: ({ told }) => told.pop(pop({ ...run({}), nodes: [{ name: "n1", uid: "n1", since: AT, step: "Updating" }] })),
  },
  {
    alert: "RollwardCheckUnhealthy",
    labels: { ...FRA1, check: "ready", verdict: "Unhealthy" },
    summary: "Check ready of PoP fra1 has been bad for 30 minutes.",
    minutes: 33,
    once: ({ told }) => told.pop(pop({ checks: [{ name: "ready", verdict: "Unhealthy", since: AT, evidence: "connection refused" }] })),
  },
  {
    alert: "RollwardHealthUnknown",
    labels: { kind: "PoPCluster" },
    summary: "1 PoPCluster objects wait because nobody can see whether the version is healthy.",
    minutes: 33,
    once: ({ told }) => told.pop(pop(held("HealthUnknown"))),
  },
  {
    alert: "RollwardNoWindowAhead",
    labels: { ...FRA1, region: "eu-central", version: "2026.11.1" },
    summary: "No window of PoP fra1 opens any more.",
    minutes: 63,
    once: ({ told }) => told.pop(pop({ next: [] })),
  },
  {
    alert: "RollwardReconnectSlow",
    labels: { namespace: "fleet", pop: "fra1" },
    summary: "Sessions of drained nodes of PoP fra1 need 58.5s to come back.",
    minutes: 5,
    eachMinute: ({ metrics }) => metrics.observe("pop_reconnect_seconds", { namespace: "fleet", pop: "fra1" }, 45, "PoPCluster/fleet/fra1"),
    resolvesIn: 1_450,
  },
  {
    alert: "RollwardTunnelsUnanswered",
    labels: FRA1,
    summary: "PoP fra1 has not told of its sites' tunnels for 11m 40s.",
    minutes: 7,
    once: ({ facts }) => void (facts.tunnels = { dualSites: 1, pops: [tunnels({ answeredMilliseconds: 700_000 })] }),
  },
  {
    alert: "RollwardTunnelsUnknown",
    labels: { ...FRA1, up: "Unknown" },
    summary: "Of 3 sites nobody knows whether their tunnel to PoP fra1 is up.",
    minutes: 33,
    once: ({ facts }) => void (facts.tunnels = { dualSites: 1, pops: [tunnels({ up: 0, unknown: 3 })] }),
  },
  {
    alert: "RollwardTunnelSeriesIgnored",
    labels: FRA1,
    summary: "PoP fra1 tells of 2 tunnels of sites that nobody declared.",
    minutes: 63,
    once: ({ facts }) => void (facts.tunnels = { dualSites: 1, pops: [tunnels({ ignored: 2 })] }),
  },
  {
    alert: "RollwardApprovalWaiting",
    labels: R2,
    summary: "PoPRollout r-2 has waited 3d 12h 0m 0s for an approval.",
    minutes: 3,
    once: ({ told }) => told.rollout(rollout(held("AwaitingApproval"))),
  },
  {
    alert: "RollwardRolloutOverdue",
    labels: R2,
    summary: "PoPRollout r-2 does not fit the windows of its train.",
    minutes: 18,
    once: ({ told }) => told.rollout(rollout(forecast(false))),
  },
  {
    alert: "RollwardRolloutHalted",
    labels: { kind: "PoPRollout" },
    summary: "1 rollouts (PoPRollout) are halted: more PoPs failed than they may lose.",
    minutes: 3,
    once: ({ told }) => told.rollout(rollout(held("Halted"))),
  },
  {
    alert: "RollwardRolloutMembersFailed",
    labels: { ...R2, measure: "failed" },
    summary: "25% of the PoPs of PoPRollout r-2 failed.",
    minutes: 3,
    once: ({ told }) => told.rollout(rollout({ numbers: { pops: 4, passed: 1, open: 2, failed: 1, skipped: 0 } })),
  },
  ...PROVOKED_SOCKETS,
  ...PROVOKED_CLIENTS,
];
