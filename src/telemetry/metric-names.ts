/**
 * Every series of the operator, in one table (design: interfaces, Metrics). Labels are few and bounded by the number of objects and
 * the closed lists of `api`; no free text becomes a label.
 */
export const PREFIX = "rollward_";

interface Definition {
  readonly help: string;
  readonly labels: readonly string[];
  readonly buckets?: readonly number[];
}

const define = <const Table extends Readonly<Record<string, Definition>>>(table: Table): Table => table;

export const GAUGES = define({
  pop_info: { help: "Always 1; region and version of the PoP in its labels.", labels: ["namespace", "pop", "region", "version"] },
  pop_state: { help: "State set: 1 for the reason of the PoP's summary condition.", labels: ["namespace", "pop", "state"] },
  pop_waits_until_timestamp_seconds: {
    help: "Until when the PoP waits, by the first of its reasons; 0: nobody knows. No series: it waits for nothing.",
    labels: ["namespace", "pop", "reason"],
  },
  pop_nodes: { help: "Nodes of the PoP in each step of a roll.", labels: ["namespace", "pop", "step"] },
  health_verdict: {
    help: "State set: 1 for the verdict of the check, the worst of its nodes.",
    labels: ["namespace", "pop", "check", "verdict"],
  },
  pop_last_rollback_timestamp_seconds: {
    help: "When the PoP last ended a rollback, with the version that was taken back and the check that did it; node: it was none of its checks.",
    labels: ["namespace", "pop", "version", "check"],
  },
  pop_tunnels: {
    help: "Sites whose tunnels the PoP reported, by what it last said; Unknown: nothing for an hour.",
    labels: ["namespace", "pop", "up"],
  },
  pop_tunnel_series_ignored: {
    help: "Series of the PoP's last answer about tunnels that name no site of an account.",
    labels: ["namespace", "pop"],
  },
  pop_tunnel_answer_age_seconds: { help: "How long ago the PoP's Prometheus last told of tunnels.", labels: ["namespace", "pop"] },
  tunnel_sites_dual: { help: "Sites that keep two PoPs apart, because both reported their tunnels.", labels: [] },
  window_active: { help: "1 while the PoP's maintenance window is open.", labels: ["namespace", "pop"] },
  window_next_open_timestamp_seconds: { help: "When the PoP's maintenance window opens next.", labels: ["namespace", "pop"] },
  rollout_info: { help: "Always 1; the version of the rollout, or of its content, in its label.", labels: ["kind", "name", "version"] },
  rollout_state: { help: "State set: 1 for what the rollout does.", labels: ["kind", "name", "state"] },
  rollout_waits_until_timestamp_seconds: {
    help: "Until when the rollout waits, by the first of its reasons; 0: nobody knows. No series: it waits for nothing.",
    labels: ["kind", "name", "reason"],
  },
  rollout_progress_ratio: {
    help: "Share of a rollout's members that were offered, attempted, confirmed, failed, or cannot be reached.",
    labels: ["kind", "name", "measure"],
  },
  rollout_forecast_finish_timestamp_seconds: { help: "When the rollout is over by its forecast.", labels: ["kind", "name"] },
  rollout_fits_window: { help: "1 when the rollout fits the windows of its train by its forecast.", labels: ["kind", "name"] },
  approval_pending_seconds: { help: "How long a person's approval has been waited for.", labels: ["kind", "name"] },
  waiting: { help: "Objects that wait, by the first of their reasons.", labels: ["kind", "reason"] },
  site_ha_not_ready: { help: "Pairs that are not ready to fail over, by the first check that is not.", labels: ["reason"] },
  site_mixed_pair_seconds: { help: "How long the pair that was left on two majors the longest has been; 0: none is.", labels: [] },
  socket_versions: {
    help: "Sockets by model and by the version that they report; the rarest are counted as other.",
    labels: ["model", "version"],
  },
  client_versions: {
    help: "Clients by system and by the version that they report, none where they report none; the rarest are counted as other.",
    labels: ["os", "version"],
  },
  notice_pending: { help: "Sites with a planned upgrade of which no channel has taken the notice yet.", labels: [] },
  queue_depth: { help: "Objects that are due and wait for a worker.", labels: ["kind"] },
  watch_bookmark_age_seconds: { help: "How long ago a watch last showed that it is alive.", labels: ["kind"] },
  gateway_clock_skew_seconds: {
    help: "What the inventory's clock is ahead of this gateway's host; beyond 5 either way nothing is offered.",
    labels: [],
  },
  inventory_answers: { help: "1 while the inventory answers this process, 0 since a call to it failed.", labels: [] },
  leader: { help: "1 on the replica that decides.", labels: [] },
  tzdata_info: { help: "Always 1; the version of the time-zone data in its label.", labels: ["version"] },
});

export const COUNTERS = define({
  pop_rollbacks_total: { help: "Rollbacks begun, by what caused them.", labels: ["namespace", "pop", "reason"] },
  window_breach_total: { help: "Disruptions that were started outside their window; has to stay 0.", labels: [] },
  notice_sent_total: { help: "Notices that were taken by the channel that counts.", labels: ["kind"] },
  notice_late_total: { help: "Upgrades of sites begun with less notice than was promised; has to stay 0.", labels: [] },
  device_checkins_total: {
    help: "Check-ins of devices (polls of Sockets, requests of Clients), by what they were answered.",
    labels: ["protocol", "answer"],
  },
  api_requests_total: { help: "Calls to API servers; code 0 is no answer.", labels: ["verb", "kind", "code"] },
});

const CALENDAR_BUCKETS = [60, 300, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400, 259_200, 604_800, 1_209_600] as const;

export const HISTOGRAMS = define({
  pop_reconnect_seconds: {
    help: "Median time in which the sessions of a drained node came back, one sample a node.",
    labels: ["namespace", "pop"],
    buckets: [0.5, 1, 2, 3, 5, 7.5, 10, 15, 30, 60, 120],
  },
  pop_roll_duration_seconds: {
    help: "Calendar time of a finished roll, by what it was spent on.",
    labels: ["namespace", "pop", "outcome", "spent"],
    buckets: CALENDAR_BUCKETS,
  },
  device_checkin_seconds: {
    help: "Time to answer a poll of a device.",
    labels: [],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  },
  health_check_seconds: {
    help: "Time of one question to a node, a pod or a Prometheus, answered or not.",
    labels: [],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },
  reconcile_seconds: {
    help: "Time of one reconcile.",
    labels: ["kind", "result"],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30],
  },
  queue_wait_seconds: {
    help: "Time between due and taken by a worker.",
    labels: ["kind"],
    buckets: [0.001, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60],
  },
});

export type GaugeName = keyof typeof GAUGES;
export type CounterName = keyof typeof COUNTERS;
export type HistogramName = keyof typeof HISTOGRAMS;
type Tables = typeof GAUGES & typeof COUNTERS & typeof HISTOGRAMS;
/** The labels of a series: exactly those of the table, a missing one does not compile. */
export type LabelsOf<Name extends keyof Tables> = Readonly<Record<Tables[Name]["labels"][number], string>>;
