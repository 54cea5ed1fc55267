import type { Notice } from "../core/socket/notice.ts";

/** Sends notices to an account's channels. Its completion is evidence (rule W3): only a receiver's 2xx counts. */
export interface Notices {
  /**
   * Tries once, with a deadline, the channels in their order; the first is the one that counts. True: it took the notice. Copies to the
   * others are tried aside and decide nothing. Never rejects: what failed is tried again because no acceptance stands in the inventory.
   */
  send(notice: Notice, channels: readonly { readonly name: string; readonly url: string }[]): Promise<boolean>;
  /** What the channel that counts did with the last notice of this account, as a sentence without the path of its address; undefined: it took it. Asks nobody. */
  problem?(account: string, channels: readonly { readonly name: string; readonly url: string }[]): string | undefined;
  /**
   * Why nothing of this account is ever sent to this address, as a sentence; undefined: it may be. Asks nobody. A channel that is refused counts as not
   * configured: the next one is the one that counts, and without any notices count from status alone. Absent: nothing is refused.
   */
  refusal?(url: string, account: string): string | undefined;
}
