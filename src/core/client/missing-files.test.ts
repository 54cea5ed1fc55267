import { expect, it } from "vitest";
import { missingEverywhere, missingFiles } from "./missing-files.ts";

const gateway = (name: string, silentMilliseconds: number, ...uids: string[]) => ({
  name,
  silentMilliseconds,
  missing: new Map(uids.map((uid) => [uid, `${uid} is not there`])),
});

it("[C7] a file is missing everywhere when no live gateway has it; one that is silent for more than ten seconds has no say", () => {
  const gateways = [gateway("a", 100, "one", "two"), gateway("b", 10_000, "one"), gateway("c", 10_001, "three")];
  expect([...missingEverywhere(gateways)]).toEqual(["one"]);
  expect([...missingFiles(gateways).keys()]).toEqual(["one", "two"]);
  expect(missingFiles(gateways).get("two")).toEqual([{ gateway: "a", problem: "two is not there" }]);
  expect([missingEverywhere([]).size, missingEverywhere([gateway("c", 10_001, "three")]).size]).toEqual([0, 0]);
});
