import { type RawBuilder, sql } from "kysely";
import type { ClientKey, KnownClient } from "../../control/client-inventory.ts";
import type { KeptClient } from "../../core/client/attempt.ts";
import { nameKeyOf } from "../../core/client/client-counts.ts";
import type { ClientAttempt } from "../../core/client/known-client.ts";
import { storable } from "./listed.ts";
import type { ClientAttemptTable, ClientDeviceTable } from "./schema.ts";

const DAY = 86_400_000;

export const KEY = { n: "bigint", account: "text", device: "text" } as const;

export const DEVICE = {
  account: "text",
  device: "text",
  os: "text",
  version: "text",
  user_name: "text",
  name_key: "text",
  first_seen_at: "bigint",
  seen_at: "bigint",
  seen_day: "bigint",
  offered: "text",
  requests: "text",
} as const;

export const ATTEMPT = {
  account: "text",
  device: "text",
  rollout: "text",
  revision: "text",
  stage: "text",
  pilot: "bigint",
  reached_at: "bigint",
  offered_at: "bigint",
  attempted_at: "bigint",
  installed_at: "bigint",
  confirmed_at: "bigint",
  failed_at: "bigint",
  error_code: "bigint",
  failures: "bigint",
} as const;

export type Numbered = ClientKey & { readonly n: number };

/** What is asked for, by its place. */
export const numbered = (keys: readonly ClientKey[]): Numbered[] =>
  keys.map(({ account, device }, n) => ({ n, account: storable(account), device: storable(device) }));

export const namesOf = (columns: object): RawBuilder<unknown> => sql.join(Object.keys(columns).map((column) => sql.id(column)));
/** Each replaced by what was to be inserted. */
export const replaced = (columns: object, key: readonly string[]): RawBuilder<unknown> =>
  sql.join(
    Object.keys(columns)
      .filter((column) => !key.includes(column))
      .map((column) => sql`${sql.id(column)} = ${sql.id("excluded", column)}`),
  );

export const rowOf = (client: KeptClient): ClientDeviceTable => ({
  account: client.account,
  device: client.device,
  os: client.os,
  version: client.version ?? "",
  user_name: client.user ?? null,
  name_key: nameKeyOf(client),
  first_seen_at: client.firstSeenAt,
  seen_at: client.seenAt,
  seen_day: dayOf(client.seenAt),
  offered: client.offered ?? null,
  requests: JSON.stringify(client.requests),
});

export const dayOf = (at: number): number => Math.floor(at / DAY);

export const attemptRowOf = ({ account, device }: ClientKey, attempt: ClientAttempt): ClientAttemptTable => ({
  account,
  device,
  rollout: attempt.rollout,
  revision: attempt.revision,
  stage: attempt.stage,
  pilot: attempt.pilot ? 1 : 0,
  reached_at: attempt.reachedAt,
  offered_at: attempt.offeredAt ?? null,
  attempted_at: attempt.attemptedAt ?? null,
  installed_at: attempt.installedAt ?? null,
  confirmed_at: attempt.confirmedAt ?? null,
  failed_at: attempt.failedAt ?? null,
  error_code: attempt.errorCode ?? null,
  failures: attempt.failures,
});

/** In the order of their ages, as they are kept. */
export const attemptsOf = (rows: readonly ClientAttemptTable[]): ClientAttempt[] =>
  rows
    .toSorted((one, other) => one.reached_at - other.reached_at || (one.rollout < other.rollout ? -1 : 1))
    .map((row) => ({
      rollout: row.rollout,
      revision: row.revision,
      stage: row.stage,
      pilot: row.pilot === 1,
      reachedAt: row.reached_at,
      ...(row.offered_at === null ? {} : { offeredAt: row.offered_at }),
      ...(row.attempted_at === null ? {} : { attemptedAt: row.attempted_at }),
      ...(row.installed_at === null ? {} : { installedAt: row.installed_at }),
      ...(row.confirmed_at === null ? {} : { confirmedAt: row.confirmed_at }),
      ...(row.failed_at === null ? {} : { failedAt: row.failed_at }),
      ...(row.error_code === null ? {} : { errorCode: row.error_code }),
      failures: row.failures,
    }));

export const knownOf = (row: ClientDeviceTable, attempts: readonly ClientAttemptTable[]): KnownClient => ({
  account: row.account,
  device: row.device,
  // Written by our own statements alone.
  os: row.os as KnownClient["os"],
  ...(row.version === "" ? {} : { version: row.version }),
  ...(row.user_name === null ? {} : { user: row.user_name }),
  firstSeenAt: row.first_seen_at,
  seenAt: row.seen_at,
  attempts: attemptsOf(attempts),
});

export const keptOf = (row: ClientDeviceTable, attempts: readonly ClientAttemptTable[]): KeptClient => ({
  ...knownOf(row, attempts),
  ...(row.offered === null ? {} : { offered: row.offered }),
  requests: JSON.parse(row.requests) as string[],
});
