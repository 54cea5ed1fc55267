import fc from "fast-check";
import { expect, it } from "vitest";
import { base32, byStableHash, stableHash } from "./order.ts";

it("base32 is RFC 4648 in lower case without padding", () => {
  const encoded = ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map((text) => base32(new TextEncoder().encode(text)));
  expect(encoded).toEqual(["", "my", "mzxq", "mzxw6", "mzxw6yq", "mzxw6ytb", "mzxw6ytboi"]);
});

it("the parts of a hash cannot run into each other", () => {
  expect(stableHash(["ab", "c"])).not.toBe(stableHash(["a", "bc"]));
  expect(stableHash(["1"])).not.toBe(stableHash([1]));
  expect(stableHash(["a"], 16)).toMatch(/^[a-z2-7]{16}$/);
});

it("[G7] the order comes from the hash alone: reproducible, whatever order the nodes are listed in, and another one for another version", () => {
  const uids = fc.uniqueArray(fc.uuid(), { minLength: 6, maxLength: 12 });
  fc.assert(
    fc.property(uids, (nodes) => {
      const order = byStableHash(nodes, (uid) => uid, ["pop", 1, "2.0.0"]);
      expect(byStableHash(nodes.toReversed(), (uid) => uid, ["pop", 1, "2.0.0"])).toEqual(order);
      expect(order.toSorted()).toEqual(nodes.toSorted());
      const others = ["2.0.1", "2.0.2", "2.0.3", "2.0.4"].map((version) => byStableHash(nodes, (uid) => uid, ["pop", 1, version]).join());
      expect(others.some((other) => other !== order.join())).toBe(true);
    }),
  );
});

it("[G7] a node that joins moves nobody: the others keep their order among themselves", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.uuid(), { minLength: 2, maxLength: 10 }), ([late, ...nodes]) => {
      const before = byStableHash(nodes, (uid) => uid, ["salt"]);
      const after = byStableHash([...nodes, late!], (uid) => uid, ["salt"]);
      expect(after.filter((uid) => uid !== late)).toEqual(before);
    }),
  );
});
