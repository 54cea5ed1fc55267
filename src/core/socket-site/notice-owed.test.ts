import { expect, it } from "vitest";
import type { SocketSiteStatus } from "../../api/socket-site.ts";
import { fails, SiteWorld } from "./site-world.examples.ts";
import { claimedTooSoon, lateNotice } from "./notice-owed.ts";

/** The status before and after the claim of a pair that was announced on a Tuesday, told at once, and starts on Sunday. */
function claim(channel: boolean) {
  const world = new SiteWorld("2026-11-24T12:00:00Z", { hasNoticeChannel: channel });
  world.look();
  world.until("2026-11-29T00:35:00Z");
  const seen = world.seen;
  world.until("2026-11-29T00:36:00Z");
  expect([seen.site.status.upgrade?.command, world.upgrade?.command?.serial]).toEqual([undefined, "S-2002"]);
  return { seen, after: world.status };
}

const acceptedAt = ({ upgrade, ...status }: SocketSiteStatus, noticeAcceptedAt: string): SocketSiteStatus => ({
  ...status,
  upgrade: { ...upgrade!, announced: { ...upgrade!.announced!, noticeAcceptedAt } },
});

it.each([true, false])("[W3] what the decision claims was announced in time (with a channel: %s)", (channel) => {
  const { seen, after } = claim(channel);
  expect(claimedTooSoon(seen, after)).toBe(false);
});

it("[W3] a notice taken exactly 48 h before the start is enough, one second later is too late, and so is one that nobody took", () => {
  const { seen, after } = claim(true);
  expect(after.upgrade?.window?.start).toBe("2026-11-29T00:00:00Z");
  expect(claimedTooSoon(seen, acceptedAt(after, "2026-11-27T00:00:00Z"))).toBe(false);
  expect(claimedTooSoon(seen, acceptedAt(after, "2026-11-27T00:00:01Z"))).toBe(true);
  const { noticeAcceptedAt: _, ...untold } = after.upgrade!.announced!;
  expect(claimedTooSoon(seen, { ...after, upgrade: { ...after.upgrade!, announced: untold } })).toBe(true);
});

it("[W3] what is told of a late one names window and notice, so that nobody needs a log", () => {
  const { after } = claim(true);
  const { reason, message } = lateNotice("acme/berlin", acceptedAt(after, "2026-11-28T00:00:00Z"));
  expect([reason, message]).toEqual([
    "NoticeLate",
    "The upgrade of acme/berlin was begun with less notice than was promised: its window begins 2026-11-29T00:00:00Z, and the notice was " +
      "taken 2026-11-28T00:00:00Z. This is a defect of the operator: pause the SocketRollout, and report it with this event and the status.",
  ]);
});

it("[W3] the account's longer notice is promised too; a request and a pair that has begun are asked for none", () => {
  const { seen, after } = claim(true);
  const longer = { ...seen, window: { ...seen.window!, spec: { ...seen.window!.spec!, notice: "120h" } } };
  expect(claimedTooSoon(longer, after)).toBe(true);
  expect(claimedTooSoon(longer, { ...after, upgrade: { ...after.upgrade!, cause: "Request" } })).toBe(false);
  const begun = { ...longer, site: { ...longer.site, status: { ...after, upgrade: { ...after.upgrade!, command: undefined } } } };
  expect(claimedTooSoon(begun as typeof longer, after)).toBe(false);
});

it("[S5] [W3] an account hears that a version failed before it hears when that is tried again", () => {
  const world = new SiteWorld("2026-11-24T12:00:00Z", { hasNoticeChannel: true });
  world.behaviours.set("S-2002", fails);
  world.until("2026-11-29T02:30:00Z");
  expect(world.notices.map(({ kind }) => kind)).toEqual(["Planned", "Failed", "Moved"]);
});

it("[W3] while no channel takes the notice, the hold says by when one has to for the start to be kept", () => {
  const world = new SiteWorld("2026-11-24T12:00:00Z", { hasNoticeChannel: true });
  world.channel = "Blocked";
  world.look();
  expect(world.status.holds?.[0]).toMatchObject({ reason: "NoticeNotElapsed", until: "2026-11-29T00:00:00Z" });
  expect(world.status.holds?.[0]?.message).toMatch(/; taken by Friday 2026-11-27 01:00 Europe\/Berlin it keeps that start$/);
});
