import type { Probe } from "../health/probe.ts";
import { oncePer } from "../once-per.ts";
import { stableHash } from "../rollout/order.ts";
import { prometheusProbe } from "./health.ts";
import type { PopView } from "./view.ts";

/** A query is asked once before a roll; then seldom, in case that a Prometheus was exchanged. */
const ASKED_AGAIN_AFTER = 600_000;

interface Query {
  readonly check: string;
  readonly of: "node" | "pop";
  readonly key: string;
  readonly probe: Probe | undefined;
}

/** A name for what is asked of whom. */
const hashOf = oncePer((asked: { readonly query: string }, url: string): string => stableHash([asked.query, url], 16));

const queriesOf = oncePer((view: PopView, _: undefined): readonly Query[] => {
  const { health } = view.seen.pop.spec;
  const node = view.nodes[0]?.member.name;
  return (["node", "pop"] as const).flatMap((of) =>
    health[of].flatMap((check): Query[] => {
      if (!check.prometheus) return [];
      const key = `query/${of}/${check.name}/${hashOf(check.prometheus, health.prometheus?.url ?? "")}`;
      const probe = prometheusProbe(view, check, key, of === "node" ? node : undefined, health);
      return [{ check: check.name, of, key, probe: probe && { ...probe, intervalMilliseconds: ASKED_AGAIN_AFTER } }];
    }),
  );
});

/** Before a roll every query is asked once, so that one which does not parse is told before the window opens and not in it (P9). */
export function queryProbes(view: PopView): readonly Probe[] {
  const { run, wanted, current } = view;
  const waits =
    wanted !== undefined && (run === undefined ? wanted.revision !== current : run.state === "Passed" && wanted.revision !== run.revision);
  const refused = refusedQueries(view).length > 0;
  if (!waits && !refused) return [];
  return queriesOf(view, undefined).flatMap(({ probe }) => probe ?? []);
}

/** The queries of the spec that Prometheus could not parse, with its words. */
export function refusedQueries(view: PopView): readonly { readonly check: string; readonly of: "node" | "pop"; readonly detail: string }[] {
  return queriesOf(view, undefined).flatMap(({ check, of, key }) => {
    const result = view.seen.samples.get(key)?.at(-1)?.result;
    return result && !result.ok && result.invalidQuery ? [{ check, of, detail: result.detail }] : [];
  });
}
