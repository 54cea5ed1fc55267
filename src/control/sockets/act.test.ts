import { expect, it } from "vitest";
import { commandRow } from "../../core/socket/command.examples.ts";
import { type Notice, noticeId } from "../../core/socket/notice.ts";
import { MemoryInventory } from "../../simulation/devices/inventory.ts";
import { act, type SocketEffects } from "./act.ts";

const NOON = Date.parse("2026-11-29T12:00:00Z");
const row = commandRow();

function world() {
  const inventory = new MemoryInventory(() => NOON);
  const effects: SocketEffects = { inventory, sendNotice: () => Promise.resolve() };
  const site = () => inventory.site({ uid: row.site.uid, account: row.account, serials: [row.serial], named: row.id });
  return { effects, site };
}

it("[I9] a command inserted twice is one row, and withdrawn twice is withdrawn once", async () => {
  const { effects, site } = world();
  for (let round = 0; round < 2; round++) await act(effects, { kind: "InsertCommand", row }, NOON);
  expect([...(await site()).commands.values()]).toEqual([row]);
  await act(effects, { kind: "WithdrawCommand", id: row.id }, NOON);
  await act(effects, { kind: "WithdrawCommand", id: row.id }, NOON + 5);
  expect((await site()).commands.get(row.id)).toMatchObject({ state: "Withdrawn", endedAt: NOON });
});

it("[I9] another start is another notice, and so is another kind; the same has the same id", () => {
  const id = (kind: Notice["kind"], start: number) => noticeId("u1", kind, "18.3.3", start);
  expect(id("Planned", NOON)).toBe(id("Planned", NOON));
  expect(new Set([id("Planned", NOON), id("Planned", NOON + 1), id("Moved", NOON)]).size).toBe(3);
});
