import { describe, expect, it } from "vitest";
import { parseExposition } from "./exposition.ts";
import {
  judgeReconnect,
  judgeSessions,
  NO_RECONNECTS,
  reconnectQuantile,
  sumReconnects,
  type ReconnectCounts,
  type ReconnectQuestion,
} from "./reconnect.ts";

const question: ReconnectQuestion = {
  check: "reconnect",
  node: "fra1-n1",
  held: 200,
  withinMilliseconds: 10_000,
  percent: 95,
  minimumSamples: 30,
  slackMilliseconds: 2000,
  unreadablePods: 0,
  missing: { lost: [], away: [] },
  patienceMilliseconds: 1_800_000,
};
/** `inTime` of the sessions back within 10 s, `count` at all. */
const counts = (inTime: number, count: number): ReconnectCounts => ({
  count,
  buckets: [
    [5, Math.floor(inTime / 2)],
    [10, inTime],
    [30, count],
  ],
});
const after = (seconds: number): ReconnectQuestion => ({ ...question, drainEndedAgo: seconds * 1000 });

it("[P11] sums over the pods of the PoP only the sessions that came from the node", () => {
  const scrape = (text: string) => parseExposition(text).samples;
  const pods = [
    scrape(
      'h_bucket{from="fra1-n1",le="10"} 3\nh_bucket{from="fra1-n1",le="+Inf"} 5\nh_count{from="fra1-n1"} 5\nh_count{from="fra1-n2"} 70',
    ),
    scrape('h_bucket{from="fra1-n1",le="10"} 4\nh_bucket{from="fra1-n1",le="+Inf"} 4\nh_count{from="fra1-n1"} 4\nh_sum{from="fra1-n1"} 9'),
  ];
  expect(sumReconnects(pods, "h", "from", "fra1-n1")).toEqual({ count: 9, buckets: [[10, 7]] });
});

it("[P11] 190 of 200 sessions back within 10 s are Healthy at once, also while the node still drains", () => {
  expect(judgeReconnect(question, counts(5, 5), counts(195, 195))).toMatchObject({
    verdict: "Healthy",
    evidence: "reconnect: 190 of 200 sessions of fra1-n1 returned within 10 s (95 %, asked for 95 %), 10 not seen again",
  });
});

it("[P11] 189 of 200 are Unknown until 10 s and the slack have passed since the drain ended, then Unhealthy", () => {
  expect(judgeReconnect(question, NO_RECONNECTS, counts(189, 189)).verdict).toBe("Unknown");
  expect(judgeReconnect(after(12), NO_RECONNECTS, counts(189, 189)).verdict).toBe("Unknown");
  const late = judgeReconnect(after(12.001), NO_RECONNECTS, counts(189, 198));
  expect(late).toMatchObject({
    verdict: "Unhealthy",
    evidence: "reconnect: 189 of 200 sessions of fra1-n1 returned within 10 s (94.5 %, asked for 95 %), 9 later, 2 not seen again",
  });
});

it("[P11] a node that hands back after 9 s passes, after 11 s it does not", () => {
  expect(judgeReconnect(after(60), NO_RECONNECTS, counts(200, 200)).verdict).toBe("Healthy");
  expect(judgeReconnect(after(60), NO_RECONNECTS, counts(0, 200)).verdict).toBe("Unhealthy");
});

it("[P11] below 30 held sessions, and with none at all, nothing is concluded", () => {
  expect(judgeReconnect({ ...after(60), held: 29 }, NO_RECONNECTS, NO_RECONNECTS).verdict).toBe("NotEnoughSamples");
  expect(judgeReconnect({ ...after(60), held: 0, minimumSamples: 0 }, NO_RECONNECTS, NO_RECONNECTS).verdict).toBe("NotEnoughSamples");
});

it("[G9] without a baseline, without a scrape and with an unread pod it is Unknown, never Unhealthy", () => {
  expect(judgeReconnect(after(60), undefined, counts(0, 0)).verdict).toBe("Unknown");
  expect(judgeReconnect(after(60), NO_RECONNECTS, undefined).verdict).toBe("Unknown");
  expect(judgeReconnect({ ...after(60), unreadablePods: 1 }, NO_RECONNECTS, counts(10, 10)).verdict).toBe("Unknown");
  expect(judgeReconnect({ ...after(60), unreadablePods: 1 }, NO_RECONNECTS, counts(200, 200)).verdict).toBe("Healthy");
});

describe("[P11] counters that are missing", () => {
  const without = (lost: readonly string[], away: readonly string[], seconds = 60) => ({ ...after(seconds), missing: { lost, away } });

  it("a counter that went back is Unknown until the time is over, then NotEnoughSamples, never a session lost", () => {
    expect(judgeReconnect(after(5), counts(50, 50), counts(10, 10)).verdict).toBe("Unknown");
    expect(judgeReconnect(after(60), counts(50, 50), counts(10, 10)).verdict).toBe("NotEnoughSamples");
  });

  it("a source that restarted makes it NotEnoughSamples, naming it; what is seen without it is enough where it is enough", () => {
    expect(judgeReconnect(without(["fra1-n3"], []), NO_RECONNECTS, counts(60, 60))).toMatchObject({
      verdict: "NotEnoughSamples",
      evidence: expect.stringContaining("the counters of fra1-n3, which may have taken them over, were lost with a restart"),
    });
    expect(judgeReconnect(without(["fra1-n3"], []), NO_RECONNECTS, counts(190, 190)).verdict).toBe("Healthy");
    expect(judgeReconnect(without([], []), NO_RECONNECTS, counts(60, 60)).verdict).toBe("Unhealthy");
  });

  it("a source whose node is away is waited for and named, for at most 30 minutes", () => {
    const found = judgeReconnect(without([], ["fra1-n3"]), NO_RECONNECTS, counts(60, 60));
    expect(found.verdict).toBe("Unknown");
    expect(found.finding).toContain("fra1-n3, which may have taken them over, is not Ready");
    expect(found.finding).toContain("at the latest 30 min after the drain, this goes on without a verdict");
    expect(judgeReconnect(without([], ["fra1-n3"], 1_801), NO_RECONNECTS, counts(60, 60)).verdict).toBe("NotEnoughSamples");
    expect(judgeReconnect(without([], ["fra1-n3"]), counts(50, 50), counts(10, 10)).verdict).toBe("Unknown");
  });
});

it("[G9] without a bucket at 10 s a verdict is given only where the buckets around it agree", () => {
  const coarse = (below: number, above: number): ReconnectCounts => ({
    count: 200,
    buckets: [
      [5, below],
      [30, above],
    ],
  });
  expect(judgeReconnect(after(60), NO_RECONNECTS, coarse(195, 200)).verdict).toBe("Healthy");
  expect(judgeReconnect(after(60), NO_RECONNECTS, coarse(20, 100)).verdict).toBe("Unhealthy");
  expect(judgeReconnect(after(60), NO_RECONNECTS, coarse(20, 195))).toMatchObject({
    verdict: "Unknown",
    evidence: expect.stringContaining("no bucket at 10 s"),
  });
});

it("[P11] from lists: sessions on another node of this PoP count, those at another PoP or nowhere do not", () => {
  const held = Array.from({ length: 100 }, (_, index) => `s${index}`);
  expect(judgeSessions(question, held, new Set(held.slice(0, 95))).verdict).toBe("Healthy");
  expect(judgeSessions({ ...question, drainEndedAgo: 20_000 }, held, new Set(held.slice(0, 90)), 8)).toMatchObject({
    verdict: "Unhealthy",
    evidence: "reconnect: 90 of 100 sessions of fra1-n1 returned within 10 s (90 %, asked for 95 %), 8 at another PoP, 2 nowhere",
  });
});

it("the median of return times is interpolated within its bucket; without returns there is none", () => {
  const now: ReconnectCounts = {
    count: 110,
    buckets: [
      [1, 10],
      [2, 60],
      [10, 110],
    ],
  };
  expect(
    reconnectQuantile(
      {
        count: 10,
        buckets: [
          [1, 10],
          [2, 10],
          [10, 10],
        ],
      },
      now,
      0.5,
    ),
  ).toBeCloseTo(2);
  expect(reconnectQuantile(NO_RECONNECTS, { count: 4, buckets: [[1, 0]] }, 0.95)).toBe(1);
  expect(reconnectQuantile(now, now, 0.5)).toBeUndefined();
});
