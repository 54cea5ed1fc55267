import { type Dashboard, quantile, series } from "./grafana.ts";

const requests = series("api_requests_total");

/** The operator itself: does it decide, in time, and on a fresh view? */
export const OPERATOR_DASHBOARD: Dashboard = {
  uid: "rollward-operator",
  title: "Rollward / The operator itself",
  description: "Does it decide, in time, and on a fresh view?",
  variables: [],
  rows: [
    {
      title: "Who decides",
      panels: [
        {
          title: "Leaders (must be 1)",
          description: "Replicas that say that they lead.",
          type: "stat",
          queries: [{ expr: `sum(${series("leader")})` }],
          steps: [
            [null, "red"],
            [1, "green"],
            [2, "red"],
          ],
          width: 4,
        },
        {
          title: "Leader by replica",
          description: "Each change is a fail-over.",
          type: "timeseries",
          queries: [{ expr: series("leader"), legend: "{{instance}}" }],
          width: 12,
        },
        {
          title: "Time-zone data",
          description: "One release, or windows depend on who leads.",
          type: "table",
          queries: [{ expr: `count by (version) (${series("tzdata_info")})` }],
          width: 8,
        },
      ],
    },
    {
      title: "In time",
      panels: [
        {
          title: "Time of a reconcile, 99 of 100",
          description: "By kind.",
          type: "timeseries",
          queries: [{ expr: quantile(0.99, "reconcile_seconds", ["kind"]), legend: "{{kind}}" }],
          unit: "s",
          width: 5,
        },
        {
          title: "Time of a check, 99 of 100",
          description: "Questions to nodes, pods and Prometheus, also those without an answer.",
          type: "timeseries",
          queries: [{ expr: quantile(0.99, "health_check_seconds", []) }],
          unit: "s",
          width: 5,
        },
        {
          title: "Reconciles",
          description: "A second, by kind and whether they have to be tried again.",
          type: "timeseries",
          queries: [
            { expr: "sum by (kind, result) (rate(rollward_reconcile_seconds_count[$__rate_interval]))", legend: "{{kind}} {{result}}" },
          ],
          unit: "ops",
          width: 5,
        },
        {
          title: "Wait for a worker, 99 of 100",
          description: "By kind.",
          type: "timeseries",
          queries: [{ expr: quantile(0.99, "queue_wait_seconds", ["kind"]), legend: "{{kind}}" }],
          unit: "s",
          width: 5,
        },
        {
          title: "Objects that are due",
          description: "And wait for a worker.",
          type: "timeseries",
          queries: [{ expr: `sum by (kind) (${series("queue_depth")})`, legend: "{{kind}}" }],
          width: 4,
        },
      ],
    },
    {
      title: "On a fresh view",
      panels: [
        {
          title: "Watches last heard of",
          description: "The oldest of each kind; after 5 minutes it is told.",
          type: "timeseries",
          queries: [{ expr: `max by (kind) (${series("watch_bookmark_age_seconds")})`, legend: "{{kind}}" }],
          unit: "s",
          width: 8,
        },
        {
          title: "Calls to API servers",
          description: "A second, by verb and kind.",
          type: "timeseries",
          queries: [{ expr: `sum by (verb, kind) (rate(${requests}[$__rate_interval]))`, legend: "{{verb}} {{kind}}" }],
          unit: "reqps",
          width: 8,
        },
        {
          title: "Calls that were not granted",
          description: "By code; 0 is no answer, 409 somebody else was first.",
          type: "timeseries",
          queries: [{ expr: `sum by (kind, code) (rate(${requests}{code!~"2.."}[$__rate_interval]))`, legend: "{{kind}} {{code}}" }],
          unit: "reqps",
          width: 8,
        },
      ],
    },
  ],
};
