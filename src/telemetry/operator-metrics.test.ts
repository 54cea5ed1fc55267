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
  operatorMetrics(metrics, { leads: () => leads, watchAges: () => ages, tzdata: "2026a" });
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

it("calls to API servers are counted by verb, kind and code, 0 for no answer", async () => {
  const metrics = createMetrics();
  apiMetrics(metrics)({ verb: "patch", kind: "Node", code: 0 });
  expect(await lines(metrics.page())).toContain('rollward_api_requests_total{verb="patch",kind="Node",code="0"} 1');
});
