import type { EvidenceCheck } from "../../api/evidence.ts";
import type { RolloutStage } from "../../api/pop-rollout.ts";
import { parseThresholds } from "../health/comparison.ts";
import type { Probe, ProbeResult, ProbeTiming, Sample } from "../health/probe.ts";
import { stalenessLimit } from "../health/verdict.ts";
import { numberText } from "../health/wording.ts";
import { stableHash } from "../rollout/order.ts";
import { cleanText } from "../text.ts";
import { MINUTE, SECOND } from "../time/civil.ts";
import type { StageEvidence } from "./observation.ts";

/** CI/CD results and figures of days move slowly: once a minute is often enough. */
const TIMING: ProbeTiming = { intervalMilliseconds: MINUTE, timeoutMilliseconds: 10 * SECOND };
const EVIDENCE_LIMIT = 512;

type Answer = Pick<StageEvidence, "verdict" | "evidence">;

/**
 * The question of a stage that has a check; undefined for one without, and where no Prometheus is known. The key names what is asked: a
 * check that a person corrects is asked anew (rule G9).
 */
export function stageProbe({ name, check }: RolloutStage, version: string, defaultPrometheus: string | undefined): Probe | undefined {
  if (check === undefined) return undefined;
  const key = `stage/${name}/${stableHash([JSON.stringify(check), version, defaultPrometheus ?? ""])}`;
  if (check.http) return { key, ...TIMING, kind: "http", url: filledIn(check.http.url, version) };
  const { server, query } = check.prometheus!;
  const url = server?.url ?? defaultPrometheus;
  if (url === undefined) return undefined;
  return {
    key,
    ...TIMING,
    kind: "prometheus",
    url,
    query: filledIn(query, version),
    ...(server?.tokenSecretRef ? { tokenSecret: server.tokenSecretRef.name } : {}),
    ...(server?.caSecretRef ? { caSecret: server.caSecretRef.name } : {}),
  };
}

const filledIn = (text: string, version: string): string => text.replaceAll("${version}", version);

/**
 * What the samples of the probes say of each stage (rules F9, G9), by stage name; a stage that was not asked yet is absent. The wording
 * has no figure that moves by itself, so that waiting writes nothing (rule G11).
 */
export function evidenceOf(
  stages: readonly RolloutStage[],
  version: string,
  samples: ReadonlyMap<string, readonly Sample[]>,
  defaultPrometheus: string | undefined,
): ReadonlyMap<string, StageEvidence> {
  return new Map(
    stages.flatMap((stage): [string, StageEvidence][] => {
      if (stage.check === undefined) return [];
      const probe = stageProbe(stage, version, defaultPrometheus);
      if (probe === undefined) {
        const evidence = "no Prometheus is configured; write check.prometheus.server";
        return [[stage.name, { verdict: "Unknown", evidence, ageMilliseconds: 0 }]];
      }
      const newest = samples.get(probe.key)?.at(-1);
      if (newest === undefined) return [];
      return [[stage.name, { ...judge(stage.check, newest, version), ageMilliseconds: newest.ageMilliseconds }]];
    }),
  );
}

function judge(check: EvidenceCheck, { result, ageMilliseconds }: Sample, version: string): Answer {
  if (ageMilliseconds > stalenessLimit(TIMING)) return answer("Unknown", "the last answer is too old");
  return check.http
    ? ofHttp(filledIn(check.http.url, version), result)
    : ofPrometheus(check.prometheus!, filledIn(check.prometheus!.query, version), result);
}

/** 2xx: passed. 404: not there yet. Any other answer: failed. No answer: no evidence. */
function ofHttp(url: string, result: ProbeResult): Answer {
  if (result.ok) return answer("Passed", `GET ${url} answered yes`);
  if (result.notFound) return answer("NotYet", `GET ${url} answered 404: no result yet`);
  if (result.silent || result.refused || result.unreadable) return answer("Unknown", `GET ${url} is not answered`);
  return answer("Failed", result.detail);
}

function ofPrometheus(check: NonNullable<EvidenceCheck["prometheus"]>, query: string, result: ProbeResult): Answer {
  const read = parseThresholds(check);
  if (!read.ok) return answer("Unknown", `${query}: ${read.problem}`);
  if (!result.ok) return answer("Unknown", result.invalidQuery ? result.detail : `${query}: Prometheus gives no answer that can be read`);
  const { values = [] } = result;
  const [value] = values;
  if (value === undefined) return answer("NotYet", `${query}: no value yet`);
  if (values.length > 1) return answer("Unknown", `${query}: it gives several series, expected one value; aggregate, for example sum(…)`);
  if (Number.isNaN(value)) return answer("Unknown", `${query}: it gives NaN`);
  const { passIf, failIf } = read.thresholds;
  if (passIf.holds(value)) return answer("Passed", `${query} is ${numberText(value)}, expected ${passIf.text}`);
  if (failIf === undefined || failIf.holds(value)) return answer("Failed", `${query} is ${numberText(value)}, expected ${passIf.text}`);
  return answer("NotYet", `${query} is neither ${passIf.text} nor ${failIf.text}`);
}

const answer = (verdict: StageEvidence["verdict"], evidence: string): Answer => ({
  verdict,
  evidence: cleanText(evidence, EVIDENCE_LIMIT),
});
