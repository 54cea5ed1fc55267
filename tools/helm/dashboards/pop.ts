import { type Dashboard, quantile, series } from "./grafana.ts";

const OF = `namespace="$namespace", pop="$pop"`;
const of = (name: Parameters<typeof series>[0], more = ""): string => `${series(name)}{${OF}${more}}`;

/** One PoP's roll: where its nodes are, what its checks say, what its users feel. */
export const POP_DASHBOARD: Dashboard = {
  uid: "rollward-pop",
  title: "Rollward / One PoP's roll",
  description: "Where the nodes of a PoP are, what its checks say, what its users feel, and when it goes on.",
  variables: [
    { name: "namespace", query: `label_values(${series("pop_info")}, namespace)` },
    { name: "pop", query: `label_values(${series("pop_info")}{namespace="$namespace"}, pop)` },
  ],
  rows: [
    {
      title: "$pop now",
      panels: [
        {
          title: "State",
          description: "The reason of the summary condition.",
          type: "stat",
          text: "name",
          queries: [{ expr: `${of("pop_state")} == 1`, legend: "{{state}}" }],
          width: 6,
        },
        {
          title: "Version",
          description: "What it runs.",
          type: "stat",
          text: "name",
          queries: [{ expr: of("pop_info"), legend: "{{version}}" }],
          width: 6,
        },
        {
          title: "Window",
          description: "Whether it may be disrupted now.",
          type: "stat",
          queries: [{ expr: of("window_active") }],
          values: { "0": "closed", "1": "open" },
          width: 6,
        },
        {
          title: "Opens next in",
          description: "After the one that is open, if one is.",
          type: "stat",
          queries: [{ expr: `${of("window_next_open_timestamp_seconds")} - time()` }],
          unit: "s",
          width: 6,
        },
      ],
    },
    {
      title: "The roll",
      panels: [
        {
          title: "Nodes by step",
          description: "Pending, Claimed, Updating, Soaking, Done; Failed and Skipped should stay empty.",
          type: "timeseries",
          queries: [{ expr: `sum by (step) (${of("pop_nodes")})`, legend: "{{step}}" }],
          width: 12,
        },
        {
          title: "What the checks say",
          description: "The worst verdict of each check's nodes.",
          type: "state-timeline",
          queries: [{ expr: `sum by (check, verdict) (${of("health_verdict")}) == 1`, legend: "{{check}} {{verdict}}" }],
          width: 12,
        },
      ],
    },
    {
      title: "What users feel",
      panels: [
        {
          title: "Sessions of drained nodes are back after",
          description: "Median of each node; half of the nodes, and 95 of 100.",
          type: "timeseries",
          queries: [
            { expr: quantile(0.5, "pop_reconnect_seconds", ["pop"], OF, "1h"), legend: "half" },
            { expr: quantile(0.95, "pop_reconnect_seconds", ["pop"], OF, "1h"), legend: "95 %" },
          ],
          unit: "s",
          width: 8,
        },
        {
          title: "Tunnels of sites",
          description: "By what the PoP last said; Unknown: nothing for an hour.",
          type: "timeseries",
          queries: [{ expr: `sum by (up) (${of("pop_tunnels")})`, legend: "{{up}}" }],
          width: 8,
        },
        {
          title: "Tunnels were last told of",
          description: "And series of sites that nobody declared.",
          type: "timeseries",
          queries: [
            { expr: of("pop_tunnel_answer_age_seconds"), legend: "seconds ago" },
            { expr: of("pop_tunnel_series_ignored"), legend: "undeclared" },
          ],
          width: 8,
        },
      ],
    },
    {
      title: "Rolls that are over",
      panels: [
        {
          title: "What their time went into",
          description: "Mean of the last 30 days, in calendar time.",
          type: "bargauge",
          queries: [
            {
              expr: `sum by (outcome, spent) (increase(rollward_pop_roll_duration_seconds_sum{${OF}}[30d])) / sum by (outcome, spent) (increase(rollward_pop_roll_duration_seconds_count{${OF}}[30d]))`,
              legend: "{{outcome}}: {{spent}}",
            },
          ],
          unit: "s",
          width: 16,
        },
        {
          title: "Rollbacks",
          description: "Begun, by what caused them, since the leader's term began.",
          type: "stat",
          queries: [{ expr: `sum by (reason) (${of("pop_rollbacks_total")})`, legend: "{{reason}}" }],
          width: 8,
        },
      ],
    },
  ],
};
