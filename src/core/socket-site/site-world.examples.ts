import { socketSiteStatus } from "../../api/socket-site.ts";
import type { Instant } from "../decision.ts";
import { afterAct, type CommandAct, type CommandRow, isOver } from "../socket/command.ts";
import type { DeviceReport } from "../socket/device.ts";
import type { Notice } from "../socket/notice.ts";
import { HOUR, MINUTE, SECOND } from "../time/civil.ts";
import type { SocketSiteAction } from "./action.ts";
import { decide } from "./decide.ts";
import type { SiteInventory, SocketSiteObservation } from "./observation.ts";
import { berlin } from "./socket-site.examples.ts";

/** What a device of the tests does with a command that it may fetch. */
export type Behaviour = (command: CommandRow, world: SiteWorld, now: Instant) => void;

interface Told {
  readonly at: Instant;
  readonly serial: string;
  readonly version: string;
}

/**
 * One site with its rows, notices and devices, turned by hand: what is decided is done as the loop does it (status first, effects in a
 * later pass), and every status has to be one that the API server takes (rule I19).
 */
export class SiteWorld {
  seen: SocketSiteObservation;
  now: Instant;
  writes = 0;
  wakeAt: Instant | undefined;
  /** Acceptance of notices: undefined while the channel is blocked. */
  channel: "Takes" | "Blocked" = "Takes";
  readonly rows = new Map<string, CommandRow>();
  readonly devices = new Map<string, DeviceReport>();
  readonly accepted = new Map<string, { readonly acceptedAt: Instant }>();
  readonly notices: Notice[] = [];
  /** The devices' own ledger: what each was told to install, and when. */
  readonly told: Told[] = [];
  readonly events: string[] = [];
  readonly behaviours = new Map<string, Behaviour>();
  private readonly due: { readonly at: Instant; readonly run: () => void }[] = [];
  private readonly verdicts: { serial: string; revision: string; failed: boolean }[] = [];
  readonly cancelRequested = new Set<string>();
  private polls: SiteInventory["polls"];

  constructor(now: string, given: Partial<SocketSiteObservation> = {}) {
    this.seen = berlin(given);
    this.now = Date.parse(now);
    for (const [serial, report] of this.seen.inventory!.devices) this.devices.set(serial, report);
  }

  get status() {
    return this.seen.site.status;
  }

  get upgrade() {
    return this.status.upgrade;
  }

  inventory(): SiteInventory {
    const named = this.upgrade?.command?.id;
    return {
      devices: new Map(this.devices),
      foreign: new Set(),
      commands: new Map([...this.rows].filter(([id, row]) => id === named || !isOver(row.state))),
      verdicts: this.verdicts,
      notices: this.accepted,
      cancelRequested: this.cancelRequested,
      ...(this.polls === undefined ? {} : { polls: this.polls }),
    };
  }

  /** Looks until nothing is left to do now. */
  look(): void {
    for (let pass = 0; pass < 20; pass += 1) {
      this.seen = { ...this.seen, ...(this.seen.inventory === undefined ? {} : { inventory: this.inventory() }) };
      const { status, actions, wakeAt, events } = decide(this.seen, this.now);
      this.wakeAt = wakeAt;
      if (status === undefined && actions.length === 0) return;
      if (status === undefined) for (const action of actions) this.act(action);
      else {
        const written = socketSiteStatus.parse(JSON.parse(JSON.stringify(status)));
        this.seen = { ...this.seen, site: { ...this.seen.site, status: written } };
        this.events.push(...events.map(({ reason, message }) => `${reason}: ${message}`));
        this.writes += 1;
      }
      // A channel that takes nothing is tried again later, not at once.
      if (status === undefined && actions.every(({ kind }) => kind === "SendNotice") && this.channel === "Blocked") return;
    }
    throw new Error(`never at rest: ${JSON.stringify(decide(this.seen, this.now).actions)}`);
  }

  private act(action: SocketSiteAction): void {
    if (action.kind === "InsertCommand") {
      const live = [...this.rows.values()].some((row) => !isOver(row.state));
      if (!this.rows.has(action.row.id) && !live) this.rows.set(action.row.id, action.row);
    } else if (action.kind === "WithdrawCommand") this.change(action.id, "withdraw");
    else if (action.kind === "GiveUpCommand") this.change(action.id, "giveUp");
    else if (action.kind === "CancelCommand") this.cancelRequested.add(action.id);
    else if (action.kind === "RecordVerdict") this.verdicts.push(action);
    else if (action.kind === "HintPolls") this.polls = { from: action.from, until: action.until, first: action.first };
    else if (action.kind === "SendNotice" && this.channel === "Takes") {
      this.notices.push(action.notice);
      this.accepted.set(action.notice.id, { acceptedAt: this.now });
    }
  }

  change(id: string, act: CommandAct, said?: string): CommandRow | undefined {
    const row = this.rows.get(id);
    const next = row && afterAct(row, act, this.now);
    if (next !== undefined) this.rows.set(id, said === undefined ? next : { ...next, said });
    return next;
  }

  /** Something that happens later. */
  later(milliseconds: number, run: () => void): void {
    this.due.push({ at: this.now + milliseconds, run });
    this.due.sort((a, b) => a.at - b.at);
  }

  report(serial: string, given: Partial<DeviceReport>): void {
    this.devices.set(serial, { ...this.devices.get(serial)!, ...given });
  }

  /** On to an instant: every wake-up, and once a minute while something is in hand, else once an hour. */
  until(text: string | Instant): void {
    const end = typeof text === "string" ? Date.parse(text) : text;
    this.look();
    while (this.now < end) {
      const closes = this.upgrade?.window?.end;
      const inHand = this.upgrade?.command !== undefined && closes !== undefined && this.now < Date.parse(closes);
      const busy = inHand || this.due.length > 0;
      const step = busy ? MINUTE : HOUR;
      const next = Math.min(end, this.now + step, this.wakeAt ?? Infinity, this.due[0]?.at ?? Infinity);
      this.now = Math.max(next, this.now + 1);
      while (this.due[0] !== undefined && this.due[0].at <= this.now) this.due.shift()!.run();
      this.look();
      this.fetch();
      this.look();
    }
  }

  /** Connected devices fetch what they may fetch now. */
  private fetch(): void {
    for (const row of this.rows.values()) {
      if (row.state !== "Open" || (this.devices.get(row.serial)?.polledMilliseconds ?? Infinity) > 630_000) continue;
      const given = this.change(row.id, "give");
      if (given === undefined) continue;
      this.told.push({ at: this.now, serial: row.serial, version: row.version });
      (this.behaviours.get(row.serial) ?? installs)(given, this, this.now);
    }
  }
}

/** Downloads for 5 minutes, installs for 12, restarts, and the other Socket takes the traffic. */
export const installs: Behaviour = ({ id, serial, version }, world) => {
  world.later(MINUTE, () => world.change(id, "proceed"));
  world.later(15 * MINUTE, () => world.report(serial, { polledMilliseconds: 3_600_000 }));
  world.later(17 * MINUTE, () => {
    world.change(id, "succeed");
    swapped(world, serial);
    world.report(serial, { polledMilliseconds: SECOND, version, versionSeenAt: world.now, connectedSince: world.now });
  });
};

/** It tries, fails, and runs what it ran before. */
export const fails: Behaviour = ({ id, serial }, world) => {
  world.later(10 * MINUTE, () => world.report(serial, { polledMilliseconds: 3_600_000 }));
  world.later(14 * MINUTE, () => {
    world.change(id, "fail", "signature\u001b[31m does not verify");
    swapped(world, serial);
    world.report(serial, { polledMilliseconds: SECOND, connectedSince: world.now });
  });
};

/** It answers success at once, and installs nothing. */
export const lies: Behaviour = ({ id }, world) => {
  world.later(2 * MINUTE, () => world.change(id, "succeed"));
};

/** The one that went away comes back as the standby. */
function swapped(world: SiteWorld, serial: string): void {
  for (const other of world.devices.keys()) {
    world.report(other, { ha: { state: other === serial ? "Standby" : "Active", keepalive: true } });
  }
}
