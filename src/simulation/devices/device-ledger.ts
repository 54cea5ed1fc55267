/** What one Socket was told under one action, and what came of it; calendar instants of the world's clock. */
export interface LedgerEntry {
  readonly action: number;
  readonly version: string;
  readonly versionBefore: string;
  /** Told to fetch and to wait (rule S13). */
  aheadAt?: number;
  /** Each time that it was told to install, until it began. */
  readonly toldAt: number[];
  /** What it was of its pair when it was told first. */
  wasActive?: boolean;
  /** It runs no traffic from here on, until `ranUntil`. */
  ranFrom?: number;
  ranUntil?: number;
  outcome?: "Installed" | "Failed" | "RolledBack" | "Lied" | "Canceled";
  versionAfter?: string;
}

/** When a Socket was cut off from the gateway, or without power; open-ended while it is. */
export interface Absence {
  readonly from: number;
  until?: number;
  readonly why: "Unplugged" | "Unreachable";
}

/** All that a Socket knows of its own life. Nobody else writes into it, and it knows no status. */
export interface DeviceLedger {
  readonly account: string;
  readonly serial: string;
  readonly entries: LedgerEntry[];
  readonly absences: Absence[];
  polls: number;
  /** How often a poll showed it a deployment. */
  offers: number;
}
