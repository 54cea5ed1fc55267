import { type Dashboard, series } from "./grafana.ts";
import { waitPanels } from "./wait-panels.ts";

const state = series("rollout_state");
const ratio = series("rollout_progress_ratio");
const ofRollout = 'kind="ClientRollout", name="$clientrollout"';

/** Clients: how a version gets through their users, what holds it, who runs what, and their check-ins. */
export const CLIENTS_DASHBOARD: Dashboard = {
  uid: "rollward-clients",
  title: "Rollward / Clients",
  description: "How a version gets through the users of all accounts, what holds it, who runs what, and the check-ins of Clients.",
  variables: [{ name: "clientrollout", query: `label_values(${state}{kind="ClientRollout"}, name)` }],
  rows: [
    {
      title: "Is rollout $clientrollout healthy?",
      panels: [
        {
          title: "What it does",
          description: "The reason of its condition Progressing; PausedByMonitoring: it paused itself, and a person has to look.",
          type: "stat",
          text: "name",
          queries: [{ expr: `${state}{${ofRollout}} == 1`, legend: "{{state}}" }],
          width: 4,
        },
        {
          title: "How far it is",
          description: "Share of the devices that it will reach. Confirmed: the device itself reports the version.",
          type: "bargauge",
          queries: [{ expr: `sum by (measure) (${ratio}{${ofRollout}, measure=~"offered|attempted|confirmed"})`, legend: "{{measure}}" }],
          unit: "percentunit",
          width: 5,
        },
        {
          title: "Failed, or not seen since it was reached",
          description: "Share of the devices that it will reach; what was not reached is not called a success.",
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
          title: "Everybody is reached by",
          description: "If nothing fails, nobody pauses it, and each gate has its evidence in time.",
          type: "stat",
          queries: [{ expr: `${series("rollout_forecast_finish_timestamp_seconds")}{${ofRollout}} * 1000` }],
          unit: "dateTimeAsIso",
          width: 4,
        },
        ...waitPanels(`${series("rollout_waits_until_timestamp_seconds")}{${ofRollout}}`, 4),
      ],
    },
    {
      title: "All rollouts of Clients",
      panels: [
        {
          title: "Rollouts that wait, by reason",
          description: "By the first of their holds; `rollward explain cliro/NAME` says until when.",
          type: "timeseries",
          queries: [{ expr: `sum by (reason) (${series("waiting")}{kind="ClientRollout"})`, legend: "{{reason}}" }],
          width: 12,
        },
        {
          title: "Failed of those that attempted",
          description: "By rollout; each gate and the automatic pause have a limit of their own in its spec.",
          type: "timeseries",
          queries: [
            {
              expr:
                `sum by (name) (${ratio}{kind="ClientRollout", measure="failed"}) / ` +
                `(sum by (name) (${ratio}{kind="ClientRollout", measure="attempted"}) > 0)`,
              legend: "{{name}}",
            },
          ],
          unit: "percentunit",
          width: 12,
        },
      ],
    },
    {
      title: "Who runs what",
      panels: [
        {
          title: "Clients by version",
          description: "As they report it themselves; none: a new installation, or one that says nothing.",
          type: "timeseries",
          queries: [{ expr: `sum by (os, version) (${series("client_versions")})`, legend: "{{os}} {{version}}" }],
          width: 16,
        },
        {
          title: "Clients by system",
          description: "Those that were seen in the last half year.",
          type: "table",
          queries: [{ expr: `sum by (os) (${series("client_versions")})` }],
          width: 8,
        },
      ],
    },
    {
      title: "The gateway",
      panels: [
        {
          title: "Check-ins a second, by answer",
          description: "UpToDate is the usual one; Offer: it was offered a version; Unavailable: the inventory does not answer.",
          type: "timeseries",
          queries: [
            {
              expr: `sum by (answer) (rate(${series("device_checkins_total")}{protocol="omaha"}[$__rate_interval]))`,
              legend: "{{answer}}",
            },
          ],
          width: 24,
        },
      ],
    },
  ],
};
