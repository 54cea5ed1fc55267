import { type Dashboard, series } from "./grafana.ts";
import { waitPanels } from "./wait-panels.ts";

const state = series("rollout_state");
const ratio = series("rollout_progress_ratio");

/** How the fleet is, and one row that answers: is this rollout healthy? */
export const FLEET_DASHBOARD: Dashboard = {
  uid: "rollward-fleet",
  title: "Rollward / Fleet and rollouts",
  description: "Is this rollout healthy, what runs where, and what does everything wait for.",
  variables: [{ name: "rollout", query: `label_values(${state}{kind="PoPRollout"}, name)` }],
  rows: [
    {
      title: "Is rollout $rollout healthy?",
      panels: [
        {
          title: "What it does",
          description: "The reason of its condition Progressing.",
          type: "stat",
          text: "name",
          queries: [{ expr: `${state}{kind="PoPRollout", name="$rollout"} == 1`, legend: "{{state}}" }],
          width: 3,
        },
        {
          title: "How far it is",
          description: "Share of its PoPs.",
          type: "bargauge",
          queries: [
            {
              expr: `sum by (measure) (${ratio}{kind="PoPRollout", name="$rollout", measure=~"offered|attempted|confirmed"})`,
              legend: "{{measure}}",
            },
          ],
          unit: "percentunit",
          width: 4,
        },
        {
          title: "Failed or out of reach",
          description: "Share of its PoPs; above its failure budget it halts.",
          type: "stat",
          queries: [
            {
              expr: `sum by (measure) (${ratio}{kind="PoPRollout", name="$rollout", measure=~"failed|unreachable"})`,
              legend: "{{measure}}",
            },
          ],
          unit: "percentunit",
          steps: [
            [null, "green"],
            [0.0001, "red"],
          ],
          width: 3,
        },
        {
          title: "Fits its windows",
          description: "By its forecast, before the train ends.",
          type: "stat",
          queries: [{ expr: `${series("rollout_fits_window")}{kind="PoPRollout", name="$rollout"}` }],
          values: { "0": "no", "1": "yes" },
          steps: [
            [null, "red"],
            [1, "green"],
          ],
          width: 2,
        },
        {
          title: "Over by",
          description: "When it ends, by its forecast.",
          type: "stat",
          queries: [{ expr: `${series("rollout_forecast_finish_timestamp_seconds")}{kind="PoPRollout", name="$rollout"} * 1000` }],
          unit: "dateTimeAsIso",
          width: 3,
        },
        ...waitPanels(`${series("rollout_waits_until_timestamp_seconds")}{kind="PoPRollout", name="$rollout"}`, 3),
        {
          title: "Last rollback, with its check",
          description: "Of its version on any PoP; node: the node itself failed, none of its checks. Nothing here: there was none.",
          type: "stat",
          queries: [
            {
              expr: `topk(1, max by (pop, check, version) (${series("pop_last_rollback_timestamp_seconds")}) * on (version) group_left () ${series("rollout_info")}{kind="PoPRollout", name="$rollout"}) * 1000`,
              legend: "{{pop}}: {{check}}",
            },
          ],
          unit: "dateTimeAsIso",
          width: 3,
        },
      ],
    },
    {
      title: "What everything waits for",
      panels: [
        {
          title: "Waiting, by reason",
          description: "Objects by the first of their holds; `rollward explain` says until when.",
          type: "timeseries",
          queries: [{ expr: `sum by (kind, reason) (${series("waiting")})`, legend: "{{kind}} {{reason}}" }],
          width: 10,
        },
        {
          title: "Windows that open next",
          description: "The ten PoPs whose windows come first.",
          type: "table",
          queries: [{ expr: `bottomk(10, ${series("window_next_open_timestamp_seconds")} - time())` }],
          unit: "s",
          width: 6,
        },
        {
          title: "Waits for a person since",
          description: "The rollout that has waited longest. Nothing here: nobody is waited for.",
          type: "stat",
          queries: [{ expr: `max(${series("approval_pending_seconds")})` }],
          unit: "s",
          steps: [
            [null, "green"],
            [14_400, "yellow"],
            [86_400, "red"],
          ],
          width: 4,
        },
        {
          title: "Windows open now",
          description: "PoPs that may be disrupted at this moment.",
          type: "stat",
          queries: [{ expr: `sum(${series("window_active")})` }],
          width: 4,
        },
      ],
    },
    {
      title: "The fleet",
      panels: [
        {
          title: "PoPs by state",
          description: "The reason of the summary condition.",
          type: "timeseries",
          queries: [{ expr: `count by (state) (${series("pop_state")} == 1)`, legend: "{{state}}" }],
          width: 8,
        },
        {
          title: "PoPs by version",
          description: "What each runs, or runs mostly.",
          type: "timeseries",
          queries: [{ expr: `count by (version) (${series("pop_info")})`, legend: "{{version}}" }],
          width: 8,
        },
        {
          title: "Nodes in hand",
          description: "Claimed, being updated, or watched after it, by PoP.",
          type: "timeseries",
          queries: [{ expr: `sum by (pop) (${series("pop_nodes")}{step=~"Claimed|Updating|Soaking"}) > 0`, legend: "{{pop}}" }],
          width: 8,
        },
      ],
    },
    {
      title: "What went wrong",
      panels: [
        {
          title: "Rollbacks",
          description: "Begun, by what caused them, since the leader's term began.",
          type: "table",
          queries: [{ expr: `sum by (pop, reason) (${series("pop_rollbacks_total")})` }],
          width: 8,
        },
        {
          title: "Checks that are bad or cannot be read",
          description: "The worst verdict of each check's nodes.",
          type: "table",
          queries: [{ expr: `sum by (pop, check, verdict) (${series("health_verdict")}{verdict=~"Unhealthy|Unknown"}) > 0` }],
          width: 8,
        },
        {
          title: "Disruptions outside a window (must stay 0)",
          description: "Anything else is a defect of the operator.",
          type: "stat",
          queries: [{ expr: `sum(${series("window_breach_total")})` }],
          steps: [
            [null, "green"],
            [1, "red"],
          ],
          width: 4,
        },
        {
          title: "Sites that keep two PoPs apart",
          description: "Their tunnels were reported by both.",
          type: "stat",
          queries: [{ expr: `max(${series("tunnel_sites_dual")})` }],
          width: 4,
        },
      ],
    },
  ],
};
