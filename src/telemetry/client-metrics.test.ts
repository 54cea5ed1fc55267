import { beforeEach, expect, it } from "vitest";
import { clientRolloutSpec, clientRolloutStatus, type ClientRollout } from "../api/client-rollout.ts";
import { ClientMetrics } from "./client-metrics.ts";
import { createMetrics, type Metrics } from "./metrics.ts";

const NOW = Date.parse("2026-11-30T12:00:00Z");
const AT = "2026-11-30T09:00:00Z";
let metrics: Metrics;
let clients: ClientMetrics;

beforeEach(() => {
  metrics = createMetrics();
  clients = new ClientMetrics(metrics, () => NOW);
});

const series = async (name: string): Promise<string[]> =>
  (await metrics.page()).split("\n").filter((line) => line.startsWith(`rollward_${name}{`));
const progressing = (reason: string, status = "False") => ({
  conditions: [{ type: "Progressing", status, reason, message: "", lastTransitionTime: AT }],
});
const rollout = (status: object, uid = "u"): ClientRollout => ({
  apiVersion: "rollward.dev/v1alpha1",
  kind: "ClientRollout",
  metadata: { name: "c-2", namespace: "fleet", uid, resourceVersion: "1" },
  spec: clientRolloutSpec.parse({
    os: "Windows",
    version: "5.12.3",
    announcedAt: AT,
    generalAfter: "336h",
    artifact: { url: "client.msi", sha256: "a".repeat(64), size: 10 },
  }),
  status: clientRolloutStatus.parse(status),
});

it("a rollout tells what it does and its shares of the devices that it will reach; that it paused itself goes before who else did", async () => {
  const numbers = { eligible: 200, offered: 100, attempted: 90, confirmed: 80, failed: 4, unreachable: 20 };
  clients.observe(
    rollout({ numbers, ...progressing("Rolling", "True"), holds: [{ rule: "C4", reason: "AwaitingEvidence", message: "" }] }),
  );
  const of = 'kind="ClientRollout",name="c-2"';
  expect(await series("rollout_state")).toEqual([`rollward_rollout_state{${of},state="Rolling"} 1`]);
  expect((await series("rollout_progress_ratio")).map((line) => line.split("measure=")[1])).toEqual([
    '"offered"} 0.5',
    '"attempted"} 0.45',
    '"confirmed"} 0.4',
    '"failed"} 0.02',
    '"unreachable"} 0.1',
  ]);
  expect(await series("waiting")).toEqual(['rollward_waiting{kind="ClientRollout",reason="AwaitingEvidence"} 1']);
  clients.observe(rollout({ ...progressing("Paused"), monitoring: { paused: { at: AT, by: "Query", message: "" } } }));
  expect(await series("rollout_state")).toEqual([`rollward_rollout_state{${of},state="PausedByMonitoring"} 1`]);
  clients.forget("c-2");
  expect([await series("rollout_state"), await series("waiting")]).toEqual([[], []]);
});

it("a person is waited for since it stands still for that alone", async () => {
  clients.observe(rollout({ digest: "sha256:1", ...progressing("AwaitingEvidence") }));
  expect(await series("approval_pending_seconds")).toEqual(['rollward_approval_pending_seconds{kind="ClientRollout",name="c-2"} 10800']);
  clients.observe(rollout({ digest: "sha256:1", ...progressing("Paused") }));
  expect(await series("approval_pending_seconds")).toEqual([]);
});

it("[I19] versions are summed over accounts, one that is not said is none, and of many the rarest are others", async () => {
  clients.versions([
    { os: "Windows", version: "5.12.3", devices: 5 },
    { os: "Windows", version: "5.12.3", devices: 7 },
    { os: "Linux", version: "", devices: 2 },
    { os: "Linux", version: "5.11.0", devices: 0 },
  ]);
  expect(await series("client_versions")).toEqual([
    'rollward_client_versions{os="Windows",version="5.12.3"} 12',
    'rollward_client_versions{os="Linux",version="none"} 2',
  ]);
  clients.versions(Array.from({ length: 230 }, (_, nth) => ({ os: "Windows", version: `9.${nth}`, devices: 1 })));
  const lines = await series("client_versions");
  expect([lines.length, lines.at(-1)]).toEqual([201, 'rollward_client_versions{os="other",version="other"} 30']);
  clients.clear();
  expect(await series("client_versions")).toEqual([]);
});
