import { expect, it } from "vitest";
import { member, observation, podOn } from "../../../test/builders/observation.ts";
import type { Sample } from "../health/probe.ts";
import { drainBaseline } from "./drain.ts";
import { viewOf } from "./view.ts";

const SPEC = {
  strategy: { drain: { sessions: { port: 8080, path: "/metrics", metric: "pop_active_sessions" } } },
  health: { pop: [{ name: "reconnect", reconnect: { histogram: "pop_session_reconnect_seconds" } }] },
};
const scraped = (sessions: number): Sample => ({
  ageMilliseconds: 500,
  result: {
    ok: true,
    detail: "200",
    metrics: [{ name: "pop_active_sessions", labels: {}, value: sessions }],
  },
});

/** Five nodes with a pod each, of which only these can be asked. */
function baselineOf(name: string, readable: readonly string[]): ReturnType<typeof drainBaseline> {
  const names = ["n1", "n2", "n3", "n4", "n5"];
  const pods = names.map((node) => podOn(node));
  const samples = pods
    .filter(({ node }) => readable.includes(node))
    .map(({ uid }) => [`scrape/${uid}/8080/metrics`, [scraped(7)]] as const);
  const view = viewOf(observation({ spec: SPEC, members: names.map((node) => member(node)), pods, samples: new Map(samples) }));
  return drainBaseline(
    view,
    view.nodes.find((node) => node.member.name === name)!,
  );
}

it("[P11] a node is drained only when its sessions and the counters of the others are read; what could not be read is named, three at most", () => {
  expect(baselineOf("n1", ["n1", "n2", "n3", "n4", "n5"])).toMatchObject({ sessions: 7 });
  const pod = (node: string) => podOn(node).name;
  expect(baselineOf("n1", ["n2", "n3", "n4", "n5"])).toEqual({ missing: `the sessions of pod ${pod("n1")} could not be read` });
  expect(baselineOf("n1", ["n1", "n2", "n4", "n5"])).toEqual({ missing: `the counters of ${pod("n3")} on n3 could not be read` });
  expect(baselineOf("n1", ["n1"])).toEqual({
    missing: `the counters of ${pod("n2")} on n2, ${pod("n3")} on n3, ${pod("n4")} on n4 and 1 more could not be read`,
  });
});
