import { cleanText } from "../text.ts";

/**
 * What devices write of themselves, read (rule G12): each value has a type, a length and a list of words, and whatever is none of them
 * is left out or counts for the careful side. A device's clock is not asked.
 */
export interface ReadAttributes {
  readonly version?: string;
  readonly model?: string;
  readonly haState?: "Active" | "Standby" | "Unknown";
  readonly keepalive?: boolean;
  readonly pop?: string;
  readonly prefetch?: boolean;
}

/** Feedback of a device, read: what it does to the row, and what it said. */
export interface Feedback {
  /** `fetch`: `proceed` of what was given; of what is only shown ahead it begins nothing (rule S13). `none`: nothing that a row knows. */
  readonly act: "proceed" | "succeed" | "fail" | "cancel" | "fetch" | "none";
  readonly said?: string;
}

/** A sentence for the device's log: what was wrong with the body, and what to write instead. */
export interface Unreadable {
  readonly problem: string;
}

type Fields = Readonly<Record<string, unknown>>;

const LONGEST_VERSION = 64;
const LONGEST_MODEL = 63;
const LONGEST_SAID = 256;
const MOST_DETAILS = 50;
const POP_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

/** Own fields alone: a body may name `constructor` or `__proto__`. */
const field = (object: unknown, name: string): unknown => (isObject(object) && Object.hasOwn(object, name) ? object[name] : undefined);

/** Clients without types write numbers and booleans as they come. */
function word(data: Fields, name: string, longest: number): string | undefined {
  const value = field(data, name);
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return undefined;
  const text = cleanText(String(value), longest);
  return text === "" ? undefined : text;
}

/** Only the words that mean yes: what is misspelt must not make a pair ready or a device wait by itself. */
function yes(data: Fields, name: string): boolean | undefined {
  const said = word(data, name, 8)?.toLowerCase();
  return said === undefined ? undefined : said === "true" || said === "yes" || said === "1";
}

/** Absent where nothing is said; what is said and not known is Unknown. */
function haState(data: Fields): ReadAttributes["haState"] {
  const said = word(data, "ha.state", 16)?.toLowerCase();
  if (said === undefined) return undefined;
  return said === "active" ? "Active" : said === "standby" ? "Standby" : "Unknown";
}

/** The attributes of a configData body: `{"data": {"version": "18.3.3", "ha.state": "active", …}}`. Other keys are nobody's business. */
export function readAttributes(body: unknown): ReadAttributes | Unreadable {
  const data = field(body, "data");
  if (!isObject(data)) return { problem: 'the body has no attributes; write {"data": {"version": "18.3.3", "model": "X1600", …}}' };
  const pop = word(data, "pop", 253);
  const read = {
    version: word(data, "version", LONGEST_VERSION),
    model: word(data, "model", LONGEST_MODEL),
    haState: haState(data),
    keepalive: yes(data, "ha.keepalive"),
    pop: pop !== undefined && POP_NAME.test(pop) ? pop : undefined,
    prefetch: yes(data, "prefetch"),
  };
  return Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined));
}

const EXECUTIONS = ["closed", "proceeding", "resumed", "canceled", "rejected", "scheduled", "download", "downloaded"] as const;
type Execution = (typeof EXECUTIONS)[number];

/** How it ended; what is closed without one of these words is believed to have ended in no way (rule S12). */
const FINISHED = ["success", "failure", "none"] as const;

/** What each word of a deployment's feedback does; `closed` depends on the result. */
const DEPLOYMENT: Readonly<Record<Exclude<Execution, "closed">, Feedback["act"]>> = {
  proceeding: "proceed",
  resumed: "proceed",
  canceled: "cancel",
  rejected: "fail",
  scheduled: "none",
  download: "fetch",
  downloaded: "fetch",
};

/**
 * Feedback about `action`: `{"status": {"execution": "closed", "result": {"finished": "success"}, "details": ["…"]}}`. `of` says to which
 * address it was sent: the confirmation of a cancel is written in the same words.
 */
export function readFeedback(body: unknown, of: "deploymentBase" | "cancelAction", action: number): Feedback | Unreadable {
  const id = field(body, "id");
  const named = typeof id === "string" && /^\d+$/.test(id) ? Number(id) : id;
  if (typeof named === "number" && named !== action) {
    return { problem: `the body is about action ${named}, the address about ${action}; write the number of the address, or leave id out` };
  }
  const status = field(body, "status");
  const execution = EXECUTIONS.find((known) => known === field(status, "execution"));
  if (execution === undefined) return { problem: `status.execution is none of ${EXECUTIONS.join(", ")}` };
  const finished = field(field(status, "result"), "finished");
  if (execution === "closed" && !FINISHED.some((known) => known === finished)) {
    return { problem: `closed says not how it ended; write "result": {"finished": "success"} in status, or "failure" for success` };
  }
  const said = details(field(status, "details"));
  return { act: of === "cancelAction" ? cancelled(execution, finished) : deployed(execution, finished), ...(said === "" ? {} : { said }) };
}

const deployed = (execution: Execution, finished: unknown): Feedback["act"] => {
  if (execution !== "closed") return DEPLOYMENT[execution];
  return finished === "failure" ? "fail" : "succeed";
};

/** A device that refuses to drop it goes on, and says later how it ended. */
const cancelled = (execution: Execution, finished: unknown): Feedback["act"] =>
  execution === "canceled" || (execution === "closed" && finished !== "failure") ? "cancel" : "none";

function details(value: unknown): string {
  if (!Array.isArray(value)) return typeof value === "string" ? cleanText(value, LONGEST_SAID) : "";
  const lines = value.slice(0, MOST_DETAILS).filter((line): line is string => typeof line === "string" && line !== "");
  return cleanText(lines.join("; "), LONGEST_SAID);
}
