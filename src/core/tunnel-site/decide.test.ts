import { describe, expect, test } from "vitest";
import type { TunnelReport, TunnelSiteSpec, TunnelSiteStatus } from "../../api/tunnel-site.ts";
import { tunnelSiteStatus } from "../../api/tunnel-site.ts";
import { HOUR, MINUTE } from "../time/civil.ts";
import { decide } from "./decide.ts";
import type { SitePop, TunnelReading, TunnelSiteObservation } from "./observation.ts";

const NOON = Date.UTC(2026, 10, 25, 12);
const SUNDAY = { start: "2026-11-29T00:00:00Z", end: "2026-11-29T04:00:00Z", localStart: "2026-11-29T01:00+01:00[Europe/Berlin]" };
const NEXT = { start: "2026-12-06T00:00:00Z", end: "2026-12-06T04:00:00Z", localStart: "2026-12-06T01:00+01:00[Europe/Berlin]" };

const popOf = (name: string, planned?: SitePop["planned"]): SitePop => ({ name, next: [SUNDAY, NEXT], ...(planned ? { planned } : {}) });
const up = (ageMilliseconds = 0): TunnelReading => ({ report: { up: true, ageMilliseconds }, answeredMilliseconds: 0 });
const isDown: TunnelReading = { report: { up: false, ageMilliseconds: 0 }, answeredMilliseconds: 0 };
const known = (pop: string, state: TunnelReport["up"] = "True"): TunnelReport => ({ pop, up: state, seenAt: "2026-11-20T00:00:00Z" });

interface Given {
  readonly spec?: Partial<TunnelSiteSpec>;
  /** No second tunnel is claimed. */
  readonly single?: boolean;
  readonly status?: TunnelSiteStatus;
  readonly pops?: readonly SitePop[];
  readonly readings?: Readonly<Record<string, TunnelReading>>;
  readonly asked?: number;
  readonly account?: string | null;
}

const seenOf = (given: Given): TunnelSiteObservation => {
  const pops = given.pops ?? ["ber1", "fra1"].map((name) => popOf(name));
  return {
    site: {
      namespace: "acme",
      name: "berlin",
      generation: 1,
      spec: { type: "IPsec", primaryPoP: "ber1", ...(given.single ? {} : { secondaryPoP: "fra1" }), ...given.spec },
      status: given.status ?? {},
    },
    ...(given.account === null ? {} : { account: given.account ?? "acme" }),
    pops: new Map(pops.map((pop) => [pop.name, pop])),
    popNames: pops.map(({ name }) => name),
    readings: new Map(Object.entries(given.readings ?? {})),
    askedMilliseconds: given.asked ?? 10 * MINUTE,
  };
};
const statusOf = (given: Given, now = NOON): TunnelSiteStatus => decide(seenOf(given), now).status ?? given.status!;
const tunnelsOf = (given: Given) => (statusOf(given).tunnels ?? []).map(({ pop, up: state }) => `${pop} ${state}`);
const conditionOf = (given: Given, type: string) => {
  const { status, reason, message } = statusOf(given).conditions!.find((condition) => condition.type === type)!;
  return `${status} ${reason}: ${message}`;
};

describe("[F2] what PoPs report of a site", () => {
  test("an entry is written when it is first heard, and again only when up turns (G11)", () => {
    const first = statusOf({ readings: { ber1: up(), fra1: up() } });
    expect(first.tunnels).toEqual([
      { pop: "ber1", up: "True", seenAt: "2026-11-25T12:00:00Z" },
      { pop: "fra1", up: "True", seenAt: "2026-11-25T12:00:00Z" },
    ]);
    expect(decide(seenOf({ status: first, readings: { ber1: up(), fra1: up(30_000) } }), NOON + HOUR).status).toBeUndefined();
    const turned = statusOf({ status: first, readings: { ber1: up(), fra1: isDown } }, NOON + HOUR);
    expect(turned.tunnels![1]).toEqual({ pop: "fra1", up: "False", seenAt: "2026-11-25T13:00:00Z" });
    expect(turned.tunnels![0]).toBe(first.tunnels![0]);
    expect(tunnelSiteStatus.safeParse(turned).error).toBeUndefined();
  });

  test("[G9] last known for an hour without a word, equal is enough, then Unknown; and it is dual all the while", () => {
    const status = { tunnels: [known("ber1"), known("fra1")] };
    expect(tunnelsOf({ status, readings: { ber1: up(), fra1: up(HOUR) } })).toEqual(["ber1 True", "fra1 True"]);
    expect(tunnelsOf({ status, readings: { ber1: up(), fra1: up(HOUR + 1) } })).toEqual(["ber1 True", "fra1 Unknown"]);
    expect(statusOf({ status, readings: { ber1: up(), fra1: up(HOUR + 1) } }).resilience).toBe("DualPoP");
  });

  test("after a restart nothing was heard yet: the hour counts from when it began to ask", () => {
    const status = { tunnels: [known("ber1"), known("fra1", "False")] };
    expect(tunnelsOf({ status, asked: HOUR })).toEqual(["ber1 True", "fra1 False"]);
    expect(tunnelsOf({ status, asked: HOUR + 1 })).toEqual(["ber1 Unknown", "fra1 Unknown"]);
  });

  test("a tunnel that the site names stays, Unknown; one that it does not name goes when its PoP answers and is silent for an hour", () => {
    const status = { tunnels: [known("ber1"), known("muc1")] };
    const pops = ["ber1", "fra1", "muc1"].map((name) => popOf(name));
    const silent = { report: { up: true, ageMilliseconds: HOUR + 1 } };
    expect(tunnelsOf({ status, pops, readings: { ber1: { ...silent, answeredMilliseconds: 0 }, muc1: silent } })).toEqual([
      "ber1 Unknown",
      "muc1 Unknown",
    ]);
    expect(tunnelsOf({ status, pops, readings: { ber1: up(), muc1: { ...silent, answeredMilliseconds: MINUTE } } })).toEqual(["ber1 True"]);
    expect(tunnelsOf({ status, pops, readings: { ber1: up(), muc1: { ...up(59 * MINUTE), answeredMilliseconds: 0 } } })).toHaveLength(2);
    expect(tunnelsOf({ status, readings: { ber1: up() } }), "muc1 exists no more").toEqual(["ber1 True"]);
  });

  test("[I19] a Prometheus that tells of every PoP fills no more than 8 entries, and pushes none out that the site names or that was known", () => {
    const names = Array.from({ length: 20 }, (_, index) => `p${index}`);
    const readings = Object.fromEntries([...names, "zrh1"].map((name) => [name, up()]));
    const given = {
      spec: { primaryPoP: "zrh1", secondaryPoP: "p7" },
      pops: [...names, "zrh1", "xxx1"].map((name) => popOf(name)),
      readings,
    };
    const tunnels = tunnelsOf({ ...given, status: { tunnels: [known("xxx1")] } });
    expect(tunnels).toHaveLength(8);
    expect(tunnels).toEqual(expect.arrayContaining(["zrh1 True", "p7 True", "xxx1 True"]));
  });
});

describe("[F2] whether a site is resilient", () => {
  test("two different PoPs report it", () => {
    expect(conditionOf({ readings: { ber1: up(), fra1: up() } }, "Resilient")).toBe(
      "True DualPoP: tunnels are up; PoPs ber1 and fra1 are never disrupted together by Rollward",
    );
  });

  test.each<[string, Given, string]>([
    [
      "claims two, nobody reports",
      {},
      "Unknown NotObserved: neither PoP ber1 nor PoP fra1 has reported a tunnel of this site yet: see that both tunnels are up",
    ],
    [
      "claims two, one reports",
      { readings: { fra1: up() } },
      "False SecondTunnelUnseen: a tunnel to PoP ber1 is claimed and was never reported by it",
    ],
    [
      "claims one",
      { single: true, readings: { ber1: up() } },
      "False NoSecondTunnel: the only tunnel ends in PoP ber1, whose maintenance costs minutes: add a secondary tunnel to a different PoP",
    ],
    [
      "claims one twice",
      { spec: { secondaryPoP: "ber1" }, readings: { ber1: up() } },
      "False SamePoPTwice: both tunnels end in PoP ber1, so its maintenance takes both for minutes: add a secondary tunnel to a different PoP",
    ],
    [
      "one is down",
      { readings: { ber1: isDown, fra1: up() } },
      "False TunnelDown: the tunnel to PoP ber1 is down since 2026-11-25T12:00:00Z",
    ],
    [
      "one is silent",
      { status: { tunnels: [known("ber1"), known("fra1")] }, readings: { fra1: up() }, asked: 2 * HOUR },
      "Unknown TunnelUnknown: PoP ber1 has not told of its tunnel for an hour",
    ],
  ] as [string, Given, string][])("%s", (_, given, words) => {
    expect(conditionOf(given, "Resilient").startsWith(words), conditionOf(given, "Resilient")).toBe(true);
  });

  test("SinglePoP in all cases in which fewer than two PoPs told of it", () => {
    for (const given of [{}, { readings: { ber1: up() } }, { spec: { secondaryPoP: "ber1" }, readings: { ber1: up() } }])
      expect(statusOf(given).resilience).toBe("SinglePoP");
  });
});

describe("[F2] what is coming", () => {
  const planned = { version: "2.0.0" };
  const upcomingOf = (given: Given, now = NOON) =>
    (statusOf(given, now).upcoming ?? []).map(({ pop, start, impact, version }) => [pop, start, impact, version]);

  test("the next window of each PoP with a roll in it, seconds where another tunnel takes over, minutes where none does", () => {
    const pops = [popOf("ber1", planned), popOf("fra1", { from: Date.parse(NEXT.start) })];
    const readings = { ber1: up(), fra1: up() };
    expect(upcomingOf({ pops, readings })).toEqual([
      ["ber1", SUNDAY.start, "Seconds", "2.0.0"],
      ["fra1", NEXT.start, "Seconds", undefined],
    ]);
    expect(upcomingOf({ pops, readings: { ...readings, fra1: isDown } })).toEqual([
      ["ber1", SUNDAY.start, "Minutes", "2.0.0"],
      ["fra1", NEXT.start, "Seconds", undefined],
    ]);
    expect(upcomingOf({ pops, readings: { ber1: up() } })).toEqual([["ber1", SUNDAY.start, "Minutes", "2.0.0"]]);
    expect(upcomingOf({ pops })).toHaveLength(2);
    expect(upcomingOf({ readings })).toEqual([]);
  });

  test("a window is shown to its end, and looked at again then", () => {
    const given = { pops: [popOf("ber1", planned)], readings: { ber1: up() } };
    expect(upcomingOf(given, Date.parse(SUNDAY.end) - 1)[0]?.[1]).toBe(SUNDAY.start);
    expect(upcomingOf(given, Date.parse(SUNDAY.end))[0]?.[1]).toBe(NEXT.start);
    expect(decide(seenOf(given), NOON).wakeAt).toBe(Date.parse(SUNDAY.end));
  });
});

describe("what cannot be right", () => {
  test("a PoP that does not exist is told with what was probably meant, or with the names there are", () => {
    expect(conditionOf({ spec: { primaryPoP: "ber11" } }, "Accepted")).toBe(
      'False PoPUnknown: spec.primaryPoP is "ber11", and there is no such PoP; did you mean ber1?',
    );
    expect(conditionOf({ spec: { secondaryPoP: "tokyo-east" } }, "Accepted")).toMatch(
      /^False PoPUnknown: spec.secondaryPoP .*; write one of ber1, fra1$/,
    );
    expect(conditionOf({}, "Accepted")).toBe("True Accepted: tunnels to ber1 and fra1 are expected");
  });

  test("in a namespace that is no account's it is told so, and what was known is kept and not followed", () => {
    const status = { tunnels: [known("ber1"), known("fra1")], resilience: "DualPoP" as const };
    const given = { account: null, status, readings: { ber1: isDown } };
    expect(conditionOf(given, "Accepted")).toMatch(/^False NoAccount: namespace acme is no account's: create/);
    expect(statusOf(given)).toMatchObject({ tunnels: status.tunnels });
    expect(statusOf(given).resilience).toBeUndefined();
  });
});
