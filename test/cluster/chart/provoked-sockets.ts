// The same for Sockets: states of sites, of their rollouts and of the gateway.
import { socketRolloutSpec, socketRolloutStatus, type SocketRollout } from "../../../src/api/socket-rollout.ts";
import { socketSiteSpec, socketSiteStatus, type SocketSite } from "../../../src/api/socket-site.ts";
import { checkinMetrics, inventoryMetric } from "../../../src/telemetry/socket-metrics.ts";
import type { Exporter } from "./exporter.ts";
import type { Provoked } from "./provoked.ts";

const NOW = Date.parse("2026-11-23T12:00:00Z");
const AT = "2026-11-20T00:00:00Z";
const iso = (at: number): string => new Date(at).toISOString();

export const site = (status: object): SocketSite => ({
  apiVersion: "rollward.dev/v1alpha1",
  kind: "SocketSite",
  metadata: { name: "berlin", namespace: "acme", uid: "u3", resourceVersion: "1" },
  spec: socketSiteSpec.parse({ timeZone: "Europe/Berlin", sockets: [{ serial: "S-1", role: "Primary" }] }),
  status: socketSiteStatus.parse({
    sockets: [{ serial: "S-1", role: "Primary", state: "Active", model: "X1600", version: "17.2", connected: true }],
    ...status,
  }),
});

/** A pair on two majors since then. */
export const mixedSite = (since: number): SocketSite =>
  site({
    ha: {
      status: "NotReady",
      checks: [{ name: "CompatibleVersion", status: "NotReady", reason: "IncompatibleMajorVersions" }],
      story: {
        id: "story",
        title: "HA Status is not ready",
        openedAt: iso(since),
        severity: "AtRisk",
        lower: { serial: "S-1", version: "17.2" },
        higher: { serial: "S-2", version: "18.0" },
        missingMajors: [18],
        steps: [],
      },
    },
    ...held("OutsideWindow"),
  });
const held = (reason: string) => ({ holds: [{ rule: "W1", reason, message: "" }] });

/** A site whose channel has not taken the notice of its plan. */
export const unannounced = (): SocketSite =>
  site({
    upgrade: {
      version: "18.0",
      rollout: { name: "s-2", uid: "u4" },
      cause: "Rollout",
      step: "Announced",
      since: AT,
      announced: { release: AT, seen: AT, decidedBy: "seen" },
      notice: { id: "n", start: "2026-11-29T00:00:00Z" },
    },
  });

export const socketRollout = (status: object): SocketRollout => ({
  apiVersion: "rollward.dev/v1alpha1",
  kind: "SocketRollout",
  metadata: { name: "s-2", namespace: "fleet", uid: "u4", resourceVersion: "1" },
  spec: socketRolloutSpec.parse({
    version: "18.0",
    announcedAt: AT,
    artifact: { url: "socket.swu", sha256: "a".repeat(64), size: 10 },
  }),
  status: socketRolloutStatus.parse({
    numbers: { sites: 1_000, inRamp: 250, offered: 200, attempted: 180, confirmed: 150, failed: 4, unreachable: 20 },
    forecast: { finishAt: "2026-12-20T03:00:00Z" },
    conditions: [{ type: "Progressing", status: "True", reason: "Rolling", message: "", lastTransitionTime: AT }],
    ...status,
  }),
});

const S2 = { kind: "SocketRollout", name: "s-2", instance: "a" };
const polls =
  (...answers: readonly string[]) =>
  ({ metrics }: Exporter): void => {
    for (const answer of answers) checkinMetrics(metrics, "ddi")(answer, 0.004);
  };

export const PROVOKED_SOCKETS: readonly Provoked[] = [
  {
    alert: "RollwardNoticeLate",
    labels: { instance: "a" },
    summary: "The upgrade of a site was begun with less notice than was promised.",
    minutes: 3,
    once: ({ told }) => told.noticeLate(site({})),
    resolvesIn: 65,
  },
  {
    alert: "RollwardNoticeNotTaken",
    labels: {},
    summary: "The accounts of 1 sites could not be told of a planned upgrade for an hour.",
    minutes: 63,
    once: ({ told }) => told.site(unannounced()),
  },
  {
    alert: "RollwardHaNotReady",
    labels: { reason: "IncompatibleMajorVersions" },
    summary: "For a day there have been pairs that cannot rely on their failover: 1 (IncompatibleMajorVersions).",
    minutes: 1_445,
    once: ({ told }) => told.site(mixedSite(NOW - 3_600_000)),
  },
  {
    alert: "RollwardMixedPairStays",
    labels: {},
    summary: "A pair has been on two majors for 8d 1h 0m 0s: its next window has not mended it.",
    minutes: 18,
    once: ({ told }) => told.site(mixedSite(NOW - (8 * 24 + 1) * 3_600_000)),
  },
  {
    alert: "RollwardSocketRolloutHalted",
    labels: { ...S2, state: "Halted" },
    summary: "SocketRollout s-2 has stopped by itself: more sites failed than it may lose.",
    minutes: 3,
    once: ({ told }) => told.socketRollout(socketRollout({ stopped: { at: AT, by: "Failures", message: "9 of 180 sites failed" } })),
  },
  {
    alert: "RollwardSitesUnreachable",
    labels: { ...S2, measure: "unreachable" },
    summary: "15% of the sites of SocketRollout s-2 were out of reach in their windows.",
    minutes: 18,
    once: ({ told }) =>
      told.socketRollout(
        socketRollout({ numbers: { sites: 1_000, inRamp: 250, offered: 200, attempted: 180, confirmed: 20, failed: 4, unreachable: 150 } }),
      ),
  },
  {
    alert: "RollwardInventoryUnavailable",
    labels: {},
    summary: "The inventory of devices does not answer.",
    minutes: 25,
    eachMinute: polls("Unavailable", "Unavailable", "Nothing"),
    resolvesIn: 15,
  },
  {
    alert: "RollwardInventoryUnavailable",
    labels: {},
    summary: "The inventory of devices does not answer.",
    minutes: 13,
    once: ({ told }) => told.site(site(held("InventoryUnavailable"))),
  },
  {
    alert: "RollwardInventoryUnavailable",
    labels: {},
    summary: "The inventory of devices does not answer.",
    minutes: 13,
    once: ({ metrics }) => inventoryMetric(metrics)(false),
  },
  {
    alert: "RollwardDevicesRefused",
    labels: {},
    summary: "75% of the polls of devices are refused.",
    minutes: 45,
    eachMinute: polls("Unauthorized", "Unauthorized", "Unauthorized", "Nothing"),
    resolvesIn: 15,
  },
  {
    alert: "RollwardDevicesSilent",
    labels: {},
    summary: "No Socket has polled the gateway for half an hour.",
    minutes: 33,
  },
];
