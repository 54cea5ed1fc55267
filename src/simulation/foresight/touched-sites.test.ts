import { expect, it } from "vitest";
import { foresee } from "./foresee.ts";
import { completePartners, example, worldwide } from "./foresight.examples.ts";
import type { FleetForecast } from "./types.ts";

it("[F7] the digest is of what decides who rolls when: who feels it is told beside it", () => {
  const site = (secondaryPoP: string) =>
    ({
      apiVersion: "rollward.dev/v1alpha1",
      kind: "TunnelSite",
      metadata: { namespace: "acme", name: "plant", uid: "uid-plant", resourceVersion: "1" },
      spec: { type: "IPsec", primaryPoP: "p000", secondaryPoP },
    }) as const;
  const looked = (secondaryPoP: string) => foresee(example({ pops: worldwide(3), sites: [site(secondaryPoP)] }));
  const [one, other] = [looked("p001"), looked("p002")];
  const touched = (forecast: FleetForecast) =>
    forecast.rollouts[0]!.pops.filter(({ sites }) => sites!.minutes > 0)
      .map(({ pop }) => pop)
      .toSorted();
  expect([touched(one), touched(other)]).toEqual([
    ["p000", "p001"],
    ["p000", "p002"],
  ]);
  expect(other.digest).toBe(one.digest);
  expect(foresee(example({ pops: worldwide(3), partners: completePartners(worldwide(3)) })).digest).not.toBe(one.digest);
});
