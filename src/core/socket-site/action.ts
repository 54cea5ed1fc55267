import type { Instant } from "../decision.ts";
import type { CommandRow } from "../socket/command.ts";
import type { Notice } from "../socket/notice.ts";

/**
 * One effect of a SocketSite's decision. Each is idempotent and carries the id of what it is of (rule I9); each acts on the inventory or
 * on a notice channel, never on the API server. Order: an action that a claim precedes comes in the pass after it.
 */
export type SocketSiteAction =
  /** Insert the row Open, if no row of this id is there (rule S1). Only for a command that status names as not inserted. */
  | { readonly kind: "InsertCommand"; readonly row: CommandRow }
  /** `Open → Withdrawn`; no row changed → the device has it. */
  | { readonly kind: "WithdrawCommand"; readonly id: string }
  /** Ask the device to drop what it was given and has not begun (DDI cancelAction); it may refuse. */
  | { readonly kind: "CancelCommand"; readonly id: string }
  /** `Given | Proceeding → Unknown` at the next window. */
  | { readonly kind: "GiveUpCommand"; readonly id: string }
  /** Send until it is accepted. Its completion is evidence: decide → send → `notices` of the next observation (architecture). */
  | { readonly kind: "SendNotice"; readonly notice: Notice }
  /** From when on the devices of the site are to poll every 10 s, and until when; and when this one is to poll first (rule S14). */
  | {
      readonly kind: "HintPolls";
      readonly serials: readonly string[];
      readonly from: Instant;
      readonly until: Instant;
      readonly first: Instant;
    }
  | {
      readonly kind: "RecordVerdict";
      readonly serial: string;
      readonly revision: string;
      readonly failed: boolean;
      readonly reason: string;
    };
