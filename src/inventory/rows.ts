import type { Selectable } from "kysely";
import type { PollAnswer } from "../control/inventory.ts";
import type { CommandRow, CommandState } from "../core/socket/command.ts";
import type { DeviceReport } from "../core/socket/device.ts";
import type { Heartbeat } from "./heartbeats.ts";
import type { CommandTable, DeviceTable } from "./schema.ts";

const DAY = 86_400_000;

/** A null of the table is an absent field of ours. */
const present = <Key extends string, Value>(key: Key, value: Value | null | undefined): { [K in Key]?: Value } =>
  value === null || value === undefined ? {} : ({ [key]: value } as { [K in Key]: Value });

export function commandOf(row: Selectable<CommandTable>): CommandRow {
  return {
    id: row.id,
    action: row.action,
    account: row.account,
    site: { namespace: row.site_namespace, name: row.site_name, uid: row.site_uid },
    serial: row.serial,
    version: row.version,
    rollout: row.rollout,
    notBefore: row.not_before_at,
    notAfter: row.not_after_at,
    // Written by our own statements alone.
    state: row.state as CommandState,
    ...present("givenAt", row.given_at),
    ...present("proceedingAt", row.proceeding_at),
    ...present("endedAt", row.ended_at),
    ...present("said", row.said),
  };
}

export function tableOf(row: CommandRow): CommandTable {
  return {
    id: row.id,
    action: row.action,
    account: row.account,
    site_namespace: row.site.namespace,
    site_name: row.site.name,
    site_uid: row.site.uid,
    serial: row.serial,
    version: row.version,
    rollout: row.rollout,
    not_before_at: row.notBefore,
    not_after_at: row.notAfter,
    state: row.state,
    given_at: row.givenAt ?? null,
    proceeding_at: row.proceedingAt ?? null,
    ended_at: row.endedAt ?? null,
    said: row.said ?? null,
    cancel_asked: 0,
  };
}

/**
 * What is told of a device at the instant `real` of the store's clock; `beat` is the newest heartbeat, written or not yet. Field by field:
 * put together of a dozen small objects it would be the dearest part of a poll.
 */
export function reportOf(row: DeviceTable, beat: Heartbeat, real: number): DeviceReport {
  const report: Writable<DeviceReport> = {
    serial: row.serial,
    account: row.account,
    prefetches: row.prefetches === 1,
    hintMilliseconds: beat.hint,
    gaps: gapsOf(row).filter((gap) => real - gap < DAY).length,
  };
  if (row.model !== null) report.model = row.model;
  if (row.version !== null) report.version = row.version;
  if (row.version_seen_at !== null) report.versionSeenAt = row.version_seen_at;
  if (row.ha_state !== null) report.ha = { state: row.ha_state, keepalive: row.keepalive === 1 };
  if (row.pop !== null) report.pop = row.pop;
  if (beat.polled !== undefined) report.polledMilliseconds = real - beat.polled;
  if (beat.reported !== undefined) report.attributesMilliseconds = real - beat.reported;
  if (row.connected_since_at !== null) report.connectedSince = row.connected_since_at;
  return report;
}

type Writable<Fields> = { -readonly [Name in keyof Fields]: Fields[Name] };

const NONE = "[]";
export const gapsOf = ({ gaps_real: gaps }: Pick<DeviceTable, "gaps_real">): number[] =>
  gaps === NONE ? [] : (JSON.parse(gaps) as number[]);

export function planOf(row: DeviceTable): PollAnswer["plan"] {
  const { poll_from_at: from, poll_until_at: until, poll_first_at: first } = row;
  return from === null || until === null || first === null ? undefined : { from, until, first };
}
