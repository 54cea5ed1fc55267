import type { DeviceLedger, LedgerEntry } from "../../../src/simulation/devices/device-ledger.ts";
import { DAY, type FrozenDays, HOUR, isFrozen, MINUTE, reads, type Slot, slotAt, slotsBetween } from "./slots.ts";

/** A site as its customer and its provider would describe it to a court: nothing of it was computed by the operator. */
export interface JudgedSite {
  readonly key: string;
  readonly timeZone: string;
  readonly slot: Slot;
  readonly serials: readonly string[];
  readonly freezes?: readonly FrozenDays[];
}

/** A version that was announced: when, and what an upgrade is expected to take; milliseconds. */
export interface JudgedRelease {
  readonly version: string;
  /** The latest of its announcement and of when anybody could see it; of a ramp, when this site's step opened. */
  readonly announcedAt: number;
  readonly expected: { readonly download: number; readonly install: number; readonly failover: number; readonly verify: number };
}

/** What the account's receiver took. */
export interface TakenNotice {
  readonly site: string;
  readonly version: string | undefined;
  readonly takenAt: number;
  readonly kind?: string;
}

export interface Evidence {
  readonly sites: readonly JudgedSite[];
  readonly releases: readonly JudgedRelease[];
  readonly ledgers: readonly DeviceLedger[];
  /** Absent: there was no receiver, and the announcement alone counts. */
  readonly notices?: readonly TakenNotice[];
  /** When the Fleet was paused, calendar instants. */
  readonly pauses?: readonly { readonly from: number; readonly until: number }[];
  /** Tellings that a person asked for (upgrade now) are outside window and notice by right. */
  readonly asked?: (serial: string, at: number) => boolean;
}

export const EXPECTED = { download: 5 * MINUTE, install: 20 * MINUTE, failover: 2 * MINUTE, verify: 10 * MINUTE };

const NOTICE = 48 * HOUR;
/** A receiver that takes the notice so soon after the announcement took it with the announcement (rule W3). */
const GRACE = 15 * MINUTE;
/** So long after it was told, a Socket that says nothing may still be at it (rule S1: until the next window). */
const MAY_BE_AT_IT = 6 * DAY;
const major = (version: string): number => Number(version.split(".")[0]);

interface Told {
  readonly ledger: DeviceLedger;
  readonly entry: LedgerEntry;
  readonly at: number;
  readonly site: JudgedSite;
}

/** Every breach of I3, I4, I20 and S2 that stands in the devices' ledgers, as sentences; none: all is well. */
export function breachesOf(evidence: Evidence): string[] {
  const bySerial = new Map(evidence.ledgers.map((ledger) => [ledger.serial, ledger]));
  return evidence.sites.flatMap((site) => {
    const ledgers = site.serials.flatMap((serial) => bySerial.get(serial) ?? []);
    const told = ledgers
      .flatMap((ledger) => ledger.entries.flatMap((entry) => entry.toldAt.map((at) => ({ ledger, entry, at, site }))))
      .toSorted((a, b) => a.at - b.at);
    return [
      ...told.filter(({ ledger, at }) => evidence.asked?.(ledger.serial, at) !== true).flatMap((one) => untimely(evidence, ledgers, one)),
      ...told.flatMap((one) => together(ledgers, one)),
      ...told.flatMap((one) => whilePaused(evidence, ledgers, one)),
      ...told.flatMap((one) => wrongFirst(ledgers, one)),
      ...bothAway(site, ledgers),
      ...ledgers.flatMap((ledger) => twice(site, ledger)),
    ];
  });
}

const named = ({ ledger, entry, at, site }: Told): string =>
  `${site.key} ${ledger.serial} was told ${entry.version} at ${reads(site.timeZone, at)} ${site.timeZone}`;

/** I3: no command outside window, notice, last start or freeze. */
function untimely({ releases, notices }: Evidence, ledgers: readonly DeviceLedger[], told: Told): string[] {
  const { site, at, entry } = told;
  const what = named(told);
  const open = slotAt(site.timeZone, site.slot, at);
  if (open === undefined) return [`I3: ${what}, outside its window`];
  if (isFrozen(site.timeZone, site.freezes ?? [], at)) return [`I3: ${what}, in a freeze`];
  const release = releases.findLast((one) => one.version === entry.version && one.announcedAt <= at);
  if (release === undefined) return [`I3: ${what}, which nobody had announced`];
  const breaches: string[] = [];
  const promised = open.start - release.announcedAt;
  if (promised < NOTICE) breaches.push(`I3: ${what}, ${promised / HOUR} h after it was announced`);
  const taken = notices?.find((notice) => notice.site === site.key && notice.version === entry.version);
  if (notices !== undefined && taken === undefined) breaches.push(`I3: ${what}, and its account was never told`);
  if (taken !== undefined && open.start - taken.takenAt < NOTICE - GRACE) {
    breaches.push(`I3: ${what}, ${(open.start - taken.takenAt) / HOUR} h after its account was told`);
  }
  // Sockets that still have to get it, this one included.
  const left = ledgers.filter((ledger) => !ledger.entries.some((one) => runsSince(one, entry.version, at))).length;
  const lastStart = open.end - pieceOf(release, left, entry.aheadAt !== undefined);
  if (at > lastStart) breaches.push(`I3: ${what}, ${(at - lastStart) / MINUTE} min after its last start`);
  return breaches;
}

/** What so many Sockets of a site take, one after the other (rule W4). */
export function pieceOf({ expected }: Pick<JudgedRelease, "expected">, sockets: number, isFetched = false): number {
  const { download, install, failover, verify } = expected;
  return sockets * ((isFetched ? 0 : download) + install) + (sockets - 1) * failover + verify;
}

const runsSince = (entry: LedgerEntry, version: string, at: number): boolean =>
  entry.version === version && entry.outcome === "Installed" && (entry.ranUntil ?? Infinity) <= at;

/** A pause is acknowledged 10 s after it was written (rule G15). */
const ACKNOWLEDGED = 10_000;

/** I7: begun after an acknowledged pause; a pair of which one was told before goes on (rule S8). */
function whilePaused({ pauses = [] }: Evidence, ledgers: readonly DeviceLedger[], told: Told): string[] {
  const { at, entry, ledger } = told;
  const paused = pauses.find(({ from, until }) => at > from + ACKNOWLEDGED && at < until);
  if (paused === undefined) return [];
  const isSecond = ledgers.some(
    (other) =>
      other !== ledger && other.entries.some(({ version, toldAt }) => version === entry.version && (toldAt[0] ?? Infinity) < paused.from),
  );
  return isSecond ? [] : [`I7: ${named(told)}, ${(at - paused.from) / 1_000} s after the Fleet was paused`];
}

/** I4, S2: told while the other one may be at it, or before the other one had proved itself. */
function together(ledgers: readonly DeviceLedger[], told: Told): string[] {
  const { ledger, entry, at, site } = told;
  return ledgers
    .filter((other) => other !== ledger)
    .flatMap((other) => {
      const last = other.entries.findLast((one) => (one.toldAt[0] ?? Infinity) < at && one !== entry);
      if (last === undefined) return [];
      const what = named(told);
      const since = at - last.toldAt[0]!;
      if (!isOver(last, at)) return since < MAY_BE_AT_IT ? [`I4: ${what} while ${other.serial} may be installing`] : [];
      const sameNight = slotAt(site.timeZone, site.slot, last.toldAt[0]!)?.start === slotAt(site.timeZone, site.slot, at)?.start;
      if (!sameNight || last.version !== entry.version) return [];
      if (last.versionAfter !== entry.version) return [`S2: ${what} in the same night in which ${other.serial} did not come to it`];
      const proved = at - (last.ranUntil ?? at);
      return proved < 10 * MINUTE ? [`S2: ${what}, ${proved / MINUTE} min after ${other.serial} was back`] : [];
    });
}

const isOver = ({ outcome, ranFrom, ranUntil }: LedgerEntry, at: number): boolean =>
  outcome !== undefined && (ranFrom === undefined || (ranUntil ?? Infinity) <= at);

/** S2: the one that carried the traffic was told before the standby, and the pair was on one major. */
function wrongFirst(ledgers: readonly DeviceLedger[], told: Told): string[] {
  const { ledger, entry, at } = told;
  const other = ledgers.find((one) => one !== ledger);
  if (other === undefined || entry.wasActive !== true || entry.toldAt[0] !== at) return [];
  if (other.entries.some((one) => one.version === entry.version && (one.toldAt[0] ?? Infinity) < at)) return [];
  const others = versionAt(other, at);
  if (others !== undefined && (others === entry.version || major(others) !== major(entry.versionBefore))) return [];
  return [`S2: ${named(told)} first, although it carried the traffic`];
}

/** What it ran at an instant, as far as its ledger tells. */
const versionAt = ({ entries }: DeviceLedger, at: number): string | undefined =>
  entries.findLast(({ ranUntil }) => ranUntil !== undefined && ranUntil <= at)?.versionAfter ??
  entries.find(({ toldAt }) => (toldAt[0] ?? 0) > at)?.versionBefore;

/** I4: both away at once by our doing. */
function bothAway(site: JudgedSite, [one, other]: readonly DeviceLedger[]): string[] {
  if (one === undefined || other === undefined) return [];
  return one.entries.flatMap((a) =>
    other.entries.flatMap((b) => {
      if (a.ranFrom === undefined || b.ranFrom === undefined) return [];
      const overlap = Math.min(a.ranUntil ?? Infinity, b.ranUntil ?? Infinity) - Math.max(a.ranFrom, b.ranFrom);
      return overlap > 0 ? [`I4: ${site.key}: both Sockets were away, from ${reads(site.timeZone, Math.max(a.ranFrom, b.ranFrom))}`] : [];
    }),
  );
}

/** I20: one version is told once a night, and what was installed is not told again. */
function twice(site: JudgedSite, ledger: DeviceLedger): string[] {
  return ledger.entries.flatMap((entry, index) => {
    const earlier = ledger.entries.slice(0, index).find((one) => {
      if (one.version !== entry.version || one.toldAt.length === 0 || entry.toldAt.length === 0) return false;
      if (one.outcome === "Installed") return true;
      const [a, b] = [one, entry].map(({ toldAt }) => slotAt(site.timeZone, site.slot, toldAt[0]!)?.start);
      return a === b;
    });
    return earlier === undefined ? [] : [`I20: ${site.key} ${ledger.serial} was told ${entry.version} twice`];
  });
}

export interface Starved {
  readonly site: string;
  readonly version: string;
  readonly sentence: string;
}

/**
 * L3: the sites that were connected for a day before their first allowed window and through it, and whose Sockets did not all come to
 * the version in it. `isExcused` knows the named reasons of those that were held.
 */
export function starvedBy(
  { sites, ledgers, notices }: Evidence,
  release: JudgedRelease,
  until: number,
  isExcused: (site: JudgedSite, from: number, to: number) => boolean = () => false,
): Starved[] {
  const bySerial = new Map(ledgers.map((ledger) => [ledger.serial, ledger]));
  return sites.flatMap((site) => {
    const taken = notices?.find((notice) => notice.site === site.key && notice.version === release.version)?.takenAt;
    const announcedAt = taken !== undefined && taken > release.announcedAt + GRACE ? taken : release.announcedAt;
    const slots = slotsBetween(site.timeZone, site.slot, announcedAt + NOTICE, announcedAt + NOTICE + 60 * DAY);
    const piece = pieceOf(release, site.serials.length);
    // A night that a clock change has made too short for all Sockets of the site is none.
    const first = slots.find(({ start, end }) => !isFrozen(site.timeZone, site.freezes ?? [], start) && end - start >= piece);
    if (first === undefined || first.end > until) return [];
    const own = site.serials.flatMap((serial) => bySerial.get(serial) ?? []);
    const wasAway = own.some(({ absences }) =>
      absences.some((absence) => absence.from < first.end && (absence.until ?? Infinity) > first.start - DAY),
    );
    const came = ({ entries }: DeviceLedger): boolean =>
      entries.some((entry) => entry.version === release.version && entry.toldAt.some((at) => at >= first.start && at < first.end));
    if (wasAway || own.every(came) || isExcused(site, first.start, first.end)) return [];
    const whom = own.filter((ledger) => !came(ledger)).map(({ serial }) => serial);
    const sentence = `L3: ${site.key}: ${whom.join(" and ")} did not get ${release.version} in the first allowed window, ${reads(site.timeZone, first.start)} ${site.timeZone}`;
    return [{ site: site.key, version: release.version, sentence }];
  });
}
