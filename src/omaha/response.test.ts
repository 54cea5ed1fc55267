import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Element, isUnreadable } from "./element.ts";
import { meaningOf } from "./event.ts";
import { parseJson } from "./json.ts";
import { type OmahaResponse, writeResponse } from "./response.ts";
import { parseXml } from "./xml.ts";

const RESPONSE: OmahaResponse = {
  protocol: "3.1",
  dayStart: { elapsedDays: 7_265, elapsedSeconds: 3_600 },
  apps: [
    {
      appId: "{c1}",
      status: "ok",
      cohort: "5.12.3/phase-2",
      cohortName: "Phase 2",
      ping: true,
      events: 2,
      updateCheck: {
        status: "ok",
        version: "5.12.3",
        experience: "Notify",
        releaseNotes: "https://example.com/5.12.3",
        codebases: ["https://artifacts.example.com/clients/?a=1&b="],
        package: { name: "client-5.12.3.msi", sha256: "9f86d081".repeat(8), size: 48_000_000 },
      },
    },
    { appId: "{c2}", status: "ok", ping: false, events: 0, updateCheck: { status: "noupdate", reason: 'it "runs" <5.12.3>' } },
    { appId: "unknown", status: "error-unknownApplication", ping: false, events: 0 },
  ],
};

const bare = (element: Element): unknown => [element.name, Object.fromEntries(element.attributes), element.children.map(bare)];
const parsed = (body: string, encoding: "json" | "xml"): unknown => {
  const element = encoding === "xml" ? parseXml(body, "response") : parseJson(body.slice(")]}'\n".length), "response");
  if (isUnreadable(element)) throw new Error(element.problem);
  return bare(element);
};

describe("a response", () => {
  it("says the same in both encodings, and JSON begins with what keeps pages from reading it as a script", () => {
    const [json, xml] = [writeResponse(RESPONSE, "json"), writeResponse(RESPONSE, "xml")];
    expect([json.type, xml.type]).toEqual(["application/json; charset=utf-8", "application/xml; charset=utf-8"]);
    expect(json.body.startsWith(")]}'\n{")).toBe(true);
    expect(parsed(json.body, "json")).toEqual(parsed(xml.body, "xml"));
  });

  it("offers a version with where it lies, how large it is and its digest; says why it offers none; confirms each event", () => {
    const { response } = JSON.parse(writeResponse(RESPONSE, "json").body.slice(5)) as { response: { app: Record<string, unknown>[] } };
    expect(response.app[0]).toEqual({
      appid: "{c1}",
      status: "ok",
      cohort: "5.12.3/phase-2",
      cohortname: "Phase 2",
      ping: { status: "ok" },
      updatecheck: {
        status: "ok",
        _experience: "Notify",
        _release_notes: "https://example.com/5.12.3",
        urls: { url: [{ codebase: "https://artifacts.example.com/clients/?a=1&b=" }] },
        manifest: {
          version: "5.12.3",
          actions: { action: [] },
          packages: {
            package: [
              {
                name: "client-5.12.3.msi",
                hash_sha256: "9f86d081".repeat(8),
                size: 48_000_000,
                required: true,
                fp: `1.${"9f86d081".repeat(8)}`,
              },
            ],
          },
        },
      },
      event: [{ status: "ok" }, { status: "ok" }],
    });
    expect(response.app[1]!.updatecheck).toEqual({ status: "noupdate", _reason: 'it "runs" <5.12.3>' });
    expect(response.app[2]).toEqual({ appid: "unknown", status: "error-unknownApplication" });
  });

  it("[G12] whatever an app calls itself, the XML stays well formed and says it back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii", maxLength: 64 }), (appId) => {
        const { body } = writeResponse(
          { ...RESPONSE, apps: [{ appId, status: "error-unknownApplication", ping: false, events: 0 }] },
          "xml",
        );
        expect(parsed(body, "xml")).toBeDefined();
      }),
    );
    const { body } = writeResponse({ ...RESPONSE, apps: [{ appId: `<&"'>\u0000`, status: "ok", ping: false, events: 0 }] }, "xml");
    expect(JSON.stringify(parsed(body, "xml"))).toContain(JSON.stringify(`<&"'> `));
  });
});

it.each([
  [13, 1, "Began"],
  [3, 1, "Installed"],
  [3, 2, "Installed"],
  [2, 0, "Failed"],
  [3, 5, "Failed"],
  [14, 0, "Failed"],
  [3, 4, "Cancelled"],
  [13, 9, "Cancelled"],
  [4, 0, "Other"],
  [50, 0, "Other"],
  [3, 7, "Other"],
  [999, 0, "Other"],
] as const)("[C4] an event of type %i with result %i counts as %s", (type, result, meaning) => {
  expect(meaningOf({ type, result })).toBe(meaning);
});
