/** The tables of Clients: instants and booleans as in all tables of the inventory, and no null where a text may be empty. */
export interface ClientTables {
  client_device: ClientDeviceTable;
  client_attempt: ClientAttemptTable;
  client_counter: ClientCounterTable;
  client_version: ClientVersionTable;
  client_user_version: ClientUserVersionTable;
  client_census_of: ClientCensusOfTable;
  client_census: ClientCensusTable;
  client_day: ClientVersionTable & { day: string };
  client_pilot_day: ClientVersionTable & { day: string };
  client_directory: ClientDirectoryTable;
  client_member: ClientMemberTable;
  client_group: ClientGroupTable;
  client_owner: ClientOwnerTable;
  gateway_replica: GatewayReplicaTable;
}

/** One row a device. */
export interface ClientDeviceTable {
  account: string;
  device: string;
  os: string;
  /** Empty: it reports none. */
  version: string;
  user_name: string | null;
  /** Key of the user, of a device without one its own: people are listed in this order. */
  name_key: string;
  first_seen_at: number;
  seen_at: number;
  /** `seen_at` in days: the index by age is touched once a day, not at each check-in. */
  seen_day: number;
  /** UID of the rollout that it was offered last. */
  offered: string | null;
  /** Its last request ids, as a JSON list. */
  requests: string;
}

/** What one rollout did with one device. */
export interface ClientAttemptTable {
  account: string;
  device: string;
  rollout: string;
  revision: string;
  stage: string;
  pilot: number;
  reached_at: number;
  offered_at: number | null;
  attempted_at: number | null;
  installed_at: number | null;
  confirmed_at: number | null;
  failed_at: number | null;
  error_code: number | null;
  failures: number;
}

/** Of the attempts: written with them, so that nobody counts them. */
interface ClientCounterTable {
  rollout: string;
  stage: string;
  account: string;
  pilot: number;
  reached: number;
  offered: number;
  attempted: number;
  confirmed: number;
  failed: number;
}

/** Of the devices, likewise. */
interface ClientVersionTable {
  account: string;
  os: string;
  version: string;
  devices: number;
  users: number;
}

/** How many devices of one user run a version: he counts among its users while there is one. */
interface ClientUserVersionTable {
  account: string;
  os: string;
  version: string;
  /** Key of the user, or name of a device whose user nobody knows. */
  member: string;
  is_user: number;
  devices: number;
}

interface ClientCensusOfTable {
  rollout: string;
  at: number;
}

interface ClientCensusTable {
  rollout: string;
  stage: string;
  account: string;
  devices: number;
  pilots: number;
}

interface ClientDirectoryTable {
  account: string;
  generation: number;
}

interface ClientMemberTable {
  account: string;
  user_key: string;
  name: string;
}

interface ClientGroupTable {
  account: string;
  group_name: string;
  user_key: string;
}

interface ClientOwnerTable {
  account: string;
  device_key: string;
  owner: string;
}

/** Confirmed pauses, policies and missing files are JSON lists of pairs. */
interface GatewayReplicaTable {
  name: string;
  beat_real: number;
  pauses: string;
  policies: string;
  missing: string;
}
