import { beforeEach, expect, it } from "vitest";
import { ACCOUNT_POLICY, accountPolicySpec } from "../api/account-policy.ts";
import { API_VERSION } from "../api/common.ts";
import { InventoryUnavailable } from "../control/inventory.ts";
import { MemoryClientInventory } from "../simulation/clients/inventory.ts";
import { Terminal } from "./cli.examples.ts";
import { registerUsers } from "./users.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
let clients: MemoryClientInventory;
let terminal: Terminal;

const report = (account: string, device: string, version: string, user?: string) =>
  ({ account, device, at: NOW, os: "Windows", version, offered: false, ...(user === undefined ? {} : { user }) }) as const;

beforeEach(async () => {
  clients = new MemoryClientInventory(() => 0);
  const close = () => Promise.resolve();
  terminal = new Terminal({ now: NOW, commands: (program, io) => registerUsers(program, io, () => Promise.resolve({ clients, close })) });
  await clients.importDirectory("acme", [
    { user: "anna", groups: ["it"], devices: ["d-1", "d-2"] },
    { user: "=bob", groups: ["sales"], devices: ["d-3"] },
  ]);
  await clients.record([
    report("acme", "d-1", "5.12.3", "anna"),
    report("acme", "d-2", "5.11.0", "anna"),
    report("acme", "d-3", "5.11.0", "=bob"),
    report("acme", "d-4", ""),
    report("globex", "d-1", "5.12.3", "carl"),
    { ...report("globex", "m-1", "5.12.3", "dora"), os: "macOS" },
  ]);
});

async function users(line: string): Promise<string> {
  await terminal.run(`users ${line} --inventory sqlite:x`);
  expect(terminal.complaint).toBe("");
  return terminal.printed;
}
const versions = async (line: string) =>
  (JSON.parse(await users(`${line} -o json`)) as { version: string; users: number; devices: number }[]).map(
    (row) => `${row.version} ${row.users}/${row.devices}`,
  );

it("users by version of all accounts, the newest first; a user of two versions counts for both", async () => {
  expect((await users("")).split("\n")).toEqual([
    "ACCOUNTS  OS       VERSION  USERS  DEVICES  OF THE USERS",
    "2         Windows  5.12.3   2      2        40.0 %",
    "1         Windows  5.11.0   2      2        40.0 %",
    "1         Windows  -        1      1        20.0 %",
    "1         macOS    5.12.3   1      1        100.0 %",
    "",
  ]);
});

it("of one account, one system, one version, one group, and of its own pilots", async () => {
  expect(await versions("--account acme")).toEqual(["5.12.3 1/1", "5.11.0 2/2", " 1/1"]);
  expect(await versions("--os MACOS")).toEqual(["5.12.3 1/1"]);
  expect(await versions("--account acme --version 5.11")).toEqual(["5.11.0 2/2"]);
  expect(await versions("--account acme --group it")).toEqual(["5.12.3 1/1", "5.11.0 1/1"]);
  await terminal.given(ACCOUNT_POLICY, {
    apiVersion: API_VERSION,
    kind: "AccountPolicy",
    metadata: { name: "account", namespace: "acme" },
    spec: accountPolicySpec.parse({ clients: { windows: { upgrade: "Automatic", pilotGroup: { users: ["=BOB"] } } } }),
  });
  expect(await versions("--account acme --pilots")).toEqual(["5.11.0 1/1"]);
});

it("names as a table, JSON and CSV in which no name computes; more than one page of them", async () => {
  expect(await users("--account acme --names --version 5.11.0")).toMatch(
    /^USER +DEVICE +OS +VERSION +LAST HEARD OF +GROUPS\n=bob +d-3 +Windows +5\.11\.0 +2026-11-22T12:00:00Z +sales\nanna +d-2 .*it\n$/,
  );
  expect(await users("--account acme --names --version 5.11.0 -o csv")).toBe(
    "user,device,os,version,last heard of,groups\r\n'=bob,d-3,Windows,5.11.0,2026-11-22T12:00:00Z,sales\r\nanna,d-2,Windows,5.11.0,2026-11-22T12:00:00Z,it\r\n",
  );
  await clients.record(Array.from({ length: 2_345 }, (_, index) => report("big", `d-${index}`, "5.12.3", `u-${index % 2_000}`)));
  expect(JSON.parse(await users("--account big --names -o json"))).toHaveLength(2_345);
});

it("the numbers of the weeks before, as they were kept, and of today", async () => {
  await clients.recordDay("2026-11-15");
  await clients.recordDay("2026-11-14");
  await clients.record([{ ...report("acme", "d-2", "5.12.3", "anna"), requestId: "r" }]);
  expect(await users("--account acme --weeks 3 -o csv")).toBe(
    [
      "day,account,os,version,users,devices",
      "2026-11-15,acme,Windows,5.12.3,1,1",
      "2026-11-15,acme,Windows,5.11.0,2,2",
      "2026-11-15,acme,Windows,,1,1",
      "2026-11-22,acme,Windows,5.12.3,1,2",
      "2026-11-22,acme,Windows,5.11.0,1,1",
      "2026-11-22,acme,Windows,,1,1",
      "",
    ].join("\r\n"),
  );
});

it("[C2] the weeks of the account's own pilots: whom its policy named on each day, and whom it names today", async () => {
  const policy = (users: readonly string[]) =>
    terminal.given(ACCOUNT_POLICY, {
      apiVersion: API_VERSION,
      kind: "AccountPolicy",
      metadata: { name: "account", namespace: "acme" },
      spec: accountPolicySpec.parse({ clients: { windows: { upgrade: "Automatic", pilotGroup: { users } } } }),
    });
  await clients.recordDay("2026-11-15");
  await clients.recordPilots("2026-11-15", { account: "acme", os: "Windows", users: ["ANNA"], groups: ["sales"] });
  await policy(["=bob"]);
  expect(await users("--account acme --pilots --weeks 3 -o csv")).toBe(
    [
      "day,account,os,version,users,devices",
      "2026-11-15,acme,Windows,5.12.3,1,1",
      "2026-11-15,acme,Windows,5.11.0,2,2",
      "2026-11-22,acme,Windows,5.11.0,1,1",
      "",
    ].join("\r\n"),
  );
});

it.each([
  ["--os windoes", '--os is "windoes"; write one of windows, macos, linux (did you mean windows?)'],
  ["--os vms", '--os is "vms"; write one of windows, macos, linux\n'],
  ["--version soon", '--version is "soon", which is no version and which no Client reports; write it as Clients report it, for example'],
  ["--names", "--names is about one account; write --account too"],
  ["--account acme --group it --pilots", "--group and --pilots are two choices"],
  ["--account acme --names --weeks 3", "the past is kept in numbers"],
  ["--account acme --group it --weeks 3", "write --pilots instead of --group"],
  ["--weeks 0", '--weeks is "0"; write a whole number from 1 to 104'],
])("%s: exit code 2 and a sentence", async (line, sentence) => {
  await terminal.run(`users ${line} --inventory sqlite:x`);
  expect([terminal.code, terminal.printed, terminal.complaint]).toEqual([2, "", expect.stringContaining(sentence)]);
});

it("what is no version is asked for as it is listed", async () => {
  await clients.record([report("acme", "d-5", "banana", "eve")]);
  expect(await versions("--account acme --version banana")).toEqual(["banana 1/1"]);
  expect(await users("--account acme --version banana --names")).toMatch(/\neve +d-5 +Windows +banana /);
  await terminal.run("users --account acme --version bananas --inventory sqlite:x");
  expect([terminal.code, terminal.complaint]).toEqual([2, expect.stringContaining("did you mean banana?")]);
  await terminal.run("users --account globex --version banana --inventory sqlite:x");
  expect(terminal.code, "of another account").toBe(2);
});

it.each([
  ["--account acmex --names", "the inventory has no Client and no directory of an account acmex; did you mean acme?"],
  ["--account acmex", "the inventory has no Client and no directory of an account acmex; did you mean acme?"],
  ["--account nobody -o json", "the inventory has no Client and no directory of an account nobody"],
  ["--account acme --group sale", "the directory of acme has no group sale; did you mean sales?"],
  ["--account acme --group nix --names", "the directory of acme has no group nix; it has it, sales"],
  ["--account globex --group it", "the inventory has no group of account globex; rollward directory import brings who is in which groups"],
])("%s: nobody there is no error, and that the name is a slip is said beside it", async (line, sentence) => {
  await terminal.run(`users ${line} --inventory sqlite:x`);
  expect([terminal.code, terminal.complaint]).toEqual([0, `hint: ${sentence}\n`]);
  expect(terminal.printed).toMatch(/^(\[\]|no such user has been heard of|no Client of this kind has been heard of)\n$/);
});

it("[G9] an inventory that is away is a sentence; nobody there is no error", async () => {
  expect(await users("--account globex --os linux")).toBe("no Client of this kind has been heard of\n");
  clients.versions = () => Promise.reject(new InventoryUnavailable("locked"));
  await terminal.run("users --inventory sqlite:x");
  expect([terminal.code, terminal.complaint]).toEqual([1, "the inventory does not answer (locked); try again\n"]);
});
