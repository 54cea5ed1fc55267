import { type Dashboard, quantile, series } from "./grafana.ts";
import { waitPanels } from "./wait-panels.ts";

const state = series("rollout_state");
const ratio = series("rollout_progress_ratio");
const checkins = series("device_checkins_total");
const ofRollout = 'kind="SocketRollout", name="$socketrollout"';

/** Sites and their Sockets: how a version gets through them, which pairs cannot rely on their failover, who is told, and the gateway. */
export const SOCKETS_DASHBOARD: Dashboard = {
  uid: "rollward-sockets",
  title: "Rollward / Sockets and sites",
  description: "How a version gets through the sites, which pairs are not ready to fail over, what accounts were told, and the gateway.",
  variables: [{ name: "socketrollout", query: `label_values(${state}{kind="SocketRollout"}, name)` }],
  rows: [
    {
      title: "Is rollout $socketrollout healthy?",
      panels: [
        {
          title: "What it does",
          description: "The reason of its condition Progressing; Halted: more sites failed than it may lose.",
          type: "stat",
          text: "name",
          queries: [{ expr: `${state}{${ofRollout}} == 1`, legend: "{{state}}" }],
          width: 4,
        },
        {
          title: "How far it is",
          description: "Share of its sites. Confirmed: every Socket itself reports the version.",
          type: "bargauge",
          queries: [{ expr: `sum by (measure) (${ratio}{${ofRollout}, measure=~"offered|attempted|confirmed"})`, legend: "{{measure}}" }],
          unit: "percentunit",
          width: 5,
        },
        {
          title: "Failed or out of reach",
          description: "Share of its sites; what was not reached is not called a success.",
          type: "stat",
          queries: [{ expr: `sum by (measure) (${ratio}{${ofRollout}, measure=~"failed|unreachable"})`, legend: "{{measure}}" }],
          unit: "percentunit",
          steps: [
            [null, "green"],
            [0.01, "yellow"],
            [0.02, "red"],
          ],
          width: 4,
        },
        {
          title: "Through by",
          description: "When the last site's window is over, if nothing fails.",
          type: "stat",
          queries: [{ expr: `${series("rollout_forecast_finish_timestamp_seconds")}{${ofRollout}} * 1000` }],
          unit: "dateTimeAsIso",
          width: 4,
        },
        ...waitPanels(`${series("rollout_waits_until_timestamp_seconds")}{${ofRollout}}`, 4),
      ],
    },
    {
      title: "Sites",
      panels: [
        {
          title: "Sites that wait, by reason",
          description: "By the first of their holds; `rollward explain site/NAMESPACE/NAME` says until when.",
          type: "timeseries",
          queries: [{ expr: `sum by (reason) (${series("waiting")}{kind="SocketSite"})`, legend: "{{reason}}" }],
          width: 12,
        },
        {
          title: "Sockets by version",
          description: "As they report it themselves.",
          type: "timeseries",
          queries: [{ expr: `sum by (version) (${series("socket_versions")})`, legend: "{{version}}" }],
          width: 12,
        },
      ],
    },
    {
      title: "Pairs",
      panels: [
        {
          title: "Pairs that are not ready to fail over",
          description: "By the first check that is not ready; `rollward stories -A` tells those on two majors.",
          type: "timeseries",
          queries: [{ expr: `sum by (reason) (${series("site_ha_not_ready")})`, legend: "{{reason}}" }],
          width: 12,
        },
        {
          title: "Longest on two majors",
          description: "How long the oldest open story has been open; past a week its next window was missed.",
          type: "stat",
          queries: [{ expr: `max(${series("site_mixed_pair_seconds")})` }],
          unit: "s",
          steps: [
            [null, "green"],
            [86_400, "yellow"],
            [691_200, "red"],
          ],
          width: 6,
        },
        {
          title: "Sockets by model",
          description: "As they report it themselves.",
          type: "table",
          queries: [{ expr: `sum by (model) (${series("socket_versions")})` }],
          width: 6,
        },
      ],
    },
    {
      title: "Notices",
      panels: [
        {
          title: "Taken, by kind",
          description: "By the channel that counts; copies are not counted.",
          type: "timeseries",
          queries: [{ expr: `sum by (kind) (increase(${series("notice_sent_total")}[$__rate_interval]))`, legend: "{{kind}}" }],
          width: 12,
        },
        {
          title: "Plans that nobody has been told of",
          description: "Sites whose channel has not taken the notice yet; their start moves with it.",
          type: "stat",
          queries: [{ expr: `sum(${series("notice_pending")})` }],
          steps: [
            [null, "green"],
            [1, "yellow"],
          ],
          width: 6,
        },
        {
          title: "Upgrades begun with too little notice (must stay 0)",
          description: "Anything else is a defect of the operator.",
          type: "stat",
          queries: [{ expr: `sum(${series("notice_late_total")})` }],
          steps: [
            [null, "green"],
            [1, "red"],
          ],
          width: 6,
        },
      ],
    },
    {
      title: "The gateway",
      panels: [
        {
          title: "Polls a second, by answer",
          description: "Nothing is the usual one; Unavailable: the inventory does not answer.",
          type: "timeseries",
          queries: [{ expr: `sum by (answer) (rate(${checkins}{protocol="ddi"}[$__rate_interval]))`, legend: "{{answer}}" }],
          width: 8,
        },
        {
          title: "Time to answer a device",
          description: "Polls of Sockets and requests of Clients; median and 99th percentile.",
          type: "timeseries",
          queries: [
            { expr: quantile(0.5, "device_checkin_seconds", []), legend: "median" },
            { expr: quantile(0.99, "device_checkin_seconds", []), legend: "99th percentile" },
          ],
          unit: "s",
          width: 8,
        },
        {
          title: "Clock of the gateway's host (must stay near 0)",
          description: "What the inventory's clock is ahead of it; beyond 5 s either way that replica offers nothing.",
          type: "timeseries",
          queries: [{ expr: series("gateway_clock_skew_seconds"), legend: "{{instance}}" }],
          unit: "s",
          width: 8,
        },
      ],
    },
  ],
};
