import type { SocketSiteAction } from "../../core/socket-site/action.ts";
import type { Notice } from "../../core/socket/notice.ts";
import type { Inventory } from "../inventory.ts";

export interface SocketEffects {
  readonly inventory: Inventory;
  /** Sends a notice and records when it was taken (rule W3); what nobody took is no error, because no acceptance stands then. */
  readonly sendNotice: (notice: Notice) => Promise<void>;
}

/**
 * Carries out one action of a SocketSite. Each is idempotent, so a crash between two of them repeats one (rules I8, I9). Rejects with
 * InventoryUnavailable alone.
 */
export async function act({ inventory, sendNotice }: SocketEffects, action: SocketSiteAction, now: number): Promise<void> {
  switch (action.kind) {
    case "InsertCommand":
      await inventory.insertCommand(action.row);
      return;
    case "WithdrawCommand":
      await inventory.act(action.id, "withdraw", now);
      return;
    case "CancelCommand":
      return inventory.requestCancel(action.id, now);
    case "GiveUpCommand":
      await inventory.act(action.id, "giveUp", now);
      return;
    case "HintPolls":
      return inventory.planPolls(action);
    case "RecordVerdict":
      return inventory.recordVerdict({ ...action, at: now });
    case "SendNotice":
      return sendNotice(action.notice);
  }
}
