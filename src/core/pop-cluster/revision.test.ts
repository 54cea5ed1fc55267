import fc from "fast-check";
import { expect, it } from "vitest";
import type { PodTemplate } from "../../api/pop-cluster.ts";
import { imagesOf, labelFor, NO_REVISION, revisionOf, withVersion } from "./revision.ts";

const template = {
  metadata: { labels: { tier: "edge" } },
  spec: { hostNetwork: true, containers: [{ name: "pop", image: "registry.example/pop:${version}", env: [{ name: "A", value: "1" }] }] },
} as unknown as PodTemplate;

/** The same value with the keys of every map in another order. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, child]) => [key, turned(child)]),
  );
}

it("a revision is ten characters of base32, of the user's template and the version alone (computed independently, by another program)", () => {
  expect(revisionOf(template, "2026.11.2")).toMatch(/^[a-z2-7]{10}$/);
  expect(revisionOf(template, "2026.11.2")).toBe("thix6b2bk5");
});

it("the order of keys in the user's text changes nothing; any value does, the version too", () => {
  expect(revisionOf(turned(template) as PodTemplate, "1.0.0")).toBe(revisionOf(template, "1.0.0"));
  expect(revisionOf(template, "1.0.1")).not.toBe(revisionOf(template, "1.0.0"));
  fc.assert(
    fc.property(fc.string(), fc.string(), (one, other) => {
      const of = (value: string) => revisionOf({ ...template, spec: { ...template.spec, hostname: value } }, "1.0.0");
      expect(of(one) === of(other)).toBe(one === other);
    }),
  );
});

it("the order of a list is meant: containers turned round are another revision", () => {
  const two = (names: string[]) => ({ spec: { containers: names.map((name) => ({ name, image: "a:1" })) } }) as unknown as PodTemplate;
  expect(revisionOf(two(["a", "b"]), "1.0.0")).not.toBe(revisionOf(two(["b", "a"]), "1.0.0"));
});

it("[P16] the label names PoP and revision; the adopted data plane has none", () => {
  expect(labelFor("fra1", "abcdefghij")).toBe("fra1-abcdefghij");
  expect(labelFor("fra1", NO_REVISION)).toBeUndefined();
});

it("${version} is filled in wherever it stands in an image, init containers included, and the template itself stays as it is", () => {
  const both = {
    spec: { initContainers: [{ name: "init", image: "${version}/init:${version}" }], containers: template.spec.containers },
  } as unknown as PodTemplate;
  const filled = withVersion(both, "1.2.3") as unknown as {
    spec: { initContainers: { image: string }[]; containers: { image: string }[] };
  };
  expect(filled.spec.initContainers[0]!.image).toBe("1.2.3/init:1.2.3");
  expect(filled.spec.containers[0]!.image).toBe("registry.example/pop:1.2.3");
  expect(imagesOf(both, "1.2.3")).toEqual(["registry.example/pop:1.2.3", "1.2.3/init:1.2.3"]);
  expect(template.spec.containers[0]!.image).toContain("${version}");
});
