/** One event report of a client: a number says what it was doing, another one how that ended. */
export interface OmahaEvent {
  readonly type: number;
  readonly result: number;
  readonly errorCode?: number;
  readonly extraCode?: number;
  readonly previousVersion?: string;
  readonly nextVersion?: string;
}

/** What an event means for the numbers of a rollout (rule C4). */
export type EventMeaning =
  /** It began to download or to install: attempted. */
  | "Began"
  /** It says that it is installed: progress and no proof, what a Client runs it says at its next check-in. */
  | "Installed"
  | "Failed"
  /** A person or a policy put it off; that is no failure. */
  | "Cancelled"
  | "Other";

/** Event types of the protocol: download and install of a first installation and of an update. */
const BEGINS = new Set([1, 5, 6, 9, 12, 13, 14, 15, 16]);
const COMPLETES = new Set([2, 3, 11, 17]);
const ERRORS = new Set([0, 5, 6, 8, 10]);
const PUT_OFF = new Set([4, 9]);

/** Of other events (uninstalls, commands, failed checks) nothing is concluded about a version. */
export function meaningOf({ type, result }: Pick<OmahaEvent, "type" | "result">): EventMeaning {
  if (!BEGINS.has(type) && !COMPLETES.has(type)) return "Other";
  if (ERRORS.has(result)) return "Failed";
  if (PUT_OFF.has(result)) return "Cancelled";
  if (BEGINS.has(type)) return "Began";
  return result === 7 ? "Other" : "Installed";
}
