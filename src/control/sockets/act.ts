import type { AccountPolicySpec } from "../../api/account-policy.ts";
import type { SocketSiteAction } from "../../core/socket-site/action.ts";
import type { Inventory } from "../inventory.ts";
import type { Notices } from "../notices.ts";

export interface SocketEffects {
  readonly inventory: Inventory;
  readonly notices: Notices;
  /** The channels of the account; the first is the one that counts. */
  readonly channels: NonNullable<AccountPolicySpec["notices"]>["channels"];
}

/**
 * Carries out one action of a SocketSite. Each is idempotent, so a crash between two of them repeats one (rules I8, I9). Rejects with
 * InventoryUnavailable alone; a notice that nobody took is no error, because no acceptance stands in the inventory then.
 */
export async function act({ inventory, notices, channels }: SocketEffects, action: SocketSiteAction, now: number): Promise<void> {
  switch (action.kind) {
    case "InsertCommand":
      await inventory.insertCommand(action.row);
      return;
    case "WithdrawCommand":
      await inventory.act(action.id, "withdraw", now);
      return;
    case "CancelCommand":
      return inventory.requestCancel(action.id);
    case "GiveUpCommand":
      await inventory.act(action.id, "giveUp", now);
      return;
    case "HintPolls":
      return inventory.planPolls(action);
    case "RecordVerdict":
      return inventory.recordVerdict({ ...action, at: now });
    case "SendNotice": {
      const { id, kind, site } = action.notice;
      if (await notices.send(action.notice, channels)) await inventory.recordNotice({ id, siteUid: site.uid, kind, acceptedAt: now });
    }
  }
}
