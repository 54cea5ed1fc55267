import type { ClientNumbers, ClientRolloutStatus } from "../../api/client-rollout.ts";
import type { Instant } from "../decision.ts";
import { type Evidence, evidenceProbe, judgeEvidence } from "../health/evidence.ts";
import type { Probe } from "../health/probe.ts";
import { stableHash } from "../rollout/order.ts";
import { formatInstant, parseInstant } from "../time/instant.ts";
import { failsTooOften, failureSentence } from "./failure-rate.ts";
import type { ClientRolloutObservation } from "./observation.ts";

export interface Monitoring {
  readonly ledger: ClientRolloutStatus["monitoring"];
  /** What the figure says; absent: none is asked. */
  readonly figure?: Evidence;
  readonly probe?: Probe;
  /** The request that was carried out. */
  readonly resumed?: string;
}

/**
 * What pauses a rollout without a person (rule C5): more failures than chance explains, or a figure of monitoring that fails. It stays
 * until a person lifts it, once for each `at`: what failed until then is judged, and counting begins anew. A figure that still fails
 * pauses it again at once.
 */
export function monitored(seen: ClientRolloutObservation, total: ClientNumbers | undefined, now: Instant): Monitoring {
  const { spec, status } = seen.rollout;
  const { probe, figure } = figureOf(seen);
  const asked = resumeAsked(seen);
  const before = status.monitoring;
  const resumes = asked !== undefined && (before?.paused === undefined || total !== undefined);
  const lifted = resumes && before?.paused !== undefined && total !== undefined;
  const countedFrom = lifted ? { attempted: total.attempted, failed: total.failed } : before?.countedFrom;
  const paused = (lifted ? undefined : before?.paused) ?? pauseNow(spec.health, total, countedFrom, figure, now);
  const ledger = { ...(paused === undefined ? {} : { paused }), ...(countedFrom === undefined ? {} : { countedFrom }) };
  return {
    ledger: Object.keys(ledger).length === 0 ? undefined : ledger,
    ...(figure === undefined ? {} : { figure }),
    ...(probe === undefined ? {} : { probe }),
    ...(resumes ? { resumed: formatInstant(parseInstant(asked)!) } : {}),
  };
}

type Paused = NonNullable<NonNullable<ClientRolloutStatus["monitoring"]>["paused"]>;

function pauseNow(
  health: ClientRolloutObservation["rollout"]["spec"]["health"],
  total: ClientNumbers | undefined,
  countedFrom: { readonly attempted: number; readonly failed: number } = { attempted: 0, failed: 0 },
  figure: Evidence | undefined,
  now: Instant,
): Paused | undefined {
  const at = formatInstant(now);
  if (figure?.verdict === "Failed") return { at, by: "Query", message: figure.evidence };
  if (total === undefined) return undefined;
  const counted = {
    attempted: Math.max(0, total.attempted - countedFrom.attempted),
    failed: Math.max(0, total.failed - countedFrom.failed),
  };
  if (!failsTooOften(counted, health.failedPercentAtMost)) return undefined;
  return { at, by: "Failures", message: failureSentence(counted, health.failedPercentAtMost) };
}

function figureOf({ rollout: { spec, uid }, samples, defaultPrometheus }: ClientRolloutObservation): Pick<Monitoring, "figure" | "probe"> {
  const { prometheus } = spec.health;
  if (prometheus === undefined) return {};
  const key = `client-health/${uid}/${stableHash([JSON.stringify(prometheus), defaultPrometheus ?? ""])}`;
  const probe = evidenceProbe(key, { prometheus }, spec.version, defaultPrometheus);
  if (probe === undefined) {
    return { figure: { verdict: "Unknown", evidence: "no Prometheus is configured; write health.prometheus.server" } };
  }
  const newest = samples.get(key)?.at(-1);
  const figure = newest === undefined ? undefined : judgeEvidence({ prometheus }, newest, spec.version);
  return { probe, figure: figure ?? { verdict: "Unknown", evidence: `${prometheus.query}: not answered yet` } };
}

/** A person's word, once for each value of `at`. */
function resumeAsked({ rollout: { spec, status } }: ClientRolloutObservation): string | undefined {
  const asked = spec.requests?.resume?.at;
  const when = asked === undefined ? undefined : parseInstant(asked);
  const handled = status.handled?.resume;
  return when !== undefined && (handled === undefined || parseInstant(handled) !== parseInstant(formatInstant(when))) ? asked : undefined;
}
