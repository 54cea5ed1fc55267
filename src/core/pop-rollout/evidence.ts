import type { RolloutStage } from "../../api/pop-rollout.ts";
import { evidenceProbe, judgeEvidence } from "../health/evidence.ts";
import type { Probe, Sample } from "../health/probe.ts";
import { stableHash } from "../rollout/order.ts";
import type { StageEvidence } from "./observation.ts";

/**
 * The question of a stage that has a check; undefined for one without, and where no Prometheus is known. The key names what is asked: a
 * check that a person corrects is asked anew (rule G9).
 */
export function stageProbe({ name, check }: RolloutStage, version: string, defaultPrometheus: string | undefined): Probe | undefined {
  if (check === undefined) return undefined;
  const key = `stage/${name}/${stableHash([JSON.stringify(check), version, defaultPrometheus ?? ""])}`;
  return evidenceProbe(key, check, version, defaultPrometheus);
}

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
      return [[stage.name, { ...judgeEvidence(stage.check, newest, version), ageMilliseconds: newest.ageMilliseconds }]];
    }),
  );
}
