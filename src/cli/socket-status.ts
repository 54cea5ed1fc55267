import type { SocketRollout } from "../api/socket-rollout.ts";
import type { SocketSite } from "../api/socket-site.ts";
import { holdText } from "../core/explain/hold-lines.ts";
import { momentText } from "../core/explain/moment.ts";
import { explainSocketRollout } from "../core/explain/socket-rollout.ts";
import { explainSocketSite } from "../core/explain/socket-site.ts";
import { cleanText } from "../core/text.ts";
import { dataText, type Format } from "./formats.ts";
import { alignedTable } from "./table.ts";

/** Longer cells were not written by us; a device may have (rule G12). */
const cell = (text: string | undefined): string => (text === undefined ? "-" : cleanText(text, 256));

/** Every rollout of Sockets that is not over on one line, or an empty text where there is none. */
export function socketRolloutTable(rollouts: readonly SocketRollout[]): string {
  const open = rollouts.filter(({ status }) => status?.stopped === undefined);
  if (open.length === 0) return "";
  const heading = ["SOCKET ROLLOUT", "STATE", "VERSION", "RAMP", "CONFIRMED", "FAILED", "UNREACHABLE", "WAITS FOR", "UNTIL", "FINISHES"];
  const rows = open
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .map(({ metadata, spec, status = {} }) => [
      metadata.name,
      status.conditions?.find(({ type }) => type === "Progressing")?.reason ?? "Unknown",
      spec.version,
      `${status.ramp?.percent ?? 0} %`,
      status.numbers === undefined ? "-" : `${status.numbers.confirmed}/${status.numbers.sites}`,
      String(status.numbers?.failed ?? 0),
      String(status.numbers?.unreachable ?? 0),
      cell(status.holds?.[0]?.reason),
      cell(status.holds?.[0]?.until),
      cell(status.forecast?.finishAt),
    ]);
  return `${alignedTable(heading, rows)}\n`;
}

/** One rollout: its numbers, its ramp step by step, and why sites wait. Instants are UTC: a rollout has no zone. */
export function oneSocketRollout(rollout: SocketRollout, output: Format): string {
  const { metadata, spec, status = {} } = rollout;
  const { numbers, ramp, skipped = [], forecast, holds, stopped, standingSince } = status;
  if (output === "json" || output === "yaml")
    return dataText(
      { name: metadata.name, version: spec.version, ramp, numbers, skipped, forecast, standingSince, stopped, holds },
      output,
    );
  const steps = spec.ramp.map(({ percent, for: lasts }) => [
    `${percent} %`,
    lasts,
    ramp?.opened.find((one) => one.percent === percent)?.at ?? "not yet",
  ]);
  const counts = numbers && [
    [numbers.sites, numbers.inRamp, numbers.offered, numbers.attempted, numbers.confirmed, numbers.failed, numbers.unreachable].map(String),
  ];
  return [
    `${explainSocketRollout(rollout).summary}\n`,
    alignedTable(["RAMP", "LASTS", "OPENED"], steps),
    ...(counts === undefined
      ? []
      : [alignedTable(["SITES", "IN RAMP", "OFFERED", "ATTEMPTED", "CONFIRMED", "FAILED", "UNREACHABLE"], counts)]),
    ...(skipped.length === 0
      ? []
      : [
          alignedTable(
            ["SITES WAIT FOR", "SITES"],
            skipped.map(({ reason, sites }) => [cell(reason), String(sites)]),
          ),
        ]),
  ].join("\n");
}

/** One site, Socket by Socket. Instants are on the site's own clock and in UTC. */
export function oneSite(site: SocketSite, output: Format): string {
  const { metadata, spec, status = {} } = site;
  const { sockets = [], upgrade, ha, holds, lowestVersion, pop, weeksBehind, next } = status;
  if (output === "json" || output === "yaml") {
    const { name, namespace } = metadata;
    return dataText(
      { name, namespace, timeZone: spec.timeZone, version: lowestVersion, pop, weeksBehind, sockets, ha, upgrade, next, holds },
      output,
    );
  }
  const heading = ["SOCKET", "ROLE", "STATE", "MODEL", "VERSION", "CONNECTED", "LAST ATTEMPT"];
  const rows = sockets.map(({ serial, role, state, model, version, connected, unstable, lastAttempt }) => [
    cell(serial),
    role,
    state,
    cell(model),
    cell(version),
    connected ? (unstable === true ? "unstable" : "yes") : "no",
    lastAttempt === undefined
      ? "-"
      : cell(
          `${lastAttempt.version} ${lastAttempt.outcome}${lastAttempt.reason === undefined ? "" : ` (${lastAttempt.reason})`}, ${momentText(lastAttempt.endedAt, spec.timeZone)}`,
        ),
  ]);
  const pair = ha === undefined || spec.sockets.length < 2 ? "" : `High availability: ${ha.status}\n`;
  const table = rows.length === 0 ? "no Socket of it has been heard of yet\n" : alignedTable(heading, rows);
  const [hold] = holds ?? [];
  const why = hold === undefined ? "" : `Waits for ${holdText(hold, spec.timeZone)}\n`;
  return `${explainSocketSite(site).summary}\n${why}${pair}${table}`;
}
