import type { Chapter } from "../act.ts";
import { clockReads } from "../fleet/wall-clock.ts";
import { BASE, type CastSite, CLOCK_CHANGE, DAYS, SITE_COUNT, SITES, TARGET, ZONES } from "./cast.ts";
import { claimLedgersAreClean, claimNobodyForgotten, claimShare, leftOf, sitesTold } from "./claims.ts";
import { cameAll } from "./ledgers.ts";
import { mends, twoMajors } from "./mixed-pair.ts";
import type { SocketPlay } from "./play.ts";

/** First polls are spread over minutes; elapsed milliseconds. */
const FIRST_REPORTS = 15 * 60_000;
/** Notices are tried again after a while; elapsed milliseconds. */
const NOTICES_TAKEN = 15 * 60_000;

/** The third act: Sockets of customers, in their own Sunday nights. */
export const SOCKET_CHAPTERS: readonly Chapter<SocketPlay>[] = [
  {
    title: `${SITE_COUNT} sites in ${ZONES.length} zones`,
    story: `One or two Sockets each, of four accounts. A window: Sunday 01:00 to 03:00 wherever the site is, with 48 hours of notice.`,
    run: sitesJoin,
  },
  {
    title: "the first Sunday: five of a hundred",
    story: `${TARGET} is announced on a Monday. A lot decides who is first; of a pair the standby is, and the other one only when it has proved itself.`,
    run: firstSunday,
  },
  {
    title: "somebody upgrades one Socket of a pair by hand",
    story:
      "Now it is on two majors, and neither could take over from the other as it should. The story says which, how bad, and what to do.",
    run: twoMajors,
  },
  {
    title: "the second Sunday: the clocks of Europe change",
    story: "In London there is no 01:00 to 02:00 in this night. What is left of the window is enough for one Socket, not for a pair.",
    run: secondSunday,
  },
  {
    title: "the third Sunday: everybody",
    story: "Three sites have lost their line, and in one the new version does not come up. All others are upgraded in their own night.",
    run: thirdSunday,
  },
];

async function sitesJoin(play: SocketPlay): Promise<void> {
  await play.apply();
  await play.until("the first report of every Socket", () => known(play).length === SITE_COUNT, FIRST_REPORTS);
  await play.claim(`all Sockets of ${SITE_COUNT} sites are known by what they report, and run ${BASE}`, () => {
    const pairs = SITES.filter(({ sockets }) => sockets.length > 1).length;
    const runs = play.lives().flatMap(({ devices }) => devices.map(({ version }) => version));
    return {
      holds: known(play).length === SITE_COUNT && runs.every((version) => version === BASE),
      found: `${runs.length} Sockets in ${known(play).length} sites, ${pairs} of them pairs`,
    };
  });
}

/** Sites whose status knows all that their Sockets have said. */
const known = (play: SocketPlay): readonly CastSite[] =>
  SITES.filter((site) => {
    const { sockets = [] } = play.statusOf(site);
    return sockets.length === site.sockets.length && sockets.every(({ version, connected }) => version === BASE && connected);
  });

async function firstSunday(play: SocketPlay): Promise<void> {
  const [night] = DAYS.nights;
  await announcedAhead(play);
  await receiversAway(play);
  await play.passTo(night.from);
  await play.claim("nobody was told anything in the week before", () => ({
    holds: play.tellings().length === 0,
    found: `no command; ${play.field.notices.length} notices were taken`,
  }));
  await play.passTo(night.to);
  await claimLedgersAreClean(play);
  await claimShare(play, 5);
}

/** Applied an hour early: until the date that it is announced for, nobody hears of it (rule W3). */
async function announcedAhead(play: SocketPlay): Promise<void> {
  await play.announce(Date.parse(DAYS.announced));
  const hold = () => play.rollout()?.status?.holds?.[0];
  await play.until("the rollout to say what it waits for", () => hold() !== undefined);
  await play.claim("it waits for the hour that it is announced for; no site is planned before", () => {
    const planned = SITES.filter((site) => play.statusOf(site).upgrade !== undefined).length;
    const { reason, until } = hold() ?? {};
    const holds = reason === "NoticeNotElapsed" && Date.parse(until ?? "") === Date.parse(DAYS.announced) && planned === 0;
    return { holds, found: `${reason} until ${until}; ${planned} sites are planned` };
  });
}

/** That it was sent is no evidence; that it was taken is (rule W3). */
async function receiversAway(play: SocketPlay): Promise<void> {
  const planned = () => SITES.filter((site) => play.statusOf(site).upgrade !== undefined);
  const told = () => planned().filter((site) => play.statusOf(site).upgrade?.announced?.noticeAcceptedAt !== undefined);
  play.say("that morning the accounts' receivers of notices are away");
  play.field.setReceivers("Away");
  await play.passTo(DAYS.announced);
  await play.until(
    "the first share to be planned",
    () => planned().length > 0 && planned().length === play.rollout()?.status?.numbers?.inRamp,
  );
  await play.claim("sites are planned, and none of them counts as told", () => ({
    holds: planned().length > 0 && told().length === 0,
    found: `${planned().length} planned, ${told().length} told`,
  }));
  play.say("the receivers are back");
  play.field.setReceivers("There");
  await play.until("every notice to be taken", () => told().length === planned().length, NOTICES_TAKEN);
}

async function secondSunday(play: SocketPlay): Promise<void> {
  const night = DAYS.nights[1];
  await play.passTo(night.to);
  await claimLedgersAreClean(play);
  await claimShare(play, 25);
  await claimShortNight(play);
  await mends(play);
}

/** London on the night of the change: one hour, between 02:00 and 03:00 of a clock that had no 01:00 (rules W1, W1a, W4). */
async function claimShortNight(play: SocketPlay): Promise<void> {
  const [opens, closes] = [Date.parse(CLOCK_CHANGE.opens), Date.parse(CLOCK_CHANGE.closes)];
  const told = () =>
    play.tellings().filter(({ site, at }) => site.city === "London" && clockReads(site.timeZone, at).startsWith(CLOCK_CHANGE.date));
  await play.claim("London's window was the hour from 02:00 to 03:00, 01:00 to 02:00 UTC, and single Sockets were upgraded in it", () => {
    const all = told();
    const good = all.filter(({ site, at, entry }) => site.sockets.length === 1 && at >= opens && (entry.ranUntil ?? Infinity) <= closes);
    return {
      holds: all.length > 0 && good.length === all.length,
      found: all.map(({ serial, site, at }) => `${serial} at ${clockReads(site.timeZone, at).slice(11)}`).join(", ") || "none was told",
    };
  });
  await play.claim(
    "none of London's pairs was begun in it, for an hour is not enough: who has its turn is planned for the Sunday after",
    () => {
      const pairs = SITES.filter((site) => site.city === "London" && site.sockets.length > 1);
      const begun = told().filter(({ site }) => pairs.includes(site));
      const planned = pairs.filter((site) => waitsForNextWeek(play, site)).map(({ name }) => name);
      const found =
        begun.length === 0 ? planned.join(", ") || "none has its turn" : `begun: ${begun.map(({ serial }) => serial).join(", ")}`;
      return { holds: begun.length === 0, found };
    },
  );
}

const waitsForNextWeek = (play: SocketPlay, site: CastSite): boolean => {
  const { upgrade } = play.statusOf(site);
  const next = Date.parse(DAYS.nights[2].from);
  return upgrade?.planned?.start !== undefined && Date.parse(upgrade.planned.start) > next && !sitesTold(play).has(site.key);
};

async function thirdSunday(play: SocketPlay): Promise<void> {
  const night = DAYS.nights[2];
  await play.passTo(DAYS.mishaps);
  const told = sitesTold(play);
  const untold = SITES.filter((site) => site.sockets.length === 1 && !told.has(site.key));
  const [failing, ...cutOff] = placesOf(untold).slice(0, 4) as [CastSite, ...CastSite[]];
  for (const site of cutOff) {
    play.say(`an excavator meets the line of ${site.name}`);
    for (const { serial } of site.sockets) play.field.devices.device(serial).unplug();
  }
  play.field.devices.device(failing.sockets[0]!.serial).behaviour = "rollsBack";
  await play.passTo(night.to);
  await claimLedgersAreClean(play);
  const expected = new Map([...cutOff.map(({ key }) => [key, "NotConnected"] as const), [failing.key, "InstallFailed"] as const]);
  await claimNobodyForgotten(play, expected);
  await play.claim("the Socket on which it did not come up is back on what it ran", () => {
    const device = play.field.devices.device(failing.sockets[0]!.serial);
    const outcome = device.ledger.entries.at(-1)?.outcome;
    return { holds: device.version === BASE && outcome === "RolledBack", found: `${device.serial} runs ${device.version}, ${outcome}` };
  });
  for (const { site, reason, why } of leftOf(play)) play.told.shown.push(`  left out: ${site.key}, ${reason}: ${why}`);
  tellSundays(play);
}

/** One site in every seventh city. */
const placesOf = (sites: readonly CastSite[]): readonly CastSite[] =>
  [...Map.groupBy(sites, ({ city }) => city).values()].flatMap(([first], index) => (index % 7 === 2 ? [first!] : []));

function tellSundays(play: SocketPlay): void {
  const lives = play.lives();
  for (const { date, from, to } of DAYS.nights) {
    const those = play.tellings().filter(({ at }) => at >= Date.parse(from) && at < Date.parse(to));
    const sites = new Set(those.map(({ site }) => site.key)).size;
    play.told.shown.push(`  Sunday ${date}: ${sites} sites, ${those.length} commands`);
  }
  play.told.shown.push(`  ${lives.filter(cameAll).length} of ${SITE_COUNT} sites run ${TARGET}`);
}
