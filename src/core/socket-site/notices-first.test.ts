import { expect, it } from "vitest";
import type { SocketSiteAction } from "./action.ts";
import type { decide } from "./decide.ts";
import { noticesFirst } from "./notices-first.ts";

const notice = { id: "n-1" } as Extract<SocketSiteAction, { kind: "SendNotice" }>["notice"];
const send: SocketSiteAction = { kind: "SendNotice", notice };
const withdraw: SocketSiteAction = { kind: "WithdrawCommand", id: "c-1" };
const planned = {
  status: { attempts: 1 },
  actions: [withdraw, send],
  probes: [],
  holds: [],
  events: [{ type: "Normal", reason: "Scheduled", action: "Plan", message: "planned" }],
  wakeAt: 60_000,
} as unknown as ReturnType<typeof decide>;
const { status: _, ...told } = planned;

it.each([
  [
    "with a plan to write, a receiver that answers at once is told first, and nothing is written yet",
    planned,
    true,
    true,
    { ...told, actions: [send], events: [] },
  ],
  ["a receiver that hangs delays no plan: it is written, and the notice goes when it is due", planned, false, true, planned],
  ["in its back-off it is not tried", planned, false, false, { ...planned, actions: [withdraw] }],
  ["with nothing to write a notice that is due is sent", told, true, true, told],
])("[W3] [B12] %s", (_name, decision, isPrompt, isDue, expected) => {
  expect(noticesFirst(decision as typeof planned, { isPrompt: () => isPrompt, isDue: () => isDue })).toEqual(expected);
});
