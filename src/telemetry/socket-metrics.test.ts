import { beforeEach, describe, expect, it } from "vitest";
import { socketRolloutSpec, socketRolloutStatus, type SocketRollout } from "../api/socket-rollout.ts";
import { socketSiteSpec, socketSiteStatus, type SocketSite } from "../api/socket-site.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { checkinMetrics, inventoryMetric, SocketMetrics } from "./socket-metrics.ts";

const NOW = Date.parse("2026-11-30T12:00:00Z");
let metrics: Metrics;
let sockets: SocketMetrics;

beforeEach(() => {
  metrics = createMetrics();
  sockets = new SocketMetrics(metrics, () => NOW);
});

const series = async (name: string): Promise<string[]> =>
  (await metrics.page()).split("\n").filter((line) => line.startsWith(`rollward_${name}{`) || line.startsWith(`rollward_${name} `));

const site = (name: string, status: object, namespace = "acme"): SocketSite => ({
  apiVersion: "rollward.dev/v1alpha1",
  kind: "SocketSite",
  metadata: { name, namespace, uid: `${namespace}-${name}`, resourceVersion: "1" },
  spec: socketSiteSpec.parse({ timeZone: "Europe/Berlin", sockets: [{ serial: "S-1", role: "Primary" }] }),
  status: socketSiteStatus.parse(status),
});
const socket = (serial: string, version: string, model = "X1600") => ({
  serial,
  role: "Primary",
  state: "Active",
  model,
  version,
  connected: true,
});
const story = (openedAt: string) => ({
  id: "s",
  title: "HA Status is not ready",
  openedAt,
  severity: "AtRisk",
  lower: { serial: "S-1", version: "15.0" },
  higher: { serial: "S-2", version: "18.0" },
  missingMajors: [16, 17, 18],
  steps: [],
});
const notReady = (reason: string, more: object = {}) => ({
  ha: {
    status: "NotReady",
    checks: [
      { name: "Keepalive", status: "Ready" },
      { name: "CompatibleVersion", status: "NotReady", reason },
    ],
    ...more,
  },
});

it("[G9] who was given no inventory says nothing of one, so nobody is alarmed; else 1 while it answers, and 0", async () => {
  expect(await series("inventory_answers")).toEqual([]);
  for (const answers of [true, false, true]) {
    inventoryMetric(metrics)(answers);
    expect(await series("inventory_answers")).toEqual([`rollward_inventory_answers ${Number(answers)}`]);
  }
});

describe("sites, summed up", () => {
  it("[S6] pairs that are not ready by the check that is not, and how long the oldest story has been open", async () => {
    sockets.observeSite(site("a", notReady("IncompatibleMajorVersions", { story: story("2026-11-30T11:00:00Z") })));
    sockets.observeSite(site("b", notReady("IncompatibleMajorVersions", { story: story("2026-11-30T09:00:00Z") }), "other"));
    sockets.observeSite(site("c", notReady("KeepaliveLost")));
    sockets.observeSite(site("d", { ha: { status: "Ready", checks: [] } }));
    expect(await series("site_ha_not_ready")).toEqual([
      'rollward_site_ha_not_ready{reason="IncompatibleMajorVersions"} 2',
      'rollward_site_ha_not_ready{reason="KeepaliveLost"} 1',
    ]);
    expect(await series("site_mixed_pair_seconds")).toEqual(["rollward_site_mixed_pair_seconds 10800"]);
    sockets.forgetSite("b", "other");
    expect(await series("site_mixed_pair_seconds")).toEqual(["rollward_site_mixed_pair_seconds 3600"]);
    sockets.observeSite(site("a", { ha: { status: "Ready", checks: [] } }));
    expect(await series("site_mixed_pair_seconds")).toEqual(["rollward_site_mixed_pair_seconds 0"]);
  });

  it("[W3] plans of which nobody took the notice are counted; one that counts from status, and one without a notice, are not", async () => {
    const upgrade = (announced: object, more: object = {}) => ({
      upgrade: {
        version: "18.0",
        rollout: { name: "s", uid: "u" },
        cause: "Rollout",
        step: "Announced",
        since: "2026-11-30T11:00:00Z",
        announced: { release: "2026-11-30T11:00:00Z", seen: "2026-11-30T11:00:00Z", decidedBy: "seen", ...announced },
        notice: { id: "n", start: "2026-12-06T00:00:00Z" },
        ...more,
      },
    });
    sockets.observeSite(site("a", upgrade({})));
    sockets.observeSite(site("b", upgrade({ noticeAcceptedAt: "2026-11-30T11:00:01Z" })));
    sockets.observeSite(site("c", upgrade({}, { step: "Completed" })));
    sockets.observeSite(site("d", {}));
    expect(await series("notice_pending")).toEqual(["rollward_notice_pending 1"]);
  });

  it("[G2] sites by the first reason they wait for, and Sockets by model and version", async () => {
    const holds = [{ rule: "W1", reason: "OutsideWindow", message: "" }];
    sockets.observeSite(site("a", { holds, sockets: [socket("S-1", "18.0"), socket("S-2", "17.2")] }));
    sockets.observeSite(site("b", { holds: [{ rule: "X", reason: "MadeUp", message: "" }], sockets: [socket("S-3", "18.0")] }));
    expect(await series("waiting")).toEqual(['rollward_waiting{kind="SocketSite",reason="OutsideWindow"} 1']);
    expect(await series("socket_versions")).toEqual([
      'rollward_socket_versions{model="X1600",version="18.0"} 2',
      'rollward_socket_versions{model="X1600",version="17.2"} 1',
    ]);
  });

  it("[I19] devices that make up versions make no series without end: the rarest are counted together", async () => {
    for (let index = 0; index < 300; index++) sockets.observeSite(site(`s${index}`, { sockets: [socket("S-1", `1.${index}`)] }));
    for (let index = 0; index < 5; index++) sockets.observeSite(site(`t${index}`, { sockets: [socket("S-2", "18.0")] }));
    const found = await series("socket_versions");
    expect(found).toHaveLength(201);
    expect(found[0]).toBe('rollward_socket_versions{model="X1600",version="18.0"} 5');
    expect(found.at(-1)).toBe('rollward_socket_versions{model="other",version="other"} 101');
  });

  it("with the term as leader everything vanishes", async () => {
    sockets.observeSite(site("a", notReady("KeepaliveLost")));
    sockets.observeRollout(rollout({}));
    expect(await series("rollout_state")).toHaveLength(1);
    sockets.clear();
    for (const name of ["site_ha_not_ready", "site_mixed_pair_seconds", "notice_pending", "rollout_state", "rollout_progress_ratio"])
      expect(await series(name)).toEqual([]);
  });
});

const rollout = (status: object, uid = "u1"): SocketRollout => ({
  apiVersion: "rollward.dev/v1alpha1",
  kind: "SocketRollout",
  metadata: { name: "s-18-0", namespace: "fleet", uid, resourceVersion: "1" },
  spec: socketRolloutSpec.parse({
    version: "18.0",
    announcedAt: "2026-11-20T09:00:00Z",
    artifact: { url: "socket.swu", sha256: "a".repeat(64), size: 10 },
  }),
  status: socketRolloutStatus.parse(status),
});

it("[S10] a rollout tells five honest shares of its sites, its state and its end; stopped it has no end, gone it is not told", async () => {
  const numbers = { sites: 200, inRamp: 100, offered: 90, attempted: 80, confirmed: 70, failed: 2, unreachable: 10 };
  const conditions = [{ type: "Progressing", status: "True", reason: "Rolling", message: "", lastTransitionTime: "2026-11-20T09:00:00Z" }];
  const forecast = { finishAt: "2026-12-13T02:00:00Z" };
  sockets.observeRollout(rollout({ numbers, conditions, forecast, holds: [{ rule: "G13", reason: "Paused", message: "" }] }));
  const labels = 'kind="SocketRollout",name="s-18-0"';
  expect(await series("rollout_state")).toEqual([`rollward_rollout_state{${labels},state="Rolling"} 1`]);
  expect(await series("rollout_progress_ratio")).toEqual(
    [
      ["offered", 0.45],
      ["attempted", 0.4],
      ["confirmed", 0.35],
      ["failed", 0.01],
      ["unreachable", 0.05],
    ].map(([measure, value]) => `rollward_rollout_progress_ratio{${labels},measure="${measure}"} ${value}`),
  );
  expect(await series("waiting")).toEqual(['rollward_waiting{kind="SocketRollout",reason="Paused"} 1']);
  expect(await series("rollout_forecast_finish_timestamp_seconds")).toHaveLength(1);
  const stopped = { at: "2026-11-30T03:00:00Z", by: "Failures", message: "" };
  sockets.observeRollout(rollout({ numbers, forecast, stopped }));
  expect(await series("rollout_forecast_finish_timestamp_seconds")).toEqual([]);
  expect(await series("rollout_state")).toEqual([`rollward_rollout_state{${labels},state="Halted"} 1`]);
  sockets.forgetRollout("s-18-0");
  expect(await series("rollout_state")).toEqual([]);
});

it("polls of devices are counted by their answer, and timed", async () => {
  const told = checkinMetrics(metrics, "ddi");
  told("Nothing", 0.003);
  told("Unauthorized", 0.001);
  expect(await series("device_checkins_total")).toEqual([
    'rollward_device_checkins_total{protocol="ddi",answer="Nothing"} 1',
    'rollward_device_checkins_total{protocol="ddi",answer="Unauthorized"} 1',
  ]);
  checkinMetrics(metrics, "omaha")("Offer", 0.002);
  expect(await series("device_checkins_total")).toContain('rollward_device_checkins_total{protocol="omaha",answer="Offer"} 1');
  expect(await series("device_checkin_seconds_count")).toEqual(["rollward_device_checkin_seconds_count 3"]);
});
