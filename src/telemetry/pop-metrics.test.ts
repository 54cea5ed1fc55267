import { expect, it } from "vitest";
import { popClusterSpec, popClusterStatus, type PopCluster } from "../api/pop-cluster.ts";
import { createMetrics } from "./metrics.ts";
import { PopMetrics } from "./pop-metrics.ts";

const SUNDAY = Date.parse("2026-11-22T00:30:00Z");
const instant = "2026-11-20T00:00:00Z";
const spec = popClusterSpec.parse({
  region: "eu-central",
  timeZone: "Europe/Berlin",
  nodeSelector: {},
  windowRef: { name: "sunday" },
  template: { spec: { containers: [{ name: "c", image: "i" }] } },
});
const pop = (status: unknown, uid = "u1"): PopCluster => ({
  apiVersion: "rollward.dev/v1alpha1",
  kind: "PoPCluster",
  metadata: { name: "fra1", namespace: "fleet", uid, resourceVersion: "1" },
  spec,
  status: popClusterStatus.parse(status),
});
const node = (uid: string, more: object) => ({ name: uid, uid, since: instant, step: "Done", ...more });
const run = (more: object) => ({
  id: 1,
  kind: "Roll",
  revision: "r2",
  version: "2",
  startedAt: instant,
  state: "Rolling",
  frozen: { members: [], order: [] },
  ...more,
});

function world(start = SUNDAY) {
  const metrics = createMetrics();
  let now = start;
  const pops = new PopMetrics(metrics, () => now);
  const lines = async () => (await metrics.page()).split("\n").filter((line) => line.startsWith("rollward_"));
  return { metrics, pops, lines, pass: (seconds: number) => void (now += seconds * 1000) };
}

it("tells state, version, steps, verdicts and the open window of a PoP", async () => {
  const { pops, lines } = world();
  pops.observe(
    pop({
      version: "2026.11.1",
      conditions: [{ type: "Ready", status: "True", reason: "Rolling", message: "", lastTransitionTime: instant }],
      nodes: [node("n1", {}), node("n2", { step: "Claimed" })],
      checks: [
        { name: "ready", node: "n1", verdict: "Healthy", since: instant, evidence: "" },
        { name: "ready", node: "n2", verdict: "Unhealthy", since: instant, evidence: "" },
      ],
      next: [
        { start: "2026-11-22T00:00:00Z", end: "2026-11-22T02:00:00Z", localStart: "" },
        { start: "2026-11-29T00:00:00Z", end: "2026-11-29T02:00:00Z", localStart: "" },
      ],
      holds: [{ rule: "P8", reason: "Soaking", message: "" }],
    }),
  );
  const page = await lines();
  const labels = 'namespace="fleet",pop="fra1"';
  expect(page).toEqual(
    expect.arrayContaining([
      `rollward_pop_info{${labels},region="eu-central",version="2026.11.1"} 1`,
      `rollward_pop_state{${labels},state="Rolling"} 1`,
      `rollward_pop_nodes{${labels},step="Claimed"} 1`,
      `rollward_pop_nodes{${labels},step="Failed"} 0`,
      `rollward_health_verdict{${labels},check="ready",verdict="Unhealthy"} 1`,
      `rollward_health_verdict{${labels},check="ready",verdict="Healthy"} 0`,
      `rollward_window_active{${labels}} 1`,
      `rollward_window_next_open_timestamp_seconds{${labels}} ${Date.parse("2026-11-29T00:00:00Z") / 1000}`,
      'rollward_waiting{kind="PoPCluster",reason="Soaking"} 1',
      "rollward_window_breach_total 0",
    ]),
  );
});

it("a window opens and closes on the page without any change of the object: half-open [start, end)", async () => {
  const { pops, lines, pass } = world(Date.parse("2026-11-21T23:59:59Z"));
  pops.observe(pop({ next: [{ start: "2026-11-22T00:00:00Z", end: "2026-11-22T02:00:00Z", localStart: "" }] }));
  const active = async () => (await lines()).find((line) => line.startsWith("rollward_window_active"))?.at(-1);
  expect(await active()).toBe("0");
  pass(1);
  expect(await active()).toBe("1");
  pass(7200);
  expect(await active()).toBe("0");
});

it("series vanish with their object, and with a state that is over", async () => {
  const { pops, lines } = world();
  const ready = (reason: string) => ({ conditions: [{ type: "Ready", status: "True", reason, message: "", lastTransitionTime: instant }] });
  pops.observe(pop({ ...ready("Rolling"), holds: [{ rule: "W4", reason: "OutsideWindow", message: "" }] }));
  await lines();
  pops.observe(pop({ ...ready("Promoted"), nodes: [node("n1", { reconnectSeconds: 2 })] }));
  const page = await lines();
  expect(page.some((line) => line.includes('state="Rolling"') || line.includes("rollward_waiting"))).toBe(false);
  expect(page.some((line) => line.startsWith("rollward_pop_reconnect_seconds_count"))).toBe(true);
  pops.forget({ namespace: "fleet", name: "fra1" });
  expect((await lines()).filter((line) => line.includes("fra1"))).toEqual([]);
});

it("a replica that leads no more tells of no PoP, and of none that waits", async () => {
  const { pops, lines } = world();
  pops.observe(pop({ holds: [{ rule: "W4", reason: "OutsideWindow", message: "" }] }));
  expect((await lines()).some((line) => line.startsWith("rollward_waiting"))).toBe(true);
  pops.clear();
  expect((await lines()).filter((line) => /rollward_(pop|waiting|window_(active|next))/.test(line))).toEqual([]);
});

it.each([
  ["2026-11-22T02:00:00Z", 1795312800],
  [undefined, 0],
])("tells the first thing that a PoP waits for, until %s, as %d; nothing when it waits for nothing", async (until, value) => {
  const { pops, lines } = world();
  const told = async () => (await lines()).filter((line) => line.startsWith("rollward_pop_waits_until"));
  const later = { rule: "P8", reason: "Soaking", message: "" };
  pops.observe(pop({ holds: [{ rule: "W4", reason: "OutsideWindow", message: "", until }, later] }));
  expect(await told()).toEqual([
    `rollward_pop_waits_until_timestamp_seconds{namespace="fleet",pop="fra1",reason="OutsideWindow"} ${value}`,
  ]);
  pops.observe(pop({ holds: [] }));
  expect(await told()).toEqual([]);
});

it("shows the reconnects of a PoP before the first: increase() does not see what a series is born with, and a PoP of one node has one a roll", async () => {
  const { pops, lines } = world();
  const counted = async () => (await lines()).filter((line) => line.startsWith("rollward_pop_reconnect_seconds_count"));
  pops.observe(pop({ nodes: [node("n1", {})] }));
  expect(await counted()).toEqual(['rollward_pop_reconnect_seconds_count{namespace="fleet",pop="fra1"} 0']);
  pops.observe(pop({ nodes: [node("n1", { reconnectSeconds: 2 })] }));
  pops.observe(pop({ nodes: [node("n1", { reconnectSeconds: 2 })] }));
  expect(await counted()).toEqual(['rollward_pop_reconnect_seconds_count{namespace="fleet",pop="fra1"} 1']);
});

it("counts a rollback once, by what caused it, and nothing of what was before this process began", async () => {
  const { pops, lines } = world();
  const back = (id: number, cause: string) => ({
    run: run({ id, kind: "Rollback", state: "RollingBack", cause }),
    nodes: [node("n1", { step: "Pending" })],
  });
  const rollback = back(2, "node n1: container pop exited 2 times");
  const counted = async () => (await lines()).filter((line) => line.startsWith("rollward_pop_rollbacks_total"));
  pops.observe(pop(rollback));
  expect(await counted()).toEqual([]);
  pops.observe(pop({ run: run({ id: 3 }) }));
  pops.observe(pop(back(4, "node n1: container pop exited 2 times")));
  pops.observe(pop(back(4, "node n1: container pop exited 2 times")));
  expect(await counted()).toEqual(['rollward_pop_rollbacks_total{namespace="fleet",pop="fra1",reason="NodeFailed"} 1']);
  pops.observe(pop({ run: run({ id: 5 }) }));
  pops.observe(pop(back(6, "reconnect: half of the sessions were back after 40 s")));
  expect(await counted()).toContain('rollward_pop_rollbacks_total{namespace="fleet",pop="fra1",reason="CheckFailed"} 1');
});

it("tells the time of a roll by what it waited for, as the ledger accounts it, once and also after a restart in mid-roll", async () => {
  const { pops, lines } = world();
  const spent = (more: object = {}) => ({ working: 600_000, window: 3_600_000, people: 0, soaking: 60_000, until: instant, ...more });
  pops.observe(pop({ run: run({ spent: spent({ soaking: 0 }) }) }));
  pops.observe(pop({ run: run({ state: "Passed", spent: spent({ passedAt: instant }) }) }));
  pops.observe(pop({ run: run({ state: "Passed", spent: spent({ passedAt: instant }) }) }));
  pops.observe(
    pop({ history: [{ version: "2", revision: "r2", startedAt: instant, endedAt: instant, outcome: "Promoted", spent: spent() }] }),
  );
  const sums = (await lines()).filter((line) => line.startsWith("rollward_pop_roll_duration_seconds_sum"));
  const of = (cause: string) => sums.find((line) => line.includes(`outcome="Passed",spent="${cause}"`))?.split(" ")[1];
  expect(["working", "window", "soaking", "people"].map(of)).toEqual(["600", "3600", "60", "0"]);
  expect(sums).toHaveLength(4);
});

it("a roll that is taken back and its rollback are two: 600 s forward, 60 s back", async () => {
  const { pops, lines } = world();
  const spent = (seconds: number) => ({ working: seconds * 1000, window: 0, people: 0, soaking: 0, until: instant });
  const back = { id: 2, kind: "Rollback", state: "RollingBack", takesBack: { version: "2", startedAt: instant, spent: spent(600) } };
  pops.observe(pop({ run: run({ spent: spent(500) }) }));
  pops.observe(pop({ run: run({ ...back, spent: spent(0) }) }));
  pops.observe(
    pop({ history: [{ version: "2", revision: "r2", startedAt: instant, endedAt: instant, outcome: "RolledBack", spent: spent(660) }] }),
  );
  const sums = (await lines()).filter((line) => line.startsWith("rollward_pop_roll_duration_seconds_sum"));
  const of = (outcome: string) => sums.find((line) => line.includes(`outcome="${outcome}",spent="working"`))?.split(" ")[1];
  expect(["TakenBack", "RolledBack"].map(of)).toEqual(["600", "60"]);
});

it.each([
  ["node n1: ready: GET http://10.0.0.1:8080/healthz answered 500", "ready"],
  ["loss: 0.2, expected <= 0.01", "loss"],
  ["node n1: its container exited 3 times", "node"],
  [undefined, "node"],
])("the last rollback is told with the version that was taken back and its check: %s", async (evidence, check) => {
  const { pops, lines } = world();
  const checked = (one: PopCluster): PopCluster => ({
    ...one,
    spec: { ...one.spec, health: { ...one.spec.health, node: [{ name: "ready" }], pop: [{ name: "loss" }] } } as never,
  });
  const entry = { revision: "r", startedAt: instant, endedAt: instant };
  const history = [
    { ...entry, version: "2", outcome: "RolledBack", evidence },
    { ...entry, version: "3", outcome: "Promoted" },
  ];
  pops.observe(checked(pop({ history })));
  const value = Date.parse(instant) / 1000;
  expect(await lines()).toContain(
    `rollward_pop_last_rollback_timestamp_seconds{namespace="fleet",pop="fra1",version="2",check="${check}"} ${value}`,
  );
  pops.observe(checked(pop({ history: history.slice(1) })));
  expect((await lines()).some((line) => line.startsWith("rollward_pop_last_rollback"))).toBe(false);
});
