import type { StageStatus } from "../../api/pop-rollout.ts";
import type { Announcement, Hold, Instant } from "../decision.ts";
import { cleanText } from "../text.ts";
import { decidedText, ignoredText, rulingOf } from "./approvals.ts";
import { stageDigest } from "./digest.ts";
import { stageProbe } from "./evidence.ts";
import { iso, type Outcome } from "./outcome.ts";
import { hasBegun, isEnding, type RolloutView } from "./view.ts";

type Stage = RolloutView["spec"]["stages"][number];

/**
 * Evidence before the first wave (rules F1, F9, I12): each stage waits, has failed, has passed, or is waived by an Approval that says
 * why. What passed or was waived stays; once a wave has opened nothing is asked any more.
 */
export function stages(view: RolloutView, now: Instant): Outcome | undefined {
  if (hasBegun(view) || isEnding(view) || view.ledger.outcome !== undefined) return undefined;
  const looked = view.spec.stages.map((stage) => look(view, stage, now));
  const next = looked.map(({ status }) => status);
  const before = view.ledger.stages ?? [];
  const moved = next.length !== before.length || next.some((one) => !before.includes(one));
  const asked = view.spec.stages.filter((_, index) => isOpen(next[index]!));
  return {
    ...(moved ? { ledger: { ...view.ledger, stages: next } } : {}),
    holds: looked.flatMap(({ hold }) => hold ?? []),
    events: looked.flatMap(({ event }) => event ?? []),
    probes: asked.flatMap((stage) => stageProbe(stage, view.version, view.seen.defaultPrometheus) ?? []),
  };
}

const isOpen = ({ state }: StageStatus): boolean => state === "Waiting" || state === "Failed";

interface Looked {
  readonly status: StageStatus;
  readonly hold?: Hold;
  readonly event?: Announcement;
}

function look(view: RolloutView, stage: Stage, now: Instant): Looked {
  const before = view.ledger.stages?.find(({ name }) => name === stage.name);
  if (before && !isOpen(before)) return { status: before };
  const { state, evidence } = found(view, stage);
  if (state === "Passed") return told({ name: stage.name, state, since: iso(now), evidence });
  const digest = stageDigest(view, stage.name, state);
  const ruling = rulingOf(view, "Promote", digest, now);
  if (ruling.decision === "Approved") {
    const waived = cleanText(`waived by ${decidedText(ruling.approval!)}; found: ${evidence}`, 1024);
    return told({ name: stage.name, state: "Waived", since: iso(now), evidence: waived, approval: ruling.approval!.name });
  }
  // A figure that moves writes nothing; another outcome does (rule G11).
  const same = before?.state === state && before.digest === digest && (state === "Failed" || before.evidence === evidence);
  const status: StageStatus = same
    ? before
    : { name: stage.name, state, since: before?.state === state ? before.since : iso(now), evidence, digest };
  const wanted = state === "Failed" ? "has failed" : "is not there yet";
  const refused = ruling.decision === "Refused" ? `; going on without it is refused by ${decidedText(ruling.approval!)}` : "";
  const message = `evidence ${stage.name} ${wanted}: ${status.evidence}; an Approval with action Promote for digest ${digest} goes on without it${refused}${ignoredText(ruling)}`;
  return { status, hold: { rule: "F9", reason: "AwaitingEvidence", message } };
}

function told(status: StageStatus): Looked {
  const message = cleanText(`evidence ${status.name}: ${status.evidence}`, 1024);
  return {
    status,
    event: { type: status.state === "Passed" ? "Normal" : "Warning", reason: `Evidence${status.state}`, action: "Judge", message },
  };
}

/** Accounts that use a feature are counted by nobody yet: waiting alone brings nothing, and whoever waits is to know it. */
function withoutSource({ features = [], minimum }: Stage): string {
  const asked = minimum === undefined ? "" : `, asked for on at least ${minimum.accounts} accounts for ${minimum.for}`;
  return cleanText(
    `this operator has no source that reports on features in early availability (${features.join(", ")}${asked}); ` +
      "it comes from an Approval alone, or from a stage with check and a query of your own instead",
    512,
  );
}

/** What the newest answer says; no answer, and one that says nothing, is no evidence (rule G9). */
function found({ seen }: RolloutView, stage: Stage): { readonly state: "Waiting" | "Passed" | "Failed"; readonly evidence: string } {
  const answer = seen.evidence.get(stage.name);
  if (answer === undefined) return { state: "Waiting", evidence: stage.check ? "it has not been asked yet" : withoutSource(stage) };
  const evidence = cleanText(answer.evidence, 512);
  return { state: answer.verdict === "Passed" || answer.verdict === "Failed" ? answer.verdict : "Waiting", evidence };
}
