import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PartnerGraph } from "./partner-graph.ts";

const plain = (graph: PartnerGraph) => Object.fromEntries([...graph.partners].map(([pop, of]) => [pop, Object.fromEntries(of)]));

describe("[F2] which PoPs share sites", () => {
  test("a pair appears with its first site and vanishes with its last; in between only numbers change", () => {
    const graph = new PartnerGraph();
    expect(graph.set("acme/a", ["fra1", "ber1"])).toEqual(["ber1", "fra1"]);
    expect(graph.set("acme/b", ["ber1", "fra1"])).toEqual([]);
    expect(plain(graph)).toEqual({ ber1: { fra1: 2 }, fra1: { ber1: 2 } });
    expect(graph.delete("acme/a")).toEqual([]);
    expect(graph.delete("acme/b")).toEqual(["ber1", "fra1"]);
    expect(plain(graph)).toEqual({});
  });

  test("one PoP, or one named twice, is no pair; three are three pairs", () => {
    const graph = new PartnerGraph();
    expect(graph.set("acme/a", ["fra1"])).toEqual([]);
    expect(graph.set("acme/a", ["fra1", "fra1"])).toEqual([]);
    expect(graph.sites).toBe(0);
    graph.set("acme/a", ["a", "b", "c"]);
    expect(plain(graph)).toEqual({ a: { b: 1, c: 1 }, b: { a: 1, c: 1 }, c: { a: 1, b: 1 } });
  });

  test("a pair that a site keeps while it moves neither appears nor vanishes", () => {
    const graph = new PartnerGraph();
    graph.set("acme/a", ["a", "b"]);
    expect(graph.set("acme/a", ["a", "b", "c"]).toSorted()).toEqual(["a", "b", "c"]);
    expect(graph.set("acme/a", ["a", "b"]).toSorted()).toEqual(["a", "b", "c"]);
    expect(plain(graph)).toEqual({ a: { b: 1 }, b: { a: 1 } });
  });

  test("what was handed out does not change any more", () => {
    const graph = new PartnerGraph();
    graph.set("acme/a", ["a", "b"]);
    const before = graph.partners;
    expect(graph.partners).toBe(before);
    graph.set("acme/b", ["a", "b"]);
    expect(before.get("a")?.get("b")).toBe(1);
    expect(graph.partners.get("a")?.get("b")).toBe(2);
  });

  test("counted as things change is what counting anew gives, and what it tells of pairs is their difference", () => {
    const change = fc.record({ site: fc.nat(5), pops: fc.uniqueArray(fc.constantFrom("a", "b", "c", "d"), { maxLength: 4 }) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const graph = new PartnerGraph();
        const sites = new Map<string, readonly string[]>();
        for (const { site, pops } of changes) {
          const before = graph.partners;
          const moved = graph.set(`s${site}`, pops);
          sites.set(`s${site}`, pops);
          const expected = new Map<string, Map<string, number>>();
          for (const of of sites.values())
            for (const one of of)
              for (const other of of.filter((pop) => pop !== one)) {
                const counts = expected.get(one) ?? new Map<string, number>();
                expected.set(one, counts.set(other, (counts.get(other) ?? 0) + 1));
              }
          expect(graph.partners).toEqual(expected);
          const differs = ["a", "b", "c", "d"].filter(
            (pop) =>
              [...(before.get(pop)?.keys() ?? [])].toSorted().join() !== [...(graph.partners.get(pop)?.keys() ?? [])].toSorted().join(),
          );
          expect(moved.toSorted()).toEqual(differs);
        }
      }),
    );
  });

  test("40,000 sites over 200 PoPs whose graph is complete: a look at it after one change makes 3 of 200 maps anew", () => {
    const graph = new PartnerGraph();
    for (let site = 0; site < 40_000; site++) {
      const one = site % 200;
      graph.set(`acme/s${site}`, [`p${one}`, `p${(one + 1 + (Math.floor(site / 200) % 199)) % 200}`]);
    }
    expect(graph.sites).toBe(40_000);
    expect([...graph.partners.values()].every((of) => of.size === 199)).toBe(true);
    const before = graph.partners;
    graph.set("acme/s0", ["p0", "p7"]);
    const after = graph.partners;
    expect(
      [...after]
        .filter(([pop, of]) => before.get(pop) !== of)
        .map(([pop]) => pop)
        .toSorted(),
    ).toEqual(["p0", "p1", "p7"]);
  });
});
