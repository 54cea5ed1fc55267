import type { Encoding } from "./request.ts";

/** What a request is answered; one app for each of the request, in its order. */
export interface OmahaResponse {
  readonly protocol: string;
  /** Days since 2007-01-01 and seconds since midnight at the server: clients tell by it when they were last heard. */
  readonly dayStart: { readonly elapsedDays: number; readonly elapsedSeconds: number };
  readonly apps: readonly AppResponse[];
}

/** The words of the protocol for an app that is not answered; a client tries it again later, or never. */
export type AppStatus = "ok" | "restricted" | "error-unknownApplication" | "error-invalidAppId" | "error-osnotsupported" | "error-internal";

export interface AppResponse {
  readonly appId: string;
  readonly status: AppStatus;
  /** The client keeps these and sends them with its next request. */
  readonly cohort?: string;
  readonly cohortHint?: string;
  readonly cohortName?: string;
  readonly updateCheck?: NoUpdate | Update;
  /** It sent one. */
  readonly ping: boolean;
  /** How many events it sent: each is confirmed. */
  readonly events: number;
}

export interface NoUpdate {
  readonly status: "noupdate";
  /** Why, for whoever reads the client's log; clients pass it over. */
  readonly reason: string;
}

export interface Update {
  readonly status: "ok";
  readonly version: string;
  /** Folders; the name of the package is appended. */
  readonly codebases: readonly string[];
  readonly package: { readonly name: string; readonly sha256: string; readonly size: number };
  /** Whether the client tells its user before it upgrades: `Silent` or `Notify`. */
  readonly experience?: string;
  /** Where people read what is new. */
  readonly releaseNotes?: string;
}

/** Before JSON, so that no page can read an answer as a script; clients of the protocol cut it off. */
const NO_SCRIPT = ")]}'\n";

/** The answer in the encoding of the request, with its content type. */
export function writeResponse(response: OmahaResponse, encoding: Encoding): { readonly type: string; readonly body: string } {
  return encoding === "json"
    ? { type: "application/json; charset=utf-8", body: `${NO_SCRIPT}${JSON.stringify({ response: jsonOf(response) })}` }
    : { type: "application/xml; charset=utf-8", body: `<?xml version="1.0" encoding="UTF-8"?>\n${xmlOf(response)}\n` };
}

const SERVER = "rollward";

const cohortsOf = ({ cohort, cohortHint, cohortName }: AppResponse) => ({
  ...(cohort === undefined ? {} : { cohort }),
  ...(cohortHint === undefined ? {} : { cohorthint: cohortHint }),
  ...(cohortName === undefined ? {} : { cohortname: cohortName }),
});

const jsonOf = ({ protocol, dayStart, apps }: OmahaResponse) => ({
  protocol,
  server: SERVER,
  daystart: { elapsed_days: dayStart.elapsedDays, elapsed_seconds: dayStart.elapsedSeconds },
  app: apps.map((app) => ({
    appid: app.appId,
    status: app.status,
    ...cohortsOf(app),
    ...(app.ping ? { ping: { status: "ok" } } : {}),
    ...(app.updateCheck === undefined ? {} : { updatecheck: jsonCheck(app.updateCheck) }),
    ...(app.events === 0 ? {} : { event: Array.from({ length: app.events }, () => ({ status: "ok" })) }),
  })),
});

function jsonCheck(check: NoUpdate | Update) {
  if (check.status === "noupdate") return { status: check.status, _reason: check.reason };
  return {
    status: check.status,
    ...wordsOf(check),
    urls: { url: check.codebases.map((codebase) => ({ codebase })) },
    // No actions, but the word: libraries that read every field refuse a manifest without it.
    manifest: { version: check.version, actions: { action: [] }, packages: { package: [packageOf(check)] } },
  };
}

/** The fingerprint tells a client that has the file already that it is the same one. */
const packageOf = ({ package: { name, sha256, size } }: Update) => ({ name, hash_sha256: sha256, size, required: true, fp: `1.${sha256}` });

const wordsOf = ({ experience, releaseNotes }: Update) => ({
  ...(experience === undefined ? {} : { _experience: experience }),
  ...(releaseNotes === undefined ? {} : { _release_notes: releaseNotes }),
});

type Attributes = Readonly<Record<string, string | number | boolean>>;

/** An element; attributes are escaped, children are elements already. */
function element(name: string, attributes: Attributes, children: readonly string[] = []): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(String(value))}"`);
  return children.length === 0 ? `<${name}${written.join("")}/>` : `<${name}${written.join("")}>${children.join("")}</${name}>`;
}

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };
// Controls cannot be written in XML at all, not even as references.
// oxlint-disable-next-line no-control-regex
const UNWRITABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
const escaped = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(UNWRITABLE, " ")
    .replaceAll(/[&<>"']/g, (character) => ESCAPES[character]!);

const xmlOf = ({ protocol, dayStart, apps }: OmahaResponse): string =>
  element("response", { protocol, server: SERVER }, [
    element("daystart", { elapsed_days: dayStart.elapsedDays, elapsed_seconds: dayStart.elapsedSeconds }),
    ...apps.map((app) =>
      element("app", { appid: app.appId, status: app.status, ...cohortsOf(app) }, [
        ...(app.ping ? [element("ping", { status: "ok" })] : []),
        ...(app.updateCheck === undefined ? [] : [xmlCheck(app.updateCheck)]),
        ...Array.from({ length: app.events }, () => element("event", { status: "ok" })),
      ]),
    ),
  ]);

function xmlCheck(check: NoUpdate | Update): string {
  if (check.status === "noupdate") return element("updatecheck", { status: check.status, _reason: check.reason });
  const urls = check.codebases.map((codebase) => element("url", { codebase }));
  const packages = element("packages", {}, [element("package", packageOf(check))]);
  return element("updatecheck", { status: check.status, ...wordsOf(check) }, [
    element("urls", {}, urls),
    element("manifest", { version: check.version }, [element("actions", {}), packages]),
  ]);
}
