import type { CheckStatus, HealthCheck, PopNodeStatus } from "../../api/pop-cluster.ts";
import type { Instant } from "../decision.ts";
import { oncePer } from "../once-per.ts";
import type { Probe } from "../health/probe.ts";
import { combine, judge, judgement, type Judgement } from "../health/verdict.ts";
import { comesUpUntil, exitsOf, isExcusedByReboot } from "./boot.ts";
import { brakesOn, ruled } from "./brakes.ts";
import { healthSpec, urlOf } from "./health-spec.ts";
import { milliseconds } from "./milliseconds.ts";
import type { DataPlanePod } from "./observation.ts";
import { iso } from "./outcome.ts";
import { podThrough } from "./reach.ts";
import { scrapeProbes } from "./scrape.ts";
import { judgedPod, type NodeView, type PopView, supersededPod } from "./view.ts";

/** What the checks say, what has to be sampled for it, and what of it stands in status. */
export interface PopHealthView {
  /** Of the whole PoP: every pop check but reconnect, which is judged per drain. */
  readonly pop: Judgement;
  /** Of each node that is judged, by node UID. */
  readonly nodes: ReadonlyMap<string, Judgement>;
  readonly checks: readonly CheckStatus[];
  readonly probes: readonly Probe[];
}

/** Judges everything that this moment's work needs; in steady state, without a run, nothing is sampled. */
export const healthOf = oncePer((view: PopView, now: Instant): PopHealthView => {
  if (!view.run) return { pop: judgement("Healthy", "no run is judged"), nodes: new Map(), checks: [], probes: [] };
  const previous = new Map((view.seen.pop.status.checks ?? []).map((check) => [`${check.name}/${check.node ?? ""}`, check]));
  const checks: CheckStatus[] = [];
  const probes: Probe[] = [];
  const keep = (name: string, node: string | undefined, found: Judgement) => {
    const before = previous.get(`${name}/${node ?? ""}`);
    const same = before?.verdict === found.verdict;
    checks.push({
      name,
      ...(node === undefined ? {} : { node }),
      verdict: found.verdict,
      since: same ? before.since : iso(now),
      evidence: same ? before.evidence : found.evidence,
    });
  };

  const nodes = new Map<string, Judgement>();
  for (const node of judgedNodes(view)) {
    const found = judgeNode(view, node, probes, (name) => previous.get(`${name}/${node.member.name}`)?.verdict);
    for (const [name, one] of found) keep(name, node.member.name, one);
    nodes.set(node.member.uid, combine(found.map(([, one]) => one)));
  }
  for (const [uid, found] of excused(view, nodes, now)) nodes.set(uid, found);
  const popFound = healthSpec(view)
    .pop.filter((check) => check.prometheus)
    .map((check) => {
      const probe = prometheusProbe(view, check, `pop/${check.name}/${view.seen.pop.uid}/${view.run!.id}`, undefined);
      if (!probe) return judgement("Unknown", `${check.name}: no Prometheus is configured; write spec.health.prometheus.url`);
      probes.push(probe);
      const found = judge(check, view.seen.samples.get(probe.key) ?? [], probe, previous.get(`${check.name}/`)?.verdict);
      keep(check.name, undefined, found);
      return found;
    });
  if (!waitsForBrakes(view, now)) probes.push(...scrapeProbes(view));
  return { pop: combine(popFound), nodes, checks, probes };
});

/** Nodes that come up again after a reboot: what fails there is not known to be the version's doing. */
function excused(view: PopView, judged: ReadonlyMap<string, Judgement>, now: Instant): [uid: string, Judgement][] {
  return view.nodes.flatMap((node): [string, Judgement][] => {
    const { member, entry } = node;
    const own = judged.get(member.uid);
    if (own?.verdict !== "Unhealthy" && own?.verdict !== "Unknown") return [];
    if (member.ready !== "True" || !isExcusedByReboot(view, node, judged, now)) return [];
    const until = iso(comesUpUntil(view, node, now)!);
    const found = `node ${member.name} was rebooted at ${entry!.boot!.since} and has until ${until} to come up; its neighbours are well, so this is no evidence against the version`;
    return [[member.uid, judgement("Unknown", `${found}: ${own.evidence}`, false, found)]];
  });
}

/** Nothing is in hand and nothing may start, perhaps for a week: nobody's sessions need counting every second. */
function waitsForBrakes(view: PopView, now: Instant): boolean {
  const { run } = view;
  if (!run || view.nodes.some(({ entry }) => entry?.token !== undefined && ["Claimed", "Updating", "Soaking"].includes(entry.step)))
    return false;
  return (
    ruled(view, run.kind === "Rollback" ? "RollBackServing" : "StartForward", { ...brakesOn(view, now), grant: undefined }).holds.length > 0
  );
}

/** Nodes whose checks are read: before the first write all of them (the baseline of P10), afterwards those on the run's revision. */
function judgedNodes(view: PopView): readonly NodeView[] {
  const { run } = view;
  if (!run) return [];
  if (run.state === "Preflight") return view.nodes.filter((node) => node.servingPod);
  return view.nodes.filter(
    (node) => judgedPod(view, node) !== undefined || supersededPod(view, node) !== undefined || isNeighbour(view, node),
  );
}

/** A node still on the old revision, asked only when preflight found such nodes bad: then they may excuse the version (P10). */
export function isNeighbour(view: PopView, node: NodeView): boolean {
  const hadBad = view.run?.baseline?.some((entry) => entry.verdict === "Unhealthy") ?? false;
  return hadBad && node.servingPod !== undefined && node.servingPod.revision !== view.run?.revision;
}

function judgeNode(
  view: PopView,
  node: NodeView,
  probes: Probe[],
  before: (name: string) => CheckStatus["verdict"] | undefined,
): [string, Judgement][] {
  const pod = judgedPod(view, node) ?? supersededPod(view, node) ?? node.servingPod;
  const found: [string, Judgement][] = [["pod", podJudgement(node, pod)]];
  // A pod that is still starting fails every check; what it said then must not count against it when it is Ready (P6: the deadline judges).
  if (pod && !pod.ready && node.entry?.step === "Updating") return found;
  // A machine that is away is not asked: when it is back, what it did not answer then says nothing about now.
  if (node.member.ready !== "True") return found;
  for (const check of healthSpec(view).node) {
    const probe = pod && nodeProbe(view, check, node, pod);
    if (!probe) {
      found.push([
        check.name,
        judgement(
          "Unknown",
          `${check.name}: ${pod ? "no Prometheus is configured; write spec.health.prometheus.url" : `node ${node.member.name} has no pod to ask`}`,
        ),
      ]);
      continue;
    }
    probes.push(probe);
    found.push([check.name, judge(check, view.seen.samples.get(probe.key) ?? [], probe, before(check.name))]);
  }
  return found;
}

/** What the kubelet says of the pod itself; the check that every node has. */
function podJudgement(node: NodeView, pod: DataPlanePod | undefined): Judgement {
  if (node.member.ready !== "True") return judgement("Unknown", `node ${node.member.name} is not Ready in the API server's eyes`, true);
  if (!pod) return judgement("Unknown", `node ${node.member.name} has no pod of the revision`);
  const failure = containerFailure(pod, node.entry?.boot);
  if (failure) return judgement("Unhealthy", `pod ${pod.name}: ${failure}`);
  return pod.ready ? judgement("Healthy", `pod ${pod.name} is Ready`) : judgement("Unknown", `pod ${pod.name} is not Ready`);
}

const FATAL_WAITING = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "CreateContainerError",
  "CreateContainerConfigError",
]);

/** Fast failure (P6): only what the kubelet says of a container of the new pod; exits count since the node's last boot. */
export function containerFailure(pod: DataPlanePod, boot: PopNodeStatus["boot"]): string | undefined {
  const exits = exitsOf(pod, boot);
  for (const [index, container] of pod.containers.entries()) {
    if (container.waiting && FATAL_WAITING.has(container.waiting)) {
      return `container ${container.name} is ${container.waiting}${container.message ? `: ${container.message}` : ""}`;
    }
    if (exits[index]! >= 2) return `container ${container.name} exited ${exits[index]} times`;
  }
  return undefined;
}

function nodeProbe(view: PopView, check: HealthCheck, node: NodeView, pod: DataPlanePod): Probe | undefined {
  const key = `node/${check.name}/${node.member.uid}/${pod.uid}`;
  const timing = timingOf(check);
  const host = check.address === "Node" ? node.member.address : pod.address;
  if (check.http && host) return { key, ...timing, kind: "http", url: urlOf(host, check.http), ...podThrough(view, pod) };
  if (check.tcp && host) return { key, ...timing, kind: "tcp", host, port: check.tcp.port };
  if (check.prometheus) return prometheusProbe(view, check, key, node.member.name);
  return undefined;
}

export function prometheusProbe(
  view: PopView,
  check: HealthCheck,
  key: string,
  node: string | undefined,
  health = healthSpec(view),
): Probe | undefined {
  const source = health.prometheus ?? (view.seen.defaultPrometheus ? { url: view.seen.defaultPrometheus } : undefined);
  if (!check.prometheus || !source) return undefined;
  const query = check.prometheus.query.replaceAll("${node}", node ?? "").replaceAll("${pop}", view.seen.pop.name);
  return {
    key,
    ...timingOf(check),
    kind: "prometheus",
    url: source.url,
    query,
    ...("tokenSecretRef" in source && source.tokenSecretRef ? { tokenSecret: source.tokenSecretRef.name } : {}),
    ...("caSecretRef" in source && source.caSecretRef ? { caSecret: source.caSecretRef.name } : {}),
  };
}

const timingOf = (check: HealthCheck) => ({
  intervalMilliseconds: milliseconds(check.interval),
  timeoutMilliseconds: milliseconds(check.timeout),
  keep: Math.max(check.successes, check.failures) + 2,
});

/**
 * What is said of the PoP and of each judged node, without nodes that are NotReady in the API server's eyes: a dead machine is no evidence
 * against a version (P6), and the budget counts it. When most are dead at once, all count: then nobody can see the PoP (P9).
 */
export function evidenceThatCounts(view: PopView, health: PopHealthView): readonly Judgement[] {
  const dead = new Set(view.nodes.filter((node) => node.member.ready !== "True").map((node) => node.member.uid));
  const most = dead.size * 2 > view.nodes.length;
  return [health.pop, ...[...health.nodes].filter(([uid]) => most || !dead.has(uid)).map(([, judged]) => judged)];
}
