import { describe, expect, test } from "vitest";
import { readTunnels, tunnelQuery } from "./answer.ts";

type Series = readonly [labels: Readonly<Record<string, unknown>>, value: unknown];
const vector = (...series: readonly Series[]) => ({
  status: 200,
  body: JSON.stringify({
    status: "success",
    data: { resultType: "vector", result: series.map(([metric, value]) => ({ metric, value: [0, value] })) },
  }),
});
const read = (answer: Parameters<typeof readTunnels>[0], alone = false) => readTunnels(answer, { pop: "fra1", alone });
const sitesOf = (...series: readonly Series[]) => {
  const answer = read(vector(...series));
  return answer.ok ? { sites: Object.fromEntries(answer.sites), ignored: answer.ignored } : answer;
};

test("the query asks for one PoP, and for series that do not say of which they are", () => {
  expect(tunnelQuery("fra1")).toBe('max by (site, pop) (pop_tunnel_up{pop=~"fra1|"})');
  expect(tunnelQuery("fra1.eu")).toBe('max by (site, pop) (pop_tunnel_up{pop=~"fra1\\\\.eu|"})');
});

describe("[F2] what a PoP tells of tunnels", () => {
  test("a site is up when any of its tunnels is", () => {
    const series = (value: string): Series => [{ site: "acme/berlin", pop: "fra1" }, value];
    expect(sitesOf(series("0"), series("1"))).toEqual({ sites: { "acme/berlin": true }, ignored: 0 });
    expect(sitesOf(series("0"))).toEqual({ sites: { "acme/berlin": false }, ignored: 0 });
  });

  test("a series without the label pop counts where the Prometheus has this PoP alone; another PoP's never does", () => {
    const unlabelled = vector([{ site: "acme/berlin" }, "1"]);
    expect(read(unlabelled, true)).toMatchObject({ ignored: 0 });
    expect(read(unlabelled, false)).toMatchObject({ ignored: 1, sites: new Map() });
    expect(read(vector([{ site: "acme/berlin", pop: "ber1" }, "1"]), true)).toMatchObject({ ignored: 1, sites: new Map() });
  });

  test.each([
    "osaka",
    "acme/berlin/x",
    "Acme/Berlin",
    "acme/",
    "/berlin",
    "acme/../fleet",
    "__proto__/x".toUpperCase(),
    `acme/${"x".repeat(254)}`,
    "acme/berlin\u001b[2J",
    "acme/berlin\n",
    7,
    undefined,
  ])("[G12] %j names no site and is only counted", (site) => {
    expect(sitesOf([{ site, pop: "fra1" }, "1"])).toEqual({ sites: {}, ignored: 1 });
  });

  test("[G9] a value that is none says nothing of the tunnel", () => {
    for (const value of ["NaN", "", "up", 1, undefined])
      expect(sitesOf([{ site: "acme/berlin", pop: "fra1" }, value])).toEqual({ sites: {}, ignored: 1 });
  });

  test("[G9] what is no answer is no answer, whatever it is", () => {
    const matrix = { status: 200, body: JSON.stringify({ status: "success", data: { resultType: "matrix", result: [] } }) };
    for (const answer of [
      { status: 0, body: "connection refused" },
      { status: 200, body: "<html>" },
      { status: 200, body: "null" },
      matrix,
    ])
      expect(read(answer)).toMatchObject({ ok: false });
    expect(read({ ...vector(), truncated: true })).toEqual({ ok: false, detail: "answered more than 32 MB" });
    expect(read({ status: 0, body: "connection refused" })).toEqual({ ok: false, detail: "connection refused" });
    expect(read(vector())).toEqual({ ok: true, sites: new Map(), ignored: 0 });
  });
});
