import { expect, it } from "vitest";
import { InventoryUnavailable } from "../../control/inventory.ts";
import { commandRow } from "../../core/socket/command.examples.ts";
import { MemoryInventory } from "./inventory.ts";
import { type Outage, withOutages } from "./outages.ts";

it("[I8] away nothing is done; with the answer lost it is done, and done again it stays one row", async () => {
  let outage: Outage = "Away";
  const inventory = withOutages(new MemoryInventory(() => 0), () => outage);
  const row = commandRow();
  const seen = async () => (await inventory.site({ uid: row.site.uid, account: row.account, serials: [] })).commands.size;
  await expect(inventory.insertCommand(row)).rejects.toThrow(InventoryUnavailable);
  outage = "None";
  expect(await seen()).toBe(0);
  outage = "AnswerLost";
  await expect(inventory.insertCommand(row)).rejects.toThrow("the inventory did not answer to insertCommand");
  outage = "None";
  expect(await inventory.insertCommand(row)).toBe(false);
  expect(await seen()).toBe(1);
});

it("whoever listens for changes is told them during an outage too", async () => {
  const bare = new MemoryInventory(() => 0);
  const inventory = withOutages(bare, () => "Away");
  let told = 0;
  const off = inventory.onChange(() => (told += 1));
  await bare.insertCommand(commandRow());
  off();
  await bare.act(commandRow().id, "withdraw", 0);
  expect(told).toBe(1);
});
