import type { Instant } from "../core/decision.ts";
import type { CommandAct, CommandRow } from "../core/socket/command.ts";
import type { DeviceReport } from "../core/socket/device.ts";
import type { SiteInventory } from "../core/socket-site/observation.ts";

/**
 * What is known of devices: reports, command rows, attempts, notices, verdicts, audit. Three implementations (SQLite, PostgreSQL, the
 * simulated one) and one conformance suite. Calendar instants are given by the caller; ages are told by the store's own clock, so that
 * an accelerated calendar ages no heartbeat. Every method rejects with InventoryUnavailable alone; what was asked may then have been
 * done, so each is safe to repeat.
 */
export class InventoryUnavailable extends Error {
  override readonly name = "InventoryUnavailable";
  /** For Retry-After of whoever waits; elapsed milliseconds. */
  readonly retryAfterMilliseconds: number;

  constructor(message: string, retryAfterMilliseconds = 5_000, options?: ErrorOptions) {
    super(message, options);
    this.retryAfterMilliseconds = retryAfterMilliseconds;
  }
}

/** A device of which something changed; the token changes with every further change, so that none is settled unseen. */
export interface ChangedKey {
  readonly serial: string;
  readonly token: string;
}

/** How one attempt went, for measured times, numbers and audit. */
export interface AttemptEnd {
  readonly command: string;
  readonly outcome: "Confirmed" | "Failed" | "Withdrawn" | "Unknown";
  readonly reason?: string;
  readonly at: Instant;
}

/** The operator's side. */
export interface Inventory {
  /** All that a site's decision looks at, in one read of one moment. `named` is the command that status names, if any. */
  site(of: {
    readonly uid: string;
    readonly account: string;
    readonly serials: readonly string[];
    readonly named?: string;
  }): Promise<SiteInventory>;
  /**
   * Inserts the row if none of this id is there and no row of this site is open, given or proceeding: the store itself keeps a pair from
   * two commands (rules S2, I4). A row of another site that still holds the Socket is withdrawn for it if it is Open and its time ends
   * before this one's begins: that site was deleted while no operator ran, and nobody was given it (rule S1). False: nothing was inserted.
   */
  insertCommand(row: CommandRow): Promise<boolean>;
  /** The one statement of an act (rule S1). True: it changed the row. */
  act(id: string, act: Exclude<CommandAct, "give">, now: Instant): Promise<boolean>;
  /** Ask the device to drop a given command; shown at its next poll until it answers. */
  requestCancel(id: string, now: Instant): Promise<void>;
  endAttempt(end: AttemptEnd): Promise<void>;
  recordVerdict(verdict: {
    readonly serial: string;
    readonly revision: string;
    readonly failed: boolean;
    readonly reason: string;
    readonly at: Instant;
  }): Promise<void>;
  /** A notice was accepted; the first acceptance of an id stays. */
  recordNotice(notice: {
    readonly id: string;
    readonly siteUid: string;
    readonly kind: string;
    readonly acceptedAt: Instant;
  }): Promise<void>;
  /** When devices are to poll more often, and when first (rule S14); replaces what was there. */
  planPolls(plan: {
    readonly serials: readonly string[];
    readonly from: Instant;
    readonly until: Instant;
    readonly first: Instant;
  }): Promise<void>;
  /** The 95th percentiles of a rollout's confirmed upgrades, in milliseconds. */
  measured(rollout: string): Promise<{ readonly upgrades: number; readonly download?: number; readonly install?: number }>;

  /** The next changed keys, oldest first, at most `limit`; they stay until `settle`. */
  changed(limit: number): Promise<readonly ChangedKey[]>;
  /** Forgets those whose token is still the same. */
  settle(keys: readonly ChangedKey[]): Promise<void>;
  /** Calls back when something may have changed; never says what. Returns the unsubscription. */
  onChange(listener: () => void): () => void;
  /** Resolves where it answers and can be written to: one that is only read (a lock, a full disk, a standby) is away for us. */
  writable(): Promise<void>;
  /** Every enrolled device, in pages: on start all are folded once. */
  devices(after: string | undefined, limit: number): Promise<readonly DeviceReport[]>;
  close(): Promise<void>;
}

/** Who calls the gateway, as its token says. */
export interface Caller {
  readonly account: string;
  /** Absent: a gateway token of the account, good for all its devices. */
  readonly serial?: string;
}

/** The gateway's side. */
export interface DeviceInventory {
  /** Who has this token; undefined: nobody, or it is expired. `hash` is the SHA-256 of the token, lower-case hexadecimal. */
  authenticate(hash: string, now: Instant): Promise<Caller | undefined>;
  /**
   * A poll of an enrolled device: what is kept of it, its row that is not over, and what it is told to cancel. A poll later than
   * 2 × the hint before + 30 s is a gap. Undefined: not enrolled in that account. `hintMilliseconds`: what it is answered now.
   */
  poll(
    of: { readonly account: string; readonly serial: string; readonly hintMilliseconds: number },
    now: Instant,
  ): Promise<PollAnswer | undefined>;
  /** The store's own clock, in calendar milliseconds: the one that all gateways share. */
  storeTime(): Promise<number>;
  /** What is known of these devices, without a poll of theirs; of a serial that is not enrolled in that account, nothing. */
  reports(of: { readonly account: string; readonly serials: readonly string[] }): Promise<readonly DeviceReport[]>;
  /** The attributes that a device reports. True: something changed, and the operator will look. */
  report(of: { readonly account: string; readonly serial: string; readonly attributes: DeviceAttributes }, now: Instant): Promise<boolean>;
  /** Gives the command: `Open | Given → Given` inside its time (rule S1). Undefined: no row changed, so nothing is offered. */
  give(of: { readonly account: string; readonly serial: string; readonly action: number }, now: Instant): Promise<CommandRow | undefined>;
  /** The command of that number which this very device was given, also when it is over. */
  given(of: { readonly account: string; readonly serial: string; readonly action: number }): Promise<CommandRow | undefined>;
  /**
   * Feedback of a device about a command of its own. NotYours: no such command of this device (404 or 410, without a difference);
   * Repeated: it changed nothing (answered as a success: devices repeat).
   */
  feedback(
    of: { readonly account: string; readonly serial: string; readonly action: number },
    act: Extract<CommandAct, "proceed" | "succeed" | "fail" | "cancel">,
    said: string | undefined,
    now: Instant,
  ): Promise<"Changed" | "Repeated" | "NotYours">;
  /**
   * Binds a serial to an account and gives it a token, by its hash; without a serial it is a gateway token, good for all devices of the
   * account. Older tokens of the same serial, or the account's older gateway tokens, stay good until `oldTokensUntil` (rotation).
   * TokenTaken: somebody else has a token of this hash, and nothing was changed; one token must not open two doors (rule I15).
   */
  enroll(device: {
    readonly serial?: string;
    readonly account: string;
    readonly tokenHash: string;
    readonly at: Instant;
    readonly expiresAt?: Instant;
    readonly oldTokensUntil: Instant;
  }): Promise<"Enrolled" | "Rotated" | "OfAnotherAccount" | "TokenTaken">;
}

/** What a device says of itself, already read, stripped and capped (rule G12). */
export interface DeviceAttributes {
  readonly version?: string;
  readonly model?: string;
  readonly haState?: "Active" | "Standby" | "Unknown";
  readonly keepalive?: boolean;
  readonly pop?: string;
  readonly prefetch?: boolean;
}

export interface PollAnswer {
  readonly device: DeviceReport;
  /** The row that is not over, given or not: who asks for it decides nothing yet. */
  readonly command?: CommandRow;
  readonly cancel: boolean;
  readonly plan?: { readonly from: Instant; readonly until: Instant; readonly first: Instant };
}
