import type { Notices } from "../../control/notices.ts";
import type { Notice } from "../../core/socket/notice.ts";

/** The receiver of an account's notices: keeps what it took, once for each id, and can be blocked. */
export class NoticeSink implements Notices {
  readonly received = new Map<string, Notice>();
  /** How often each id came, repeats included. */
  readonly deliveries = new Map<string, number>();
  blocked = false;

  problem(account: string): string | undefined {
    return this.blocked ? `channel operations of account ${account} takes no notices: it answered 503` : undefined;
  }

  send(notice: Notice): Promise<boolean> {
    if (this.blocked) return Promise.resolve(false);
    this.deliveries.set(notice.id, (this.deliveries.get(notice.id) ?? 0) + 1);
    if (!this.received.has(notice.id)) this.received.set(notice.id, notice);
    return Promise.resolve(true);
  }
}
