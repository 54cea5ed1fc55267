import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InventoryUnavailable } from "../control/inventory.ts";
import { commandRow } from "../core/socket/command.examples.ts";
import { openInventory } from "./open.ts";
import type { SqlInventory } from "./sql-inventory.ts";

const NOON = Date.parse("2026-11-29T12:00:00Z");
const DAY = 86_400_000;
const row = commandRow({ notBefore: NOON, notAfter: NOON + 3_600_000 });
const own = { account: "acme", serial: "S-2002", action: row.action };
const enrolment = { account: "acme", serial: "S-2002", tokenHash: "hash", at: NOON, oldTokensUntil: NOON };

let folder: string;
let file: string;
const stores: SqlInventory[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollward-sqlite-"));
  file = join(folder, "inventory.db");
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function opened(real: () => number = () => 1_000_000): Promise<SqlInventory> {
  const store = await openInventory(`sqlite:${file}`, { real });
  stores.push(store);
  return store;
}

/** A program of its own that works on the file; it has `openSqlite`, the path and the row. */
const program = (text: string): string[] => {
  const modules = `import { openSqlite } from ${JSON.stringify(join(import.meta.dirname, "sqlite-database.ts"))};
    import { openInventory } from ${JSON.stringify(join(import.meta.dirname, "open.ts"))};`;
  return ["--input-type=module", "--eval", `${modules} const file = ${JSON.stringify(file)}; const row = ${JSON.stringify(row)}; ${text}`];
};
const site = { uid: row.site.uid, account: "acme", serials: ["S-2002"], named: row.id };

describe("the file", () => {
  it("is readable by its owner alone", async () => {
    await opened();
    expect((statSync(file).mode & 0o777).toString(8)).toBe("600");
  });

  it("in a folder that is missing, or that is no database, is refused with a sentence, and nothing is made", async () => {
    await expect(openInventory(`sqlite:${join(folder, "missing", "x.db")}`)).rejects.toThrow(
      /cannot be opened: ENOENT.*Name a file in a folder/,
    );
    writeFileSync(file, "these are not the bytes of a database".repeat(50));
    await expect(opened()).rejects.toThrow(/cannot be opened: file is not a database/);
    await expect(openInventory("mysql://root:secret@db/inventory")).rejects.toThrow(/^what was written names no inventory. Write sqlite:/);
  });

  it("[G9] that somebody else holds locked is not writable, though it can be read", async () => {
    const store = await opened();
    await store.writable();
    const other = new DatabaseSync(file);
    other.exec("begin immediate");
    expect(await store.changed(1)).toEqual([]);
    await expect(store.writable()).rejects.toThrow(InventoryUnavailable);
    other.exec("rollback");
    other.close();
    await store.writable();
  }, 20_000);

  it("of a newer Rollward is refused, and stays as it is", async () => {
    await (await opened()).close();
    const database = new DatabaseSync(file);
    database.exec("insert into rollward_migration values ('9999-later', '2027-01-01')");
    database.close();
    await expect(opened()).rejects.toThrow(/written by a newer Rollward: it has 9999-later/);
  });
});

describe("an outage", () => {
  it("[I8] killed with SIGKILL in mid-transaction: what was answered is there, what was not is not, and it opens again", async () => {
    const store = await opened();
    await store.insertCommand(row);
    await store.close();
    const dying = spawn(
      process.execPath,
      program(`const db = openSqlite(file); for (const sql of ["begin", "update command set state = 'Given'"]) db.prepare(sql).run([]);
        console.log("in the middle"); setInterval(() => {}, 1_000);`),
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    await once(dying.stdout, "data");
    dying.kill("SIGKILL");
    await once(dying, "exit");
    const again = await opened();
    expect((await again.site(site)).commands.get(row.id)).toEqual(row);
    expect(await again.give(own, NOON)).toMatchObject({ state: "Given" });
  });

  it("[I8] with the disk full nothing is half done, and what was there stays", async () => {
    await (await opened()).close();
    // The largest file that the child may write is about what it has: what comes then is refused as by a full disk.
    const kilobytes = Math.ceil(statSync(file).size / 1024) + 64;
    const filling = program(`process.on("SIGXFSZ", () => {}); const store = await openInventory("sqlite:" + file);
      let done = 0; try { for (;;) { const one = { ...row, id: "r" + done, action: done + 1, serial: "S-" + done, site: { ...row.site, uid: "u" + done } };
      await store.insertCommand(one); done += 1; } } catch (error) { console.log(done, error.name); process.exit(0); }`);
    const quoted = filling.map((argument) => `'${argument.replaceAll("'", `'\\''`)}'`).join(" ");
    const child = spawnSync("bash", ["-c", `ulimit -f ${kilobytes}; exec '${process.execPath}' ${quoted}`], { encoding: "utf8" });
    const [done = "", name] = child.stdout.trim().split(" ");
    expect(name, child.stderr).toBe("InventoryUnavailable");
    const left = new DatabaseSync(file);
    expect(left.prepare("select count(*) as n from command").get()).toEqual({ n: Number(done) });
    expect(left.prepare("select count(*) as n from changed").get()).toEqual({ n: Number(done) });
    left.close();
  });

  it("a lock of another process is waited for without stopping the event loop; a store that is closed is InventoryUnavailable", async () => {
    const store = await opened();
    const other = new DatabaseSync(file);
    other.exec("begin immediate");
    let turns = 0;
    const turning = setInterval(() => (turns += 1), 5);
    setTimeout(() => other.exec("rollback"), 200);
    expect(await store.insertCommand(row)).toBe(true);
    clearInterval(turning);
    expect(turns).toBeGreaterThan(10);
    other.close();
    await store.close();
    await expect(store.insertCommand(row)).rejects.toThrow(InventoryUnavailable);
    await expect(store.poll({ account: "acme", serial: "S-2002", hintMilliseconds: 1 }, NOON)).rejects.toThrow(/did not answer to poll/);
  });
});

describe("yesterday's copy", () => {
  /** Copies the file while it is in use, as docs/operations.md says. */
  async function copied(): Promise<string> {
    const copy = join(folder, "yesterday.db");
    const source = new DatabaseSync(file);
    await backup(source, copy);
    source.close();
    return copy;
  }

  async function restore(copy: string): Promise<SqlInventory> {
    await stores.pop()?.close();
    for (const beside of ["-wal", "-shm"]) rmSync(file + beside, { force: true });
    copyFileSync(copy, file);
    return opened();
  }

  it("[S1] put back: its open row is given inside its own time alone, and what was named since is missing, not open", async () => {
    const store = await opened();
    await store.enroll(enrolment);
    await store.insertCommand(row);
    const copy = await copied();
    await store.give(own, NOON);
    await store.feedback(own, "succeed", undefined, NOON);
    const later = commandRow({ ...row, id: "today", action: 9, notBefore: NOON + DAY, notAfter: NOON + DAY + 1 });
    expect(await store.insertCommand(later)).toBe(true);
    await store.give({ ...own, action: 9 }, NOON + DAY);

    const restored = await restore(copy);
    const { commands } = await restored.site({ ...site, named: "today" });
    expect([...commands.keys()]).toEqual([row.id]);
    expect(await restored.give(own, NOON + DAY)).toBeUndefined();
    expect(await restored.give({ ...own, action: 9 }, NOON + DAY)).toBeUndefined();
    expect(await restored.feedback({ ...own, action: 9 }, "succeed", undefined, NOON + DAY)).toBe("NotYours");
    expect(await restored.act(row.id, "withdraw", NOON + DAY)).toBe(true);
  });

  it("[S4] put back: a device counts as away until it polls, and a token made since is good no more", async () => {
    let real = 1_000_000;
    const store = await opened(() => real);
    await store.enroll(enrolment);
    await store.poll({ account: "acme", serial: "S-2002", hintMilliseconds: 10_000 }, NOON);
    await store.writeHeartbeats();
    const copy = await copied();
    await store.enroll({ ...enrolment, tokenHash: "since", oldTokensUntil: NOON });
    real += DAY;
    await stores.pop()?.close();
    copyFileSync(copy, file);
    const restored = await opened(() => real);
    expect((await restored.site(site)).devices.get("S-2002")?.polledMilliseconds).toBe(DAY);
    expect(await restored.authenticate("since", NOON)).toBeUndefined();
    expect(await restored.authenticate("hash", NOON)).toBeDefined();
  });
});

describe("what is kept", () => {
  it("of the audit trail, of commands that are over, of notices and of tokens is 400 days old at the most", async () => {
    const store = await opened();
    await store.enroll({ ...enrolment, expiresAt: NOON });
    await store.insertCommand(row);
    await store.give(own, NOON);
    await store.feedback(own, "fail", "no space", NOON);
    await store.endAttempt({ command: row.id, outcome: "Failed", at: NOON });
    await store.recordNotice({ id: "notice", siteUid: row.site.uid, kind: "Planned", acceptedAt: NOON });
    await store.act("nobody's", "withdraw", NOON + 400 * DAY);
    expect((await store.site(site)).commands.size).toBe(1);
    await store.act("nobody's", "withdraw", NOON + 400 * DAY + 3_600_000);
    expect((await store.site(site)).commands.size).toBe(0);
    await store.close();
    const left = new DatabaseSync(file);
    const countOf = (table: string) => left.prepare(`select count(*) as n from ${table}`).get();
    for (const table of ["audit", "command", "attempt", "notice", "token"]) expect(countOf(table), table).toEqual({ n: 0 });
    expect(countOf("device")).toEqual({ n: 1 });
    left.close();
  });

  it("in the audit trail is who did what to which device, once for what was done once", async () => {
    const store = await opened();
    await store.enroll(enrolment);
    await store.insertCommand(row);
    for (let turn = 0; turn < 2; turn++) await store.give(own, NOON + turn);
    for (let turn = 0; turn < 2; turn++) await store.feedback(own, "fail", "no space", NOON + 2);
    await store.close();
    const left = new DatabaseSync(file);
    const trail = left.prepare("select act, by, serial from audit order by at, act").all();
    left.close();
    expect(trail.map(({ act, by, serial }) => `${String(by)}: ${String(act)} ${String(serial)}`)).toEqual([
      "registry: enroll S-2002",
      "gateway: give S-2002",
      "device: fail S-2002",
    ]);
  });
});
