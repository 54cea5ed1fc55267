import { type CompiledQuery, Kysely, PostgresDialect, type RawBuilder, sql } from "kysely";
import { Answering, type AnsweringSettings } from "./answering.ts";
import { notAnswered } from "./asked.ts";
import { type Engine, lateParameter } from "./engine.ts";
import { InventoryRefused, migrate } from "./migrate.ts";
import { PostgresListener } from "./postgres-listener.ts";
import { pool } from "./postgres-pool.ts";
import type { InventoryTables } from "./schema.ts";

const CHANNEL = "rollward_changed";
/** Serialisation failure, deadlock, lock timeout: the transaction was undone, and done again it goes through. */
const BUSY_CODES = ["40001", "40P01", "55P03"];

/**
 * The store for more than one replica. Ages are told by the server's clock alone, whatever the clocks of the gateways say. A server that
 * is away does not keep the process from starting, because the rest of the fleet needs no inventory. Rejects with InventoryRefused alone.
 */
export async function postgresEngine(
  url: string,
  { real, log, answers }: { readonly real?: (() => number) | undefined } & Pick<AnsweringSettings, "log" | "answers"> = {},
): Promise<Engine> {
  const place = placeOf(url);
  const answering = new Answering({ log, answers });
  const db = new Kysely<InventoryTables>({ dialect: new PostgresDialect({ pool: pool(url) }) });
  let preparing: Promise<void> | undefined;
  const prepared = (): Promise<void> => {
    preparing ??= migrate(db, place, { inOneTransaction: false });
    // Forgotten where it failed, so that the next who asks tries again.
    preparing.catch(() => (preparing = undefined));
    return preparing;
  };
  try {
    await prepared();
    answering.answered(place);
  } catch (error) {
    if (error instanceof InventoryRefused) {
      await db.destroy();
      throw error;
    }
    answering.failed(notAnswered(place, "the start", error));
  }
  const listener = new PostgresListener({ url, channel: CHANNEL, log: log ?? (() => undefined) });
  return {
    place,
    db,
    isFar: true,
    prepared,
    real: (): RawBuilder<number> =>
      real === undefined
        ? sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`
        : sql<number>`cast(${lateParameter(real)} as bigint)`,
    read: async (statement) => (await db.executeQuery(statement)).rows,
    readEach: <Row>(statement: CompiledQuery<Row>, parameters: readonly (readonly unknown[])[]) =>
      Promise.all(parameters.map(async (each) => (await db.executeQuery<Row>({ ...statement, parameters: each })).rows)),
    isBusy: (error) => BUSY_CODES.includes((error as { code?: string }).code ?? ""),
    announce: async (transaction) => {
      await sql`select pg_notify(${CHANNEL}, '')`.execute(transaction);
    },
    unsynced: (work) =>
      db.transaction().execute(async (transaction) => {
        await sql`set local synchronous_commit = off`.execute(transaction);
        return work(transaction);
      }),
    listen: (changed) => listener.listen(changed),
    answering,
    close: async () => {
      listener.close();
      await db.destroy();
    },
  };
}

/** Without what is secret in it: what stands before the last @ may hold a password, and so may the parameters. */
function placeOf(url: string): string {
  const [withoutParameters = ""] = url.split("?");
  const hostAndName = withoutParameters.slice(Math.max(withoutParameters.lastIndexOf("@") + 1, withoutParameters.indexOf("//") + 2));
  return `postgresql://${hostAndName}`;
}
