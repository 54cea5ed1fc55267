import { type CompiledQuery, type RawBuilder, sql, type Transaction } from "kysely";
import type { ClientInventory, ClientKey, KnownClient } from "../../control/client-inventory.ts";
import type { ClientSystem } from "../../api/client-rollout.ts";
import type { KeptClient } from "../../core/client/attempt.ts";
import type { Engine } from "../engine.ts";
import type { InventoryTables } from "../schema.ts";
import { ATTEMPT, DEVICE, KEY, keptOf, knownOf, numbered } from "./device-rows.ts";
import { inParts, listed } from "./listed.ts";
import type { ClientAttemptTable, ClientDeviceTable } from "./schema.ts";

/** A device beside one of its attempts; `n`, where it was asked for by a list, is its place in it. */
type Joined = ClientDeviceTable & { readonly n?: number } & {
  readonly [Name in keyof ClientAttemptTable as `a_${Name}`]: ClientAttemptTable[Name] | null;
};

/** Of one moment: a device and its attempts come in one statement. */
const columnsOf = (kept: "kept" | "page"): RawBuilder<unknown> =>
  sql.join([
    ...Object.keys(DEVICE).map((name) => sql`${sql.id(kept, name)}`),
    ...Object.keys(ATTEMPT).map((name) => sql`${sql.id("tried", name)} as ${sql.id(`a_${name}`)}`),
  ]);
const attemptsOf = (kept: "kept" | "page"): RawBuilder<unknown> =>
  sql`left join client_attempt as tried on tried.account = ${sql.id(kept, "account")} and tried.device = ${sql.id(kept, "device")}`;

/** Asks for rows of devices beside their attempts: whoever reads by himself, or a transaction. */
type Ask = (statement: CompiledQuery<Joined>) => Promise<readonly Joined[]>;

export const knownClients = (engine: Engine, keys: readonly ClientKey[]): Promise<readonly (KnownClient | undefined)[]> =>
  eachOf(engine, keys, (statement) => engine.read(statement), knownOf);

/** The same with what is needed to write them. A store with other writers has to have them locked before. */
export const keptClients = (
  engine: Engine,
  db: Transaction<InventoryTables>,
  keys: readonly ClientKey[],
): Promise<readonly (KeptClient | undefined)[]> =>
  eachOf(engine, keys, async (statement) => (await db.executeQuery(statement)).rows, keptOf);

async function eachOf<Client>(
  engine: Engine,
  keys: readonly ClientKey[],
  ask: Ask,
  clientOf: (row: ClientDeviceTable, attempts: readonly ClientAttemptTable[]) => Client,
): Promise<(Client | undefined)[]> {
  const rows = await inParts(numbered(keys), (some) =>
    ask(
      sql<Joined>`
        select asked.n, ${columnsOf("kept")}
        from ${listed(engine, "asked", KEY, some)} cross join client_device as kept ${attemptsOf("kept")}
        where kept.account = asked.account and kept.device = asked.device
      `.compile(engine.db),
    ),
  );
  const found = new Map(together(rows, ({ n }) => n, clientOf));
  return keys.map((_key, n) => found.get(n));
}

/** A page of one system, or of one key alone. */
export async function pageOfClients(
  engine: Engine,
  of: { readonly os: ClientSystem; readonly after: ClientKey | undefined; readonly limit: number },
): ReturnType<ClientInventory["clients"]> {
  const after: RawBuilder<unknown> =
    of.after === undefined ? sql`` : sql`and (account, device) > (${of.after.account}, ${of.after.device})`;
  const page = sql`select * from client_device where os = ${of.os} ${after} order by account, device limit ${of.limit}`;
  const rows = await engine.read(
    sql<Joined>`select ${columnsOf("page")} from (${page}) as page ${attemptsOf("page")} order by page.account, page.device`.compile(
      engine.db,
    ),
  );
  return together(rows, ({ account, device }) => JSON.stringify([account, device]), knownOf).map(([, client]) => client);
}

/** The rows of each device are one device; in the order in which they came. */
function together<Key, Client>(
  rows: readonly Joined[],
  keyOf: (row: Joined) => Key,
  clientOf: (row: ClientDeviceTable, attempts: readonly ClientAttemptTable[]) => Client,
): [Key, Client][] {
  const found = new Map<Key, Joined[]>();
  for (const row of rows) {
    const known = found.get(keyOf(row));
    if (known === undefined) found.set(keyOf(row), [row]);
    else known.push(row);
  }
  return [...found].map(([key, all]) => [key, clientOf(all[0]!, all.flatMap(attemptIn))]);
}

/** Column by column: made of a list of names it would take as long as reading the row. */
function attemptIn(row: Joined): ClientAttemptTable[] {
  if (row.a_rollout === null) return [];
  return [
    {
      account: row.account,
      device: row.device,
      rollout: row.a_rollout,
      revision: row.a_revision!,
      stage: row.a_stage!,
      pilot: row.a_pilot!,
      reached_at: row.a_reached_at!,
      offered_at: row.a_offered_at,
      attempted_at: row.a_attempted_at,
      installed_at: row.a_installed_at,
      confirmed_at: row.a_confirmed_at,
      failed_at: row.a_failed_at,
      error_code: row.a_error_code,
      failures: row.a_failures!,
    },
  ];
}
