import { sql } from "kysely";
import type { ClientInventory, Directory, DirectoryMember } from "../../control/client-inventory.ts";
import { readDirectory } from "../../core/client/client-directory.ts";
import type { Engine } from "../engine.ts";
import { inParts, listed, storable } from "./listed.ts";

/** The directory of one account is replaced whole, and its generation grows: whoever reads it meanwhile reads it again. */
export async function replaceDirectory(
  engine: Engine,
  account: string,
  members: readonly DirectoryMember[],
): ReturnType<ClientInventory["importDirectory"]> {
  const { users, owners, groups } = readDirectory(members.map(stored));
  return engine.db.transaction().execute(async (db) => {
    const { generation } = await db
      .insertInto("client_directory")
      .values({ account, generation: 1 })
      .onConflict((conflict) => conflict.column("account").doUpdateSet({ generation: sql<number>`client_directory.generation + 1` }))
      .returning("generation")
      .executeTakeFirstOrThrow();
    for (const table of ["client_member", "client_group", "client_owner"] as const) {
      await db.deleteFrom(table).where("account", "=", account).execute();
    }
    const rows = {
      client_member: [...users].map(([user_key, { name }]) => ({ user_key, name })),
      client_group: [...users].flatMap(([user_key, { groups: own }]) => own.map((group_name) => ({ user_key, group_name }))),
      client_owner: [...owners].map(([device_key, owner]) => ({ device_key, owner })),
    };
    for (const [table, all] of Object.entries<readonly Readonly<Record<string, string>>[]>(rows)) {
      await inParts(all, async (some) => {
        const names = Object.keys(some[0] ?? {});
        const columns = sql.join(names.map((name) => sql.id(name)));
        const types = Object.fromEntries(names.map((name) => [name, "text" as const]));
        await sql`
          insert into ${sql.table(table)} (account, ${columns})
          select cast(${account} as text), ${columns} from ${listed(engine, "imported", types, some)}
        `.execute(db);
        return [];
      });
    }
    return { generation, users: users.size, groups, devices: owners.size };
  });
}

const stored = ({ user, groups, devices }: DirectoryMember): DirectoryMember => ({
  user: storable(user),
  groups: groups.map(storable),
  devices: devices.map(storable),
});

/** The generation is asked for first: what is imported meanwhile has a later one, so it is asked for again. */
export async function readAccount({ read, db }: Engine, account: string): Promise<Directory> {
  const [directory] = await read(db.selectFrom("client_directory").select("generation").where("account", "=", account).compile());
  const members = await read(
    db
      .selectFrom("client_member as member")
      .leftJoin("client_group as of", (join) =>
        join.onRef("of.account", "=", "member.account").onRef("of.user_key", "=", "member.user_key"),
      )
      .select(["member.user_key", "of.group_name"])
      .where("member.account", "=", account)
      .compile(),
  );
  const owners = await read(db.selectFrom("client_owner").select(["device_key", "owner"]).where("account", "=", account).compile());
  const groups = new Map<string, string[]>();
  for (const { user_key: key, group_name: group } of members) {
    const own = groups.get(key) ?? [];
    groups.set(key, own);
    if (group !== null) own.push(group);
  }
  return {
    generation: directory?.generation ?? 0,
    groups: new Map([...groups].map(([key, own]) => [key, own.toSorted()])),
    owners: new Map(owners.map(({ device_key: key, owner }) => [key, owner])),
  };
}

export async function generations({ read, db }: Engine): Promise<ReadonlyMap<string, number>> {
  const rows = await read(db.selectFrom("client_directory").select(["account", "generation"]).compile());
  return new Map(rows.map(({ account, generation }) => [account, generation]));
}
