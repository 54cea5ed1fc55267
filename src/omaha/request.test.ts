import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LIMITS } from "./element.ts";
import { type Encoding, encodingOf, type OmahaRequest, readRequest } from "./request.ts";

const JSON_BODY = JSON.stringify({
  request: {
    protocol: "3.1",
    requestid: "{r-1}",
    sessionid: "{s-1}",
    machineid: "d-1",
    user: "anna@acme.example",
    os: { platform: "Windows", version: "10.0", arch: "x64" },
    hw: { sse: 1 },
    app: [
      {
        appid: "{c1}",
        version: "5.12.2",
        cohort: "5.12.3/phase-1",
        cohorthint: "beta",
        cohortname: "Phase 1",
        updatecheck: { targetversionprefix: "5.12." },
        ping: { r: 1, rd: 5700 },
        event: [
          { eventtype: 13, eventresult: 1 },
          { eventtype: 3, eventresult: 0, errorcode: -2147219198, extracode1: 268435463, previousversion: "5.12.1", download_time_ms: 12 },
        ],
      },
      { appid: "{c2}", updatecheck: { updatedisabled: true } },
    ],
  },
});
const XML_BODY = `<?xml version="1.0" encoding="UTF-8"?>
<!-- as a client of another language writes it -->
<request protocol="3.1" requestid="{r-1}" sessionid="{s-1}" machineid="d-1" user="anna@acme.example">
  <os platform="Windows" version="10.0" arch="x64"/><hw sse="1"/>
  <app appid="{c1}" version="5.12.2" cohort="5.12.3/phase-1" cohorthint="beta" cohortname="Phase 1">
    <updatecheck targetversionprefix="5.12."/>
    <ping r="1" rd="5700"/>
    <event eventtype="13" eventresult="1"/>
    <event eventtype="3" eventresult="0" errorcode="-2147219198" extracode1="268435463" previousversion="5.12.1" download_time_ms="12"/>
    <data name="install"><![CDATA[<anything>]]></data>
  </app>
  <app appid="{c2}"><updatecheck updatedisabled="true"/></app>
</request>`;

const read = (body: string, encoding: Encoding): OmahaRequest => {
  const found = readRequest(body, encoding);
  if ("problem" in found) throw new Error(found.problem);
  return found;
};
const problem = (body: string, encoding: Encoding): string => {
  const found = readRequest(body, encoding);
  return "problem" in found ? found.problem : "it was read";
};

describe("a request", () => {
  it("says the same in both encodings: apps, cohorts, checks, pings and events with their error codes", () => {
    const { encoding: _, ...json } = read(JSON_BODY, "json");
    const { encoding: __, ...xml } = read(XML_BODY, "xml");
    expect(json).toEqual(xml);
    expect(json).toEqual({
      protocol: "3.1",
      requestId: "{r-1}",
      sessionId: "{s-1}",
      machineId: "d-1",
      user: "anna@acme.example",
      platform: "Windows",
      apps: [
        {
          appId: "{c1}",
          version: "5.12.2",
          cohort: "5.12.3/phase-1",
          cohortHint: "beta",
          cohortName: "Phase 1",
          updateCheck: { targetVersionPrefix: "5.12.", updatesDisabled: false },
          ping: true,
          events: [
            { type: 13, result: 1 },
            { type: 3, result: 0, errorCode: -2_147_219_198, extraCode: 268_435_463, previousVersion: "5.12.1" },
          ],
        },
        { appId: "{c2}", updateCheck: { updatesDisabled: true }, ping: false, events: [] },
      ],
    });
  });

  it("is read by the type of its content, and without one by its first character", () => {
    expect(encodingOf("application/json; charset=utf-8", "<")).toBe("json");
    expect(encodingOf("text/xml", "{")).toBe("xml");
    expect(encodingOf(undefined, " \n<request/>")).toBe("xml");
    expect(encodingOf("application/x-www-form-urlencoded", "{}")).toBe("json");
  });

  it("tells the machine by the app where the request does not, as clients of protocol 3.0 do", () => {
    const old = read('<request protocol="3.0"><app appid="a" machineid="m-1" track="stable"><updatecheck/></app></request>', "xml");
    expect([old.protocol, old.machineId, old.apps[0]!.machineId]).toEqual(["3.0", undefined, "m-1"]);
    expect(read('<request protocol="3.0" userid="{u}"><app appid="a"/></request>', "xml").machineId).toBe("{u}");
  });

  it("[G12] texts are stripped and cut, numbers that are none are left out, an event without a type is none", () => {
    const body = JSON.stringify({
      request: {
        protocol: "3.1",
        user: `\u202eanna\n${"x".repeat(900)}`,
        app: [{ appid: "a", event: [{ eventtype: "3", eventresult: "no" }, { eventtype: 1e30 }, { eventresult: 0 }, "3"] }],
      },
    });
    const { user, apps } = read(body, "json");
    expect([user!.length, user!.startsWith("anna x"), apps[0]!.events]).toEqual([320, true, [{ type: 3, result: 1 }]]);
  });

  it("[I19] sixteen apps and thirty-two events are read, the others are passed over", () => {
    const event = Array.from({ length: 40 }, () => ({ eventtype: 3 }));
    const app = Array.from({ length: 20 }, (_, index) => ({ appid: String(index), ...(index === 0 ? { event } : {}) }));
    const { apps } = read(JSON.stringify({ request: { protocol: "3.1", app } }), "json");
    expect([apps.length, apps[0]!.events.length]).toEqual([16, 32]);
  });
});

describe("what is refused", () => {
  const LOL = '<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">';
  it.each<[string, Encoding, string, RegExp]>([
    ["an entity bomb", "xml", `<!DOCTYPE request [${LOL}]><request protocol="3.1"><app appid="&c;"/></request>`, /document type/],
    ["a file by entity", "xml", '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><request>&x;</request>', /document type/],
    [
      "a document type from elsewhere",
      "xml",
      '<!DOCTYPE request SYSTEM "http://127.0.0.1/x.dtd"><request protocol="3.1"/>',
      /document type/,
    ],
    ["an entity that nobody declared", "xml", '<request protocol="3.1"><app appid="&lol;"/></request>', /no XML/],
    ["half a document", "xml", '<request protocol="3.1"><app', /no XML/],
    ["an end too many", "xml", '<request protocol="3.1"></request></app>', /no XML/],
    ["nothing at all", "xml", "", /no XML|no request/],
    ["another document", "xml", "<response/>", /no request/],
    ["elements without end", "xml", `${"<request>".repeat(17)}${"</request>".repeat(17)}`, /deeper than 16/],
    ["too many elements", "xml", `<request protocol="3.1">${"<a/>".repeat(1_100)}</request>`, /more than 1024/],
    ["no JSON", "json", "{'request': 1}", /no JSON/],
    ["another object", "json", "[]", /has no request/],
    ["one level too many", "json", `{"request":{"protocol":"3.1","app":${'{"a":'.repeat(15)}{}${"}".repeat(15)}}}`, /deeper than 16/],
    ["nesting without end", "json", `{"request":${'{"a":'.repeat(9_000)}1${"}".repeat(9_000)}}`, /deeper than 16/],
    ["lists without end", "json", `{"request":{"protocol":"3.1","a":[${Array(2_000).fill("{}").join(",")}]}}`, /more than 1024/],
    ["another protocol", "json", '{"request":{"protocol":"4.0","app":[{}]}}', /speaks 3\.0 and 3\.1/],
    ["no protocol", "xml", "<request><app/></request>", /speaks 3\.0 and 3\.1/],
    ["no app", "xml", '<request protocol="3.1"/>', /names no app/],
  ])("%s (%s)", (_, encoding, body, expected) => {
    expect(problem(body, encoding)).toMatch(expected);
  });

  it("[I19] more than 64 kB, counted in bytes, whatever is in it", () => {
    for (const encoding of ["json", "xml"] as const) {
      expect(problem("\u00e9".repeat(LIMITS.bytes / 2 + 1), encoding)).toMatch(/larger than 65536 bytes/);
      expect(problem("x".repeat(5_000_000), encoding)).toMatch(/larger than 65536 bytes/);
    }
  });

  it("names of the language mean nothing: __proto__ and constructor are names as any other", () => {
    const body =
      '{"request":{"protocol":"3.1","__proto__":{"platform":"x"},"constructor":"y","app":[{"appid":"a","__proto__":{"version":"9"}}]}}';
    expect(read(body, "json").apps).toEqual([{ appId: "a", ping: false, events: [] }]);
    expect(read('<request protocol="3.1"><app appid="a" __proto__="x" constructor="y"/></request>', "xml").apps[0]).toEqual({
      appId: "a",
      ping: false,
      events: [],
    });
  });

  it("whatever comes, it is read or refused with a sentence, and never throws", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: "binary-ascii", maxLength: 200 }), fc.json({ maxDepth: 3 })),
        fc.constantFrom("json" as const, "xml" as const),
        (body, encoding) => {
          expect(readRequest(body, encoding)).toBeTypeOf("object");
        },
      ),
    );
    const pieces = fc.array(
      fc.constantFrom("<", ">", "/", "request", " protocol=", '"3.1"', "&#0;", "&#x1F600;", "<![CDATA[", "]]>", "<?x", "?>", "<!--", "é"),
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        expect(readRequest(parts.join(""), "xml")).toBeTypeOf("object");
      }),
    );
  });
});
