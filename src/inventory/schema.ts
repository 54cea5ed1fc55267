import type { ClientTables } from "./clients/schema.ts";

/**
 * The tables of the inventory, the same in SQLite and PostgreSQL. Instants are milliseconds since the epoch: `…_at` calendar time as the
 * callers gave it, `…_real` the store's own clock, which no acceleration touches (ages come from these alone). Booleans are 0 and 1.
 */
export interface InventoryTables extends ClientTables {
  device: DeviceTable;
  token: TokenTable;
  command: CommandTable;
  attempt: AttemptTable;
  verdict: VerdictTable;
  notice: NoticeTable;
  changed: ChangedTable;
  audit: AuditTable;
}

/** What the registry binds, and what the device reported last. One row a device, however often it polls. */
export interface DeviceTable {
  serial: string;
  account: string;
  enrolled_at: number;
  model: string | null;
  version: string | null;
  version_seen_at: number | null;
  ha_state: "Active" | "Standby" | "Unknown" | null;
  keepalive: number | null;
  pop: string | null;
  prefetches: number;
  polled_real: number | null;
  hint_ms: number;
  attributes_real: number | null;
  connected_since_at: number | null;
  /** The last four gaps, the oldest first, as a JSON list of `real` instants: four within 24 hours are more than three (rule S4). */
  gaps_real: string;
  poll_from_at: number | null;
  poll_until_at: number | null;
  poll_first_at: number | null;
}

/** Tokens by their SHA-256 in lower-case hexadecimal; the token itself is shown once, by `device enroll`. */
interface TokenTable {
  hash: string;
  account: string;
  /** Null: a gateway token, good for all devices of the account. */
  serial: string | null;
  created_at: number;
  expires_at: number | null;
}

/** The row that decides (rule S1). */
export interface CommandTable {
  id: string;
  action: number;
  account: string;
  site_namespace: string;
  site_name: string;
  site_uid: string;
  serial: string;
  version: string;
  rollout: string;
  not_before_at: number;
  not_after_at: number;
  state: string;
  given_at: number | null;
  proceeding_at: number | null;
  ended_at: number | null;
  said: string | null;
  cancel_asked: number;
}

interface AttemptTable {
  command: string;
  serial: string;
  site_uid: string;
  rollout: string;
  version: string;
  outcome: string;
  reason: string | null;
  ended_at: number;
  /** From the device's first sign of proceeding to its end, the download included; null where it gave none. */
  install_ms: number | null;
}

interface VerdictTable {
  serial: string;
  revision: string;
  failed: number;
  reason: string;
  at: number;
}

interface NoticeTable {
  id: string;
  site_uid: string;
  kind: string;
  accepted_at: number;
}

/** The change feed: written in the transaction of the change, deleted only while the token is the one that was read. */
interface ChangedTable {
  serial: string;
  token: string;
  since_real: number;
}

/** Who did what to which device; kept for 400 days. */
interface AuditTable {
  id: string;
  at: number;
  account: string;
  serial: string | null;
  act: string;
  by: string;
  detail: string;
}
