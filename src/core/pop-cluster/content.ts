import type { PopClusterStatus } from "../../api/pop-cluster.ts";
import { byStableHash } from "../rollout/order.ts";
import type { Hold, Instant } from "../decision.ts";
import type { Probe } from "../health/probe.ts";
import { combine, judge, judgement, type Judgement } from "../health/verdict.ts";
import { freezeGate } from "../window/freeze-gate.ts";
import type { PopAction } from "./action.ts";
import { heldByOrder } from "./assigned.ts";
import { pausedHold } from "./brakes.ts";
import { instanceOf } from "./drain.ts";
import { urlOf } from "./health-spec.ts";
import { sourceLost, sourceNow, sourceOf, wantedContent } from "./content-source.ts";
import { milliseconds } from "./milliseconds.ts";
import { watchedFor } from "./node-deadline.ts";
import { iso, type Outcome } from "./outcome.ts";
import { podThrough } from "./reach.ts";
import { type NodeView, type PopView, seenNode } from "./view.ts";

type ContentStatus = NonNullable<PopClusterStatus["content"]>;

/** How long the canary node is looked at before the others follow. */
const CANARY_BAKE = 60_000;
/** A load that is not healthy by then has failed. */
const LOAD_DEADLINE = 300_000;

/**
 * P15: content loads in the running data plane: canary node, then the others one by one, judged, and taken back to the previous
 * content by itself. It needs no window and no notice; a freeze stops it unless it allows Content. Nothing here writes a Node or a pod.
 */
export function content(view: PopView, now: Instant): Outcome | undefined {
  const wanted = wantedContent(view);
  const state: ContentStatus = view.seen.pop.status.content ?? {};
  if (!view.seen.pop.spec.content || view.seen.pop.deleting || view.seen.site.state !== "Reachable") return undefined;
  // Nobody wants anything any more: what is loaded stays, and a way back that was begun is gone to its end.
  if (!wanted) return state.state === "RollingBack" ? rollBack(view, state, now) : keepLoaded(view, state, now);
  const failed = state.failed?.find((entry) => entry.version === wanted.version);
  if (failed && state.state !== "RollingBack") {
    return {
      ...keepLoaded(view, state, now),
      holds: [
        {
          rule: "G8",
          reason: "FailedBefore",
          message: `content ${failed.version} failed here at ${failed.at}: ${failed.evidence}; set another content version`,
        },
      ],
    };
  }
  if (state.state === "RollingBack") return rollBack(view, state, now);
  if (state.current === wanted.version) return keepLoaded(view, state, now);
  // Nothing new is loaded from what is not there; what is in use, and the way back to it, do not wait for that.
  if (view.seen.contentSource && !view.seen.contentSource.found) return undefined;
  const holds = brakes(view, now);
  if (holds.length > 0) return { holds, wakes: holds.flatMap((hold) => (hold.until === undefined ? [] : [hold.until])) };
  if (state.target !== wanted.version) {
    const { failed: kept, current, source, previous, previousSource } = state;
    const targetSource = sourceNow(view);
    return {
      ledger: withContent(view, {
        ...(current === undefined ? {} : { current }),
        ...(current === undefined || source === undefined ? {} : { source }),
        ...(previous === undefined ? {} : { previous }),
        ...(previous === undefined || previousSource === undefined ? {} : { previousSource }),
        target: wanted.version,
        ...(targetSource ? { targetSource } : {}),
        state: "Loading",
        since: iso(now),
        nodes: [],
        ...(kept ? { failed: kept } : {}),
      }),
    };
  }
  return load(view, state, now);
}

const withContent = (view: PopView, content: ContentStatus): PopClusterStatus => ({ ...view.seen.pop.status, content });

function brakes(view: PopView, now: Instant): Hold[] {
  const { fleet, window, pop } = view.seen;
  const { contentAssignment: assigned } = view;
  const lifted = new Set(assigned?.liftedFreezes);
  const all = [...(fleet.found ? fleet.freezes : []), ...(window.found ? (window.spec.freezes ?? []) : [])];
  const freezes = all.filter(({ name }) => !lifted.has(name));
  const frozen = freezeGate({ freezes, zone: pop.spec.timeZone, now, act: "Content" });
  return [pausedHold(view), assigned && heldByOrder(assigned), frozen].filter((hold) => hold !== undefined);
}

const targets = (view: PopView): NodeView[] => {
  const inHand = (node: NodeView) => ["Claimed", "Updating"].includes(node.entry?.step ?? "");
  const serving = view.nodes.filter((node) => node.servingPod && !inHand(node));
  return byStableHash(serving, (node) => node.member.uid, [view.seen.pop.uid, wantedContent(view)?.version ?? ""]);
};

function load(view: PopView, state: ContentStatus, now: Instant): Outcome {
  const version = state.target!;
  const order = targets(view);
  const done = new Set((state.nodes ?? []).filter((entry) => entry.version === version).map((entry) => entry.uid));
  const probes = order.filter((node) => done.has(node.member.uid)).flatMap((node) => probesOf(view, node, version));
  for (const node of order.filter((candidate) => done.has(candidate.member.uid))) {
    const judged = judgeContent(view, node, version);
    if (judged.verdict === "Unhealthy")
      return {
        ledger: fail(view, state, `node ${node.member.name}: ${judged.evidence}`, now),
        events: [failure(view, version, judged.evidence)],
        probes,
      };
    if (judged.verdict === "Unknown") return waitOrFail(view, state, node, judged, probes, now);
  }
  const canarySince = (state.nodes ?? [])[0]?.since;
  const until = canarySince === undefined ? now : timeFor(view, canarySince, CANARY_BAKE, now);
  if (done.size === 1 && now < until) {
    return {
      holds: [{ rule: "P15", reason: "Baking", message: `content ${version} bakes on its first node`, until }],
      wakes: [until],
      probes,
    };
  }
  const next = order.find((node) => !done.has(node.member.uid));
  if (!next) {
    const { target: _, targetSource: source, ...before } = state;
    return {
      ledger: withContent(view, { ...loaded(before, version), ...(source ? { source } : {}), state: "Loaded", since: iso(now) }),
      events: [
        {
          type: "Normal",
          reason: "ContentLoaded",
          action: "LoadContent",
          message: `content ${version} is loaded on ${order.length} nodes; no pod restarted`,
        },
      ],
    };
  }
  return step(view, state, next, version, probes, now);
}

/** With what was in use before it, for the case that a rollout takes it back after it was loaded. */
function loaded({ current, source, previous, previousSource, ...rest }: ContentStatus, version: string): ContentStatus {
  const [before, from] = current === undefined ? [previous, previousSource] : [current, source];
  return { ...rest, current: version, ...(before === undefined ? {} : { previous: before, ...(from ? { previousSource: from } : {}) }) };
}

function waitOrFail(view: PopView, state: ContentStatus, node: NodeView, judged: Judgement, probes: Probe[], now: Instant): Outcome {
  const since = (state.nodes ?? []).find((entry) => entry.uid === node.member.uid)?.since;
  const deadline = timeFor(view, since ?? iso(now), LOAD_DEADLINE, now);
  if (now >= deadline) return { ledger: fail(view, state, `node ${node.member.name}: ${judged.evidence}`, now), probes };
  return {
    probes,
    wakes: [deadline, now + 1_000],
    holds: [
      {
        rule: "P15",
        reason: "HealthUnknown",
        message: `content ${state.target} on node ${node.member.name} is being judged`,
        until: deadline,
      },
    ],
  };
}

/**
 * So long after `since`, all of it watched: an operator that was away has seen neither the bake nor what failed in it (G3). Whole seconds,
 * because two clocks make it: a hold whose `until` moves by a millisecond would be written anew each time (G11).
 */
const timeFor = (view: PopView, since: string, wanted: number, now: Instant): Instant =>
  Math.max(Date.parse(since) + wanted, Math.ceil(watchedFor(view, wanted, now) / 1_000) * 1_000);

/** One node: send the load as a level until the data plane says it has the version, then write that down. */
function step(view: PopView, state: ContentStatus, node: NodeView, version: string, probes: Probe[], now: Instant): Outcome {
  const answer = lastAnswer(view, node);
  if (answer?.asked === version) {
    // On the way back there is no other content to go to: a refusal is told and asked again, it is no second verdict.
    if (answer.status >= 400 && answer.status < 500 && state.state !== "RollingBack") {
      const evidence = `node ${node.member.name} refuses content ${version} (${answer.status})`;
      return {
        ledger: fail(view, state, answer.status === 409 ? `NotDisruptionFree: ${evidence}; roll it as a version instead` : evidence, now),
        events: [failure(view, version, evidence)],
        probes,
      };
    }
    if (answer.status >= 200 && answer.status < 300) {
      const nodes = [
        ...(state.nodes ?? []).filter((entry) => entry.uid !== node.member.uid),
        { name: node.member.name, uid: node.member.uid, version, since: iso(now) },
      ];
      return { ledger: withContent(view, { ...state, nodes }), probes };
    }
    if (answer.ageMilliseconds < 2_000) return { probes, wakes: [now + 2_000] };
  }
  const action = loadAction(view, node, version);
  const silent = answer?.asked === version;
  const hold: Hold = {
    rule: "P15",
    reason: "AwaitingEvidence",
    message: `node ${node.member.name} has not taken content ${version} yet: its data plane ${answer?.status ? `answered ${answer.status}` : "does not answer"}; it is told again`,
  };
  return { actions: action ? [action] : [], holds: silent ? [hold] : [], probes, wakes: [now + 2_000] };
}

/** What this very container answered last: another one, also of the same pod, has nothing loaded yet. */
function lastAnswer(view: PopView, node: NodeView) {
  const answer = view.seen.contents.get(node.member.uid);
  const instance = instanceOf(node.servingPod);
  return answer && instance && answer.podUID === instance.podUID && answer.containerID === instance.containerID ? answer : undefined;
}

function loadAction(view: PopView, node: NodeView, version: string): PopAction | undefined {
  const instance = instanceOf(node.servingPod);
  const { content: wanted } = view.seen.pop.spec;
  if (!instance || !wanted) return undefined;
  const source = sourceOf(view, version);
  return { kind: "LoadContent", node: seenNode(node.member), instance, endpoint: wanted.load.http, version, source };
}

const failure = (view: PopView, version: string, evidence: string) => ({
  type: "Warning" as const,
  reason: "ContentFailed",
  action: "LoadContent",
  message: `content ${version} failed and is taken back to ${view.seen.pop.status.content?.current ?? "none"}: ${withSource(view, evidence)}`,
});

/** What failed, and that the way back has to do without its source, where it has. */
const withSource = (view: PopView, evidence: string): string => [evidence, sourceLost(view)].filter((one) => one !== undefined).join("; ");

/** The content that was to be loaded has failed, and its way back begins. */
export function fail(view: PopView, state: ContentStatus, evidence: string, now: Instant): PopClusterStatus {
  const version = state.target!;
  const failed = [
    ...(state.failed ?? []).filter((entry) => entry.version !== version),
    { version, at: iso(now), evidence: withSource(view, evidence).slice(0, 1024) },
  ].slice(-20);
  return withContent(view, { ...state, failed, state: "RollingBack", since: iso(now) });
}

/** The way back: every node that took the new content gets the previous one, level by level. */
function rollBack(view: PopView, state: ContentStatus, now: Instant): Outcome {
  const back = state.current;
  const marked = new Set((state.nodes ?? []).filter((entry) => entry.version !== back).map((entry) => entry.uid));
  const next = targets(view).find((node) => marked.has(node.member.uid));
  if (!next || back === undefined) {
    const { target: _, ...rest } = state;
    return {
      ledger: withContent(view, {
        ...rest,
        state: "Loaded",
        since: iso(now),
        nodes: (state.nodes ?? []).filter((entry) => entry.version === back),
      }),
    };
  }
  const outcome = step(view, state, next, back, [], now);
  const lost = sourceLost(view);
  const hold: Hold | undefined = lost === undefined ? undefined : { rule: "P15", reason: "AwaitingEvidence", message: lost };
  return hold ? { ...outcome, holds: [...(outcome.holds ?? []), hold] } : outcome;
}

/** A pod that came after the load has to hear of it too: content is a level, not an event. */
function keepLoaded(view: PopView, state: ContentStatus, now: Instant): Outcome {
  const { current } = state;
  if (current === undefined) return {};
  // Nodes that took content which was withdrawn in the middle stay with it (P12).
  const ahead = new Set(
    (state.nodes ?? []).filter(({ version }) => state.state === "Loading" && version === state.target).map(({ uid }) => uid),
  );
  const behind = targets(view).find((node) => {
    if (ahead.has(node.member.uid)) return false;
    const answer = lastAnswer(view, node);
    return !(answer?.asked === current && ((answer.status >= 200 && answer.status < 300) || answer.ageMilliseconds < 5_000));
  });
  const action = behind && loadAction(view, behind, current);
  return action ? { actions: [action], wakes: [now + 5_000] } : {};
}

function probesOf(view: PopView, node: NodeView, version: string): Probe[] {
  const pod = node.servingPod;
  return (view.seen.pop.spec.content?.health ?? []).flatMap((check): Probe[] => {
    if (!pod?.address || !check.http) return [];
    return [
      {
        key: `content/${check.name}/${pod.uid}/${version}`,
        intervalMilliseconds: milliseconds(check.interval),
        timeoutMilliseconds: milliseconds(check.timeout),
        keep: Math.max(check.successes, check.failures) + 2,
        kind: "http",
        url: urlOf(pod.address, check.http),
        ...podThrough(view, pod),
      },
    ];
  });
}

function judgeContent(view: PopView, node: NodeView, version: string): Judgement {
  const checks = view.seen.pop.spec.content?.health ?? [];
  const probes = probesOf(view, node, version);
  const found = checks.map((check) => {
    const probe = probes.find((candidate) => candidate.key.startsWith(`content/${check.name}/`));
    return probe
      ? judge(check, view.seen.samples.get(probe.key) ?? [], probe)
      : judgement("Unknown", `${check.name}: only http checks judge content`);
  });
  return combine(found);
}
