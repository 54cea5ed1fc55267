import type { PopCluster } from "../../api/pop-cluster.ts";
import { parseInstant } from "../time/instant.ts";
import type { SitePop } from "./observation.ts";

/** One PoPCluster as the sites of its tunnels see it: its windows, and the roll that waits for one of them. */
export function sitePopOf({ metadata, spec, status = {} }: PopCluster): SitePop {
  const { run, plan, next = [] } = status;
  const base = { name: metadata.name, next };
  // A roll that has begun goes on in the occurrence that runs, or in the next one (rule W5).
  if (run?.kind === "Roll" && (run.state === "Preflight" || run.state === "Rolling"))
    return run.ending === undefined ? { ...base, planned: { version: run.version } } : base;
  const from = plan?.start === undefined ? undefined : parseInstant(plan.start);
  if (from === undefined) return base;
  const version = spec.version ?? status.assigned?.version;
  return { ...base, planned: { from, ...(version === undefined ? {} : { version }) } };
}
