import { beforeEach, expect, it } from "vitest";
import { InventoryUnavailable } from "../control/inventory.ts";
import { MemoryClientInventory } from "../simulation/clients/inventory.ts";
import { NAMESPACE } from "./accounts.ts";
import { Terminal } from "./cli.examples.ts";
import { registerDirectory } from "./directory.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
let clients: MemoryClientInventory;
let terminal: Terminal;

beforeEach(async () => {
  clients = new MemoryClientInventory(() => 0);
  const close = () => Promise.resolve();
  terminal = new Terminal({
    now: NOW,
    commands: (program, io) => registerDirectory(program, io, () => Promise.resolve({ clients, close })),
  });
  await terminal.cluster.create(NAMESPACE, {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "customer-7", labels: { "rollward.dev/account": "acme" } },
  });
});

async function bring(text: string | Uint8Array, more = ""): Promise<readonly [number | undefined, string, string]> {
  terminal.files["users.csv"] = text;
  await terminal.run(`directory import users.csv --account acme --inventory sqlite:x ${more}`);
  return [terminal.code, terminal.printed, terminal.complaint];
}
const directory = async () => {
  const { groups, owners } = await clients.directory("acme");
  return { groups: Object.fromEntries(groups), owners: Object.fromEntries(owners) };
};

const FILE = 'user,groups,devices\r\nanna@acme.example,it;sales,d-1;d-2\r\n"Bob, the second",,d-3\r\n';

it("[C3] users, groups and computers of a file stand in the directory of the account, and what changed is told", async () => {
  expect(await bring(FILE)).toEqual([0, "the directory of acme has 2 users in 2 groups, 3 devices\nusers: 2 come\ndevices: 3 come\n", ""]);
  expect(await directory()).toEqual({
    groups: { "anna@acme.example": ["it", "sales"], "bob, the second": [] },
    owners: { "d-1": "anna@acme.example", "d-2": "anna@acme.example", "d-3": "Bob, the second" },
  });
  expect((await bring(FILE))[1]).toContain("users: as before\ndevices: as before\n");
  expect((await bring("devices,user,groups\nd-1;d-9,Anna@ACME.example,it\nd-2,carl,it\n"))[1]).toBe(
    "the directory of acme has 2 users in 1 group, 3 devices\nusers: 1 come, 1 go, 1 are in other groups than before\n" +
      "devices: 1 come, 1 go, 1 have another user than before\n",
  );
});

it("--dry-run tells the same and imports nothing; another account is not touched", async () => {
  await clients.importDirectory("other", [{ user: "x", groups: [], devices: ["d-1"] }]);
  expect((await bring(FILE, "--dry-run"))[1]).toBe(
    "the directory of acme would have 2 users in 2 groups, 3 devices; nothing was imported\nusers: 2 come\ndevices: 3 come\n",
  );
  expect(await directory()).toEqual({ groups: {}, owners: {} });
  await bring(FILE);
  expect([...(await clients.directory("other")).owners]).toEqual([["d-1", "x"]]);
});

it("JSON and YAML lists say the same", async () => {
  const entry = { user: "anna", groups: ["it"], devices: ["d-1"] };
  expect((await bring(JSON.stringify([entry])))[0]).toBe(0);
  expect(JSON.parse((await bring("- {user: anna, groups: [it], devices: [d-1]}\n- {user: bob}\n", "-o json"))[1])).toMatchObject({
    users: 2,
    groups: 1,
    devices: 1,
    changes: { usersAdded: 1, usersGone: 0, usersRegrouped: 0 },
  });
});

it.each([
  ["", "it is empty; write a line user,groups,devices"],
  ["user,groups,devices\n", "it holds no user"],
  ["anna,it,d-1\n", 'line 1 is "anna,it,d-1"; write the heading user,groups,devices there'],
  ["user,group\nanna,it\n", 'line 1: there is no column "group"; write groups'],
  ["user,groups\nanna,it,sales\n", "line 2 has 3 columns and the heading 2; several groups or devices stand in one cell, with ; between"],
  ["user\nanna\n \n", "line 3: the user is empty; write a name"],
  ["user\nanna\nANNA\n", "line 3: ANNA stands at line 2 already"],
  ["user,devices\nanna,d-1\nbob,D-1\n", "line 3: device D-1 is that of the user at line 2; a computer has one user"],
  [`user\n${"a".repeat(321)}\n`, "line 2: the user has 321 characters; write at most 320"],
  ["user\nan\u202ena\n", "holds characters that nobody sees"],
  ['user\n"anna\n', "line 2: a quote is opened and not closed"],
  ["- {user: 7}\n", "entry 1: the user is 7; write a text in quotes"],
  ["- {name: anna}\n", 'entry 1: there is no field "name"'],
  ["- anna\n", "entry 1 is no mapping"],
])("%j: exit code 2, the line and what to write, and nothing is imported", async (text, sentence) => {
  const [code, printed, complaint] = await bring(text);
  expect([code, printed]).toEqual([2, ""]);
  expect(complaint).toContain(`users.csv: ${sentence.startsWith("holds") ? "" : sentence}`);
  expect(complaint).toContain(sentence);
  expect(complaint).toMatch(/\nnothing was imported\n$/);
  expect(await directory()).toEqual({ groups: {}, owners: {} });
});

it("every bad line is named, a few of them where there are many", async () => {
  const rows = Array.from({ length: 30 }, () => ",it").join("\n");
  const [, , complaint] = await bring(`user,groups\n${rows}\n`);
  expect(complaint.split("\n")).toHaveLength(23);
  expect(complaint).toContain("users.csv: line 21: the user is empty; write a name\n");
  expect(complaint).toContain("and 10 more like these");
});

it("[G9] an inventory that is away, or that nobody named, is a sentence", async () => {
  clients.directory = () => Promise.reject(new InventoryUnavailable("locked"));
  expect(await bring(FILE)).toEqual([1, "", "the inventory does not answer (locked); try again\n"]);
  terminal.files["users.csv"] = FILE;
  await terminal.run("directory import users.csv --account acme");
  expect([terminal.code, terminal.complaint]).toEqual([2, expect.stringContaining("which inventory is not said; write --inventory")]);
  await terminal.run("directory import nothing --account acme --inventory sqlite:x");
  expect([terminal.code, terminal.complaint]).toEqual([2, "nothing cannot be read: no such file\n"]);
  await terminal.run("directory import users.csv --account A/b --inventory sqlite:x");
  expect([terminal.code, terminal.complaint]).toEqual([2, expect.stringContaining('"A/b" is no account')]);
});

it("where a cluster is at hand an account that is nearly one of its is refused; one that may come is hinted at, and without a cluster all is taken", async () => {
  terminal.files["users.csv"] = FILE;
  expect(await bring(FILE)).toMatchObject([0, expect.stringContaining("has 2 users"), ""]);
  await terminal.run("directory import users.csv --account acmee --inventory sqlite:x");
  expect([terminal.code, terminal.printed, terminal.complaint]).toEqual([
    4,
    "",
    "no namespace belongs to account acmee; did you mean acme? Nothing was imported; " +
      "if it is another account, label its namespace rollward.dev/account=acmee first\n",
  ]);
  expect((await clients.directory("acmee")).groups.size).toBe(0);
  await terminal.run("directory import users.csv --account globex --inventory sqlite:x");
  expect([terminal.code, terminal.complaint]).toEqual([
    0,
    "hint: no namespace belongs to account globex yet, so its directory groups nobody; label its namespace rollward.dev/account=globex\n",
  ]);
  const connect = () => Promise.reject(new Error("no kubeconfig"));
  await terminal.run("directory import users.csv --account acmee --inventory sqlite:x", { connect });
  expect([terminal.code, terminal.complaint]).toEqual([0, ""]);
});

it("a file that is not UTF-8 is refused with its line and byte: nobody's name is damaged", async () => {
  const latin1 = Buffer.from("user,groups\n\u00e9ric,it\n\u00e5sa,it\n", "latin1");
  expect(await bring(latin1)).toEqual([
    2,
    "",
    "users.csv cannot be read: line 2 holds the byte 0xE9, which is no UTF-8; save it as UTF-8\n",
  ]);
  expect(await bring(Buffer.from("user,groups\n\u00e9ric,it\n\u00e5sa,it\n"))).toMatchObject([0, expect.anything(), ""]);
  expect((await directory()).groups).toEqual({ "\u00e5sa": ["it"], "\u00e9ric": ["it"] });
  expect((await bring(Buffer.from("\ufeffuser\nanna\n", "utf16le")))[2]).toContain("line 1 holds the byte 0xFF");
  expect((await bring(Buffer.from([...Buffer.from("user\n\u20acva"), 0xe2, 0x82])))[2]).toContain("line 2 holds the byte 0xE2");
});
