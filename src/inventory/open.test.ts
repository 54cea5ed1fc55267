import { expect, it } from "vitest";
import { openInventory } from "./open.ts";

const PASSWORD = "hunter2-hunter2";

it.each([`postgresql//operator:${PASSWORD}@host/database`, `mysql://operator:${PASSWORD}@host/database`, `${PASSWORD} `.repeat(20)])(
  "what names no inventory is refused, and the sentence says no password: %#",
  async (url) => {
    const [opened] = await Promise.allSettled([openInventory(url)]);
    const told = opened.status === "rejected" ? String(opened.reason) : "it was opened";
    expect(told).toMatch(/names no inventory/);
    expect(told).not.toContain(PASSWORD);
  },
);

it("a database that does not answer is told without its password", async () => {
  const said: string[] = [];
  const log = (_: string, message: string) => void said.push(message);
  const inventory = await openInventory(`postgresql://operator:${PASSWORD}@127.0.0.1:1/database`, { log });
  const [answer] = await Promise.allSettled([inventory.authenticate("0".repeat(64), 0)]);
  await inventory.close();
  expect(answer.status).toBe("rejected");
  expect(`${answer.status === "rejected" ? String((answer.reason as Error).stack) : ""} ${said.join(" ")}`).not.toContain(PASSWORD);
});
