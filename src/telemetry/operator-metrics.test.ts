import { expect, it } from "vitest";
import { createMetrics } from "./metrics.ts";
import { apiMetrics, operatorMetrics, queueMetrics } from "./operator-metrics.ts";

const lines = async (page: Promise<string>) => (await page).split("\n").filter((line) => !line.startsWith("#"));

it("a queue tells its depth, its waits, and runs by whether they have to be repeated", async () => {
  const metrics = createMetrics();
  const queue = queueMetrics(metrics, "PoPCluster");
  queue.depth?.(3);
  queue.waited?.("fleet/fra1", 250);
  queue.ran?.("fleet/fra1", 20);
  queue.ran?.("fleet/fra1", 20, new Error("conflict"));
  expect(await lines(metrics.page())).toEqual(
    expect.arrayContaining([
      'rollward_queue_depth{kind="PoPCluster"} 3',
      'rollward_queue_wait_seconds_sum{kind="PoPCluster"} 0.25',
      'rollward_reconcile_seconds_count{kind="PoPCluster",result="done"} 1',
      'rollward_reconcile_seconds_count{kind="PoPCluster",result="retry"} 1',
    ]),
  );
});

it("leadership and the age of watches are those of the moment of the scrape; a watch that ended vanishes", async () => {
  const metrics = createMetrics();
  let ages: Record<string, number> = { Node: 1500, Pod: 200 };
  let leads = false;
  operatorMetrics(metrics, {
    leads: () => leads,
    watchAges: () => ages,
    tzdata: "2026a",
    namespace: "fleet",
    tunnels: () => ({ dualSites: 0, pops: [] }),
  });
  expect(await lines(metrics.page())).toEqual(
    expect.arrayContaining([
      "rollward_leader 0",
      'rollward_tzdata_info{version="2026a"} 1',
      'rollward_watch_bookmark_age_seconds{kind="Node"} 1.5',
    ]),
  );
  [ages, leads] = [{ Pod: 0 }, true];
  const page = await lines(metrics.page());
  expect(page).toContain("rollward_leader 1");
  expect(page.filter((line) => line.includes("bookmark_age"))).toEqual(['rollward_watch_bookmark_age_seconds{kind="Pod"} 0']);
});

it("tunnels are told by PoP and by what was last heard; the age of an answer that never came is not told", async () => {
  const metrics = createMetrics();
  const heard = { up: 3, down: 1, unknown: 2, ignored: 5 };
  const pops = [
    { pop: "ber1", ...heard, answeredMilliseconds: 1500 },
    { pop: "fra1", ...heard, answeredMilliseconds: undefined },
  ];
  const tunnels = () => ({ dualSites: 4, pops });
  operatorMetrics(metrics, { leads: () => true, watchAges: () => ({}), tzdata: "2026a", namespace: "fleet", tunnels });
  const page = await lines(metrics.page());
  expect(page).toEqual(
    expect.arrayContaining([
      "rollward_tunnel_sites_dual 4",
      'rollward_pop_tunnels{namespace="fleet",pop="ber1",up="Unknown"} 2',
      'rollward_pop_tunnel_series_ignored{namespace="fleet",pop="fra1"} 5',
    ]),
  );
  expect(page.filter((line) => line.includes("answer_age"))).toEqual([
    'rollward_pop_tunnel_answer_age_seconds{namespace="fleet",pop="ber1"} 1.5',
  ]);
});

it("calls to API servers are counted by verb, kind and code, 0 for no answer", async () => {
  const metrics = createMetrics();
  apiMetrics(metrics)({ verb: "patch", kind: "Node", code: 0 });
  expect(await lines(metrics.page())).toContain('rollward_api_requests_total{verb="patch",kind="Node",code="0"} 1');
});
