import { sql } from "kysely";
import type { ClientCheckIns, GatewayReplica } from "../../control/client-inventory.ts";
import { REPLICA_FORGOTTEN_MS } from "../../core/client/kept.ts";
import type { Engine } from "../engine.ts";

/** By the store's clock (rule G15): replicas whose clocks differ are compared by none of them. */
export async function writeBeat(engine: Engine, beat: Parameters<ClientCheckIns["beat"]>[0]): Promise<void> {
  const { name, pauses, policies, missing = [] } = beat;
  const lists = { pauses: JSON.stringify([...pauses]), policies: JSON.stringify([...policies]), missing: JSON.stringify([...missing]) };
  const told = { beat_real: engine.real(), ...lists };
  await engine.db
    .insertInto("gateway_replica")
    .values({ name, ...told })
    .onConflict((conflict) => conflict.column("name").doUpdateSet(told))
    .execute();
  await engine.db
    .deleteFrom("gateway_replica")
    .where("beat_real", "<", sql<number>`${engine.real()} - ${sql.lit(REPLICA_FORGOTTEN_MS)}`)
    .execute();
}

export async function readReplicas({ read, db, real }: Engine): Promise<GatewayReplica[]> {
  const rows = await read(db.selectFrom("gateway_replica").selectAll().select(real().as("now")).compile());
  return rows
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .map(({ name, beat_real: beat, now, pauses, policies, missing }) => ({
      name,
      silentMilliseconds: now - beat,
      pauses: pairs<number>(pauses),
      policies: pairs<number>(policies),
      missing: pairs<string>(missing),
    }));
}

const pairs = <Value>(text: string): ReadonlyMap<string, Value> => new Map(JSON.parse(text) as [string, Value][]);
