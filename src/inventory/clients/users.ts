import { type RawBuilder, sql } from "kysely";
import { CLIENT_SYSTEMS } from "../../api/client-rollout.ts";
import type { UserOfVersion, UsersAsked } from "../../control/client-inventory.ts";
import { nameKeyOf } from "../../core/client/client-counts.ts";
import type { Engine } from "../engine.ts";
import { inParts, listed } from "./listed.ts";

interface Row {
  readonly user_name: string | null;
  readonly name_key: string;
  readonly device: string;
  readonly os: UserOfVersion["os"];
  readonly version: string;
  readonly seen_at: number;
}

/** A page in the order of the names: of each system so many as the page holds are read off an index, and the first of all are it. */
export async function usersOfVersion(engine: Engine, asked: UsersAsked): Promise<readonly UserOfVersion[]> {
  const systems = asked.os === undefined ? CLIENT_SYSTEMS : [asked.os];
  const pages = systems.map((os) => ofSystem(asked, os));
  const parts = pages.map((page) => sql`select * from (${page}) as of_system`);
  const page = sql<Row>`select * from (${sql.join(parts, sql` union all `)}) as all_of_them order by name_key, device limit ${asked.limit}`;
  const rows = await engine.read((pages.length === 1 ? pages[0]! : page).compile(engine.db));
  const groups = await groupsOf(engine, asked.account, rows);
  return rows.map(({ user_name: user, name_key: key, device, os, version, seen_at: seenAt }) => ({
    user: user ?? device,
    device,
    os,
    version,
    seenAt,
    groups: user === null ? [] : (groups.get(key) ?? []),
  }));
}

function ofSystem({ account, version, group, after, limit }: UsersAsked, os: string): RawBuilder<Row> {
  const key = after === undefined ? "" : nameKeyOf(after);
  const next = after === undefined ? sql`` : sql`and (kept.name_key, kept.device) > (${key}, ${after.device})`;
  const runs = version === undefined ? sql`` : sql`and kept.version = ${version}`;
  const columns = sql`kept.user_name, kept.name_key, kept.device, kept.os, kept.version, kept.seen_at`;
  const end = sql`order by kept.name_key, kept.device limit ${limit}`;
  if (group === undefined) {
    return sql<Row>`select ${columns} from client_device as kept where kept.account = ${account} and kept.os = ${os} ${runs} ${next} ${end}`;
  }
  // The members are walked: from where the page begins, and not from the first of the group.
  const nextMember = after === undefined ? sql`` : sql`and of_group.user_key >= ${key}`;
  return sql<Row>`
    select ${columns} from client_group as of_group cross join client_device as kept
    where of_group.account = ${account} and of_group.group_name = ${group} ${nextMember}
    and kept.account = ${account} and kept.os = ${os} ${runs} and kept.name_key = of_group.user_key and kept.user_name is not null ${next}
    order by of_group.user_key, kept.device limit ${limit}
  `;
}

async function groupsOf(engine: Engine, account: string, rows: readonly Row[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const users = [...new Set(rows.flatMap(({ user_name: name, name_key: key }) => (name === null ? [] : [key])))];
  const found = new Map<string, string[]>();
  await inParts(users, async (some) => {
    const asked = listed(
      engine,
      "asked",
      { user_key: "text" },
      some.map((key) => ({ user_key: key })),
    );
    const groups = await engine.read(
      sql<{ user_key: string; group_name: string }>`
        select member.user_key, member.group_name from ${asked} cross join client_group as member
        where member.account = ${account} and member.user_key = asked.user_key
      `.compile(engine.db),
    );
    for (const { user_key: key, group_name: group } of groups) found.set(key, [...(found.get(key) ?? []), group]);
    return [];
  });
  return new Map([...found].map(([key, groups]) => [key, groups.toSorted()]));
}
