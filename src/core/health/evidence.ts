import type { EvidenceCheck } from "../../api/evidence.ts";
import { cleanText } from "../text.ts";
import { MINUTE, SECOND } from "../time/civil.ts";
import { parseThresholds } from "./comparison.ts";
import type { Probe, ProbeResult, ProbeTiming, Sample } from "./probe.ts";
import { stalenessLimit } from "./verdict.ts";
import { numberText } from "./wording.ts";

/** What another system says of a version. Only Passed promotes; NotYet and Unknown are no evidence (rule G9). */
export interface Evidence {
  readonly verdict: "Passed" | "NotYet" | "Failed" | "Unknown";
  /** What was found; no figure in it moves by itself, so that waiting writes nothing (rule G11). */
  readonly evidence: string;
}

/** CI/CD results and figures of days move slowly: once a minute is often enough. */
const TIMING: ProbeTiming = { intervalMilliseconds: MINUTE, timeoutMilliseconds: 10 * SECOND };
const EVIDENCE_LIMIT = 512;

/**
 * The question of a check; undefined where no Prometheus is known. The caller's key names what is asked: a check that a person corrects
 * is asked anew (rule G9).
 */
export function evidenceProbe(
  key: string,
  check: EvidenceCheck,
  version: string,
  defaultPrometheus: string | undefined,
): Probe | undefined {
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

/** What the newest sample of the probe says of the version. */
export function judgeEvidence(check: EvidenceCheck, { result, ageMilliseconds }: Sample, version: string): Evidence {
  if (ageMilliseconds > stalenessLimit(TIMING)) return answer("Unknown", "the last answer is too old");
  return check.http
    ? ofHttp(filledIn(check.http.url, version), result)
    : ofPrometheus(check.prometheus!, filledIn(check.prometheus!.query, version), result);
}

/** 2xx: passed. 404: not there yet. Any other answer: failed. No answer: no evidence. */
function ofHttp(url: string, result: ProbeResult): Evidence {
  if (result.ok) return answer("Passed", `GET ${url} answered yes`);
  if (result.notFound) return answer("NotYet", `GET ${url} answered 404: no result yet`);
  if (result.silent || result.refused || result.unreadable) return answer("Unknown", `GET ${url} is not answered`);
  return answer("Failed", result.detail);
}

function ofPrometheus(check: NonNullable<EvidenceCheck["prometheus"]>, query: string, result: ProbeResult): Evidence {
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

const answer = (verdict: Evidence["verdict"], evidence: string): Evidence => ({ verdict, evidence: cleanText(evidence, EVIDENCE_LIMIT) });
