import { createHash } from "node:crypto";
import { Command } from "commander";
import { expect, it } from "vitest";
import { InventoryUnavailable } from "../control/inventory.ts";
import type { Cluster } from "../control/ports.ts";
import { MemoryInventory } from "../simulation/devices/inventory.ts";
import { registerDevice } from "./device.ts";
import type { CliIo } from "./io.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const HOUR = 3_600_000;
const inventory = new MemoryInventory(() => 0);

async function run(line: string, more: Partial<CliIo> = {}, registry = inventory) {
  let [out, error] = ["", ""];
  let code: number | undefined;
  const io: CliIo = {
    out: (text) => void (out += text),
    error: (text) => void (error += text),
    isTerminal: false,
    connect: () => Promise.reject(new Error("it asks no API server")),
    now: () => NOW,
    readFile: () => Promise.reject(new Error("no such file")),
    exit: (given) => void (code = given),
    ...more,
  };
  const program = new Command().exitOverride();
  registerDevice(program, io, () => Promise.resolve(Object.assign(registry, { close: () => Promise.resolve() })));
  await program.parseAsync(["node", "rollward", "device", "enroll", ...line.split(" "), "--inventory", "sqlite:x"]);
  return { out, error, code };
}

const callerOf = (line: string, at = NOW) =>
  inventory.authenticate(createHash("sha256").update(line.trim().split("\t")[1]!).digest("hex"), at);

it("prints one token a serial, of which the inventory has the hash; again a new one, and the old one for the overlap", async () => {
  const first = await run("S-1 S-2 S-1 --account acme --expires 720h");
  expect([first.code, first.out.split("\n").map((line) => line.split("\t")[0])]).toEqual([0, ["S-1", "S-2", ""]]);
  const [one = "", two = ""] = first.out.split("\n");
  expect([await callerOf(one), await callerOf(two)]).toEqual([
    { account: "acme", serial: "S-1" },
    { account: "acme", serial: "S-2" },
  ]);
  expect(await callerOf(one, NOW + 720 * HOUR)).toBeUndefined();
  const second = await run("S-1 --account acme --overlap 1h");
  expect(await callerOf(second.out)).toEqual({ account: "acme", serial: "S-1" });
  expect([await callerOf(one, NOW + HOUR - 1), await callerOf(one, NOW + HOUR)]).toEqual([{ account: "acme", serial: "S-1" }, undefined]);
});

it("takes serials from a file, and gives a token for all devices of the account", async () => {
  const readFile = () => Promise.resolve("# the first hundred\nS-100\r\n\n  S-101\n");
  expect((await run("--account acme -f list", { readFile })).out.split("\n").map((line) => line.split("\t")[0])).toEqual([
    "S-100",
    "S-101",
    "",
  ]);
  const gateway = await run("--account acme --gateway");
  expect([gateway.out.startsWith("acme\t"), await callerOf(gateway.out)]).toEqual([true, { account: "acme" }]);
});

it("[I15] the token of an account's Clients is good for nothing else, and takes the place of no other", async () => {
  const gateway = await run("--account acme --gateway --overlap 1h");
  const clients = await run("--account acme --clients --overlap 1h");
  expect([clients.code, clients.out.startsWith("acme\t")]).toEqual([0, true]);
  const after = NOW + 2 * HOUR;
  expect([await callerOf(clients.out, after), await callerOf(gateway.out, after)]).toEqual([
    { account: "clients:acme" },
    { account: "acme" },
  ]);
  await run("--account acme --clients --overlap 1h");
  expect(await callerOf(clients.out, after), "another one, and this one for the overlap").toBeUndefined();
  expect((await run("S-1 --account acme --clients")).error).toContain("leave the serials out");
  expect((await run("--account acme --clients --gateway")).error).toContain("one after the other");
});

it("[I15] a serial of another account stays there, and no token is printed for it", async () => {
  await run("S-77 --account other");
  const taken = await run("S-77 S-78 --account acme");
  expect([taken.code, taken.out.split("\t")[0], taken.error]).toEqual([
    4,
    "S-78",
    "S-77: bound to another account already, and left there\n",
  ]);
});

it.each([
  ["S/1 --account acme", '"S/1" is no serial'],
  ["S-1 --account a/b", '"a/b" is no account'],
  ["--account acme", "no serial was given"],
  ["S-1 --account acme --gateway", "leave the serials out"],
  ["S-1 --account acme --expires soon", '--expires is "soon"'],
  ["--account acme -f missing", "missing could not be read: no such file"],
])("%s: exit code 2 and a sentence", async (line, sentence) => {
  expect(await run(line)).toEqual({ out: "", code: 2, error: expect.stringContaining(sentence) as string });
});

it("[G9] an inventory that is away: exit code 1, and what was printed is good", async () => {
  const away = new MemoryInventory(() => 0);
  away.enroll = () => Promise.reject(new InventoryUnavailable("locked"));
  const refused = await run("S-1 --account acme", {}, away);
  expect([refused.code, refused.error]).toEqual([1, expect.stringContaining("the inventory does not answer (locked)")]);
});

it("hints where a cluster is at hand and no namespace belongs to the account; without one it enrols all the same", async () => {
  const list = () => Promise.resolve([{ metadata: { name: "acme", labels: { "rollward.dev/account": "acme" } } }]);
  const connect = () => Promise.resolve({ list, close: () => Promise.resolve() } as unknown as Cluster);
  expect((await run("S-901 --account acme", { connect })).error).toBe("");
  const slip = await run("S-902 --account acmee", { connect });
  expect([slip.code, slip.out.split("\t")[0]]).toEqual([0, "S-902"]);
  expect(slip.error).toBe("hint: no namespace belongs to account acmee yet, so no site can name these devices; did you mean acme?\n");
  expect((await run("--account acmee --clients", { connect })).error).toBe(
    "hint: no namespace belongs to account acmee yet, so nothing is offered to its Clients; did you mean acme?\n",
  );
  expect((await run("S-903 --account nobody")).error).toBe("");
});
