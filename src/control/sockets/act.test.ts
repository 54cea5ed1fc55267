import { expect, it } from "vitest";
import { commandRow } from "../../core/socket/command.examples.ts";
import { type Notice, noticeId } from "../../core/socket/notice.ts";
import { MemoryInventory } from "../../simulation/devices/inventory.ts";
import { NoticeSink } from "../../simulation/devices/notice-sink.ts";
import { act, type SocketEffects } from "./act.ts";

const NOON = Date.parse("2026-11-29T12:00:00Z");
const row = commandRow();
const notice: Notice = {
  id: noticeId(row.site.uid, "Planned", row.version, row.notBefore),
  kind: "Planned",
  account: row.account,
  site: row.site,
  version: row.version,
  start: row.notBefore,
  zone: "Europe/Berlin",
  message: "berlin is upgraded to 18.3.3 on Sunday 29 November from 01:00",
};

function world() {
  const inventory = new MemoryInventory(() => NOON);
  const sink = new NoticeSink();
  const effects: SocketEffects = { inventory, notices: sink, channels: [{ name: "operations", url: "https://hooks.acme.example/" }] };
  const site = () => inventory.site({ uid: row.site.uid, account: row.account, serials: [row.serial], named: row.id });
  return { effects, sink, site };
}

it("[I9] a command inserted twice is one row, and withdrawn twice is withdrawn once", async () => {
  const { effects, site } = world();
  for (let round = 0; round < 2; round++) await act(effects, { kind: "InsertCommand", row }, NOON);
  expect([...(await site()).commands.values()]).toEqual([row]);
  await act(effects, { kind: "WithdrawCommand", id: row.id }, NOON);
  await act(effects, { kind: "WithdrawCommand", id: row.id }, NOON + 5);
  expect((await site()).commands.get(row.id)).toMatchObject({ state: "Withdrawn", endedAt: NOON });
});

it("[W3] a notice counts from when it was taken: with the sink blocked nothing stands, and a repeat does not move the first instant", async () => {
  const { effects, sink, site } = world();
  sink.blocked = true;
  await act(effects, { kind: "SendNotice", notice }, NOON);
  expect((await site()).notices.size).toBe(0);
  sink.blocked = false;
  await act(effects, { kind: "SendNotice", notice }, NOON + 60_000);
  await act(effects, { kind: "SendNotice", notice }, NOON + 90_000);
  expect((await site()).notices).toEqual(new Map([[notice.id, { acceptedAt: NOON + 60_000 }]]));
  expect([...sink.received.keys()]).toEqual([notice.id]);
});

it("[I9] another start is another notice, and so is another kind; the same has the same id", () => {
  const id = (kind: Notice["kind"], start: number) => noticeId("u1", kind, "18.3.3", start);
  expect(id("Planned", NOON)).toBe(id("Planned", NOON));
  expect(new Set([id("Planned", NOON), id("Planned", NOON + 1), id("Moved", NOON)]).size).toBe(3);
});
