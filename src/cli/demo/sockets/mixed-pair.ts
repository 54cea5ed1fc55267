import { counted } from "../../../core/text.ts";
import { BASE, DAYS, SITES, TARGET } from "./cast.ts";
import { isInWindow } from "./ledgers.ts";
import type { SocketPlay } from "./play.ts";

/** Where somebody works by hand: no clock changes there on the second Sunday. */
const CITIES = new Set(["New York", "Lima", "Chicago", "Denver"]);

export async function twoMajors(play: SocketPlay): Promise<void> {
  await play.passTo(DAYS.byHand);
  const pair = SITES.find((site) => CITIES.has(site.city) && site.sockets.length > 1 && play.statusOf(site).upgrade === undefined);
  await play.claim("there is a pair in America whose turn has not come", () => ({
    holds: pair !== undefined,
    found: pair?.key ?? "each was told or planned already",
  }));
  play.mixedPair = pair!;
  const [one, other] = pair!.sockets.map(({ serial }) => serial) as [string, string];
  play.say(`somebody installs ${TARGET} on ${one} of ${pair!.name} by hand, on a Tuesday at noon`);
  play.field.devices.device(one).installByHand(TARGET);
  await play.until(`the story of ${pair!.name}, with a plan`, () => play.statusOf(pair!).ha?.story?.remedy?.at !== undefined);
  await play.claim("the story names both Sockets, what they run, the majors that are missing and the remedy", async () => {
    const story = (await play.read(pair!)).status?.ha?.story;
    const holds =
      story?.lower.serial === other &&
      story.lower.version === BASE &&
      story.higher.serial === one &&
      story.higher.version === TARGET &&
      story.missingMajors.join() === "18" &&
      story.remedy?.action === "Upgrade" &&
      story.remedy.serial === other &&
      isInWindow(pair!.timeZone, Date.parse(story.remedy.at ?? ""));
    const found = story === undefined ? "no story" : `${story.title} (${story.severity}): ${story.steps.join(" ")}`;
    return { holds, found };
  });
  await play.claim("its account was told, once", () => {
    const notices = play.field.notices.filter(({ site, kind }) => site === pair!.key && kind === "StoryOpened");
    return { holds: notices.length === 1, found: notices.map(({ message }) => message).join("; ") || "nobody was told" };
  });
  await play.explain(pair!, "on two majors", "Story", ["HA Status is not ready", one, other, "nothing has to be done"]);
}

/** A week or less later: nobody did anything, and the story is over. */
export async function mends(play: SocketPlay): Promise<void> {
  const pair = play.mixedPair;
  if (pair === undefined) return;
  const [one, other] = pair.sockets.map(({ serial }) => play.field.devices.device(serial)) as [Ledgered, Ledgered];
  await play.claim(`${other.serial} was brought to ${TARGET} in its next window, and nobody touched ${one.serial}`, () => ({
    holds: other.version === TARGET && other.ledger.entries.length === 1 && one.ledger.entries.length === 0,
    found: `${other.serial} runs ${other.version}, told ${counted(other.ledger.entries.length, "time")}; ${one.serial} ${one.version}, told ${counted(one.ledger.entries.length, "time")}`,
  }));
  await play.claim("the story closed by itself: the pair is ready, its history has the story, and the account was told", async () => {
    const ha = (await play.read(pair)).status?.ha;
    const told = play.field.notices.filter(({ site, kind }) => site === pair.key && kind === "StoryResolved");
    const [last] = ha?.history ?? [];
    return {
      holds: ha?.story === undefined && ha?.status === "Ready" && last?.lower.serial === other.serial && told.length === 1,
      found: `HA is ${ha?.status ?? "unknown"}, resolved at ${last?.resolvedAt ?? "no time"}; ${told.map(({ message }) => message).join("; ")}`,
    };
  });
}

type Ledgered = ReturnType<SocketPlay["field"]["devices"]["device"]>;
