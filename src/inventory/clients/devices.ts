import { type RawBuilder, sql } from "kysely";
import type { ClientInventory, ClientKey, KnownClient } from "../../control/client-inventory.ts";
import type { ClientSystem } from "../../api/client-rollout.ts";
import type { Engine } from "../engine.ts";
import { ATTEMPT, DEVICE, KEY, knownOf, numbered } from "./device-rows.ts";
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

export async function knownClients(engine: Engine, keys: readonly ClientKey[]): Promise<readonly (KnownClient | undefined)[]> {
  const rows = await inParts(numbered(keys), (some) =>
    engine.read(
      sql<Joined>`
        select asked.n, ${columnsOf("kept")}
        from ${listed(engine, "asked", KEY, some)} cross join client_device as kept ${attemptsOf("kept")}
        where kept.account = asked.account and kept.device = asked.device
      `.compile(engine.db),
    ),
  );
  const found = new Map(together(rows, ({ n }) => n).map(([n, client]) => [n, client]));
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
  return together(rows, ({ account, device }) => JSON.stringify([account, device])).map(([, client]) => client);
}

/** The rows of each device are one device; in the order in which they came. */
function together<Key>(rows: readonly Joined[], keyOf: (row: Joined) => Key): [Key, KnownClient][] {
  const found = new Map<Key, Joined[]>();
  for (const row of rows) {
    const known = found.get(keyOf(row));
    if (known === undefined) found.set(keyOf(row), [row]);
    else known.push(row);
  }
  return [...found].map(([key, all]) => [key, knownOf(all[0]!, all.flatMap(attemptIn))]);
}

function attemptIn(row: Joined): ClientAttemptTable[] {
  if (row.a_rollout === null) return [];
  return [
    Object.fromEntries(Object.keys(ATTEMPT).map((name) => [name, row[`a_${name}` as keyof Joined]])) as unknown as ClientAttemptTable,
  ];
}
