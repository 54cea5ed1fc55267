import { attributeOf, childOf, childrenOf, type Element, isUnreadable, type Unreadable } from "./element.ts";
import type { OmahaEvent } from "./event.ts";
import { parseJson } from "./json.ts";
import { parseXml } from "./xml.ts";

/** One request of a client, of either encoding; every text is stripped and capped (rule G12), every list bounded (I19). */
export interface OmahaRequest {
  readonly encoding: Encoding;
  /** `3.0` or `3.1`; answers say the same. */
  readonly protocol: string;
  /** The same for each try of one request: what was counted once is not counted again. */
  readonly requestId?: string;
  readonly sessionId?: string;
  /** What tells this installation from others, as it was sent; it tells nothing of whose it is. */
  readonly machineId?: string;
  /** Who uses it, where the client says so. */
  readonly user?: string;
  readonly platform?: string;
  readonly apps: readonly OmahaApp[];
}

export interface OmahaApp {
  readonly appId: string;
  /** Absent, or zeros: a new installation. */
  readonly version?: string;
  readonly cohort?: string;
  readonly cohortHint?: string;
  readonly cohortName?: string;
  readonly machineId?: string;
  /** Who uses it, from libraries whose requests carry fields of their own in apps alone. */
  readonly user?: string;
  /** Present: it asks for an update. */
  readonly updateCheck?: { readonly targetVersionPrefix?: string; readonly updatesDisabled: boolean };
  readonly ping: boolean;
  readonly events: readonly OmahaEvent[];
}

export type Encoding = "json" | "xml";

const MOST_APPS = 16;
const MOST_EVENTS = 32;
const LONGEST = 128;
/** An address of mail may be as long. */
const LONGEST_USER = 320;
/** Cohorts are kept by clients for us: theirs may be longer than any of ours. */
const LONGEST_COHORT = 1_024;

/** The encoding by the type of the content; where that says nothing, by the first character of the body. */
export function encodingOf(contentType: string | undefined, body: string): Encoding {
  const type = contentType?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (/[/+]json$/.test(type)) return "json";
  if (/[/+]xml$/.test(type)) return "xml";
  return body.trimStart().startsWith("<") ? "xml" : "json";
}

/** Reads a request: elements and attributes that are not known are passed over, apps and events beyond the limits too. */
export function readRequest(body: string, encoding: Encoding): OmahaRequest | Unreadable {
  const element = encoding === "json" ? parseJson(body, "request") : parseXml(body, "request");
  if (isUnreadable(element)) return element;
  const protocol = attributeOf(element, "protocol", 8) ?? "";
  if (protocol !== "3.0" && protocol !== "3.1") {
    return { problem: `the protocol is ${JSON.stringify(protocol)}; this server speaks 3.0 and 3.1` };
  }
  const apps = childrenOf(element, "app");
  if (apps.length === 0) return { problem: "the request names no app; write at least one with its appid" };
  return {
    encoding,
    protocol,
    ...defined({
      requestId: attributeOf(element, "requestid", LONGEST),
      sessionId: attributeOf(element, "sessionid", LONGEST),
      machineId:
        attributeOf(element, "machineid", LONGEST) ?? attributeOf(element, "deviceid", LONGEST) ?? attributeOf(element, "userid", LONGEST),
      user: attributeOf(element, "user", LONGEST_USER),
      platform: platformOf(element),
    }),
    apps: apps.slice(0, MOST_APPS).map(appOf),
  };
}

const platformOf = (request: Element): string | undefined => {
  const os = childOf(request, "os");
  return os && attributeOf(os, "platform", LONGEST);
};

function appOf(app: Element): OmahaApp {
  const check = childOf(app, "updatecheck");
  const prefix = check && attributeOf(check, "targetversionprefix", LONGEST);
  return {
    appId: attributeOf(app, "appid", LONGEST) ?? "",
    ...defined({
      version: attributeOf(app, "version", 64),
      cohort: attributeOf(app, "cohort", LONGEST_COHORT),
      cohortHint: attributeOf(app, "cohorthint", LONGEST_COHORT),
      cohortName: attributeOf(app, "cohortname", LONGEST_COHORT),
      machineId: attributeOf(app, "machineid", LONGEST),
      user: attributeOf(app, "user", LONGEST_USER),
    }),
    ...(check === undefined
      ? {}
      : {
          updateCheck: {
            ...(prefix === undefined ? {} : { targetVersionPrefix: prefix }),
            updatesDisabled: isTrue(check, "updatedisabled"),
          },
        }),
    ping: childOf(app, "ping") !== undefined,
    events: childrenOf(app, "event").slice(0, MOST_EVENTS).flatMap(eventOf),
  };
}

const isTrue = (element: Element, name: string): boolean => attributeOf(element, name, 8)?.toLowerCase() === "true";

/** An event without a type is none. One without a result says that nothing went wrong: 1. */
function eventOf(event: Element): OmahaEvent[] {
  const type = numberOf(event, "eventtype");
  if (type === undefined) return [];
  return [
    {
      type,
      result: numberOf(event, "eventresult") ?? 1,
      ...defined({
        errorCode: numberOf(event, "errorcode"),
        extraCode: numberOf(event, "extracode1"),
        previousVersion: attributeOf(event, "previousversion", 64),
        nextVersion: attributeOf(event, "nextversion", 64),
      }),
    },
  ];
}

/** Whole numbers of 32 bits, with or without sign: error codes of Windows come as both. */
function numberOf(element: Element, name: string): number | undefined {
  const text = attributeOf(element, name, 16);
  const value = text !== undefined && /^-?\d{1,10}$/.test(text) ? Number(text) : undefined;
  return value !== undefined && Math.abs(value) <= 0xffff_ffff ? value : undefined;
}

type Defined<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

/** The fields that are there. */
function defined<Fields extends object>(fields: Fields): Defined<Fields> {
  const found: Partial<Fields> = {};
  for (const name of Object.keys(fields) as (keyof Fields)[]) if (fields[name] !== undefined) found[name] = fields[name];
  return found as Defined<Fields>;
}
