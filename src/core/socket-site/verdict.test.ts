import { describe, expect, it } from "vitest";
import type { SocketSiteAction } from "./action.ts";
import { decide } from "./decide.ts";
import { berlin, device, inventoryOf } from "./socket-site.examples.ts";

const AT = "2026-11-24T12:00:00Z";
const failedOn = (serial: string) => ({ serial, revision: "18.3.3-abc", failedWindows: 2, failed: true, at: AT, reason: "InstallFailed" });

/** Which verdicts of status are recorded in an inventory that shows none. */
function recorded(verdictsOf: readonly string[], inventory = berlin().inventory!): readonly string[] {
  const { site } = berlin();
  const seen = berlin({ site: { ...site, status: { verdicts: verdictsOf.map(failedOn) } }, inventory });
  const isRecord = (one: SocketSiteAction) => one.kind === "RecordVerdict";
  return decide(seen, Date.parse(AT))
    .actions.filter(isRecord)
    .map(({ serial }) => serial);
}

describe("verdicts in the inventory", () => {
  it("[G8] a failed verdict that only status has is recorded, and of a Socket that was replaced it is not repeated for ever", () => {
    expect(recorded(["S-OLD", "S-2002"])).toEqual(["S-2002"]);
  });

  it("[G8] [I15] nothing is recorded of serials that the registry binds to another account", () => {
    expect(recorded(["S-2001", "S-2002"], inventoryOf([device("S-2001")], { foreign: new Set(["S-2002"]) }))).toEqual(["S-2001"]);
  });
});
