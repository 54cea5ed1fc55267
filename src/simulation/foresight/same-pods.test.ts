import { expect, it } from "vitest";
import { foresee } from "./foresee.ts";
import { example, popObject, rolloutObject } from "./foresight.examples.ts";

it("[F7] a PoP of which no image has the version in it is named, for its nodes would run the same ones; it is a note", () => {
  const template = (container: object) => ({ spec: { template: { spec: { containers: [{ name: "pop", ...container }] } } } });
  const pops = [
    popObject("fra1", template({ image: "pop:1" })),
    popObject("ams1", {
      spec: {
        template: { spec: { containers: [{ name: "pop", image: "pop:1" }], initContainers: [{ name: "i", image: "i:${version}" }] } },
      },
    }),
    popObject("ber1"),
  ];
  const forecast = foresee(
    example({ pops, rollouts: [rolloutObject({ stages: [], waves: [{ name: "all", pops: { percent: 100 }, bake: "1h" }] })] }),
  );
  expect(forecast.conflicts.filter(({ kind }) => kind === "Invalid").map(({ severity, message }) => `${severity}: ${message}`)).toEqual([
    expect.stringMatching(/^Note: 1 PoP \(fra1\) has no \$\{version\} in any image of spec\.template: nodes would/),
  ]);
  expect(forecast.fits).toBe(true);
});
