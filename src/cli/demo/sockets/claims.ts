import { counted } from "../../../core/text.ts";
import { clockReads } from "../fleet/wall-clock.ts";
import { type CastSite, SITE_COUNT, SITES, TARGET } from "./cast.ts";
import { cameAll, isInWindow, overlapsOf, type Telling, wrongFirsts } from "./ledgers.ts";
import type { SocketPlay } from "./play.ts";

const HOUR = 3_600_000;
const NOTICE = 48 * HOUR;
/** Standard deviations from its share that a lot is allowed. */
const DEVIATIONS = 4;

const named = ({ site, serial, at }: Telling): string => `${serial} of ${site.key} at ${clockReads(site.timeZone, at)} ${site.timeZone}`;
const few = (sentences: readonly string[]): string =>
  `${sentences.slice(0, 4).join("; ")}${sentences.length > 4 ? `; and ${sentences.length - 4} more` : ""}`;

/** What has to be true of everything that a Socket was ever told, by its own ledger (rules W1, W3, W4, S2). */
export async function claimLedgersAreClean(play: SocketPlay): Promise<void> {
  await play.claim("every Socket was told inside its window, Sunday 01:00 to 03:00 where it is, and was back before it closed", () => {
    const told = play.tellings();
    const outside = told.filter(({ site, at, entry }) => ![at, entry.ranUntil ?? at].every((one) => isInWindow(site.timeZone, one)));
    return {
      holds: told.length > 0 && outside.length === 0,
      found: outside.length === 0 ? `${told.length} commands, every one of them` : `${outside.length} outside: ${few(outside.map(named))}`,
    };
  });
  await play.claim("and its account had taken the notice at least 48 hours before", () => {
    const waits = play.tellings().map((one) => ({ one, wait: one.at - (takenAt(play, one) ?? Infinity) }));
    const late = waits.filter(({ wait }) => wait < NOTICE).map(({ one }) => named(one));
    const least = Math.min(...waits.map(({ wait }) => wait)) / HOUR;
    return {
      holds: waits.length > 0 && late.length === 0,
      found: late.length === 0 ? `${least.toFixed(1)} h at the least` : `without: ${few(late)}`,
    };
  });
  await play.claim("of a pair never both at once, and the one that carries the traffic never first", () => {
    const pairs = play.lives().filter(({ devices }) => devices.length > 1);
    const wrong = pairs.flatMap((life) => [...overlapsOf(life), ...wrongFirsts(life)]);
    const upgraded = pairs.filter(cameAll).length;
    return { holds: wrong.length === 0, found: wrong.length === 0 ? `${counted(upgraded, "pair")} upgraded so far, none so` : few(wrong) };
  });
}

/** When the account first took a notice of this version for the site. */
const takenAt = ({ field }: SocketPlay, { site, entry }: Telling): number | undefined =>
  field.notices.find((notice) => notice.site === site.key && notice.version === entry.version && isPlan(notice.kind))?.takenAt;

const isPlan = (kind: string): boolean => kind === "Planned" || kind === "Moved";

/** Which sites were told, by their ledgers. */
export const sitesTold = (play: SocketPlay): ReadonlySet<string> => new Set(play.tellings().map(({ site }) => site.key));

/** The lot decides which sites, the step how many: of 200 it may be a few more or less than the share (rule S10). */
export async function claimShare(play: SocketPlay, percent: number): Promise<void> {
  const share = percent / 100;
  const most = Math.ceil(SITE_COUNT * share + DEVIATIONS * Math.sqrt(SITE_COUNT * share * (1 - share)));
  await play.claim(`only sites of the ramp's first ${percent} % were told: of ${SITE_COUNT} at most ${most}`, () => {
    const count = sitesTold(play).size;
    return { holds: count > 0 && count <= most, found: counted(count, "site") };
  });
}

/** Sites that do not run the version on all of their Sockets, each with the reason that its status gives (rule L3). */
export function leftOf(
  play: SocketPlay,
): readonly { readonly site: CastSite; readonly reason: string | undefined; readonly why: string }[] {
  return SITES.filter((site) => !cameAll(play.life(site))).map((site) => {
    const { upgrade, holds } = play.statusOf(site);
    return { site, reason: upgrade?.reason ?? holds?.[0]?.reason, why: upgrade?.message ?? holds?.[0]?.message ?? "" };
  });
}

/** Who was not upgraded is named; nobody is forgotten. */
export async function claimNobodyForgotten(play: SocketPlay, expected: ReadonlyMap<string, string>): Promise<void> {
  await play.claim(`every other site runs ${TARGET}; who does not is named with its reason, and nobody is forgotten`, () => {
    const left = leftOf(play);
    const found = left.map(({ site, reason }) => `${site.key} ${reason ?? "WITHOUT A REASON"}`);
    const holds = left.length === expected.size && left.every(({ site, reason }) => expected.get(site.key) === reason);
    return { holds, found: `${SITE_COUNT - left.length} of ${SITE_COUNT}; ${few(found) || "nobody is left"}` };
  });
}
