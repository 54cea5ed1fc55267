import fc from "fast-check";
import { expect, it } from "vitest";
import type { SocketSite } from "../../api/socket-site.ts";
import { AccountTally } from "./account-tally.ts";

const version = fc.constantFrom("17.2", "18.3.3");
const site = fc.record({
  sockets: fc.array(fc.record({ version }), { minLength: 1, maxLength: 2 }),
  pop: fc.option(fc.constantFrom("fra1", "tyo1"), { nil: undefined }),
  isUpToDate: fc.boolean(),
  isPlanned: fc.boolean(),
});
const change = fc.record({
  key: fc.constantFrom("a", "b", "c"),
  namespace: fc.constantFrom("acme", "blue"),
  site: fc.option(site, { nil: undefined }),
});

const objectOf = ({ sockets, pop, isUpToDate, isPlanned }: typeof site extends fc.Arbitrary<infer Site> ? Site : never): SocketSite =>
  ({
    spec: { sockets: sockets.map((_, index) => ({ serial: `S-${index}` })) },
    status: {
      sockets,
      pop,
      conditions: [{ type: "UpToDate", status: isUpToDate ? "True" : "False" }],
      upgrade: isPlanned ? { planned: { start: "2026-11-29T01:00:00Z" } } : {},
    },
  }) as unknown as SocketSite;

it("[I15] what an account is told of its sites is the count of its own sites as they are now, whatever came and went before", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const tally = new AccountTally();
      const now = new Map<string, (typeof changes)[number]>();
      for (const one of changes) {
        const key = `${one.namespace}/${one.key}`;
        tally.set(key, one.namespace, one.site && objectOf(one.site));
        if (one.site === undefined) now.delete(key);
        else now.set(key, one);
      }
      for (const namespace of ["acme", "blue"]) {
        const own = [...now.values()].flatMap((one) => (one.namespace === namespace && one.site !== undefined ? [one.site] : []));
        const { sites, singleSocket, pops } = tally.of(namespace);
        expect(sites).toMatchObject({
          sites: own.length,
          pairs: own.filter(({ sockets }) => sockets.length === 2).length,
          upToDate: own.filter(({ isUpToDate }) => isUpToDate).length,
          planned: own.filter(({ isPlanned }) => isPlanned).length,
        });
        expect(singleSocket).toBe(own.filter(({ sockets }) => sockets.length === 1).length);
        expect(pops.get("fra1") ?? 0).toBe(own.filter(({ pop }) => pop === "fra1").length);
        const of = (wanted: string) => own.flatMap(({ sockets }) => sockets).filter((socket) => socket.version === wanted).length;
        expect(sites.versions.find((one) => one.version === "17.2")?.sockets ?? 0).toBe(of("17.2"));
      }
    }),
  );
});
