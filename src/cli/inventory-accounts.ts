import type { ClientInventory } from "../control/client-inventory.ts";
import { closest } from "../core/closest.ts";
import { cleanText } from "../core/text.ts";

/** A sentence where the inventory knows nothing of an account, neither a Client nor a directory: as a rule its name is a slip of the pen. */
export async function noSuchAccount(clients: ClientInventory, account: string): Promise<string | undefined> {
  const directories = await clients.directories();
  if (directories.has(account) || (await clients.versions({ account })).length > 0) return undefined;
  const others = new Set([...directories.keys(), ...(await clients.versions({})).map((row) => row.account)]);
  const meant = closest(account, others);
  const instead = meant === undefined ? "" : `; did you mean ${meant}?`;
  return cleanText(`the inventory has no Client and no directory of an account ${account}${instead}`, 512);
}

/** The same of a group of its directory. */
export async function noSuchGroup(clients: ClientInventory, account: string, group: string): Promise<string | undefined> {
  const { groups } = await clients.directory(account);
  const names = [...new Set([...groups.values()].flat())].toSorted();
  if (names.includes(group)) return undefined;
  if (names.length === 0)
    return `the inventory has no group of account ${account}; rollward directory import brings who is in which groups`;
  const meant = closest(group, names);
  const some = `it has ${names.slice(0, 10).join(", ")}${names.length > 10 ? " and others" : ""}`;
  return cleanText(`the directory of ${account} has no group ${group}; ${meant === undefined ? some : `did you mean ${meant}?`}`, 1_024);
}
