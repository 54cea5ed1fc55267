import { type Dashboard, quantile, series } from "./grafana.ts";
import { waitPanels } from "./wait-panels.ts";

const OF = `namespace="$namespace", pop="$pop"`;
const of = (name: Parameters<typeof series>[0], more = ""): string => `${series(name)}{${OF}${more}}`;

const BAD = ', verdict=~"Unhealthy|Unknown"';

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
      title: "Is the roll of $pop healthy?",
      panels: [
        {
          title: "State",
          description: "The reason of the summary condition.",
          type: "stat",
          text: "name",
          queries: [{ expr: `${of("pop_state")} == 1`, legend: "{{state}}" }],
          width: 3,
        },
        {
          title: "Version",
          description: "What it runs.",
          type: "stat",
          text: "name",
          queries: [{ expr: of("pop_info"), legend: "{{version}}" }],
          width: 2,
        },
        {
          title: "Nodes that are done",
          description: "Share of its nodes; between two rolls all of them are.",
          type: "stat",
          queries: [{ expr: `sum(${of("pop_nodes", ', step="Done"')}) / sum(${of("pop_nodes")})` }],
          unit: "percentunit",
          width: 3,
        },
        {
          title: "What fails",
          description: "Nodes that failed, and checks that are bad or cannot be read.",
          type: "stat",
          queries: [{ expr: `sum(${of("pop_nodes", ', step="Failed"')}) + (sum(${of("health_verdict", BAD)}) or vector(0))` }],
          steps: [
            [null, "green"],
            [1, "red"],
          ],
          width: 2,
        },
        {
          title: "Window",
          description: "Whether it may be disrupted now.",
          type: "stat",
          queries: [{ expr: of("window_active") }],
          values: { "0": "closed", "1": "open" },
          width: 2,
        },
        {
          title: "Opens next in",
          description: "After the one that is open, if one is.",
          type: "stat",
          queries: [{ expr: `${of("window_next_open_timestamp_seconds")} - time()` }],
          unit: "s",
          width: 3,
        },
        ...waitPanels(of("pop_waits_until_timestamp_seconds"), 3),
        {
          title: "Last rollback, with its check",
          description: "node: the node itself failed, none of its checks. Nothing here: there was none.",
          type: "stat",
          queries: [{ expr: `${of("pop_last_rollback_timestamp_seconds")} * 1000`, legend: "{{version}}: {{check}}" }],
          unit: "dateTimeAsIso",
          width: 3,
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
          description: "By the PoP's Prometheus; it is asked every minute.",
          type: "timeseries",
          queries: [{ expr: of("pop_tunnel_answer_age_seconds"), legend: "ago" }],
          unit: "s",
          width: 5,
        },
        {
          title: "Undeclared sites (must stay 0)",
          description: "Series of tunnels that name no site of an account.",
          type: "stat",
          queries: [{ expr: of("pop_tunnel_series_ignored") }],
          steps: [
            [null, "green"],
            [1, "red"],
          ],
          width: 3,
        },
      ],
    },
    {
      title: "Rolls that are over",
      panels: [
        {
          title: "What their time went into",
          // Not the increase of some days: a series is born with its first roll, and increase() does not see what it is born with.
          description: "Mean of those since the leader's term began, in calendar time.",
          type: "bargauge",
          queries: [
            {
              expr: `sum by (outcome, spent) (rollward_pop_roll_duration_seconds_sum{${OF}}) / sum by (outcome, spent) (rollward_pop_roll_duration_seconds_count{${OF}})`,
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
