import { userKey } from "./cohort.ts";

interface Member {
  readonly user: string;
  readonly groups: readonly string[];
  readonly devices: readonly string[];
}

export interface ReadDirectory {
  /** By key of the user: as he is written first, and his groups, each once. */
  readonly users: ReadonlyMap<string, { readonly name: string; readonly groups: readonly string[] }>;
  /** By key of the device. One that is written twice is the later one's. */
  readonly owners: ReadonlyMap<string, string>;
  readonly groups: number;
}

/** A directory without its repetitions: one person under several spellings is one, with the groups of all. */
export function readDirectory(members: readonly Member[]): ReadDirectory {
  const users = new Map<string, { name: string; groups: Set<string> }>();
  const owners = new Map<string, string>();
  for (const { user, groups, devices } of members) {
    const key = userKey(user);
    if (key === "") continue;
    const known = users.get(key) ?? { name: user, groups: new Set<string>() };
    users.set(key, known);
    for (const group of groups) known.groups.add(group);
    for (const device of devices) owners.set(userKey(device), known.name);
  }
  const all = new Set([...users.values()].flatMap(({ groups }) => [...groups]));
  return {
    users: new Map([...users].map(([key, { name, groups }]) => [key, { name, groups: [...groups].toSorted() }])),
    owners,
    groups: all.size,
  };
}
