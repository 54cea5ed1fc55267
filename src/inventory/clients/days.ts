import { sql } from "kysely";
import type { ClientInventory, PilotGroup, VersionCount } from "../../control/client-inventory.ts";
import { userKey } from "../../core/client/cohort.ts";
import { KEPT_VERSIONS, oldestDayKept } from "../../core/client/kept.ts";
import type { Engine } from "../engine.ts";
import { byText, byVersion } from "./counters.ts";
import { listed, storable } from "./listed.ts";

/** Written again the same day, the later one stays; what is older than 400 days goes, of pilots too. */
export async function writeDay({ db }: Engine, day: string): Promise<void> {
  await db.transaction().execute(async (writing) => {
    await writing.deleteFrom("client_day").where("day", "=", day).execute();
    for (const table of ["client_day", "client_pilot_day"] as const)
      await writing.deleteFrom(table).where("day", "<", oldestDayKept(day)).execute();
    await sql`
      insert into client_day (account, day, os, version, devices, users)
      select account, cast(${day} as text), os, version, devices, users from (
        select client_version.*, row_number() over (partition by account, os order by devices desc, version) as place from client_version
      ) as ranked
      where place <= ${KEPT_VERSIONS}
      on conflict (account, day, os, version) do update set devices = excluded.devices, users = excluded.users
    `.execute(writing);
  });
}

/** One account, one system, one transaction: nobody waits longer than its own devices take. A device without a user is nobody's pilot. */
export async function writePilotDay(engine: Engine, day: string, { account, os, users, groups }: PilotGroup): Promise<void> {
  const text = { name: "text" } as const;
  const namedUsers = listed(engine, "named_users", text, namesOf(users.map((user) => userKey(storable(user)))));
  const namedGroups = listed(engine, "named_groups", text, namesOf(groups.map(storable)));
  await engine.db.transaction().execute(async (writing) => {
    await writing.deleteFrom("client_pilot_day").where("account", "=", account).where("day", "=", day).where("os", "=", os).execute();
    await sql`
      insert into client_pilot_day (account, day, os, version, devices, users)
      select cast(${account} as text), cast(${day} as text), cast(${os} as text), version, devices, users from (
        select kept.version, count(*) as devices, count(distinct kept.name_key) as users,
          row_number() over (order by count(*) desc, kept.version) as place
        from (
          select name as user_key from ${namedUsers}
          union
          select member.user_key from ${namedGroups} cross join client_group as member
          where member.account = ${account} and member.group_name = named_groups.name
        ) as pilot cross join client_device as kept
        where kept.account = ${account} and kept.os = ${os} and kept.name_key = pilot.user_key and kept.user_name is not null
        group by kept.version
      ) as ranked
      where place <= ${KEPT_VERSIONS}
    `.execute(writing);
  });
}

const namesOf = (names: readonly string[]) => names.map((name) => ({ name }));

export async function daysBetween(
  { read, db }: Engine,
  { account, from, to, pilots = false }: Parameters<ClientInventory["days"]>[0],
): ReturnType<ClientInventory["days"]> {
  const rows = await read(
    db
      .selectFrom(pilots ? "client_pilot_day" : "client_day")
      .selectAll()
      .where("day", ">=", from)
      .where("day", "<=", to)
      .$if(account !== undefined, (query) => query.where("account", "=", account ?? ""))
      .$castTo<VersionCount & { readonly day: string }>()
      .compile(),
  );
  return rows.toSorted((one, other) => byText(one.day, other.day) || byVersion(one, other));
}
