import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KnownClient } from "../../control/client-inventory.ts";
import { checkIn } from "../../control/clients/check-in.ts";
import { account, clientRollout, inPhase } from "../../core/client/client.examples.ts";
import { clientViews } from "../../core/client/rollout-view.ts";
import { LIMITS } from "../../omaha/element.ts";
import { type Encoding, readRequest } from "../../omaha/request.ts";
import { writeResponse } from "../../omaha/response.ts";
import { appResponse, callsOf, responseOf } from "./answer.ts";
import { clientPathOf } from "./route.ts";

const STATUSES = new Set(["ok", "error-unknownApplication", "error-invalidAppId", "error-osnotsupported"]);
const ROLLOUTS = clientViews([clientRollout({ status: inPhase(3, 100, 100), spec: { floors: [{ version: "5.0" }] } })]);
/** The largest answer to sixteen apps with all their events. */
const LARGEST_ANSWER = 200_000;

/** What a body is answered, the way through the gateway without its sockets; undefined: it cannot be read. */
function answered(
  body: string,
  encoding: Encoding,
  known?: KnownClient,
): { readonly statuses: readonly string[]; readonly body: string } | undefined {
  const request = readRequest(body, encoding);
  if ("problem" in request) {
    expect(request.problem.length).toBeGreaterThan(10);
    return undefined;
  }
  const sight = { rollouts: ROLLOUTS, account: account(), fleet: { fresh: true, paused: false } };
  const apps = callsOf(request, "acme", "rollward.client").map((one) => {
    if (!("call" in one)) return one.refused;
    const { call } = one;
    const told = checkIn(call, known, sight, 0);
    for (const report of told.reports) {
      expect(report.account).toBe("acme");
      for (const text of [report.device, report.user, report.version, report.requestId])
        expect((text ?? "").length).toBeLessThanOrEqual(320);
    }
    expect(told.reports.length).toBeLessThanOrEqual(2);
    return appResponse(one.app, told, "http://127.0.0.1/");
  });
  return { statuses: apps.map(({ status }) => status), body: writeResponse(responseOf(request.protocol, apps, 0), request.encoding).body };
}

const anyText = fc.oneof(
  fc.constantFrom(
    "rollward.client",
    "rollward.client.windows",
    "rollward.client.linux",
    "5.11.0",
    "0.0.0.0",
    "99999999999.1",
    "-1",
    "true",
    "3",
    "d-1",
  ),
  fc.string({ unit: "binary", maxLength: 40 }),
);
const anyValue = fc.oneof(anyText, fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.array(fc.integer(), { maxLength: 2 }));
const anyEvent = fc.record(
  { eventtype: anyValue, eventresult: anyValue, errorcode: anyValue, previousversion: anyValue },
  { requiredKeys: [] },
);
const anyApp = fc.record(
  {
    appid: anyValue,
    version: anyValue,
    machineid: anyValue,
    user: anyValue,
    cohort: anyValue,
    updatecheck: fc.oneof(anyValue, fc.record({ targetversionprefix: anyValue, updatedisabled: anyValue })),
    event: fc.oneof(anyValue, fc.array(anyEvent, { maxLength: 40 })),
    ping: anyValue,
  },
  { requiredKeys: [] },
);
const anyRequest = fc.record(
  {
    protocol: fc.oneof({ weight: 5, arbitrary: fc.constantFrom("3.0", "3.1") }, { weight: 1, arbitrary: anyValue }),
    requestid: anyValue,
    machineid: anyValue,
    user: anyValue,
    os: fc.oneof(anyValue, fc.record({ platform: anyValue })),
    app: fc.oneof(anyValue, fc.array(anyApp, { maxLength: 20 })),
  },
  { requiredKeys: ["protocol", "app"] },
);

const escaped = (text: string): string => text.replaceAll(/[^ -~]|[&<>"']/gu, (one) => `&#${one.codePointAt(0)};`);
function xmlOf(name: string, value: unknown): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return `<${name}/>`;
  const attributes: string[] = [];
  const children: string[] = [];
  for (const [key, inner] of Object.entries(value)) {
    const items: unknown[] = Array.isArray(inner) ? inner : [inner];
    for (const item of items) {
      if (typeof item === "object" && item !== null) children.push(xmlOf(key, item));
      else if (!Array.isArray(inner)) attributes.push(` ${key}="${escaped(String(item))}"`);
    }
  }
  return `<${name}${attributes.join("")}>${children.join("")}</${name}>`;
}

describe("[I19] whatever a Client sends", () => {
  it("it is answered or refused with a sentence, within bounds, by one of a closed set of words, in both encodings", () => {
    let read = 0;
    fc.assert(
      fc.property(anyRequest, (request) => {
        for (const [body, encoding] of [
          [JSON.stringify({ request }), "json"],
          [xmlOf("request", request), "xml"],
        ] as const) {
          const told = answered(body, encoding);
          if (told === undefined) continue;
          read += 1;
          expect(told.statuses.every((status) => STATUSES.has(status))).toBe(true);
          expect(told.statuses.length).toBeLessThanOrEqual(16);
          expect(told.body.length).toBeLessThan(LARGEST_ANSWER);
        }
      }),
      { numRuns: 300 },
    );
    expect(read, "the property is about requests that can be read").toBeGreaterThan(100);
  });

  it("a body that was cut, doubled or has bytes changed never throws", () => {
    const good = JSON.stringify({
      request: {
        protocol: "3.1",
        machineid: "d-1",
        app: [{ appid: "rollward.client.windows", version: "5.11.0", updatecheck: {}, event: [{ eventtype: 3 }] }],
      },
    });
    const xml =
      '<request protocol="3.1" machineid="d-1"><app appid="rollward.client.windows" version="5.11.0"><updatecheck/></app></request>';
    fc.assert(
      fc.property(
        fc.constantFrom<[string, Encoding]>([good, "json"], [xml, "xml"]),
        fc.nat(200),
        fc.nat(200),
        fc.string({ unit: "binary", maxLength: 6 }),
        ([body, encoding], from, length, put) => {
          answered(body.slice(0, from) + put + body.slice(from + length), encoding);
        },
      ),
    );
  });

  it("what a Client says of its cohort, of its age or of its clock changes no answer", () => {
    const ask = (more: object) =>
      answered(
        JSON.stringify({
          request: {
            protocol: "3.1",
            machineid: "d-1",
            app: [{ appid: "rollward.client.windows", version: "5.11.0", updatecheck: {}, ...more }],
          },
        }),
        "json",
      )?.body;
    fc.assert(
      fc.property(anyText, anyText, fc.integer(), (cohort, cohortname, installdate) => {
        expect(ask({ cohort, cohortname, cohorthint: cohort, installdate })).toBe(ask({}));
      }),
      { numRuns: 50 },
    );
  });

  it("paths: of a Client, or of nobody, and never longer than they may be", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii", maxLength: 60 }), (rest) => {
        const path = clientPathOf(`/omaha/v1/${rest}`);
        if (path === undefined) return;
        expect(path.account).toMatch(/^[0-9A-Za-z._-]{1,63}$/);
        expect(path.artifact ?? "a").toMatch(/^[0-9A-Za-z][0-9A-Za-z._-]*$/);
      }),
    );
    expect(clientPathOf(`/omaha/v1/acme/${"x".repeat(LIMITS.bytes)}`)).toBeUndefined();
    expect(clientPathOf("/acme/controller/v1/S-1")).toBeUndefined();
  });
});
